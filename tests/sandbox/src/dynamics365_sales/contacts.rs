//! Contacts made or changed by the API: what no export of members should ever do, and so is counted.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api>

use super::answer::Answer;
use super::errors::{self, ApiError};
use super::ids::Guid;
use super::lists::Request;
use super::tables::CONTACTS;
use super::world::{Contact, World};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(rename = "@odata.type")]
    _odata_type: Option<String>,
    contactid: Option<Guid>,
    firstname: Option<Box<str>>,
    lastname: Option<Box<str>>,
    emailaddress1: Option<Box<str>>,
    statecode: Option<u8>,
}

/// `POST contacts`.
pub(super) fn create(world: &mut World, request: Request<'_>, body: &[u8]) -> Result<Answer, ApiError> {
    request.caller.need("prvCreateContact", &CONTACTS)?;
    let body = read(body)?;
    let id = body.contactid.unwrap_or_else(Guid::random);
    if world.contacts.contains_key(&id) {
        return Err(errors::duplicate_record());
    }
    insert(world, id, body)?;
    Ok(written(request, id))
}

/// `PATCH contacts({id})`: without `If-Match: *` a contact that does not exist is made.
pub(super) fn upsert(
    world: &mut World,
    request: Request<'_>,
    id: Guid,
    body: &[u8],
) -> Result<Answer, ApiError> {
    let is_known = world.contacts.contains_key(&id);
    if request.condition("if-match").is_some() && !is_known {
        return Err(errors::does_not_exist("contact", id));
    }
    if request.condition("if-none-match") == Some("*") && is_known {
        return Err(errors::exists_already());
    }
    let body = read(body)?;
    if !is_known {
        request.caller.need("prvCreateContact", &CONTACTS)?;
        insert(world, id, body)?;
        return Ok(written(request, id));
    }
    request.caller.need("prvWriteContact", &CONTACTS)?;
    let version = world.next_version();
    if let Some(contact) = world.contacts.get_mut(&id) {
        contact.first_name = body.firstname.or(contact.first_name.take());
        contact.last_name = body.lastname.or(contact.last_name.take());
        contact.email = body.emailaddress1.or(contact.email.take());
        contact.is_active = body.statecode.map_or(contact.is_active, |state| state == 0);
        contact.version = version;
    }
    world.report.contacts_changed += 1;
    Ok(written(request, id))
}

fn read(body: &[u8]) -> Result<Body, ApiError> {
    serde_json::from_slice(body).map_err(|error| errors::invalid_payload(error.to_string()))
}

fn insert(world: &mut World, id: Guid, body: Body) -> Result<(), ApiError> {
    if body.statecode.is_some() {
        return Err(errors::invalid_argument("The column statecode is not valid for this operation"));
    }
    let contact = Contact {
        is_active: true,
        first_name: body.firstname,
        last_name: body.lastname,
        email: body.emailaddress1,
        version: world.next_version(),
    };
    world.contacts.insert(id, contact);
    world.report.contacts_created += 1;
    Ok(())
}

fn written(request: Request<'_>, id: Guid) -> Answer {
    let address = format!("{}/api/data/v9.2/contacts({id})", request.organization);
    Answer::nothing().with_text("odata-entityid", &address)
}
