//! Names that many contacts share, each kept once, and what writes do to a contact's tags.

use super::contact::{Contact, ContactTag, Origin};
use super::options::OnWrite;
use super::report::TagReport;
use std::collections::HashMap;
use std::sync::Arc;

/// Names with numbers: the brand's tags, or the names of its custom properties.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Names {
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    pub(super) fn name(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|position| self.names.get(position)).map_or("", AsRef::as_ref)
    }

    /// The name's number, which is made if there is none yet.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.find(name) {
            return number;
        }
        let (number, name) = (u32::try_from(self.names.len()).unwrap_or(u32::MAX), Arc::<str>::from(name));
        self.names.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }
}

/// Writes tags as a contact's writer sends them: complete, or so the vendor may read it.
pub(super) fn write(
    contact: &mut Contact,
    names: &Names,
    sent: &[u32],
    how: OnWrite,
    report: &mut TagReport,
) {
    if how == OnWrite::Replace {
        remove_if(contact, names, report, Cause::Write, |number| !sent.contains(&number));
    }
    add(contact, sent, Origin::Api, report);
}

/// Adds what is not there yet.
pub(super) fn add(contact: &mut Contact, numbers: &[u32], origin: Origin, report: &mut TagReport) -> bool {
    let mut new: Vec<ContactTag> = Vec::new();
    for number in numbers {
        if !contact.has_tag(*number) && !new.iter().any(|tag| tag.number == *number) {
            new.push(ContactTag { number: *number, origin });
        }
    }
    if new.is_empty() {
        return false;
    }
    if origin == Origin::Api {
        report.added += new.len();
    }
    contact.tags = contact.tags.iter().copied().chain(new).collect();
    true
}

/// Removes what is there.
pub(super) fn remove(contact: &mut Contact, names: &Names, numbers: &[u32], report: &mut TagReport) -> bool {
    remove_if(contact, names, report, Cause::Removal, |number| numbers.contains(&number))
}

/// Why tags vanish.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Write,
    Removal,
}

fn remove_if(
    contact: &mut Contact,
    names: &Names,
    report: &mut TagReport,
    cause: Cause,
    goes: impl Fn(u32) -> bool,
) -> bool {
    if !contact.tags.iter().any(|tag| goes(tag.number)) {
        return false;
    }
    for tag in contact.tags.iter().filter(|tag| goes(tag.number)) {
        report.removed += 1;
        if tag.origin == Origin::Seeded {
            match cause {
                Cause::Write => report.foreign_lost_by_writes += 1,
                Cause::Removal => report.foreign_lost_by_removals += 1,
            }
            *report.foreign_lost.entry(names.name(tag.number).to_owned()).or_default() += 1;
        }
    }
    contact.tags = contact.tags.iter().copied().filter(|tag| !goes(tag.number)).collect();
    true
}
