//! The fields that a contact has, and what each takes.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/post_contacts>. Custom properties are made by naming them
//! (<https://api-docs.omnisend.com/reference/contacts#custom-properties>), so every name that a mapping asks for is there.

use super::failure;
use super::options::{OmnisendOptions, OptionsError, PropertyType};
use crate::{ErrorKind, PushError};
use jiff::civil::date;
use relay_delivery::mapping::{DateFormat, Field, FieldKind};
use relay_model::catalog::{Export, NullPolicy};

/// The country: its name, or two letters, which go as its code.
pub(super) const COUNTRY: &str = "country";
/// The country's code after ISO 3166-1.
pub(super) const COUNTRY_CODE: &str = "countryCode";
/// Whether the person has consented to e-mail.
pub(super) const CONSENT: &str = "consent.email";
/// Since when.
pub(super) const CONSENT_DATE: &str = "consent.email.date";
/// What the keys of custom properties begin with.
pub(super) const PROPERTY_PREFIX: &str = "properties.";

/// The vendor publishes no longest text. This keeps a contact far below what a request may have.
const MAX_CHARACTERS: usize = 2_000;
/// The longest name of a custom property, as the vendor's own plugin has it
/// (<https://github.com/omnisend/wp-omnisend>).
const MAX_PROPERTY_NAME: usize = 128;

const OPERATION: &str = "use the export's mapping";
const TEXTS: [(&str, &str); 6] = [
    ("firstName", "First name"),
    ("lastName", "Last name"),
    ("address", "Address"),
    ("city", "City"),
    ("state", "State"),
    ("postalCode", "Postal code"),
];

/// The fields that rows of an export can be mapped to: those that every contact has, and the custom properties that
/// the mapping names.
pub(super) fn fields(export: &Export, options: &OmnisendOptions) -> Result<Vec<Field>, PushError> {
    let field = |key: &str, label: &str, kind| Field { key: key.to_owned(), label: label.to_owned(), kind };
    let day =
        || FieldKind::Date { first: date(1, 1, 1), last: date(9_999, 12, 31), format: DateFormat::Dashes };
    let text = || FieldKind::Text { max_characters: MAX_CHARACTERS };
    let mut fields: Vec<Field> = TEXTS.iter().map(|(key, label)| field(key, label, text())).collect();
    fields.push(field(COUNTRY, "Country", text()));
    fields.push(field(COUNTRY_CODE, "Country code", FieldKind::Text { max_characters: 2 }));
    fields.push(field("birthdate", "Date of birth", day()));
    let genders = FieldKind::OneOf { options: vec!["m".to_owned(), "f".to_owned()] };
    fields.push(field("gender", "Gender", genders));
    fields.push(field(CONSENT, "Consent to e-mail", FieldKind::Boolean));
    fields.push(field(CONSENT_DATE, "Date of the consent to e-mail", FieldKind::Moment));
    for (index, mapping) in export.mapping.iter().enumerate() {
        let Some(name) = mapping.field.strip_prefix(PROPERTY_PREFIX) else { continue };
        if !is_property_name(name) {
            let problem = format!(
                "mapping[{index}].field: a custom property's name has letters, digits and underscores, 1 to \
                 {MAX_PROPERTY_NAME} of them"
            );
            return Err(failure(OPERATION, ErrorKind::Settings, problem));
        }
        let kind = match options.property_types.get(name) {
            None | Some(PropertyType::Text) => text(),
            Some(PropertyType::Number) => FieldKind::Number,
            Some(PropertyType::Boolean) => FieldKind::Boolean,
            Some(PropertyType::Date) => day(),
        };
        if !fields.iter().any(|field| field.key == mapping.field) {
            fields.push(field(&mapping.field, name, kind));
        }
    }
    check_types(export, options).map_err(|error| refuse(&error))?;
    check_mapping(export, &fields).map_err(|error| refuse(&error))?;
    Ok(fields)
}

fn refuse(error: &OptionsError) -> PushError {
    failure(OPERATION, ErrorKind::Settings, error.to_string())
}

/// Whether a text is the name of a custom property.
pub(super) fn is_property_name(name: &str) -> bool {
    (1..=MAX_PROPERTY_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A type for a property that nothing is mapped to is a slip of the pen.
fn check_types(export: &Export, options: &OmnisendOptions) -> Result<(), OptionsError> {
    let is_mapped = |name: &str| {
        let is_it = |field: &str| field.strip_prefix(PROPERTY_PREFIX) == Some(name);
        export.mapping.iter().any(|mapping| is_it(&mapping.field))
    };
    match options.property_types.keys().find(|name| !is_mapped(name)) {
        None => Ok(()),
        Some(name) => Err(OptionsError(format!(
            "options.property_types.{name}: nothing is mapped to {PROPERTY_PREFIX}{name}"
        ))),
    }
}

fn check_mapping(export: &Export, fields: &[Field]) -> Result<(), OptionsError> {
    let mut mapped = Vec::new();
    for (index, mapping) in export.mapping.iter().enumerate() {
        let Some(field) = Field::find(fields, &mapping.field) else { continue };
        let key = field.key.as_str();
        let is_text = TEXTS.iter().any(|(text, _)| *text == key);
        if mapping.if_null == NullPolicy::Clear && !is_text {
            return Err(OptionsError(format!(
                "mapping[{index}].if_null: the vendor documents no way to clear {key}; use omit or reject"
            )));
        }
        mapped.push(key);
    }
    match (mapped.contains(&CONSENT), mapped.contains(&CONSENT_DATE)) {
        (true, false) => Err(OptionsError(format!(
            "mapping: {CONSENT} is mapped without {CONSENT_DATE}: a subscription is only told with the day of the consent"
        ))),
        (false, true) => Err(OptionsError(format!(
            "mapping: {CONSENT_DATE} is mapped without {CONSENT}: a date alone is no consent"
        ))),
        _ => Ok(()),
    }
}
