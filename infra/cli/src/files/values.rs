//! `${name}` in the files: values that differ between deployments.
//!
//! Values are substituted before the text is parsed, so that a number stays a number and quotes keep their
//! meaning. `$${` stands for a literal `${`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::FileError;

/// The values for `${name}` in the files.
pub type Values = BTreeMap<String, String>;

/// Parses `NAME=VALUE` pairs of the command line.
pub fn parse_values<T: AsRef<str>>(pairs: &[T]) -> Result<Values, FileError> {
    let pair = |pair: &T| {
        let found = pair.as_ref().split_once('=').filter(|(name, _)| is_name(name));
        found
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .ok_or_else(|| FileError::Value(pair.as_ref().to_owned()))
    };
    pairs.iter().map(pair).collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Substitutes every value. A name without a value stays unchanged.
pub(super) fn filled(text: &str, values: &Values) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let inside = after.split_once('}').filter(|_| !before.ends_with('$'));
        if let Some((value, behind)) = inside.and_then(|(name, behind)| Some((values.get(name)?, behind))) {
            filled.push_str(&escaped(value));
            rest = behind;
        } else {
            filled.push_str("${");
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}

/// Escapes a text for a file.
pub(super) fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

/// Replaces `$${` by `${`. The error names a missing value and its field.
pub(super) fn unescaped(value: Value) -> Result<Value, String> {
    unescaped_at("", value)
}

fn unescaped_at(path: &str, value: Value) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(unescaped_text(path, &text)?),
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            items
                .map(|(index, item)| unescaped_at(&format!("{path}[{index}]"), item))
                .collect::<Result<_, _>>()?
        }
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                Ok((unescaped_text(&path, &name)?, unescaped_at(&path, value)?))
            };
            Value::Object(fields.into_iter().map(field).collect::<Result<_, String>>()?)
        }
        other => other,
    })
}

fn unescaped_text(path: &str, text: &str) -> Result<String, String> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            result.push_str(before);
        } else {
            if let Some((name, _)) = after.split_once('}').filter(|(name, _)| is_name(name)) {
                return Err(format!("{path}: no value for ${{{name}}}; give it with --value {name}=…"));
            }
            result.push_str(before);
        }
        result.push_str("${");
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        let values = parse_values(&["list=1027", "odd=${list}", "a-b=x=y"]).unwrap();
        let found = unescaped(json!({ "field": [filled(text, &values)] }));
        let found = found.map(|value| value["field"][0].as_str().unwrap().to_owned());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
    }

    #[test]
    fn values_stand_for_their_names() {
        check("plain $5 {x}", Ok("plain $5 {x}"));
        check("${list}/${list}", Ok("1027/1027"));
        check("${odd}", Ok("${list}"));
        check("${a-b}", Ok("x=y"));
        check("$${list}", Ok("${list}"));
        check("$$${list}", Ok("$${list}"));
        check("${not a name}", Ok("${not a name}"));
        check("${open", Ok("${open"));
        check("a ${none}", Err("field[0]: no value for ${none}; give it with --value none=…"));
    }

    #[test]
    fn escaping_is_reversible() {
        for text in ["", "$", "${", "$${", "$$${x}", "${x}${y}", "a$"] {
            let read = unescaped(json!(filled(&escaped(text), &Values::new())));
            assert_eq!(read, Ok(json!(text)));
        }
    }

    #[test]
    fn values_without_a_name_are_refused() {
        for wrong in ["", "x", "=x", "a b=x"] {
            let message = parse_values(&[wrong]).unwrap_err().to_string();
            assert_eq!(message, format!("--value {wrong} must look like NAME=VALUE"));
        }
    }
}
