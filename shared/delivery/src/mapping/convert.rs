//! Converts a value for a field.

use super::{DateFormat, FieldKind, normalise_email};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use relay_model::catalog::InvalidPolicy;
use relay_model::{FieldValue, Scalar};

/// A converted value, and whether it was shortened.
#[derive(Clone, Debug, PartialEq)]
pub enum Converted {
    /// The unchanged value.
    Whole(FieldValue),
    /// The value, shortened to the field's limit.
    Shortened(FieldValue),
}

/// Why a value does not fit. The value itself is never in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Longer than the field allows.
    TooLong,
    /// Not a number.
    NotANumber,
    /// Not a boolean.
    NotABoolean,
    /// Not a day, or not within the destination's calendar.
    NotADate,
    /// Not one of the field's options.
    NotAnOption,
    /// Not a whole number, or one that the field cannot hold.
    NotAnInteger,
    /// Not an e-mail address, or not one in ASCII.
    NotAnEmail,
    /// Not a timestamp.
    NotAMoment,
}

impl Unfit {
    /// Returns the stable code for reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "value_too_long",
            Self::NotANumber => "value_not_a_number",
            Self::NotABoolean => "value_not_a_boolean",
            Self::NotADate => "value_not_a_date",
            Self::NotAnOption => "value_not_an_option",
            Self::NotAnInteger => "value_not_an_integer",
            Self::NotAnEmail => "value_not_an_email",
            Self::NotAMoment => "value_not_a_moment",
        }
    }

    /// Returns the description.
    #[must_use]
    pub const fn problem(self) -> &'static str {
        match self {
            Self::TooLong => "is longer than the field allows",
            Self::NotANumber => "is not a number",
            Self::NotABoolean => "is neither true nor false",
            Self::NotADate => "is not a date that the field accepts (expected YYYY-MM-DD)",
            Self::NotAnOption => "is not one of the field's options",
            Self::NotAnInteger => "is not a whole number that the field can hold",
            Self::NotAnEmail => "is not an e-mail address in ASCII",
            Self::NotAMoment => {
                "is not a timestamp (expected a time with its zone, such as 2026-02-28T10:00:00Z)"
            }
        }
    }
}

/// Converts a value for a field; `None` if there is no value.
pub fn convert(value: &Scalar, kind: &FieldKind, invalid: InvalidPolicy) -> Result<Option<Converted>, Unfit> {
    if matches!(value, Scalar::Null) {
        return Ok(None);
    }
    match kind {
        FieldKind::Text { max_characters } => text(value, *max_characters, invalid),
        FieldKind::TextBytes { max_bytes } => text_bytes(value, *max_bytes, invalid),
        FieldKind::Email { max_characters } => email(value, *max_characters),
        FieldKind::Integer { least, largest } => integer(value)
            .filter(|number| (least..=largest).contains(&number))
            .map(|number| Some(Converted::Whole(FieldValue::Integer(number))))
            .ok_or(Unfit::NotAnInteger),
        FieldKind::Moment => moment(value)
            .map(|moment| {
                Some(Converted::Whole(FieldValue::Text(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())))
            })
            .ok_or(Unfit::NotAMoment),
        FieldKind::Number => number(value).map(|number| Some(Converted::Whole(number))),
        FieldKind::Boolean => boolean(value).map(|value| Some(Converted::Whole(FieldValue::Boolean(value)))),
        FieldKind::Date { first, last, format } => {
            let date = day(value).filter(|date| (first..=last).contains(&date)).ok_or(Unfit::NotADate)?;
            let written = match format {
                DateFormat::Dashes => date.strftime("%Y-%m-%d").to_string(),
                DateFormat::Slashes => date.strftime("%Y/%m/%d").to_string(),
            };
            Ok(Some(Converted::Whole(FieldValue::Text(written))))
        }
        FieldKind::OneOf { options } => {
            let text = value.to_text().unwrap_or_default();
            let option = options.iter().find(|option| option.eq_ignore_ascii_case(text.trim()));
            option
                .map(|option| Some(Converted::Whole(FieldValue::Text(option.clone()))))
                .ok_or(Unfit::NotAnOption)
        }
    }
}

