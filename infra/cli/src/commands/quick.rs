//! `segments quick`: creates a segment from a few conditions, after a preview.

use relay_model::catalog::Kind;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Session, segments};
use crate::Ending;
use crate::api::{Call, Checking, Condition, field, number, text, texts};
use crate::arguments::QuickArguments;
use crate::error::Error;
use crate::kinds::whole;
use crate::table::grouped;

/// The operators with their names for numbers, days and texts. An operator precedes its own prefixes.
const OPERATORS: [(&str, Words); 7] = [
    ("!=", Words { plain: Some("is_not"), number: Some("is_not"), day: None }),
    (">=", Words { plain: None, number: Some("at_least"), day: Some("on_or_after") }),
    ("<=", Words { plain: None, number: Some("at_most"), day: Some("on_or_before") }),
    ("=", Words { plain: Some("is"), number: Some("is"), day: Some("on") }),
    (">", Words { plain: None, number: Some("more_than"), day: Some("after") }),
    ("<", Words { plain: None, number: Some("less_than"), day: Some("before") }),
    ("~", Words { plain: Some("contains"), number: None, day: None }),
];

/// The name of an operator for each kind of value; `None` if it does not apply.
#[derive(Clone, Copy)]
struct Words {
    plain: Option<&'static str>,
    number: Option<&'static str>,
    day: Option<&'static str>,
}

/// Creates the segment, or only shows its size.
pub(super) async fn quick(
    arguments: &QuickArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let document = segment(arguments)?;
    let id = &arguments.id;
    let doing = format!("preview segment {id}");
    let call = Call::new(Method::POST, &doing, &["previews"]).json(&document);
    let found = segments::wait_for_preview(&call, segments::PREVIEW_MINUTES, session).await?;
    let result = field(&found, "/result").cloned().unwrap_or_default();
    if text(&found, "/state") == "failed" {
        session.console.show(&found, |_| segments::shown(&result))?;
        return Ok(Ending::Failed);
    }
    let members = grouped(number(&result, "/rows").unwrap_or_default());
    if arguments.estimate {
        session.console.show(&found, |_| format!("Segment {id} would have {members} members."))?;
        return Ok(Ending::Done);
    }
    session.console.note(&format!("Segment {id} has {members} members now."))?;
    let (doing, path) = (format!("create segment {id}"), ["segments", id.as_str()]);
    let mut call = Call::new(Method::PUT, &doing, &path).json(&document).only_if(Condition::IsNew);
    // The preview has just planned the query, so saving does not check it again.
    call.query = Checking::Skipped.query(Kind::Segment);
    let made = session.api.send(&call).await?.body;
    for warning in texts(&made, "/warnings") {
        session.console.note(&format!("warning: {warning}"))?;
    }
    session.console.show(&made, |_| format!("Created segment {id}."))?;
    Ok(Ending::Done)
}

fn segment(arguments: &QuickArguments) -> Result<Value, Error> {
    let QuickArguments { id, name, source, member_key, conditions, columns, estimate: _ } = arguments;
    let conditions: Vec<Value> =
        conditions.iter().map(|condition| read(condition)).collect::<Result<_, _>>()?;
    let rule = json!({ "name": name, "all": conditions });
    let rules = json!({ "source": source, "columns": columns, "rules": [rule] });
    let document = json!({ "id": id, "name": name, "member_key": member_key, "rules": rules });
    whole(Kind::Segment, &document).map_err(|error| Error::Input(error.to_string()))
}

