//! Custom field values of one row, as the server takes them: unknown fields dropped, long values cut, dates that
//! make no sense ignored.
//!
//! <https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>

use super::fields::{DataType, Fields};
use super::options::{EmptyValues, LongValues, Options};
use super::report::ValueReport;
use super::subscriber::FieldValue;
use jiff::civil::Date;
use serde::Deserialize;

const LONGEST_VALUE_CHARACTERS: usize = 250;
const NO_DATE: &str = "0000-00-00";

/// A custom field value in a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SentValue {
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
    pub(super) clear: Option<bool>,
}

/// Changes a person's values by those sent. Fields that are not sent stay as they are.
pub(super) fn apply(
    fields: &Fields,
    values: &mut Vec<FieldValue>,
    sent: Vec<SentValue>,
    options: &Options,
    report: &mut ValueReport,
) {
    // Fields of several choices whose old choices this row has already taken away.
    let mut replaced: Vec<usize> = Vec::new();
    for SentValue { key, value, clear } in sent {
        let Some((number, data_type)) = fields.find(key.as_deref().unwrap_or_default()) else {
            report.unknown_field += 1;
            continue;
        };
        let value = value.unwrap_or_default();
        let many = data_type == DataType::MultiSelectMany;
        if clear == Some(true) {
            report.cleared += 1;
            let one_choice = many && !value.is_empty();
            values.retain(|(field, choice)| *field != number || (one_choice && **choice != *value));
            continue;
        }
        if value.is_empty() {
            report.empty += 1;
            if options.empty_values == EmptyValues::Clear {
                values.retain(|(field, _)| *field != number);
            }
            continue;
        }
        if data_type == DataType::Date && value.replace('/', "-") == NO_DATE {
            report.cleared += 1;
            values.retain(|(field, _)| *field != number);
            continue;
        }
        let Some(value) = shorten(value, options, report) else {
            continue;
        };
        let Some(value) = normalise(fields, number, data_type, value) else {
            report.ignored += 1;
            continue;
        };
        if !many {
            values.retain(|(field, _)| *field != number);
        } else if !replaced.contains(&number) {
            values.retain(|(field, _)| *field != number);
            replaced.push(number);
        }
        if !values.iter().any(|(field, old)| *field == number && **old == *value) {
            values.push((number, value.into_boxed_str()));
        }
    }
    values.sort_by_key(|(field, _)| *field);
}

fn shorten(mut value: String, options: &Options, report: &mut ValueReport) -> Option<String> {
    // The common case is decided by the number of bytes, which is never smaller than that of characters.
    if value.len() <= LONGEST_VALUE_CHARACTERS {
        return Some(value);
    }
    let Some((end, _)) = value.char_indices().nth(LONGEST_VALUE_CHARACTERS) else {
        return Some(value);
    };
    report.too_long += 1;
    match options.long_values {
        LongValues::Truncated => {
            value.truncate(end);
            Some(value)
        }
        LongValues::Ignored => None,
    }
}

/// The value as the server keeps it; none if a field of this type cannot hold it.
fn normalise(fields: &Fields, number: usize, data_type: DataType, value: String) -> Option<String> {
    match data_type {
        DataType::Text | DataType::Country | DataType::USState => Some(value),
        DataType::Number => value.trim().parse::<f64>().is_ok_and(f64::is_finite).then_some(value),
        DataType::Date => date(&value),
        DataType::MultiSelectOne | DataType::MultiSelectMany => {
            fields.has_option(number, &value).then_some(value)
        }
    }
}

