//! Writes documents as readable YAML: important fields first, a query as a block, short values on one line.
//!
//! Every value that is not plainly a word is quoted, so that all YAML parsers agree.

use serde_json::{Map, Value};

use super::values::escaped;

/// The maximum width of a line with several values.
const LINE_CHARACTERS: usize = 108;

/// Fields that come first, in this order; the others follow alphabetically.
const FIRST_FIELDS: [&str; 26] = [
    "id",
    "name",
    "destination",
    "secret",
    "use_by",
    "consent",
    "location",
    "format",
    "query",
    "member_key",
    "source",
    "combine",
    "path",
    "column",
    "connection",
    "match_key",
    "mapping",
    "segments",
    "segment",
    "target_list",
    "attribute",
    "field",
    "if_null",
    "if_invalid",
    "by",
    "at",
];

/// Words that YAML parsers read as something other than text.
const TAKEN_WORDS: [&str; 12] =
    ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "infinity"];

/// Formats the document as YAML.
pub(crate) fn to_yaml(document: &Value) -> String {
    let mut text = String::new();
    match document {
        Value::Object(fields) if !fields.is_empty() => write_fields(&mut text, fields, 0),
        other => {
            text.push_str(&in_line(other));
            text.push('\n');
        }
    }
    text
}

fn write_fields(text: &mut String, fields: &Map<String, Value>, depth: usize) {
    for (index, (name, value)) in ordered(fields).into_iter().enumerate() {
        // The first field of an item follows the item's dash.
        if index > 0 || !text.ends_with("- ") {
            text.push_str(&"  ".repeat(depth));
        }
        text.push_str(&scalar(name));
        text.push(':');
        write_value(text, value, depth);
    }
}

/// Writes the value after a field's colon, including the line ending.
fn write_value(text: &mut String, value: &Value, depth: usize) {
    if let Some((header, lines)) = value.as_str().and_then(block) {
        text.push(' ');
        text.push_str(header);
        text.push('\n');
        for line in lines {
            if !line.is_empty() {
                text.push_str(&"  ".repeat(depth + 1));
                text.push_str(&line);
            }
            text.push('\n');
        }
        return;
    }
    let flow = in_line(value);
    let is_long = flow.chars().count() + 2 * depth > LINE_CHARACTERS - 30;
    match value {
        Value::Object(fields) if !fields.is_empty() && (is_long || depth == 0 || has_parts(value)) => {
            text.push('\n');
            write_fields(text, fields, depth + 1);
        }
        Value::Array(items) if !items.is_empty() && (is_long || has_parts(value)) => {
            text.push('\n');
            for item in items {
                write_item(text, item, depth + 1);
            }
        }
        _ => {
            text.push(' ');
            text.push_str(&flow);
            text.push('\n');
        }
    }
}

fn write_item(text: &mut String, item: &Value, depth: usize) {
    text.push_str(&"  ".repeat(depth));
    text.push_str("- ");
    let flow = in_line(item);
    match item {
        Value::Object(fields)
            if !fields.is_empty()
                && (has_parts(item) || flow.chars().count() + 2 * depth + 2 > LINE_CHARACTERS) =>
        {
            write_fields(text, fields, depth + 1);
        }
        _ => {
            text.push_str(&flow);
            text.push('\n');
        }
    }
}

/// Returns whether a value is nested two levels deep or has a text of several lines.
fn has_parts(value: &Value) -> bool {
    let is_part = |part: &Value| match part {
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::String(text) => text.contains('\n'),
        _ => false,
    };
    match value {
        Value::Array(items) => items.iter().any(is_part),
        Value::Object(fields) => fields.values().any(is_part),
        _ => false,
    }
}

fn ordered(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let rank = |name: &str| FIRST_FIELDS.iter().position(|first| *first == name).unwrap_or(usize::MAX);
    let mut ordered: Vec<_> = fields.iter().collect();
    ordered.sort_by(|(one, _), (other, _)| (rank(one), one).cmp(&(rank(other), other)));
    ordered
}

fn in_line(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) if items.is_empty() => "[]".to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(in_line).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let pair = |(name, value): (&String, &Value)| format!("{}: {}", scalar(name), in_line(value));
            format!("{{ {} }}", ordered(fields).into_iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn scalar(text: &str) -> String {
    let text = escaped(text);
    if is_plain(&text) {
        return text;
    }
    let quoted: String = text
        .chars()
        .map(|character| match character {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\t' => "\\t".to_owned(),
            '\r' => "\\r".to_owned(),
            other if is_printable(other) => other.to_string(),
            other if u32::from(other) <= 0xffff => format!("\\u{:04X}", u32::from(other)),
            other => format!("\\U{:08X}", u32::from(other)),
        })
        .collect();
    format!("\"{quoted}\"")
}

/// Returns whether every parser reads the bare word as this text.
fn is_plain(text: &str) -> bool {
    let is_first = |first: char| first.is_ascii_alphabetic() || first == '_';
    let is_inner = |inner: char| inner.is_ascii_alphanumeric() || " _-./+@='()$".contains(inner);
    text.starts_with(is_first)
        && !text.ends_with(' ')
        && text.replace("://", "").chars().all(is_inner)
        && !TAKEN_WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Returns whether YAML allows the character unescaped within a line.
/// <https://yaml.org/spec/1.2.2/#51-character-set>
fn is_printable(character: char) -> bool {
    matches!(u32::from(character), 0x20..=0x7e | 0xa0..=0xd7ff | 0xe000..=0xfffd | 0x1_0000..)
        && !matches!(character, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// Formats a text of several lines as a literal block, if a block can represent it exactly.
fn block(text: &str) -> Option<(&'static str, Vec<String>)> {
    if !text.contains('\n') {
        return None;
    }
    let (header, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    let lines: Vec<String> = body.split('\n').map(escaped).collect();
    let is_exact =
        |line: &String| line.chars().all(is_printable) && (line.is_empty() || !line.trim().is_empty());
    let has_edges = |line: Option<&String>| line.is_some_and(|line| !line.trim().is_empty());
    let begins_at_once = lines.first().is_some_and(|line| !line.starts_with(char::is_whitespace));
    let is_block =
        lines.iter().all(is_exact) && has_edges(lines.first()) && has_edges(lines.last()) && begins_at_once;
    is_block.then_some((header, lines))
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