/// Parses a condition of the command line into a rule.
fn read(condition: &str) -> Result<Value, Error> {
    let refuse = |why: &str| Error::Input(format!("--where {condition}: {why}"));
    let of = |column: &str, operator: &str, value: Value| {
        let mut fields = Map::new();
        fields.insert("column".to_owned(), column.into());
        fields.insert(operator.to_owned(), value);
        Value::Object(fields)
    };
    let place = OPERATORS
        .iter()
        .filter_map(|(sign, words)| Some((condition.find(sign)?, *sign, *words)))
        .min_by_key(|(place, sign, _)| (*place, std::cmp::Reverse(sign.len())));
    let parts = place.and_then(|(place, sign, words)| {
        let value = condition.get(place + sign.len()..)?;
        Some((condition.get(..place)?.trim(), sign, words, value.trim()))
    });
    let (column, sign, words, value) = match parts {
        Some(("", "!=" | "=" | ">=" | "<=" | ">" | "<" | "~", ..)) => return Err(refuse("it has no column")),
        Some(parts) => parts,
        None => {
            return Ok(match condition.trim().strip_prefix('!') {
                Some(column) => of(column.trim(), "is_null", true.into()),
                None => of(condition.trim(), "is_null", false.into()),
            });
        }
    };
    let (operator, value) = typed(value, words);
    let operator = operator.ok_or_else(|| {
        refuse(&format!("{sign} cannot be used with {value}; rules in a file support more conditions"))
    })?;
    Ok(of(column, operator, value))
}

/// Returns the operator's name for the kind of the value, and the value.
fn typed(value: &str, words: Words) -> (Option<&'static str>, Value) {
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(quoted) = quoted {
        return (words.plain, quoted.into());
    }
    if is_day(value) {
        return (words.day, value.into());
    }
    match serde_json::from_str::<Value>(value) {
        // `contains` with digits searches for the digits as text.
        Ok(number @ Value::Number(_)) if words.number.is_some() => (words.number, number),
        Ok(truth @ Value::Bool(_)) if words.plain.is_some_and(|word| word != "contains") => {
            (words.plain, truth)
        }
        _ => (words.plain, value.into()),
    }
}

/// Returns whether the text has the form `2026-01-31`.
fn is_day(value: &str) -> bool {
    let is_right = |(place, byte): (usize, u8)| match place {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    value.len() == 10 && value.bytes().enumerate().all(is_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(condition: &str, operator: &str, value: impl Into<Value>) {
        let found = read(condition).unwrap();
        assert_eq!(found, json!({ "column": "a b", (operator): value.into() }), "{condition}");
    }

    #[test]
    fn conditions_are_read_as_people_write_them() {
        check("a b=Wien", "is", "Wien");
        check("a b = Wien ", "is", "Wien");
        check("a b=", "is", "");
        check("a b=x>=y", "is", "x>=y");
        check("a b!=Wien", "is_not", "Wien");
        check("a b=5", "is", 5);
        check("a b=\"5\"", "is", "5");
        check("a b=0170", "is", "0170");
        check("a b!=-5.5", "is_not", -5.5);
        check("a b=true", "is", true);
        check("a b>=100", "at_least", 100);
        check("a b<=100", "at_most", 100);
        check("a b>100", "more_than", 100);
        check("a b<100", "less_than", 100);
        check("a b=2026-01-31", "on", "2026-01-31");
        check("a b>=2026-01-31", "on_or_after", "2026-01-31");
        check("a b<=2026-01-31", "on_or_before", "2026-01-31");
        check("a b>2026-01-31", "after", "2026-01-31");
        check("a b<2026-01-31", "before", "2026-01-31");
        check("a b~ien", "contains", "ien");
        check("a b~1", "contains", "1");
        check("a b", "is_null", false);
        check("!a b", "is_null", true);
    }

    #[test]
    fn conditions_without_a_meaning_are_refused() {
        let check = |condition: &str, expected: &str| {
            let Err(Error::Input(message)) = read(condition) else { panic!("{condition} is taken") };
            assert!(message.contains(expected), "{message}");
        };
        check("=Wien", "it has no column");
        check("a>=Wien", ">= cannot be used with \"Wien\"");
        check("a!=2026-01-31", "!= cannot be used with \"2026-01-31\"");
        check("a>=\"5\"", ">= cannot be used with \"5\"");
    }
}
