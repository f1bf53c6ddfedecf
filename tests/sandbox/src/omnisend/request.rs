//! A contact as a write sends it, checked: all mistakes are told at once.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts> and <https://api-docs.omnisend.com/v5/reference/post_contacts>

use super::countries;
use super::dialect::Dialect;
use super::errors::{self, ApiError, FieldError};
use super::identifiers::{self, Identifier};
use super::options::{Options, OtherFields};
use super::profile::Field;
use jiff::civil::Date;
use serde_json::{Map, Value};

const MOST_TAGS: usize = 100;
const LONGEST_NAME: usize = 128;

/// What a write says about one contact.
#[derive(Clone, Debug, Default)]
pub(super) struct ContactRequest {
    pub(super) email: Option<Identifier>,
    pub(super) phones: Vec<Identifier>,
    pub(super) fields: Vec<(Field, String)>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) properties: Option<Vec<(String, Value)>>,
}

/// Whether the contact is named by the identifiers or by the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    ByIdentifiers,
    ByCall,
}

/// What reading goes by, and what it has found so far.
pub(super) struct Reader<'a> {
    pub(super) dialect: Dialect,
    pub(super) options: &'a Options,
    pub(super) errors: Vec<FieldError>,
}

impl Reader<'_> {
    pub(super) fn refuse(&mut self, field: impl Into<String>, code: &'static str, message: &str) {
        self.errors.push(FieldError::new(field, code, message));
    }

    /// A text, where there is one.
    pub(super) fn text(&mut self, path: &str, value: Option<&Value>) -> Option<String> {
        let text = value?.as_str();
        if text.is_none() {
            self.refuse(path, "invalid_type", "Must be a string");
        }
        text.map(str::to_owned)
    }

    /// Refuses fields that are not among the known ones.
    pub(super) fn known(&mut self, path: &str, object: &Map<String, Value>, known: &[&str]) {
        if self.options.other_fields == OtherFields::Ignored {
            return;
        }
        for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
            self.refuse(format!("{path}{name}"), "unknown_field", "Unknown field");
        }
    }
}

/// Reads a contact.
pub(super) fn read(
    value: &Value,
    named: Named,
    dialect: Dialect,
    options: &Options,
) -> Result<ContactRequest, ApiError> {
    let Value::Object(object) = value else {
        return Err(errors::malformed());
    };
    let mut reader = Reader { dialect, options, errors: Vec::new() };
    let mut request = ContactRequest::default();
    let mut known: Vec<&str> = Field::ALL.map(Field::name).to_vec();
    known.extend(["identifiers", "createdAt", "tags", "customProperties"]);
    reader.known("", object, &known);
    identifiers::read(&mut reader, object.get("identifiers"), named, &mut request);
    for field in Field::ALL {
        if let Some(text) = reader.text(field.name(), object.get(field.name())) {
            check_field(&mut reader, field, &text);
            request.fields.push((field, text));
        }
    }
    complete_country(&mut request.fields);
    request.tags = object.get("tags").and_then(|tags| read_tags(&mut reader, "tags", tags));
    request.properties = object.get("customProperties").and_then(|value| read_properties(&mut reader, value));
    if let Some(created_at) = reader.text("createdAt", object.get("createdAt")) {
        let external = ("externalCreated".to_owned(), Value::String(created_at));
        request.properties.get_or_insert_default().push(external);
    }
    if reader.errors.is_empty() { Ok(request) } else { Err(errors::validation(reader.errors)) }
}

fn check_field(reader: &mut Reader<'_>, field: Field, text: &str) {
    match field {
        Field::CountryCode if text.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            reader.refuse(field.name(), "invalid_format", "Must be an ISO 3166-1 alpha-2 code");
        }
        Field::Birthdate if text.parse::<Date>().is_err() || text.len() != 10 => {
            reader.refuse(field.name(), "invalid_format", "Must be YYYY-MM-DD");
        }
        Field::Gender if !matches!(text, "m" | "f") => {
            reader.refuse(field.name(), "invalid_value", "Must be m or f");
        }
        _ => {}
    }
}

/// The code comes before the name, and what is missing follows from the other.
fn complete_country(fields: &mut Vec<(Field, String)>) {
    let get = |wanted| fields.iter().find(|(field, _)| *field == wanted).map(|(_, text)| text.clone());
    let (name, code) = match (get(Field::Country), get(Field::CountryCode)) {
        (name, Some(code)) => {
            let code = code.to_ascii_uppercase();
            (countries::name_of(&code).map(str::to_owned).or(name), Some(code))
        }
        (Some(name), None) => {
            let code = countries::code_of(&name).map(str::to_owned);
            (Some(name), code)
        }
        (None, None) => return,
    };
    fields.retain(|(field, _)| !matches!(field, Field::Country | Field::CountryCode));
    fields.extend(name.map(|name| (Field::Country, name)));
    fields.extend(code.map(|code| (Field::CountryCode, code)));
}

/// A list of at most a hundred tags.
pub(super) fn read_tags(reader: &mut Reader<'_>, path: &str, value: &Value) -> Option<Vec<String>> {
    let Value::Array(values) = value else {
        reader.refuse(path, "invalid_type", "Must be an array");
        return None;
    };
    if values.len() > MOST_TAGS {
        reader.refuse(path, "too_many_items", "Must have at most 100 items");
    }
    let mut tags = Vec::with_capacity(values.len());
    for (position, value) in values.iter().enumerate() {
        let path = format!("{path}.{position}");
        if let Some(tag) = reader.text(&path, Some(value)) {
            if tag.is_empty() || tag.chars().count() > LONGEST_NAME {
                reader.refuse(path, "invalid_length", "Must have 1 to 128 characters");
            }
            tags.push(tag);
        }
    }
    Some(tags)
}

fn read_properties(reader: &mut Reader<'_>, value: &Value) -> Option<Vec<(String, Value)>> {
    let Value::Object(object) = value else {
        reader.refuse("customProperties", "invalid_type", "Must be an object");
        return None;
    };
    for (name, value) in object {
        let path = || format!("customProperties.{name}");
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_name) {
            reader.refuse(path(), "invalid_name", "Must be letters, digits and underscores, at most 128");
        }
        let is_plain = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
        let is_taken = match value {
            Value::Array(values) => values.iter().all(is_plain),
            value => is_plain(value),
        };
        if !is_taken {
            reader.refuse(
                path(),
                "invalid_type",
                "Must be a string, a number, a boolean or an array of them",
            );
        }
    }
    Some(object.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}
