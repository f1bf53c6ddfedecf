//! Whether a value can be stored in a field, and as which text.
//!
//! The refusals are those of recorded answers: `{"code":"1003","message":"Invalid value for field 'f' and value 'v'"}`.
//! Types: <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/fields/field-types>

use super::errors::{self, ApiError};
use super::fields::{DataType, Field};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Number, Value};

const LONGEST_STRING_CHARACTERS: usize = 255;
const LONGEST_TEXT_BYTES: usize = 30_000;

/// The text to store; none clears the field.
pub(super) fn checked(field: &Field, value: &Value) -> Result<Option<Box<str>>, ApiError> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Bool(is_true) if field.data_type == DataType::Boolean => is_true.to_string(),
        Value::Number(number) if is_number(field.data_type) => number.to_string(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return Err(errors::wrong_type(&field.name, type_name(field.data_type)));
        }
    };
    checked_text(field, text).map(Some)
}

/// As [`checked`], for the text of a cell.
pub(super) fn checked_text(field: &Field, text: String) -> Result<Box<str>, ApiError> {
    let is_valid = match field.data_type {
        DataType::String | DataType::Phone | DataType::Url => {
            let most = field
                .length
                .map_or(LONGEST_STRING_CHARACTERS, |length| usize::try_from(length).unwrap_or(usize::MAX));
            return if text.chars().count() <= most { Ok(text.into()) } else { Err(errors::TOO_LONG) };
        }
        DataType::Text => {
            return if text.len() <= LONGEST_TEXT_BYTES { Ok(text.into()) } else { Err(errors::TOO_LONG) };
        }
        DataType::Email => {
            if text.len() > LONGEST_STRING_CHARACTERS {
                return Err(errors::TOO_LONG);
            }
            is_address(&text)
        }
        DataType::Integer | DataType::Score => text.parse::<i32>().is_ok(),
        DataType::Float | DataType::Currency | DataType::Percent => {
            text.parse::<f64>().is_ok_and(f64::is_finite)
        }
        DataType::Boolean => matches!(text.as_str(), "true" | "false" | "1" | "0"),
        DataType::Date => text.parse::<Date>().is_ok_and(|date| date.to_string() == text),
        DataType::Datetime => text.parse::<Timestamp>().is_ok(),
        DataType::Reference | DataType::Formula => false,
    };
    if is_valid { Ok(text.into()) } else { Err(errors::invalid_value(&field.name, &text)) }
}

fn is_number(data_type: DataType) -> bool {
    matches!(
        data_type,
        DataType::Integer | DataType::Score | DataType::Float | DataType::Currency | DataType::Percent
    )
}

/// ASCII, one `@`, something before it, and a domain with a dot.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_plain =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@' && byte != b',');
    let labels = domain.split('.');
    !local.is_empty()
        && is_plain(local)
        && is_plain(domain)
        && domain.contains('.')
        && labels.into_iter().all(|label| !label.is_empty())
}

/// The name of a type in answers.
pub(super) fn type_name(data_type: DataType) -> &'static str {
    match data_type {
        DataType::String => "string",
        DataType::Text => "text",
        DataType::Email => "email",
        DataType::Integer => "integer",
        DataType::Score => "score",
        DataType::Float => "float",
        DataType::Currency => "currency",
        DataType::Percent => "percent",
        DataType::Boolean => "boolean",
        DataType::Date => "date",
        DataType::Datetime => "datetime",
        DataType::Phone => "phone",
        DataType::Url => "url",
        DataType::Reference => "reference",
        DataType::Formula => "formula",
    }
}

/// A stored text as it is answered: numbers and booleans are themselves, the rest is text.
pub(super) fn shown(data_type: DataType, text: &str) -> Value {
    match data_type {
        DataType::Integer | DataType::Score => text.parse::<i64>().map_or_else(|_| text.into(), Value::from),
        DataType::Float | DataType::Currency | DataType::Percent => {
            let number = text.parse::<f64>().ok().and_then(Number::from_f64);
            number.map_or_else(|| text.into(), Value::Number)
        }
        DataType::Boolean => Value::Bool(matches!(text, "true" | "1")),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(data_type: DataType, value: &Value, expected: Result<Option<&str>, u16>) {
        let found = checked(&Field::new("f", data_type), value);
        let found = found.as_ref().map(Option::as_deref).map_err(|error| error.code);
        assert_eq!(found, expected, "{data_type:?} {value}");
    }

    #[test]
    fn values_of_each_type() {
        use DataType as D;
        check(D::Email, &json!("bademail"), Err(1003));
        check(D::Email, &json!("jürgen@example.com"), Err(1003));
        check(D::Email, &json!("a@exämple.com"), Err(1003));
        check(D::Email, &json!("a@example"), Err(1003));
        check(D::Email, &json!("a b@example.com"), Err(1003));
        check(D::Email, &json!("A+b@example.com"), Ok(Some("A+b@example.com")));
        check(D::Email, &Value::Null, Ok(None));
        check(D::Integer, &json!("14.1"), Err(1003));
        check(D::Integer, &json!(14.1), Err(1003));
        check(D::Integer, &json!(2_147_483_648_u32), Err(1003));
        check(D::Integer, &json!("14"), Ok(Some("14")));
        check(D::Integer, &json!(-14), Ok(Some("-14")));
        check(D::Percent, &json!("100%"), Err(1003));
        check(D::Percent, &json!(12.5), Ok(Some("12.5")));
        check(D::Boolean, &json!("yes"), Err(1003));
        check(D::Boolean, &json!(true), Ok(Some("true")));
        check(D::Boolean, &json!(1), Err(1001));
        check(D::Date, &json!("yesterday"), Err(1003));
        check(D::Date, &json!("2010-05-07T10:00:00Z"), Err(1003));
        check(D::Date, &json!("2010-05-07"), Ok(Some("2010-05-07")));
        check(D::Datetime, &json!("2010-05-07"), Err(1003));
        check(D::Datetime, &json!("2010-05-07T10:00:00"), Err(1003));
        check(D::Datetime, &json!("2010-05-07T10:00:00-05:00"), Ok(Some("2010-05-07T10:00:00-05:00")));
        check(D::String, &json!("ä".repeat(255)), Ok(Some(&"ä".repeat(255))));
        check(D::String, &json!("ä".repeat(256)), Err(1077));
        check(D::String, &json!(4828), Err(1001));
        check(D::String, &json!(["a"]), Err(1001));
        check(D::Text, &json!("ä".repeat(15_001)), Err(1077));
        check(D::Text, &json!("ä".repeat(15_000)), Ok(Some(&"ä".repeat(15_000))));
        check(D::Formula, &json!("x"), Err(1003));
    }
}
