//! Values of conditions, as the query will have them.

use super::form::{Day, Number};
use jiff::Timestamp;
use jiff::civil::Date;

/// Numbers are compared as decimals of this type.
pub(super) const DECIMAL: &str = "DECIMAL(38, 10)";
/// Its places behind the point.
const DECIMAL_PLACES: usize = 10;
/// Its places before the point.
const WHOLE_PLACES: usize = 28;
/// Moments are compared as values of this type.
pub(super) const MOMENT: &str = "TIMESTAMP(6) WITH TIME ZONE";

/// A number that can be compared exactly.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Exact {
    /// A whole number.
    Whole(i128),
    /// Any other one.
    Decimal(f64),
}

impl Exact {
    /// Reads a number.
    pub(super) fn read(number: &Number) -> Result<Self, String> {
        let whole = number.0.as_i64().map(i128::from).or_else(|| number.0.as_u64().map(i128::from));
        if let Some(whole) = whole {
            return Ok(Self::Whole(whole));
        }
        let value = number.0.as_f64().filter(|value| value.is_finite()).ok_or("is no number")?;
        let text = value.to_string();
        let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
        if whole.trim_start_matches('-').len() > WHOLE_PLACES {
            return Err(format!("must not have more than {WHOLE_PLACES} places before the point"));
        }
        if places.len() > DECIMAL_PLACES {
            return Err(format!("must not have more than {DECIMAL_PLACES} places behind the point"));
        }
        Ok(Self::Decimal(value))
    }

    /// Whether it is larger than another one.
    pub(super) fn is_above(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left > right,
            (left, right) => left.rounded() > right.rounded(),
        }
    }

    /// To the nearest number that floating point has: good enough to see two bounds that were confused.
    fn rounded(self) -> f64 {
        match self {
            Self::Whole(whole) => whole.to_string().parse().unwrap_or(f64::NAN),
            Self::Decimal(value) => value,
        }
    }

    /// Its literal.
    pub(super) fn sql(self) -> String {
        match self {
            Self::Whole(whole) if i64::try_from(whole).is_ok() => whole.to_string(),
            Self::Whole(whole) => format!("CAST('{whole}' AS {DECIMAL})"),
            // The literal 0.1 would be a floating point number, whatever it is compared with.
            Self::Decimal(value) => format!("CAST('{value}' AS {DECIMAL})"),
        }
    }
}

/// A day or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// A day.
    Day(Date),
    /// A moment.
    Moment(Timestamp),
}

impl When {
    /// Reads a day or a moment.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let is_day = text.len() == 10 && text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let day = text.parse().ok().filter(|date: &Date| is_day && date.year() > 0).map(Self::Day);
        let moment = || text.parse().ok().filter(|_| !is_day && is_of_four_digits(text)).map(Self::Moment);
        day.or_else(moment).ok_or_else(|| {
            "must be a day (\"2026-01-31\") or a moment with its offset (\"2026-01-31T18:00:00Z\")".to_owned()
        })
    }

    /// Reads a day.
    pub(super) fn read_day(day: &Day) -> Result<Self, String> {
        match Self::read(&day.0) {
            Ok(found @ Self::Day(_)) => Ok(found),
            _ => Err("must be a day (\"2026-01-31\"); moments have before, after and between".to_owned()),
        }
    }

    /// Its literal.
    pub(super) fn sql(self) -> String {
        match self {
            Self::Day(date) => format!("DATE '{date}'"),
            Self::Moment(moment) => format!("CAST('{moment}' AS {MOMENT})"),
        }
    }
}

/// Whether the year has four digits and no sign.
fn is_of_four_digits(text: &str) -> bool {
    text.bytes().take(4).all(|byte| byte.is_ascii_digit())
}

/// A text as a literal: its quotes are doubled, and nothing else in it means anything.
pub(super) fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as an identifier: its quotes are doubled, and nothing else in it means anything.
pub(super) fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
