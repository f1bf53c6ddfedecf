//! Values of conditions, as they appear in the query.

use super::form::{Day, Number};
use jiff::Timestamp;
use jiff::civil::Date;

/// The SQL type in which numbers are compared.
pub(super) const DECIMAL: &str = "DECIMAL(38, 10)";
/// The number of decimal places of [`DECIMAL`].
const DECIMAL_PLACES: usize = 10;
/// The number of integer digits of [`DECIMAL`].
const WHOLE_PLACES: usize = 28;
/// The SQL type in which timestamps are compared.
pub(super) const MOMENT: &str = "TIMESTAMP(6) WITH TIME ZONE";

/// A number that can be compared exactly.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) enum Exact {
    /// A whole number.
    Whole(i128),
    /// Any other number.
    Decimal(f64),
}

impl Exact {
    /// Parses a number.
    pub(super) fn read(number: &Number) -> Result<Self, String> {
        let whole = number.0.as_i64().map(i128::from).or_else(|| number.0.as_u64().map(i128::from));
        if let Some(whole) = whole {
            return Ok(Self::Whole(whole));
        }
        let value = number.0.as_f64().filter(|value| value.is_finite()).ok_or("is no number")?;
        let text = value.to_string();
        let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
        if whole.trim_start_matches('-').len() > WHOLE_PLACES {
            return Err(format!("must not have more than {WHOLE_PLACES} digits before the decimal point"));
        }
        if places.len() > DECIMAL_PLACES {
            return Err(format!("must not have more than {DECIMAL_PLACES} decimal places"));
        }
        Ok(Self::Decimal(value))
    }

    /// Returns whether it is greater than another number.
    pub(super) fn is_above(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left > right,
            (left, right) => left.rounded() > right.rounded(),
        }
    }

    /// Rounds to a floating-point number, which is precise enough to detect swapped bounds.
    fn rounded(self) -> f64 {
        match self {
            Self::Whole(whole) => whole.to_string().parse().unwrap_or(f64::NAN),
            Self::Decimal(value) => value,
        }
    }

    /// Returns the SQL literal.
    pub(super) fn sql(self) -> String {
        match self {
            Self::Whole(whole) if i64::try_from(whole).is_ok() => whole.to_string(),
            Self::Whole(whole) => format!("CAST('{whole}' AS {DECIMAL})"),
            // The literal 0.1 would be a floating-point number in any comparison.
            Self::Decimal(value) => format!("CAST('{value}' AS {DECIMAL})"),
        }
    }
}

/// A day or a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// A day.
    Day(Date),
    /// A timestamp.
    Moment(Timestamp),
}

impl When {
    /// Parses a day or a timestamp.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let is_day = text.len() == 10 && text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let day = text.parse().ok().filter(|date: &Date| is_day && date.year() > 0).map(Self::Day);
        let moment = || text.parse().ok().filter(|_| !is_day && is_of_four_digits(text)).map(Self::Moment);
        day.or_else(moment).ok_or_else(|| {
            "must be a day (\"2026-01-31\") or a timestamp with its offset (\"2026-01-31T18:00:00Z\")"
                .to_owned()
        })
    }

    /// Parses a day.
    pub(super) fn read_day(day: &Day) -> Result<Self, String> {
        match Self::read(&day.0) {
            Ok(found @ Self::Day(_)) => Ok(found),
            _ => Err("must be a day (\"2026-01-31\"); timestamps have before, after and between".to_owned()),
        }
    }

    /// Returns the SQL literal.
    pub(super) fn sql(self) -> String {
        match self {
            Self::Day(date) => format!("DATE '{date}'"),
            Self::Moment(moment) => format!("CAST('{moment}' AS {MOMENT})"),
        }
    }
}

/// Returns whether the year has four digits and no sign.
fn is_of_four_digits(text: &str) -> bool {
    text.bytes().take(4).all(|byte| byte.is_ascii_digit())
}

/// Quotes a text as a SQL literal by doubling its quotes; no other character is special.
pub(super) fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Quotes a name as a SQL identifier by doubling its quotes; no other character is special.
pub(super) fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
