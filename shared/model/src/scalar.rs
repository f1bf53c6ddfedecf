//! Attribute values, as read from a snapshot.

use jiff::{Timestamp, civil::Date};

/// A typed value. `0`, `false` and the empty text are values; only `Null` means that there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// No value.
    Null,
    /// Text, as in the source.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Decimal(f64),
    /// A boolean.
    Boolean(bool),
    /// A calendar day.
    Date(Date),
    /// A timestamp, in microseconds or coarser.
    Moment(Timestamp),
}

impl Scalar {
    /// Formats the value as text, as in a file; `None` for [`Scalar::Null`].
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Decimal(number) => Some(number.to_string()),
            Self::Boolean(value) => Some(value.to_string()),
            Self::Date(date) => Some(date.to_string()),
            Self::Moment(moment) => Some(moment.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scalar: &Scalar, expected: Option<&str>) {
        assert_eq!(scalar.to_text().as_deref(), expected);
    }

    #[test]
    fn falsy_values_are_values() {
        check(&Scalar::Null, None);
        check(&Scalar::Text(String::new()), Some(""));
        check(&Scalar::Integer(0), Some("0"));
        check(&Scalar::Decimal(0.5), Some("0.5"));
        check(&Scalar::Boolean(false), Some("false"));
        check(&Scalar::Date(jiff::civil::date(2026, 2, 28)), Some("2026-02-28"));
        check(&Scalar::Moment(Timestamp::UNIX_EPOCH), Some("1970-01-01T00:00:00Z"));
    }
}
