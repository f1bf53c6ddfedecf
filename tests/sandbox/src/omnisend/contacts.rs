//! A brand's contacts, found by id, address and phone number.

use super::contact::Contact;
use super::ids::IdSeries;
use super::options::EmailCase;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Everybody, in the order in which they came; those who were deleted leave a gap.
#[derive(Debug)]
pub(super) struct Contacts {
    ids: IdSeries,
    email_case: EmailCase,
    people: Vec<Option<Contact>>,
    by_email: HashMap<Arc<str>, u32>,
    by_phone: HashMap<Box<str>, u32>,
    deleted: usize,
}

impl Contacts {
    pub(super) fn new(email_case: EmailCase) -> Self {
        Self {
            ids: IdSeries::random(),
            email_case,
            people: Vec::new(),
            by_email: HashMap::new(),
            by_phone: HashMap::new(),
            deleted: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.people.len() - self.deleted
    }

    /// One more than the highest number.
    pub(super) fn end(&self) -> u32 {
        u32::try_from(self.people.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Contact> {
        self.people.iter().flatten()
    }

    pub(super) fn get(&self, number: u32) -> Option<&Contact> {
        self.people.get(usize::try_from(number).ok()?)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Contact> {
        self.people.get_mut(usize::try_from(number).ok()?)?.as_mut()
    }

    pub(super) fn id(&self, number: u32) -> String {
        self.ids.id(number)
    }

    pub(super) fn by_id(&self, id: &str) -> Option<u32> {
        self.ids.number(id).filter(|number| self.get(*number).is_some())
    }

    pub(super) fn by_email(&self, email: &str) -> Option<u32> {
        self.by_email.get(self.email_key(email).as_ref()).copied()
    }

    pub(super) fn by_phone(&self, number: &str) -> Option<u32> {
        self.by_phone.get(number).copied()
    }

    fn email_key<'a>(&self, email: &'a str) -> Cow<'a, str> {
        match self.email_case {
            EmailCase::Sensitive => email.into(),
            EmailCase::Insensitive => email.to_lowercase().into(),
        }
    }

    /// Adds somebody, whose identifiers nobody else has.
    pub(super) fn add(&mut self, mut contact: Contact) -> u32 {
        let number = self.end();
        if let Some(email) = &mut contact.email {
            let key = self.email_key(email);
            let key: Arc<str> = if *key == **email { Arc::clone(email) } else { key.into() };
            self.by_email.insert(key, number);
        }
        for phone in contact.phones() {
            self.by_phone.insert(phone.number.clone(), number);
        }
        self.people.push(Some(contact));
        number
    }

    /// Says that a contact has this address or number now.
    pub(super) fn claim_email(&mut self, email: &str, number: u32) {
        let key = self.email_key(email).into();
        self.by_email.insert(key, number);
    }

    pub(super) fn claim_phone(&mut self, phone: &str, number: u32) {
        self.by_phone.insert(phone.into(), number);
    }

    /// Somebody deletes the contact in the vendor's application.
    pub(super) fn delete(&mut self, number: u32) {
        let position = usize::try_from(number).ok();
        let gone = position.and_then(|position| self.people.get_mut(position)).and_then(Option::take);
        if gone.is_some() {
            self.deleted += 1;
            self.by_email.retain(|_, other| *other != number);
            self.by_phone.retain(|_, other| *other != number);
        }
    }
}
