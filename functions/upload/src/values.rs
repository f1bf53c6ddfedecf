//! Parses values of the declared types, in the formats that common tools write.

use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use relay_model::catalog::UploadColumnType;

/// A value of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// The value is missing.
    Null,
    Text(&'a str),
    Integer(i64),
    Decimal(f64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01 in UTC.
    Datetime(i64),
}

/// Parses the values of one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values {
    /// Whether 12,50 is twelve and a half. Spreadsheets in many countries write decimals so, with a separator other than the
    /// comma.
    pub(crate) has_decimal_commas: bool,
}

impl Values {
    /// Parses the text as this type; `None` if it does not parse. Empty text is [`Value::Null`], unless the type is text and
    /// the value is quoted.
    pub(crate) fn read(
        self,
        text: &str,
        is_quoted: bool,
        column_type: UploadColumnType,
    ) -> Option<Value<'_>> {
        if column_type == UploadColumnType::Text {
            let is_absent = text.is_empty() && !is_quoted;
            return Some(if is_absent { Value::Null } else { Value::Text(text) });
        }
        let text = text.trim();
        if text.is_empty() {
            return Some(Value::Null);
        }
        match column_type {
            UploadColumnType::Text => Some(Value::Text(text)),
            UploadColumnType::Integer => text.parse().ok().map(Value::Integer),
            UploadColumnType::Decimal => self.decimal(text).map(Value::Decimal),
            UploadColumnType::Boolean => boolean(text).map(Value::Boolean),
            UploadColumnType::Date => days(text).map(Value::Date),
            UploadColumnType::Datetime => moment(text).map(Value::Datetime),
        }
    }

    fn decimal(self, text: &str) -> Option<f64> {
        // Rust's parser also accepts words such as `inf` and `NaN`.
        if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.,eE".contains(&byte)) {
            return None;
        }
        let number: f64 = match text.split_once(',') {
            None => text.parse().ok()?,
            Some((whole, fraction)) if self.has_decimal_commas && !text.contains('.') => {
                format!("{whole}.{fraction}").parse().ok()?
            }
            Some(_) => return None,
        };
        number.is_finite().then_some(number)
    }
}

fn boolean(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "yes", "1"]) {
        Some(true)
    } else if is_one_of(["false", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}

fn days(text: &str) -> Option<i32> {
    let day: Date = text.parse().ok().filter(|_| text.len() == 10)?;
    let since = day.since((Unit::Day, date(1970, 1, 1))).ok()?;
    Some(since.get_days())
}

/// Parses a date and time. Without an offset, it is in UTC.
fn moment(text: &str) -> Option<i64> {
    let moment: Timestamp = match text.parse() {
        Ok(moment) => moment,
        Err(_) => text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp(),
    };
    Some(moment.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use UploadColumnType::{Boolean, Date, Datetime, Decimal, Integer, Text};

    #[track_caller]
    fn check(text: &str, column_type: UploadColumnType, expected: Option<Value<'_>>) {
        let values = Values { has_decimal_commas: false };
        assert_eq!(values.read(text, false, column_type), expected, "{text:?}");
    }

    #[test]
    fn values_are_what_tools_write() {
        check("", Text, Some(Value::Null));
        check(" Zoë ", Text, Some(Value::Text(" Zoë ")));
        check("007", Text, Some(Value::Text("007")));
        check("NULL", Text, Some(Value::Text("NULL")));
        check(" 42 ", Integer, Some(Value::Integer(42)));
        check("-9223372036854775808", Integer, Some(Value::Integer(i64::MIN)));
        check("12.50", Decimal, Some(Value::Decimal(12.5)));
        check("1e3", Decimal, Some(Value::Decimal(1000.0)));
        check("Yes", Boolean, Some(Value::Boolean(true)));
        check("FALSE", Boolean, Some(Value::Boolean(false)));
        check("1970-01-02", Date, Some(Value::Date(1)));
        check("1969-12-31", Date, Some(Value::Date(-1)));
        check("2026-11-21", Date, Some(Value::Date(20_778)));
        check("1970-01-01T00:00:01Z", Datetime, Some(Value::Datetime(1_000_000)));
        check("1970-01-01T01:00:00.000001+01:00", Datetime, Some(Value::Datetime(1)));
        check("1970-01-01 00:01", Datetime, Some(Value::Datetime(60_000_000)));
        for column_type in [Integer, Decimal, Boolean, Date, Datetime] {
            check("  ", column_type, Some(Value::Null));
        }
    }

    #[test]
    fn what_is_no_value_is_none() {
        for text in ["12.5", "9223372036854775808", "1,000", "twelve", "0x10"] {
            check(text, Integer, None);
        }
        for text in ["NaN", "inf", "1e999", "1,5", "1.234,50", "12 EUR", "."] {
            check(text, Decimal, None);
        }
        check("maybe", Boolean, None);
        for text in ["21.11.2026", "11/21/2026", "2026-02-30", "2026-11-21T10:00:00Z", "20261121"] {
            check(text, Date, None);
        }
        for text in ["yesterday", "2026-11-21T25:00:00Z", "1700000000"] {
            check(text, Datetime, None);
        }
    }

    #[test]
    fn a_comma_is_a_decimal_sign_where_it_separates_nothing_else() {
        let values = Values { has_decimal_commas: true };
        assert_eq!(values.read("12,50", false, Decimal), Some(Value::Decimal(12.5)));
        assert_eq!(values.read("12.50", false, Decimal), Some(Value::Decimal(12.5)));
        assert_eq!(values.read("1.234,50", false, Decimal), None);
        assert_eq!(values.read("1,2,3", false, Decimal), None);
    }

    #[test]
    fn only_text_can_be_empty_in_quotes() {
        let values = Values { has_decimal_commas: false };
        assert_eq!(values.read("", true, Text), Some(Value::Text("")));
        assert_eq!(values.read("", true, Integer), Some(Value::Null));
    }
}
