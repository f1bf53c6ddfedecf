//! The mapping of one export, bound to the columns of a snapshot and the fields of a target list.

use super::match_key::{normalise_ascii_email, normalise_guid, normalise_number, normalise_text};
use super::{Converted, Field, convert, normalise_email};
use relay_model::catalog::{Export, FieldMapping, InvalidPolicy, NullPolicy};
use relay_model::{FieldValue, MatchKey, Reason, RowHash, Scalar, Warnings};
use std::collections::BTreeMap;

/// The type of a match key, which determines its normalisation and validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchKeyKind {
    /// An e-mail address.
    Email,
    /// An e-mail address that must be ASCII.
    AsciiEmail,
    /// A positive whole number, such as the destination's own id of a person.
    Number,
    /// A GUID in any notation.
    Guid,
    /// Any text of a bounded length, in Unicode scalar values.
    Text {
        /// The maximum length.
        max_characters: usize,
    },
}

impl MatchKeyKind {
    /// Normalises and validates a profile's match key.
    pub fn normalise(self, value: &Scalar) -> Result<MatchKey, Reason> {
        let text = value.to_text().unwrap_or_default();
        match self {
            Self::Email => normalise_email(&text),
            Self::AsciiEmail => normalise_ascii_email(&text),
            Self::Number => normalise_number(&text),
            Self::Guid => normalise_guid(&text),
            Self::Text { max_characters } => normalise_text(&text, max_characters),
        }
    }
}

/// Why a mapping cannot be bound. Contains names only, never values.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MappingError {
    /// A field that the target list does not have.
    #[error("mapping[{index}].field: the target list has no field \"{field}\"; it has: {known}")]
    UnknownField {
        /// The index in the mapping.
        index: usize,
        /// The name as written in the export.
        field: String,
        /// The available fields.
        known: String,
    },
    /// An attribute that the segment does not provide.
    #[error("the segment's query provides no attribute \"{attribute}\"; it provides: {known}")]
    UnknownAttribute {
        /// The name as written in the export.
        attribute: String,
        /// The available attributes.
        known: String,
    },
    /// Two entries map to one field.
    #[error("mapping[{index}].field: \"{field}\" is a second name of a field that is already mapped")]
    SameField {
        /// The index in the mapping.
        index: usize,
        /// The name as written in the export.
        field: String,
    },
}

/// A row's values, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// The person in the destination.
    pub match_key: MatchKey,
    /// Values by field number, ascending.
    pub values: Vec<(u16, FieldValue)>,
    /// The digest of all values.
    pub hash: RowHash,
}

struct Entry {
    column: usize,
    field: Field,
    null: NullPolicy,
    invalid: InvalidPolicy,
}

/// Returns the field of each entry of a mapping. Fails if a field is missing or mapped twice.
pub fn mapped_fields<'a>(
    mapping: &[FieldMapping],
    fields: &'a [Field],
) -> Result<Vec<&'a Field>, MappingError> {
    let mut mapped: Vec<&Field> = Vec::with_capacity(mapping.len());
    for (index, FieldMapping { field: wanted, .. }) in mapping.iter().enumerate() {
        let field = Field::find(fields, wanted).ok_or_else(|| {
            let known: Vec<&str> = fields.iter().map(|field| field.key.as_str()).collect();
            MappingError::UnknownField { index, field: wanted.clone(), known: known.join(", ") }
        })?;
        if mapped.iter().any(|other| other.key == field.key) {
            return Err(MappingError::SameField { index, field: wanted.clone() });
        }
        mapped.push(field);
    }
    Ok(mapped)
}

/// The mapping of one export, bound.
pub struct Mapper {
    match_key_column: usize,
    match_key_kind: MatchKeyKind,
    entries: Vec<Entry>,
    field_keys: Vec<String>,
    terms: String,
}

impl Mapper {
    /// Binds an export's mapping to `columns` (the attributes of a snapshot, in order) and `fields` (those
    /// of the target list). `terms` are the values that are sent identically with every row.
    pub fn bind(
        export: &Export,
        match_key_kind: MatchKeyKind,
        columns: &[String],
        fields: &[Field],
        terms: &str,
    ) -> Result<Self, MappingError> {
        let column = |attribute: &str| {
            columns.iter().position(|column| column == attribute).ok_or_else(|| {
                MappingError::UnknownAttribute { attribute: attribute.to_owned(), known: columns.join(", ") }
            })
        };
        let mut entries: Vec<Entry> = Vec::with_capacity(export.mapping.len());
        for (mapping, field) in export.mapping.iter().zip(mapped_fields(&export.mapping, fields)?) {
            let FieldMapping { attribute, field: _, if_null, if_invalid } = mapping;
            let field = field.clone();
            entries.push(Entry { column: column(attribute)?, field, null: *if_null, invalid: *if_invalid });
        }
        let field_keys = entries.iter().map(|entry| entry.field.key.clone()).collect();
        Ok(Self {
            match_key_column: column(&export.match_key)?,
            match_key_kind,
            entries,
            field_keys,
            terms: terms.to_owned(),
        })
    }

