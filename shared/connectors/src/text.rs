//! Values as text, for the fields of destinations that take nothing else.

use relay_model::FieldValue;
use serde::{Serialize, Serializer};

/// A value as text. The empty text stands for none.
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