/// `yyyy/mm/dd` or `yyyy-mm-dd` between 1900/01/01 and 2076/06/06, as `yyyy-mm-dd`.
fn date(value: &str) -> Option<String> {
    let value = value.replace('/', "-");
    let date: Date = (value.len() == 10).then(|| value.parse().ok()).flatten()?;
    let (first, last) = (Date::new(1900, 1, 1).ok()?, Date::new(2076, 6, 6).ok()?);
    (first..=last).contains(&date).then(|| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(key: &str, value: &str, clear: bool) -> SentValue {
        SentValue { key: Some(key.to_owned()), value: Some(value.to_owned()), clear: Some(clear) }
    }

    /// Applies the calls in turn, each with its values, to somebody without values.
    fn check(calls: &[&[(&str, &str, bool)]], expected: &[(&str, &str)]) {
        let mut fields = Fields::default();
        let choices = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
        for (name, data_type, options) in [
            ("City Name", DataType::Text, vec![]),
            ("Age", DataType::Number, vec![]),
            ("Born", DataType::Date, vec![]),
            ("One", DataType::MultiSelectOne, choices.clone()),
            ("Many", DataType::MultiSelectMany, choices),
        ] {
            fields.create(name, data_type, options, true).unwrap();
        }
        let mut values = Vec::new();
        for call in calls {
            let row = call.iter().map(|(key, value, clear)| sent(key, value, *clear)).collect();
            apply(&fields, &mut values, row, &Options::default(), &mut ValueReport::default());
        }
        let found: Vec<(&str, &str)> =
            values.iter().map(|(number, value)| (fields.name(*number).unwrap(), &**value)).collect();
        assert_eq!(found, expected, "{calls:?}");
    }

    #[test]
    fn values_of_each_type() {
        check(&[&[("[cityname]", "Oslo", false)]], &[("City Name", "Oslo")]);
        check(&[&[("cityname", "Oslo", false)]], &[("City Name", "Oslo")]);
        check(&[&[("City Name", "Oslo", false)]], &[]);
        check(&[&[("[nosuch]", "Oslo", false)]], &[]);
        check(&[&[("[cityname]", "Oslo", false)], &[]], &[("City Name", "Oslo")]);
        check(&[&[("[cityname]", "Oslo", false)], &[("[cityname]", "", false)]], &[("City Name", "Oslo")]);
        check(&[&[("[cityname]", "Oslo", false)], &[("[cityname]", "", true)]], &[]);
        check(&[&[("[age]", "0", false)]], &[("Age", "0")]);
        check(&[&[("[age]", "-1.5", false)]], &[("Age", "-1.5")]);
        check(&[&[("[age]", "old", false)]], &[]);
        check(&[&[("[born]", "1999/12/31", false)]], &[("Born", "1999-12-31")]);
        check(&[&[("[born]", "1999-12-31", false)]], &[("Born", "1999-12-31")]);
        check(&[&[("[born]", "31/12/1999", false)]], &[]);
        check(&[&[("[born]", "1899/12/31", false)]], &[]);
        check(&[&[("[born]", "1900/01/01", false)]], &[("Born", "1900-01-01")]);
        check(&[&[("[born]", "2076/06/06", false)]], &[("Born", "2076-06-06")]);
        check(&[&[("[born]", "2076/06/07", false)]], &[]);
        check(&[&[("[born]", "1999/02/30", false)]], &[]);
        check(&[&[("[born]", "1999/12/31", false)], &[("[born]", "0000-00-00", false)]], &[]);
        check(&[&[("[one]", "a", false)], &[("[one]", "b", false)]], &[("One", "b")]);
        check(&[&[("[one]", "z", false)]], &[]);
    }

    #[test]
    fn choices_are_replaced_by_those_of_the_call() {
        let both: &[(&str, &str, bool)] = &[("many", "b", false), ("many", "a", false)];
        check(&[both], &[("Many", "b"), ("Many", "a")]);
        check(&[both, &[("many", "c", false)]], &[("Many", "c")]);
        check(&[both, &[("many", "a", true)]], &[("Many", "b")]);
        check(&[both, &[("many", "", true)]], &[]);
        check(&[&[("many", "a", false), ("many", "a", false)]], &[("Many", "a")]);
    }

    #[test]
    fn long_values_are_cut_by_characters() {
        let mut report = ValueReport::default();
        let mut cut = |length| shorten("é".repeat(length), &Options::default(), &mut report);
        assert_eq!(cut(250).unwrap().chars().count(), 250);
        assert_eq!(cut(251).unwrap().chars().count(), 250);
        assert_eq!(report.too_long, 1);
    }
}
