//! What goes over the wire, written straight from rows. Pure.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/post_batches> with the contacts of
//! <https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts>, and the same pages of v5.

use super::dialect::Words;
use super::fields::{CONSENT, CONSENT_DATE, COUNTRY, COUNTRY_CODE, PROPERTY_PREFIX};
use crate::text::Text;
use relay_model::{FieldValue, Row};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Bytes of a contact without its values, in either dialect, its subscription and the names of its parts included.
const ROW_FRAME_BYTES: u64 = 260;
/// Bytes of a value beside key and text: `"":,`.
const VALUE_FRAME_BYTES: u64 = 4;
/// Bytes of a body beside its contacts.
pub(super) const BODY_FRAME_BYTES: u64 = 60;

/// What a row's field number means to the vendor.
#[derive(Clone, Copy)]
enum Slot<'a> {
    Profile(&'a str),
    Country,
    CountryCode,
    Property(&'a str),
    Consent,
    ConsentDate,
}

/// What all rows of a batch have in common.
pub(super) struct Terms<'a> {
    slots: Vec<Slot<'a>>,
    words: &'a Words,
}

/// A row on its way: whether the person's subscription goes with it was decided before.
#[derive(Clone, Copy)]
pub(super) struct Outgoing<'a> {
    pub(super) row: &'a Row,
    pub(super) tells_subscription: bool,
}

impl<'a> Terms<'a> {
    pub(super) fn new(field_keys: &'a [String], words: &'a Words) -> Self {
        let slot = |key: &'a String| match key.as_str() {
            COUNTRY => Slot::Country,
            COUNTRY_CODE => Slot::CountryCode,
            CONSENT => Slot::Consent,
            CONSENT_DATE => Slot::ConsentDate,
            key => key.strip_prefix(PROPERTY_PREFIX).map_or(Slot::Profile(key), Slot::Property),
        };
        Self { slots: field_keys.iter().map(slot).collect(), words }
    }

    /// Whether any row may carry a consent.
    pub(super) fn has_consent(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Consent))
    }

    /// When the person consented, where the row says that they did and when.
    pub(super) fn consent_date<'r>(&self, row: &'r Row) -> Option<&'r str> {
        let mut has_consented = false;
        let mut date = None;
        for (slot, value) in self.values(row) {
            match (slot, value) {
                (Slot::Consent, FieldValue::Boolean(value)) => has_consented = *value,
                (Slot::ConsentDate, FieldValue::Text(text)) if !text.is_empty() => date = Some(text.as_str()),
                _ => {}
            }
        }
        date.filter(|_| has_consented)
    }

    fn values<'r>(&self, row: &'r Row) -> impl Iterator<Item = (Slot<'a>, &'r FieldValue)> {
        row.values.iter().filter_map(|(number, value)| Some((*self.slots.get(usize::from(*number))?, value)))
    }
}

/// The body of a batch of contacts.
///
/// It names no tags: whether tags of a write replace a contact's own or join them is not documented. It asks for no
/// welcome message, which one version sends unless it is told not to. And it names no channel, which leaves the
/// subscription as it is, unless the person's consent goes with the row.
pub(super) fn encode_batch(rows: &[Outgoing<'_>], terms: &Terms<'_>) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        method: &'static str,
        endpoint: &'static str,
        items: Vec<Contact<'a>>,
    }
    let items = rows.iter().map(|outgoing| Contact { outgoing: *outgoing, terms }).collect();
    serde_json::to_vec(&Body { method: "POST", endpoint: "contacts", items })
}

/// The body of a call that adds a tag to people, or takes it from them: they are known by id or by address.
pub(super) fn encode_tagging(ids: &[&str], emails: &[&str], tag: &str) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "contactIDs", skip_serializing_if = "<[_]>::is_empty")]
        ids: &'a [&'a str],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        emails: &'a [&'a str],
        tags: [&'a str; 1],
    }
    serde_json::to_vec(&Body { ids, emails, tags: [tag] })
}

