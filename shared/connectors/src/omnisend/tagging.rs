//! Adding the tag to people and taking it from them, and nothing else of theirs.
//!
//! Where the API has calls for it, they are used: they name one tag and leave the others alone
//! (<https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts-tags>). Where it has none, a contact is read and
//! written back with all of its tags, so that it does not matter whether the tags of a write replace those that are
//! there or join them; and as they may join them, whether a tag has gone is looked at, not assumed.

use super::answers::{Contact, is_id};
use super::client::{Call, Client, Session, TAG_COST};
use super::contacts;
use super::dialect::Tagging;
use super::job::Failure;
use super::wire;
use super::{WRITE_SCOPE, not_encodable};
use crate::{ErrorKind, PushError};
use bytes::Bytes;
use http::Method;
use relay_model::CredentialStore;

const ADD: &str = "add a tag to contacts";
const REMOVE: &str = "remove a tag from contacts";
const WRITE: &str = "write a contact's tags";
/// People of one call that are known by id, and as many again that are known by address: who is meant is the union
/// (same page).
const MAX_SELECTED: usize = 250;
/// Tags of a contact in one request, at the most (<https://api-docs.omnisend.com/v5/reference/post_contacts>).
const MAX_TAGS: usize = 100;

/// What happens to the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
}

/// Somebody, by address and, where it is known, by id.
#[derive(Clone, Copy)]
pub(super) struct Person<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) email: &'a str,
}

/// What became of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tagged {
    Done,
    NotThere,
    Failed(Failure),
}

/// Changes the tag of people.
pub(super) struct Tagger<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) tag: &'a str,
}

impl<S: CredentialStore> Tagger<'_, S> {
    /// Changes the tag of the first of some people: as many as one call takes, or one. Gives what became of each of
    /// them, in their order.
    pub(super) async fn change(
        &self,
        change: Change,
        people: &[Person<'_>],
    ) -> Result<Vec<Tagged>, PushError> {
        match (self.client.words.tagging, people) {
            (_, []) => Ok(Vec::new()),
            (Tagging::Many, people) => self.change_many(change, people).await,
            (Tagging::OneByOne, [person, ..]) => Ok(vec![self.change_one(change, *person).await?]),
        }
    }

    async fn change_many(&self, change: Change, people: &[Person<'_>]) -> Result<Vec<Tagged>, PushError> {
        let (ids, emails) = select(people);
        match self.call_many(change, &ids, &emails).await {
            Ok(()) => Ok(vec![Tagged::Done; ids.len() + emails.len()]),
            // Unknown addresses are documented to be passed over, unknown ids are not: whoever was deleted and came
            // again has another.
            Err(error) if error.kind == ErrorKind::InvalidRequest && !ids.is_empty() => {
                let emails: Vec<&str> = people.iter().take(MAX_SELECTED).map(|person| person.email).collect();
                self.call_many(change, &[], &emails).await?;
                Ok(vec![Tagged::Done; emails.len()])
            }
            Err(error) => Err(error),
        }
    }

    async fn call_many(&self, change: Change, ids: &[&str], emails: &[&str]) -> Result<(), PushError> {
        let (operation, method) = match change {
            Change::Add => (ADD, Method::POST),
            Change::Remove => (REMOVE, Method::DELETE),
        };
        let body = wire::encode_tagging(ids, emails, self.tag).map_err(|_| not_encodable(operation))?;
        let url = self.client.url(&["contacts", "tags"]);
        let call =
            Call { cost: TAG_COST, ..Call::write(operation, method, url, Bytes::from(body), WRITE_SCOPE) };
        self.client.call(&call, self.session).await.map(drop)
    }

    async fn change_one(&self, change: Change, person: Person<'_>) -> Result<Tagged, PushError> {
        let Person { id, email } = person;
        let Some(contact) = contacts::by_id_or_email(self.client, self.session, id, email).await? else {
            return Ok(Tagged::NotThere);
        };
        let Contact { id: Some(id), tags, .. } = contact else { return Ok(Tagged::NotThere) };
        let mut tags = tags.unwrap_or_default();
        let has_tag = tags.iter().any(|tag| tag == self.tag);
        match change {
            Change::Add if has_tag => return Ok(Tagged::Done),
            Change::Remove if !has_tag => return Ok(Tagged::NotThere),
            Change::Add => tags.push(self.tag.to_owned()),
            Change::Remove => tags.retain(|tag| tag != self.tag),
        }
        if tags.len() > MAX_TAGS {
            return Ok(Tagged::Failed(Failure::TooManyTags));
        }
        let written = self.write(&id, &tags).await?;
        if change == Change::Add {
            return Ok(Tagged::Done);
        }
        let left = if let Some(tags) = written.tags {
            tags
        } else {
            let again = contacts::by_id_or_email(self.client, self.session, Some(&id), email).await?;
            again.and_then(|contact| contact.tags).unwrap_or_default()
        };
        let stays = left.iter().any(|tag| tag == self.tag);
        Ok(if stays { Tagged::Failed(Failure::TagStays) } else { Tagged::Done })
    }

    async fn write(&self, id: &str, tags: &[String]) -> Result<Contact, PushError> {
        let body = wire::encode_tags(tags).map_err(|_| not_encodable(WRITE))?;
        let url = self.client.url(&["contacts", id]);
        let call = Call {
            // What was read before may be out of date by the second time.
            is_repeatable: false,
            ..Call::write(WRITE, Method::PATCH, url, Bytes::from(body), WRITE_SCOPE)
        };
        self.client.call(&call, self.session).await?.read()
    }
}

/// The ids and addresses of the first people, as many as one call takes.
fn select<'a>(people: &[Person<'a>]) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut ids, mut emails) = (Vec::new(), Vec::new());
    for Person { id, email } in people {
        match id.filter(|id| is_id(id)) {
            Some(id) if ids.len() < MAX_SELECTED => ids.push(id),
            _ if emails.len() < MAX_SELECTED => emails.push(*email),
            _ => break,
        }
    }
    (ids, emails)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_takes_the_first_people_by_id_and_by_address() {
        let check = |known: usize, unknown: usize, expected: (usize, usize)| {
            let mut people = vec![Person { id: Some("7"), email: "a@example.com" }; known];
            people.extend(vec![Person { id: None, email: "a@example.com" }; unknown]);
            let (ids, emails) = select(&people);
            assert_eq!((ids.len(), emails.len()), expected, "{known} {unknown}");
        };
        check(0, 0, (0, 0));
        check(250, 250, (250, 250));
        check(600, 0, (250, 250));
        check(300, 10, (250, 60));
        check(0, 600, (0, 250));
        let odd = [Person { id: Some("../x"), email: "a@example.com" }];
        assert_eq!(select(&odd), (vec![], vec!["a@example.com"]));
    }
}
