//! `POST` and `DELETE /contacts/tags`: accepted at once, done later, and silent about whom nobody knows.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts-tags>

use super::clock;
use super::contact::Origin;
use super::dialect::Dialect;
use super::errors::{self, ApiError};
use super::options::Options;
use super::request::{Reader, read_tags};
use super::tags;
use super::world::Target;
use super::write;
use serde_json::Value;
use std::collections::BTreeSet;

const MOST_SELECTED: usize = 250;

/// What happens to the tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tagging {
    Add,
    Remove,
}

/// Whose tags, and which.
#[derive(Clone, Debug)]
pub(super) struct TagRequest {
    ids: Vec<String>,
    emails: Vec<String>,
    phones: Vec<String>,
    segment: Option<String>,
    tags: Vec<String>,
}

pub(super) fn read(body: &Value, options: &Options) -> Result<TagRequest, ApiError> {
    let Value::Object(object) = body else {
        return Err(errors::malformed());
    };
    let mut reader = Reader { dialect: Dialect::V2026, options, errors: Vec::new() };
    reader.known("", object, &["contactIDs", "emails", "phones", "segmentID", "tags"]);
    let tags = object.get("tags").and_then(|tags| read_tags(&mut reader, "tags", tags)).unwrap_or_default();
    if tags.is_empty() {
        reader.refuse("tags", "required", "Must have at least one item");
    }
    let mut selected = |name: &str| read_selected(&mut reader, name, object.get(name));
    let (ids, emails, phones) = (selected("contactIDs"), selected("emails"), selected("phones"));
    let segment = reader.text("segmentID", object.get("segmentID"));
    if ids.is_empty() && emails.is_empty() && phones.is_empty() && segment.is_none() {
        let message = "At least one of contactIDs, emails, phones or segmentID is required";
        reader.refuse("contactIDs", "required", message);
    }
    if reader.errors.is_empty() {
        Ok(TagRequest { ids, emails, phones, segment, tags })
    } else {
        Err(errors::validation(reader.errors))
    }
}

fn read_selected(reader: &mut Reader<'_>, name: &str, value: Option<&Value>) -> Vec<String> {
    let values = match value {
        None => return Vec::new(),
        Some(Value::Array(values)) => values,
        Some(_) => {
            reader.refuse(name, "invalid_type", "Must be an array");
            return Vec::new();
        }
    };
    if values.len() > MOST_SELECTED {
        reader.refuse(name, "too_many_items", "Must have at most 250 items");
    }
    let texts = values.iter().enumerate();
    texts.filter_map(|(position, value)| reader.text(&format!("{name}.{position}"), Some(value))).collect()
}

/// Refuses what can be seen to be wrong at once, and counts the call.
pub(super) fn accept(target: &mut Target<'_>, request: &TagRequest) -> Result<(), ApiError> {
    write::known_tags(target.brand, target.options, Some(&request.tags))?;
    if request.segment.as_deref().is_some_and(|id| target.brand.segments.get(id).is_none()) {
        return Err(errors::invalid("segmentID", "invalid_value", "Segment not found"));
    }
    let selected = request.ids.len() + request.emails.len() + request.phones.len();
    target.report.tags.most_selected = target.report.tags.most_selected.max(selected);
    target.brand.pending_taggings += 1;
    Ok(())
}

/// Does what was accepted.
pub(super) fn apply(target: &mut Target<'_>, tagging: Tagging, request: &TagRequest) {
    let Target { brand, report, .. } = target;
    brand.pending_taggings = brand.pending_taggings.saturating_sub(1);
    let ids = request.ids.iter().map(|id| brand.contacts.by_id(id));
    let emails = request.emails.iter().map(|email| brand.contacts.by_email(email));
    let phones = request.phones.iter().map(|phone| brand.contacts.by_phone(phone));
    let found: Vec<Option<u32>> = ids.chain(emails).chain(phones).collect();
    report.tags.unknown += found.iter().filter(|number| number.is_none()).count();
    let mut selected: BTreeSet<u32> = found.into_iter().flatten().collect();
    if let Some(segment) = request.segment.as_deref().and_then(|id| brand.segments.get(id)) {
        let matcher = segment.rule.matcher(&brand.tags);
        let is_in =
            |number: &u32| brand.contacts.get(*number).is_some_and(|contact| matcher.matches(contact));
        selected.extend((0..brand.contacts.end()).filter(is_in));
    }
    let numbers: Vec<u32> = request.tags.iter().filter_map(|tag| brand.tags.find(tag)).collect();
    let now = clock::now();
    for number in selected {
        let Some(contact) = brand.contacts.get_mut(number) else {
            continue;
        };
        let is_changed = match tagging {
            Tagging::Add => tags::add(contact, &numbers, Origin::Api, &mut report.tags),
            Tagging::Remove => tags::remove(contact, &brand.tags, &numbers, &mut report.tags),
        };
        if is_changed {
            contact.updated_at = now;
        }
    }
}
