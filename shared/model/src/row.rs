//! One row of a delta: the operation for one person.

use super::{MatchKey, MemberKey};
use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The operation of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// The person is not in the delivered state: add them to the target list.
    Add,
    /// The person is on the list and the values have changed.
    Change,
    /// Segment Relay added the person to the list and they are no longer in the segment: remove them.
    Remove,
}

/// One mapped value. A field to be left unchanged is absent from the row.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// Clear the field in the destination (JSON `null` in a frame).
    Clear,
    /// A boolean.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Decimal(f64),
    /// Text, already within the destination's limits; dates are in the destination's format.
    Text(String),
}

/// One mapped and checked row, as stored in a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The member.
    #[serde(rename = "member")]
    pub member_key: MemberKey,
    /// The person in the destination.
    #[serde(rename = "match")]
    pub match_key: MatchKey,
    /// The operation.
    #[serde(rename = "op")]
    pub operation: Operation,
    /// Whether Segment Relay removed this person from the list earlier, so that the destination may be
    /// asked to resubscribe them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not", rename = "rejoin")]
    pub is_rejoin: bool,
    /// The destination's own id of the person, if an earlier run learned it.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "id")]
    pub destination_id: Option<String>,
    /// Values by field number (an index into the frame's list of field names), in ascending order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(u16, FieldValue)>,
}

/// Implemented by hand, because the derived form of an untagged enum buffers every value, which dominates
/// the cost of reading a row.
impl<'de> Deserialize<'de> for FieldValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldValueVisitor;

        impl Visitor<'_> for FieldValueVisitor {
            type Value = FieldValue;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("null, a boolean, a number or a text")
            }

            fn visit_unit<E>(self) -> Result<FieldValue, E> {
                Ok(FieldValue::Clear)
            }

            fn visit_bool<E>(self, value: bool) -> Result<FieldValue, E> {
                Ok(FieldValue::Boolean(value))
            }

            fn visit_i64<E>(self, value: i64) -> Result<FieldValue, E> {
                Ok(FieldValue::Integer(value))
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<FieldValue, E> {
                i64::try_from(value)
                    .map(FieldValue::Integer)
                    .map_err(|_| E::custom("a whole number is too large"))
            }

            fn visit_f64<E>(self, value: f64) -> Result<FieldValue, E> {
                Ok(FieldValue::Decimal(value))
            }

            fn visit_str<E>(self, value: &str) -> Result<FieldValue, E> {
                Ok(FieldValue::Text(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<FieldValue, E> {
                Ok(FieldValue::Text(value))
            }
        }

        deserializer.deserialize_any(FieldValueVisitor).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = FieldValue> {
        prop_oneof![
            Just(FieldValue::Clear),
            any::<bool>().prop_map(FieldValue::Boolean),
            any::<i64>().prop_map(FieldValue::Integer),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(FieldValue::Decimal),
            "\\PC{0,12}".prop_map(FieldValue::Text),
        ]
    }

    proptest! {
        #[test]
        fn values_survive_a_frame(value in value()) {
            let json = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<FieldValue>(&json).unwrap(), value);
        }
    }
}