/// The body of a write of all of a contact's tags.
pub(super) fn encode_tags(tags: &[String]) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        tags: &'a [String],
    }
    serde_json::to_vec(&Body { tags })
}

/// How many bytes of a body a row becomes, at the most, in either dialect.
pub(super) fn row_bytes(row: &Row, field_keys: &[String]) -> u64 {
    let values: u64 = row
        .values
        .iter()
        .map(|(number, value)| {
            let key = field_keys.get(usize::from(*number)).map_or(0, |key| text_bytes(key));
            // A country's code may be written as such, under a longer key.
            let longer_key = 4;
            let text = match value {
                FieldValue::Clear => 4,
                FieldValue::Boolean(_) => 7,
                FieldValue::Integer(_) => 22,
                FieldValue::Decimal(_) => 330,
                FieldValue::Text(text) => text_bytes(text),
            };
            VALUE_FRAME_BYTES + key + longer_key + text
        })
        .sum();
    ROW_FRAME_BYTES + text_bytes(&row.match_key.0) + values
}

/// A text as JSON, its quotes included.
fn text_bytes(text: &str) -> u64 {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0x00..=0x1f => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<u64>()
}

struct Contact<'a> {
    outgoing: Outgoing<'a>,
    terms: &'a Terms<'a>,
}

impl Serialize for Contact<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { outgoing: Outgoing { row, tells_subscription }, terms } = self;
        let consent_date = if *tells_subscription { terms.consent_date(row) } else { None };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(
            "identifiers",
            &[Identifier { email: &row.match_key.0, consent_date, words: terms.words }],
        )?;
        let has_code = terms.values(row).any(|(slot, _)| matches!(slot, Slot::CountryCode));
        let mut has_properties = false;
        for (slot, value) in terms.values(row) {
            match slot {
                Slot::Profile(key) => map.serialize_entry(key, &Text(value))?,
                Slot::Country => match code(value) {
                    Some(_) if has_code => {}
                    Some(code) => map.serialize_entry(COUNTRY_CODE, &code)?,
                    None => map.serialize_entry(COUNTRY, &Text(value))?,
                },
                Slot::CountryCode => match code(value) {
                    Some(code) => map.serialize_entry(COUNTRY_CODE, &code)?,
                    None => map.serialize_entry(COUNTRY_CODE, &Text(value))?,
                },
                Slot::Property(_) => has_properties = true,
                Slot::Consent | Slot::ConsentDate => {}
            }
        }
        if has_properties {
            map.serialize_entry("customProperties", &Properties { row, terms })?;
        }
        map.end()
    }
}

/// The code that a country of two letters is.
fn code(value: &FieldValue) -> Option<String> {
    let FieldValue::Text(text) = value else { return None };
    let text = text.trim();
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code.then(|| text.to_ascii_uppercase())
}

struct Identifier<'a> {
    email: &'a str,
    consent_date: Option<&'a str>,
    words: &'a Words,
}

impl Serialize for Identifier<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "email")?;
        map.serialize_entry("id", self.email)?;
        if let Some(date) = self.consent_date {
            map.serialize_entry("channels", &Channels { date, words: self.words })?;
        }
        map.serialize_entry("sendWelcomeMessage", &false)?;
        map.end()
    }
}

struct Channels<'a> {
    date: &'a str,
    words: &'a Words,
}

impl Serialize for Channels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("email", &Channel { date: self.date, words: self.words })?;
        map.end()
    }
}

struct Channel<'a> {
    date: &'a str,
    words: &'a Words,
}

impl Serialize for Channel<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("status", "subscribed")?;
        map.serialize_entry(self.words.status_moment, self.date)?;
        map.end()
    }
}

struct Properties<'a> {
    row: &'a Row,
    terms: &'a Terms<'a>,
}

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (slot, value) in self.terms.values(self.row) {
            // Custom properties keep their types; there is no form that clears one.
            if let Slot::Property(name) = slot
                && *value != FieldValue::Clear
            {
                map.serialize_entry(name, value)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
