//! The lead's fields: names, types, lengths and what may be done with them.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/fields/field-types>

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A field's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    /// Up to 255 characters, or the field's length.
    String,
    /// Up to 30,000 bytes.
    Text,
    /// An address in ASCII.
    Email,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 32 bits that is counted up and down.
    Score,
    /// A number.
    Float,
    /// An amount.
    Currency,
    /// A number without a percent sign.
    Percent,
    /// True or false.
    Boolean,
    /// `2010-05-07`
    Date,
    /// ISO 8601 with a zone.
    Datetime,
    /// A telephone number as text.
    Phone,
    /// An address of the web as text.
    Url,
    /// A reference to another record.
    Reference,
    /// Computed by the vendor.
    Formula,
}

/// Who may write a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Calls of the API.
    #[default]
    Writable,
    /// The vendor only.
    ReadOnly,
    /// Calls about companies only.
    Company,
}

/// A field of the lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The name in calls.
    pub name: String,
    /// The name that people see.
    pub display_name: String,
    /// The type.
    pub data_type: DataType,
    /// The longest text in characters; none: 255, or 30,000 bytes of a text.
    #[serde(default)]
    pub length: Option<u32>,
    /// Who may write it.
    #[serde(default)]
    pub access: Access,
    /// Whether leads can be looked for by it.
    #[serde(default)]
    pub is_searchable: bool,
    /// Whether a CRM owns its values.
    #[serde(default)]
    pub is_crm_managed: bool,
}

impl Field {
    /// A writable field that is not searchable, of the type's usual length.
    #[must_use]
    pub fn new(name: &str, data_type: DataType) -> Self {
        Self {
            name: name.to_owned(),
            display_name: name.to_owned(),
            data_type,
            length: matches!(data_type, DataType::String | DataType::Email | DataType::Phone | DataType::Url)
                .then_some(255),
            access: Access::Writable,
            is_searchable: false,
            is_crm_managed: false,
        }
    }

    /// The same field, by which leads can be looked for.
    #[must_use]
    pub fn searchable(self) -> Self {
        Self { is_searchable: true, ..self }
    }

    /// The same field with another access.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }
}

/// A field's place among the fields of an instance.
pub(super) type FieldNumber = u16;

/// All fields, by number and by name.
#[derive(Debug)]
pub(super) struct Fields {
    all: Vec<Field>,
    numbers: HashMap<String, FieldNumber>,
}

/// What a lead has besides its values.
pub(super) const ID: FieldNumber = 0;
pub(super) const EMAIL: FieldNumber = 1;
pub(super) const CREATED_AT: FieldNumber = 2;
pub(super) const UPDATED_AT: FieldNumber = 3;
pub(super) const PARTITION_ID: FieldNumber = 4;

impl Default for Fields {
    /// The system's fields, at their numbers above, and a usual person's.
    fn default() -> Self {
        let mut fields = Self { all: Vec::new(), numbers: HashMap::new() };
        let read_only = |name, data_type| Field::new(name, data_type).with_access(Access::ReadOnly);
        fields.add(read_only("id", DataType::Integer).searchable());
        fields.add(Field::new("email", DataType::Email).searchable());
        fields.add(read_only("createdAt", DataType::Datetime));
        fields.add(read_only("updatedAt", DataType::Datetime));
        fields.add(read_only("leadPartitionId", DataType::Integer).searchable());
        for name in ["firstName", "lastName", "middleName", "salutation", "title", "leadSource", "rating"] {
            fields.add(Field::new(name, DataType::String));
        }
        for name in ["address", "city", "state", "postalCode", "country", "department"] {
            fields.add(Field::new(name, DataType::String));
        }
        for name in ["phone", "mobilePhone"] {
            fields.add(Field::new(name, DataType::Phone));
        }
        fields.add(Field::new("dateOfBirth", DataType::Date));
        for name in ["unsubscribed", "doNotCall"] {
            fields.add(Field::new(name, DataType::Boolean));
        }
        fields.add(Field::new("leadScore", DataType::Score));
        fields.add(Field::new("externalCompanyId", DataType::String));
        for name in ["facebookId", "linkedInId", "twitterId", "sfdcLeadId", "sfdcContactId"] {
            fields.add(Field::new(name, DataType::String).searchable());
        }
        for name in ["company", "industry", "website"] {
            fields.add(Field::new(name, DataType::String).with_access(Access::Company));
        }
        fields.add(Field::new("annualRevenue", DataType::Currency).with_access(Access::Company));
        fields.add(Field::new("numberOfEmployees", DataType::Integer).with_access(Access::Company));
        fields
    }
}

impl Fields {
    /// Adds a field, or puts it in the place of the one with the same name.
    pub(super) fn add(&mut self, field: Field) {
        if let Some(number) = self.numbers.get(&field.name) {
            if let Some(old) = self.all.get_mut(usize::from(*number)) {
                *old = field;
            }
            return;
        }
        if let Ok(number) = FieldNumber::try_from(self.all.len()) {
            self.numbers.insert(field.name.clone(), number);
            self.all.push(field);
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<(FieldNumber, &Field)> {
        let number = *self.numbers.get(name)?;
        Some((number, self.get(number)?))
    }

    pub(super) fn get(&self, number: FieldNumber) -> Option<&Field> {
        self.all.get(usize::from(number))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (FieldNumber, &Field)> {
        (0..).zip(&self.all)
    }
}
