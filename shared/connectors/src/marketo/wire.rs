//! What goes over the wire to write people, straight from rows. Pure.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>

use super::{KeyForm, MarketoTarget, PersonCreation};
use relay_model::{FieldValue, Row};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Room for a row's braces, its comma and the name of the field that it is looked up by.
const ROW_FRAME_BYTES: u64 = 100;
/// Bytes of a value without key and text: `:,`.
const VALUE_FRAME_BYTES: u64 = 2;
/// The longest way in which serde writes a number.
const NUMBER_BYTES: u64 = 25;
/// Room for what a body has beside its rows.
pub(super) const BODY_FRAME_BYTES: u64 = 1_024;

/// The body of a call that syncs `rows`. A value that is not there stays as it is, and `null` clears one.
pub(super) fn encode_sync(
    rows: &[&Row],
    field_keys: &[String],
    target: &MarketoTarget,
) -> Result<Vec<u8>, serde_json::Error> {
    let is_creating = target.person_creation == PersonCreation::CreateMissing;
    serde_json::to_vec(&Body {
        action: if is_creating { "createOrUpdate" } else { "updateOnly" },
        lookup_field: &target.lookup_field,
        partition_name: target.partition.as_deref().filter(|_| is_creating),
        input: rows.iter().map(|row| Lead { row, field_keys, target }).collect(),
    })
}

/// The body of a call that names leads by their ids.
pub(super) fn encode_ids(ids: &[u64]) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Ids { input: ids.iter().map(|id| Id { id: *id }).collect() })
}

/// How many bytes of a body a row becomes, at the most, whether of JSON or of a file.
pub(super) fn row_bytes(row: &Row, field_keys: &[String]) -> u64 {
    let values: u64 = row
        .values
        .iter()
        .map(|(number, value)| {
            let key = field_keys.get(usize::from(*number)).map_or(0, |key| text_bytes(key));
            let text = match value {
                FieldValue::Clear | FieldValue::Boolean(_) => 5,
                FieldValue::Integer(_) | FieldValue::Decimal(_) => NUMBER_BYTES,
                FieldValue::Text(text) => text_bytes(text),
            };
            VALUE_FRAME_BYTES + key + text
        })
        .sum();
    // A file has a comma for a field that a row has no value of.
    let commas = u64::try_from(field_keys.len()).unwrap_or(u64::MAX);
    ROW_FRAME_BYTES + text_bytes(&row.match_key.0) + values + commas
}

/// A text as JSON, its quotes included. In a file it is no longer.
fn text_bytes(text: &str) -> u64 {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0x00..=0x1f => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<u64>()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    action: &'static str,
    lookup_field: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition_name: Option<&'a str>,
    input: Vec<Lead<'a>>,
}

#[derive(Serialize)]
struct Ids {
    input: Vec<Id>,
}

#[derive(Serialize)]
struct Id {
    id: u64,
}

struct Lead<'a> {
    row: &'a Row,
    field_keys: &'a [String],
    target: &'a MarketoTarget,
}

impl Serialize for Lead<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let key = &self.row.match_key.0;
        match (self.target.key_form, key.parse::<u64>()) {
            (KeyForm::Number, Ok(number)) => map.serialize_entry(&self.target.lookup_field, &number)?,
            _ => map.serialize_entry(&self.target.lookup_field, key)?,
        }
        for (number, value) in &self.row.values {
            if let Some(field) = self.field_keys.get(usize::from(*number)) {
                map.serialize_entry(field, value)?;
            }
        }
        map.end()
    }
}

#[cfg(test)]
#[path = "wire_tests.rs"]
mod tests;
