//! What one record, of a call or of a file, would do to the database; deciding and doing are two steps.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>

use super::auth::Caller;
use super::errors::{self, ApiError};
use super::fields::{Access, EMAIL, Field, FieldNumber, ID};
use super::ids::LeadId;
use super::leads::PartitionId;
use super::options::CompanyFields;
use super::value_check;
use super::values::Changes;
use super::world::World;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a call does with records that find a lead and with those that do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Action {
    CreateOnly,
    UpdateOnly,
    CreateOrUpdate,
    CreateDuplicate,
}

impl Action {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CreateOnly => "createOnly",
            Self::UpdateOnly => "updateOnly",
            Self::CreateOrUpdate => "createOrUpdate",
            Self::CreateDuplicate => "createDuplicate",
        }
    }
}

/// What is the same for all records of a call or file.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) action: Action,
    pub(super) lookup: FieldNumber,
    /// The partition that the call names.
    pub(super) partition: Option<PartitionId>,
    pub(super) caller: Caller,
}

/// What is to be done with a record.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Skip(ApiError),
    Create(Changes),
    Update(LeadId, Changes),
}

/// The field that a call looks leads up by.
pub(super) fn lookup_field(world: &World, name: &str) -> Result<FieldNumber, ApiError> {
    let (number, field) = world
        .fields
        .find(name)
        .ok_or_else(|| errors::error(1006, format!("Lookup field '{name}' not found")))?;
    if field.is_searchable {
        Ok(number)
    } else {
        Err(errors::error(1011, format!("Lookup field '{name}' is not supported")))
    }
}

/// Whether a value may be written into a field by a call about leads, and what becomes of it.
pub(super) fn change(
    world: &World,
    number: FieldNumber,
    field: &Field,
    value: &Value,
) -> Result<(FieldNumber, Option<Box<str>>), ApiError> {
    match field.access {
        Access::ReadOnly => Err(errors::error(1003, format!("Field '{}' is not updateable", field.name))),
        Access::Company if world.options.company_fields == CompanyFields::SkipRecord => {
            Err(errors::COMPANY_FIELD)
        }
        _ => Ok((number, value_check::checked(field, value)?)),
    }
}

/// Decides about a record from what is in the database now.
///
/// `key`: the text of the lookup field; none if the record has none.
pub(super) fn decide(world: &mut World, terms: &Terms, key: Option<&str>, changes: Changes) -> Step {
    let creates = !matches!(terms.action, Action::UpdateOnly);
    if terms.action == Action::CreateDuplicate {
        return Step::Create(changes);
    }
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        let name = world.fields.get(terms.lookup).map_or("", |field| &field.name);
        return Step::Skip(errors::error(1003, format!("Value for required field '{name}' not specified")));
    };
    let found = world.leads.find(terms.lookup, key);
    match (found.as_slice(), terms.action) {
        ([], _) if creates && terms.lookup != ID => Step::Create(changes),
        ([], _) => Step::Skip(errors::LEAD_NOT_FOUND),
        (_, Action::CreateOnly) => Step::Skip(errors::LEAD_EXISTS),
        ([id], _) => {
            let partition = world.leads.get(*id).map_or(0, |lead| lead.partition);
            if !world.sees(&terms.caller, partition) {
                return Step::Skip(errors::PARTITION_ACCESS);
            }
            if terms.partition.is_some_and(|named| named != partition) {
                return Step::Skip(errors::OTHER_PARTITION);
            }
            Step::Update(*id, changes)
        }
        _ => Step::Skip(errors::SEVERAL_LEADS),
    }
}

/// The value of the lookup field among a record's changes.
pub(super) fn key_of(changes: &Changes, lookup: FieldNumber) -> Option<&str> {
    changes.iter().find(|(number, _)| *number == lookup).and_then(|(_, text)| text.as_deref())
}

/// Whether a lead that is about to be made has a twin with the same key.
pub(super) fn has_twin(world: &mut World, terms: &Terms, changes: &Changes) -> bool {
    let lookup = if terms.lookup == ID { EMAIL } else { terms.lookup };
    key_of(changes, lookup).is_some_and(|key| !world.leads.find(lookup, key).is_empty())
}