fn text(value: &Scalar, max_characters: usize, invalid: InvalidPolicy) -> Result<Option<Converted>, Unfit> {
    let text = value.to_text().unwrap_or_default();
    // A text within the limit in bytes is within the limit in characters, and most texts are short.
    if text.len() <= max_characters || text.chars().count() <= max_characters {
        return Ok(Some(Converted::Whole(FieldValue::Text(text))));
    }
    match invalid {
        InvalidPolicy::Truncate => {
            let shortened = text.chars().take(max_characters).collect();
            Ok(Some(Converted::Shortened(FieldValue::Text(shortened))))
        }
        InvalidPolicy::Reject | InvalidPolicy::Omit => Err(Unfit::TooLong),
    }
}

fn text_bytes(value: &Scalar, max_bytes: usize, invalid: InvalidPolicy) -> Result<Option<Converted>, Unfit> {
    let text = value.to_text().unwrap_or_default();
    if text.len() <= max_bytes {
        return Ok(Some(Converted::Whole(FieldValue::Text(text))));
    }
    match invalid {
        InvalidPolicy::Truncate => {
            let end = text.floor_char_boundary(max_bytes);
            let shortened = text.get(..end).unwrap_or_default().to_owned();
            Ok(Some(Converted::Shortened(FieldValue::Text(shortened))))
        }
        InvalidPolicy::Reject | InvalidPolicy::Omit => Err(Unfit::TooLong),
    }
}

fn email(value: &Scalar, max_characters: usize) -> Result<Option<Converted>, Unfit> {
    let text = value.to_text().unwrap_or_default();
    if text.trim().is_empty() {
        return Ok(Some(Converted::Whole(FieldValue::Text(String::new()))));
    }
    let email = normalise_email(&text).map_err(|_| Unfit::NotAnEmail)?.0;
    if !email.is_ascii() {
        return Err(Unfit::NotAnEmail);
    }
    if email.len() > max_characters {
        return Err(Unfit::TooLong);
    }
    Ok(Some(Converted::Whole(FieldValue::Text(email))))
}

fn integer(value: &Scalar) -> Option<i64> {
    match value {
        Scalar::Integer(number) => Some(*number),
        Scalar::Text(text) => text.trim().parse().ok(),
        // Decimal columns often hold whole numbers: 12.0 is 12, and 12.5 is refused rather than rounded.
        Scalar::Decimal(number) if number.fract() == 0.0 => format!("{number:.0}").parse().ok(),
        _ => None,
    }
}

fn moment(value: &Scalar) -> Option<Timestamp> {
    match value {
        Scalar::Moment(moment) => Some(*moment),
        Scalar::Date(date) => date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()),
        Scalar::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn number(value: &Scalar) -> Result<FieldValue, Unfit> {
    match value {
        Scalar::Integer(number) => Ok(FieldValue::Integer(*number)),
        Scalar::Decimal(number) if number.is_finite() => Ok(FieldValue::Decimal(*number)),
        Scalar::Text(text) => {
            let text = text.trim();
            if let Ok(number) = text.parse::<i64>() {
                return Ok(FieldValue::Integer(number));
            }
            match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(FieldValue::Decimal(number)),
                _ => Err(Unfit::NotANumber),
            }
        }
        _ => Err(Unfit::NotANumber),
    }
}

fn boolean(value: &Scalar) -> Result<bool, Unfit> {
    match value {
        Scalar::Boolean(value) => Ok(*value),
        Scalar::Integer(0) => Ok(false),
        Scalar::Integer(1) => Ok(true),
        Scalar::Text(text) if text.trim().eq_ignore_ascii_case("true") => Ok(true),
        Scalar::Text(text) if text.trim().eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(Unfit::NotABoolean),
    }
}