    /// Returns the keys of the mapped fields; field numbers in rows are indexes into it.
    #[must_use]
    pub fn field_keys(&self) -> &[String] {
        &self.field_keys
    }

    /// Returns the member's match key, normalised and validated.
    pub fn match_key(&self, attributes: &[Scalar]) -> Result<MatchKey, Reason> {
        self.match_key_kind.normalise(attributes.get(self.match_key_column).unwrap_or(&Scalar::Null))
    }

    /// Maps one member's attributes (in the order of the snapshot's columns) for a validated match key.
    pub fn map(
        &self,
        match_key: MatchKey,
        attributes: &[Scalar],
        warnings: &mut Warnings,
    ) -> Result<Mapped, Reason> {
        let mut values = Vec::with_capacity(self.entries.len());
        for (number, entry) in (0_u16..).zip(&self.entries) {
            let value = attributes.get(entry.column).unwrap_or(&Scalar::Null);
            match convert(value, &entry.field.kind, entry.invalid) {
                Ok(Some(Converted::Whole(value))) => values.push((number, value)),
                Ok(Some(Converted::Shortened(value))) => {
                    count(&mut warnings.shortened, &entry.field.key);
                    values.push((number, value));
                }
                Ok(None) => match entry.null {
                    NullPolicy::Omit => {}
                    NullPolicy::Clear => values.push((number, FieldValue::Clear)),
                    NullPolicy::Reject => {
                        let text = format!("field {} must have a value", entry.field.key);
                        return Err(Reason::made("value_missing", text));
                    }
                },
                Err(unfit) if entry.invalid == InvalidPolicy::Omit => {
                    tracing::trace!(code = unfit.code(), "value left out");
                    count(&mut warnings.left_out, &entry.field.key);
                }
                Err(unfit) => {
                    let text = format!("the value for field {} {}", entry.field.key, unfit.problem());
                    return Err(Reason::made(unfit.code(), text));
                }
            }
        }
        let hash = row_hash(&self.terms, &match_key, &self.field_keys, &values);
        Ok(Mapped { match_key, values, hash })
    }
}

/// Returns the digest of everything that is sent for a person; `terms` is sent identically with every row.
///
/// It covers the fields' keys and typed values, each with its length, so that different rows never hash the
/// same bytes, and a changed mapping changes only the digests of affected rows.
#[must_use]
pub fn row_hash(
    terms: &str,
    match_key: &MatchKey,
    field_keys: &[String],
    values: &[(u16, FieldValue)],
) -> RowHash {
    fn text(hasher: &mut blake3::Hasher, tag: u8, text: &str) {
        hasher.update(&[tag]).update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let mut hasher = blake3::Hasher::new();
    text(&mut hasher, 7, terms);
    text(&mut hasher, 0, &match_key.0);
    for (number, value) in values {
        text(&mut hasher, 1, field_keys.get(usize::from(*number)).map_or("", String::as_str));
        match value {
            FieldValue::Clear => {
                hasher.update(&[2]);
            }
            FieldValue::Boolean(value) => {
                hasher.update(&[3, u8::from(*value)]);
            }
            FieldValue::Integer(value) => {
                hasher.update(&[4]).update(&value.to_le_bytes());
            }
            FieldValue::Decimal(value) => {
                hasher.update(&[5]).update(&value.to_le_bytes());
            }
            FieldValue::Text(value) => text(&mut hasher, 6, value),
        }
    }
    let mut hash = RowHash::default();
    hasher.finalize_xof().fill(&mut hash.0);
    hash
}

fn count(counters: &mut BTreeMap<String, u64>, key: &str) {
    if let Some(counter) = counters.get_mut(key) {
        *counter += 1;
    } else {
        counters.insert(key.to_owned(), 1);
    }
}

#[cfg(test)]
#[path = "mapper_tests.rs"]
mod tests;
