//! What goes over the wire to import people, written straight from rows. Pure.
//!
//! <https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>

use super::options::ConsentToTrack;
use crate::text::Text;
use relay_model::{FieldValue, Row};
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

/// The field of a person's whole name; the vendor has no first and last names.
pub(super) const NAME: &str = "Name";
/// The field of a person's mobile number, in international form.
pub(super) const MOBILE_NUMBER: &str = "MobileNumber";
/// What empties a field of a day.
const NO_DAY: &str = "0000-00-00";

/// Bytes of a row without its values: `{"EmailAddress":,"ConsentToTrack":"Unchanged","CustomFields":[]},`.
const ROW_FRAME_BYTES: u64 = 65;
/// Bytes of a value without key and text: `{"Key":,"Value":,"Clear":true},`.
const VALUE_FRAME_BYTES: u64 = 31;
/// Bytes of a body without its rows.
const BODY_FRAME_BYTES: usize = 160;

/// What a row's field number means to the vendor.
#[derive(Clone, Copy)]
enum Slot<'a> {
    Name,
    MobileNumber,
    Custom { key: &'a str, is_day: bool },
}

/// What all rows of a batch have in common.
pub(super) struct Terms<'a> {
    slots: Vec<Slot<'a>>,
    consent_to_track: ConsentToTrack,
}

impl<'a> Terms<'a> {
    /// `day_fields` are the keys of fields that hold days: they are emptied in a way of their own.
    pub(super) fn new(
        field_keys: &'a [String],
        day_fields: &[String],
        consent_to_track: ConsentToTrack,
    ) -> Self {
        let slot = |key: &'a String| match key.as_str() {
            NAME => Slot::Name,
            MOBILE_NUMBER => Slot::MobileNumber,
            key => Slot::Custom { key, is_day: day_fields.iter().any(|day_field| day_field == key) },
        };
        Self { slots: field_keys.iter().map(slot).collect(), consent_to_track }
    }

    fn values<'r>(&self, row: &'r Row) -> impl Iterator<Item = (Slot<'a>, &'r FieldValue)> {
        row.values.iter().filter_map(|(number, value)| Some((*self.slots.get(usize::from(*number))?, value)))
    }
}

/// The body of an import of `rows`.
///
/// Autoresponders are neither started nor restarted: people in a segment are not people who have just signed up.
/// Consent to SMS is not given, for no export asks anybody for it.
pub(super) fn encode_import(
    rows: &[&Row],
    terms: &Terms<'_>,
    resubscribe: bool,
) -> Result<Vec<u8>, serde_json::Error> {
    let bytes = rows.iter().map(|row| 128 + row.values.len() * 64).sum::<usize>() + BODY_FRAME_BYTES;
    let mut body = Vec::with_capacity(bytes);
    let subscribers = Subscribers { rows, terms };
    serde_json::to_writer(
        &mut body,
        &Body {
            subscribers,
            resubscribe,
            queue_subscription_based_auto_responders: false,
            restart_subscription_based_autoresponders: false,
        },
    )?;
    Ok(body)
}

/// How many bytes of a body a row becomes, at the most.
pub(super) fn row_bytes(row: &Row, field_keys: &[String]) -> u64 {
    let values: u64 = row
        .values
        .iter()
        .map(|(number, value)| {
            let key = field_keys.get(usize::from(*number)).map_or(0, |key| text_bytes(key));
            let text = match value {
                FieldValue::Clear => 12,
                FieldValue::Boolean(_) => 7,
                FieldValue::Integer(_) => 22,
                // The longest way to write one without an exponent is 328 characters.
                FieldValue::Decimal(_) => 330,
                FieldValue::Text(text) => text_bytes(text),
            };
            VALUE_FRAME_BYTES + key + text
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    subscribers: Subscribers<'a>,
    resubscribe: bool,
    queue_subscription_based_auto_responders: bool,
    restart_subscription_based_autoresponders: bool,
}

struct Subscribers<'a> {
    rows: &'a [&'a Row],
    terms: &'a Terms<'a>,
}

impl Serialize for Subscribers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| Subscriber { row, terms: self.terms }))
    }
}

struct Subscriber<'a> {
    row: &'a Row,
    terms: &'a Terms<'a>,
}

impl Serialize for Subscriber<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("EmailAddress", &self.row.match_key.0)?;
        let mut has_custom_fields = false;
        for (slot, value) in self.terms.values(self.row) {
            match slot {
                Slot::Name => map.serialize_entry(NAME, &Text(value))?,
                Slot::MobileNumber => map.serialize_entry(MOBILE_NUMBER, &Text(value))?,
                Slot::Custom { .. } => has_custom_fields = true,
            }
        }
        map.serialize_entry("ConsentToTrack", self.terms.consent_to_track.word())?;
        if has_custom_fields {
            map.serialize_entry("CustomFields", &CustomFields { row: self.row, terms: self.terms })?;
        }
        map.end()
    }
}

struct CustomFields<'a> {
    row: &'a Row,
    terms: &'a Terms<'a>,
}

impl Serialize for CustomFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for (slot, value) in self.terms.values(self.row) {
            if let Slot::Custom { key, is_day } = slot {
                sequence.serialize_element(&CustomField { key, is_day, value })?;
            }
        }
        sequence.end()
    }
}

struct CustomField<'a> {
    key: &'a str,
    is_day: bool,
    value: &'a FieldValue,
}

impl Serialize for CustomField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A value that is not sent stays, and what an empty one does is not said. `Clear` removes a value of any
        // field; days have a form of their own for it, which is the one that is written about them.
        let is_empty = match self.value {
            FieldValue::Clear => true,
            FieldValue::Text(text) => text.is_empty(),
            _ => false,
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Key", self.key)?;
        if !is_empty {
            map.serialize_entry("Value", &Text(self.value))?;
        } else if self.is_day {
            map.serialize_entry("Value", NO_DAY)?;
        } else {
            map.serialize_entry("Value", "")?;
            map.serialize_entry("Clear", &true)?;
        }
        map.end()
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
