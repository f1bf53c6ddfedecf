//! The custom fields of a list.
//!
//! <https://www.campaignmonitor.com/api/v3-3/lists/#creating-a-custom-field>

use super::errors::{self, ApiError};
use serde::{Deserialize, Serialize};

/// What a custom field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataType {
    /// Any text.
    Text,
    /// A number.
    Number,
    /// One of the field's options.
    MultiSelectOne,
    /// Any of the field's options.
    MultiSelectMany,
    /// A day between 1900/01/01 and 2076/06/06.
    Date,
    /// A country; the sandbox takes any text.
    Country,
    /// A state of the USA; the sandbox takes any text.
    USState,
}

/// A custom field as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "they are the API's names")]
pub(super) struct Field {
    pub(super) field_name: String,
    /// With its brackets: `[subscriptiondate]`.
    pub(super) key: String,
    pub(super) data_type: DataType,
    pub(super) field_options: Vec<String>,
    pub(super) visible_in_preference_center: bool,
}

/// A list's fields. A field keeps its number when others are deleted.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<Option<Field>>);

impl Fields {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().flatten()
    }

    pub(super) fn name(&self, number: usize) -> Option<&str> {
        Some(&self.0.get(number)?.as_ref()?.field_name)
    }

    pub(super) fn key(&self, number: usize) -> Option<&str> {
        Some(&self.0.get(number)?.as_ref()?.key)
    }

    pub(super) fn has_option(&self, number: usize, value: &str) -> bool {
        let field = self.0.get(number).and_then(Option::as_ref);
        field.is_some_and(|field| field.field_options.iter().any(|option| option == value))
    }

    /// By the key, with or without its brackets, but otherwise exactly as the API gave it.
    pub(super) fn find(&self, key: &str) -> Option<(usize, DataType)> {
        let wanted = bare(key);
        self.0.iter().enumerate().find_map(|(number, field)| {
            let field = field.as_ref()?;
            (bare(&field.key) == wanted).then_some((number, field.data_type))
        })
    }

    /// Makes a field and returns its key.
    pub(super) fn create(
        &mut self,
        name: &str,
        data_type: DataType,
        options: Vec<String>,
        visible: bool,
    ) -> Result<String, ApiError> {
        let key = key_of(name)?;
        if self.find(&key).is_some() {
            return Err(errors::FIELD_EXISTS);
        }
        let choices = matches!(data_type, DataType::MultiSelectOne | DataType::MultiSelectMany);
        match (choices, options.is_empty()) {
            (true, true) => return Err(errors::OPTIONS_MISSING),
            (false, false) => return Err(errors::OPTIONS_NOT_ALLOWED),
            _ => {}
        }
        self.0.push(Some(Field {
            field_name: name.to_owned(),
            key: key.clone(),
            data_type,
            field_options: options,
            visible_in_preference_center: visible,
        }));
        Ok(key)
    }

    /// Renames a field, which changes its key too, and returns the new key.
    pub(super) fn rename(
        &mut self,
        key: &str,
        name: &str,
        visible: Option<bool>,
    ) -> Result<String, ApiError> {
        let number = self.number(key)?;
        let new_key = key_of(name)?;
        if self.find(&new_key).is_some_and(|(other, _)| other != number) {
            return Err(errors::FIELD_EXISTS);
        }
        let field = self.0.get_mut(number).and_then(Option::as_mut).ok_or(errors::NOT_FOUND)?;
        name.clone_into(&mut field.field_name);
        field.key.clone_from(&new_key);
        field.visible_in_preference_center = visible.unwrap_or(field.visible_in_preference_center);
        Ok(new_key)
    }

    /// Replaces a field's options, or adds to them.
    pub(super) fn set_options(
        &mut self,
        key: &str,
        options: Vec<String>,
        keep: bool,
    ) -> Result<(), ApiError> {
        let number = self.number(key)?;
        let field = self.0.get_mut(number).and_then(Option::as_mut).ok_or(errors::NOT_FOUND)?;
        if !matches!(field.data_type, DataType::MultiSelectOne | DataType::MultiSelectMany) {
            return Err(errors::OPTIONS_NOT_ALLOWED);
        }
        if options.is_empty() {
            return Err(errors::OPTIONS_MISSING);
        }
        if !keep {
            field.field_options.clear();
        }
        for option in options {
            if !field.field_options.contains(&option) {
                field.field_options.push(option);
            }
        }
        Ok(())
    }

    /// Deletes a field and returns its number, whose values are to be forgotten.
    pub(super) fn delete(&mut self, key: &str) -> Result<usize, ApiError> {
        let number = self.number(key)?;
        if let Some(slot) = self.0.get_mut(number) {
            *slot = None;
        }
        Ok(number)
    }

    /// By a key of a path, which has to have its brackets.
    fn number(&self, key: &str) -> Result<usize, ApiError> {
        if !(key.starts_with('[') && key.ends_with(']')) {
            return Err(errors::FIELD_KEY_FORM);
        }
        self.find(key).map(|(number, _)| number).ok_or(errors::NOT_FOUND)
    }
}

fn bare(key: &str) -> &str {
    key.strip_prefix('[').and_then(|key| key.strip_suffix(']')).unwrap_or(key)
}

/// The name in lower case without its spaces, in brackets.
fn key_of(name: &str) -> Result<String, ApiError> {
    let forbidden = |character: char| character.is_control() || "[]/\\".contains(character);
    let key: String = name.to_lowercase().chars().filter(|character| *character != ' ').collect();
    if key.is_empty() || key.chars().any(forbidden) {
        return Err(errors::INVALID_FIELD_NAME);
    }
    Ok(format!("[{key}]"))
}