fn day(value: &Scalar) -> Option<Date> {
    match value {
        Scalar::Date(date) => Some(*date),
        Scalar::Moment(moment) => Some(moment.to_zoned(TimeZone::UTC).date()),
        // Only the unambiguous form is accepted: 03/04/2026 is in March or in April, depending on the
        // country.
        Scalar::Text(text) => text.trim().get(..10)?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "the table reads better without borrows")]
    fn check(value: Scalar, kind: &FieldKind, expected: Result<FieldValue, Unfit>) {
        let found = convert(&value, kind, InvalidPolicy::Reject);
        assert_eq!(found, expected.map(|value| Some(Converted::Whole(value))), "{value:?} into {kind:?}");
    }

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.to_owned())
    }

    #[test]
    fn values_fit_or_say_why_not() {
        let short = FieldKind::Text { max_characters: 4 };
        check(text("Łódź"), &short, Ok(FieldValue::Text("Łódź".to_owned())));
        check(text("Łódź!"), &short, Err(Unfit::TooLong));
        check(text(""), &short, Ok(FieldValue::Text(String::new())));
        check(Scalar::Integer(0), &short, Ok(FieldValue::Text("0".to_owned())));
        check(Scalar::Boolean(false), &short, Err(Unfit::TooLong));

        check(Scalar::Integer(0), &FieldKind::Number, Ok(FieldValue::Integer(0)));
        check(text(" 12.50 "), &FieldKind::Number, Ok(FieldValue::Decimal(12.5)));
        check(text("12,50"), &FieldKind::Number, Err(Unfit::NotANumber));
        check(text("NaN"), &FieldKind::Number, Err(Unfit::NotANumber));
        check(Scalar::Decimal(f64::INFINITY), &FieldKind::Number, Err(Unfit::NotANumber));

        check(text("TRUE"), &FieldKind::Boolean, Ok(FieldValue::Boolean(true)));
        check(Scalar::Integer(2), &FieldKind::Boolean, Err(Unfit::NotABoolean));

        let calendar =
            FieldKind::Date { first: date(1900, 1, 1), last: date(2076, 6, 6), format: DateFormat::Slashes };
        check(Scalar::Date(date(2026, 2, 28)), &calendar, Ok(FieldValue::Text("2026/02/28".to_owned())));
        check(text("2026-02-28T10:00:00Z"), &calendar, Ok(FieldValue::Text("2026/02/28".to_owned())));
        check(text("2026-02-30"), &calendar, Err(Unfit::NotADate));
        check(text("28/02/2026"), &calendar, Err(Unfit::NotADate));
        check(text("日本"), &calendar, Err(Unfit::NotADate));
        check(Scalar::Date(date(1899, 12, 31)), &calendar, Err(Unfit::NotADate));

        let integer = FieldKind::Integer { least: -5, largest: 5 };
        check(Scalar::Decimal(5.0), &integer, Ok(FieldValue::Integer(5)));
        check(Scalar::Decimal(4.5), &integer, Err(Unfit::NotAnInteger));
        check(text("6"), &integer, Err(Unfit::NotAnInteger));
        check(text(" -5"), &integer, Ok(FieldValue::Integer(-5)));

        let email = FieldKind::Email { max_characters: 20 };
        check(text("Jane@Example.com "), &email, Ok(FieldValue::Text("jane@example.com".to_owned())));
        check(text("zoë@example.com"), &email, Err(Unfit::NotAnEmail));
        check(text("jane"), &email, Err(Unfit::NotAnEmail));
        check(text("jane.jane@example.com"), &email, Err(Unfit::TooLong));
        check(text(""), &email, Ok(FieldValue::Text(String::new())));

        let ten = FieldValue::Text("2026-02-28T10:00:00Z".to_owned());
        check(text("2026-02-28T12:00:00+02:00"), &FieldKind::Moment, Ok(ten));
        check(text("2026-02-28"), &FieldKind::Moment, Err(Unfit::NotAMoment));
        check(text("yesterday"), &FieldKind::Moment, Err(Unfit::NotAMoment));

        let bytes = FieldKind::TextBytes { max_bytes: 5 };
        check(text("żółw"), &bytes, Err(Unfit::TooLong));
        check(text("żół"), &FieldKind::TextBytes { max_bytes: 6 }, Ok(FieldValue::Text("żół".to_owned())));

        let options = FieldKind::OneOf { options: vec!["Gold".to_owned()] };
        check(text("gold "), &options, Ok(FieldValue::Text("Gold".to_owned())));
        check(text("bronze"), &options, Err(Unfit::NotAnOption));
    }

    #[test]
    fn text_is_shortened_only_where_the_export_says_so() {
        let kind = FieldKind::Text { max_characters: 3 };
        let found = convert(&text("żółw"), &kind, InvalidPolicy::Truncate);
        assert_eq!(found, Ok(Some(Converted::Shortened(FieldValue::Text("żół".to_owned())))));
        assert_eq!(convert(&text("żółw"), &kind, InvalidPolicy::Omit), Err(Unfit::TooLong));
        let bytes = FieldKind::TextBytes { max_bytes: 5 };
        let found = convert(&text("żółw"), &bytes, InvalidPolicy::Truncate);
        assert_eq!(found, Ok(Some(Converted::Shortened(FieldValue::Text("żó".to_owned())))));
        assert_eq!(convert(&Scalar::Null, &kind, InvalidPolicy::Reject), Ok(None));
    }
}
