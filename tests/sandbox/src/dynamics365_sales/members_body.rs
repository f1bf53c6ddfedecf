//! The bodies of the actions on members.

use super::control_types::MemberType;
use super::errors::{self, ApiError};
use super::ids::Guid;
use super::options::RemoveMemberParameter;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Many {
    #[serde(rename = "List")]
    list: ListReference,
    #[serde(rename = "Members")]
    members: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListReference {
    #[serde(rename = "@odata.type")]
    odata_type: Option<String>,
    listid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    #[serde(rename = "@odata.type")]
    odata_type: Option<String>,
    contactid: Option<String>,
    accountid: Option<String>,
    leadid: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One {
    #[serde(rename = "EntityId")]
    entity_id: Option<String>,
    #[serde(rename = "ListMember")]
    list_member: Option<ListMember>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListMember {
    #[serde(rename = "@odata.type")]
    odata_type: Option<String>,
    listmemberid: Option<String>,
}

/// The list, its members' type and the members. All members have to be of one type.
pub(super) fn many(body: &[u8]) -> Result<(Guid, MemberType, Vec<Guid>), ApiError> {
    let body: Many = read(body)?;
    if body.list.odata_type.as_deref().is_some_and(|name| type_name(name) != Some("list")) {
        return Err(errors::invalid_payload("The parameter List is not a list"));
    }
    let list = key(body.list.listid.as_deref())?;
    let mut member_type = None;
    let mut members = Vec::with_capacity(body.members.len());
    for reference in &body.members {
        let (found, id) = match reference.odata_type.as_deref().and_then(type_name) {
            Some("contact") => (MemberType::Contact, &reference.contactid),
            Some("account") => (MemberType::Account, &reference.accountid),
            Some("lead") => (MemberType::Lead, &reference.leadid),
            Some(_) => return Err(errors::wrong_member_type()),
            // Without a type it cannot be told which key is the member's.
            None => return Err(no_key()),
        };
        if member_type.replace(found).is_some_and(|other| other != found) {
            return Err(errors::wrong_member_type());
        }
        members.push(key(id.as_deref())?);
    }
    let member_type =
        member_type.ok_or_else(|| errors::invalid_argument("The parameter Members is empty"))?;
    Ok((list, member_type, members))
}

/// The contact to add.
pub(super) fn added(body: &[u8]) -> Result<Guid, ApiError> {
    match read::<One>(body)? {
        One { entity_id: Some(id), list_member: None } => key(Some(&id)),
        _ => Err(errors::invalid_payload("The parameter EntityId is missing")),
    }
}

/// The contact to remove.
pub(super) fn removed(body: &[u8], parameter: RemoveMemberParameter) -> Result<Guid, ApiError> {
    match (parameter, read::<One>(body)?) {
        (RemoveMemberParameter::EntityId, One { entity_id: Some(id), list_member: None }) => key(Some(&id)),
        (RemoveMemberParameter::ListMember, One { entity_id: None, list_member: Some(member) }) => {
            if member.odata_type.as_deref().is_some_and(|name| type_name(name) != Some("listmember")) {
                return Err(errors::invalid_payload("The parameter ListMember is not a list member"));
            }
            key(member.listmemberid.as_deref())
        }
        _ => Err(errors::invalid_payload("The parameter is not the one that $metadata names")),
    }
}

fn read<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        errors::invalid_payload(format!("Error identified in Payload provided by the user: {error}"))
    })
}

fn type_name(odata_type: &str) -> Option<&str> {
    odata_type.trim_start_matches('#').strip_prefix("Microsoft.Dynamics.CRM.")
}

fn key(text: Option<&str>) -> Result<Guid, ApiError> {
    let text = text.ok_or_else(no_key)?;
    Guid::parse(text)
        .ok_or_else(|| errors::invalid_payload("Cannot convert the literal to the expected type 'Edm.Guid'."))
}

fn no_key() -> ApiError {
    errors::invalid_payload("EdmEntityObject passed should have the key property value set.")
}
