//! Values as text, for destinations with text fields only, and the length of texts as JSON.

use relay_model::FieldValue;
use serde::{Serialize, Serializer};

/// A value as text. A cleared value is the empty string.
pub(super) struct Text<'a>(pub(super) &'a FieldValue);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            FieldValue::Clear => serializer.serialize_str(""),
            FieldValue::Boolean(true) => serializer.serialize_str("true"),
            FieldValue::Boolean(false) => serializer.serialize_str("false"),
            FieldValue::Integer(number) => serializer.collect_str(number),
            FieldValue::Decimal(number) => serializer.collect_str(number),
            FieldValue::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// Returns the length of a text as a JSON string, quotes included.
pub(super) fn json_bytes(text: &str) -> u64 {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0x00..=0x1f => 6,
        _ => 1,
    };
    2 + text.bytes().map(escaped).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_measured_exactly(text in "(.|\\n){0,60}") {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(json_bytes(&text), u64::try_from(written.len()).unwrap());
        }
    }
}
