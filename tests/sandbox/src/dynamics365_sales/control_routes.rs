//! The control of the sandbox over HTTP, for other processes: `/_sandbox/…`, JSON both ways.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `POST applications` | `NewApplication` | `Application` |
//! | `POST applications/{client}/changes` | `ApplicationChange` | `{}` |
//! | `GET contacts` | | `{"contacts"}`, their number |
//! | `POST contacts` | `[NewContact]` | `{}` |
//! | `POST contacts/numbered` | `NumberedContacts` | `[id]` in the order of the numbers |
//! | `POST contacts/{contact}/changes` | `ContactChange` | `{}` |
//! | `POST contacts/{contact}/poison` | `Poison` | `{}` |
//! | `DELETE poisons` | | `{}` |
//! | `GET lists`, `GET lists/{list}` | | `[ListView]`, `ListView` |
//! | `POST lists` | `NewList` | `{"list_id"}` |
//! | `POST lists/{list}/changes` | `PendingChange` | `{}` |
//! | `GET lists/{list}/members` | | `[ListedMember]` |
//! | `POST lists/{list}/members` | `[id]` | `{}` |
//! | `GET report`, `DELETE report` | | `Report` (before the reset) |
//! | `POST throttles` | `ForcedThrottle` | `{}` |
//! | `GET faults`, `POST faults`, `DELETE faults` | `Fault` | `[Fault]` still to come |
//! | `PUT pace` | `Pace` | `{}` |
//!
//! What cannot be done is answered with 404 (no such thing), 409 (it is there already) or 400 (a body of the wrong
//! form) and `{"error"}`. Nothing here is counted, delayed or hit by faults.

use super::answer::Answer;
use super::control_types::{ControlError, NumberedContacts};
use super::ids::Guid;
use super::report::Report;
use super::server::{Shared, lock};
use axum::body::{Body, to_bytes};
use serde::de::DeserializeOwned;
use serde_json::json;

/// What control paths begin with.
pub(super) const PREFIX: &str = "/_sandbox/";

const LARGEST_BODY_BYTES: usize = 1 << 30;

enum Refusal {
    NoSuchRoute,
    Body(serde_json::Error),
    Control(ControlError),
}

impl From<ControlError> for Refusal {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

pub(super) async fn handle(shared: &Shared, method: &str, path: &str, body: Body) -> Answer {
    let Ok(body) = to_bytes(body, LARGEST_BODY_BYTES).await else {
        return Answer::html(413, "Request Entity Too Large");
    };
    control(shared, method, path, &body).unwrap_or_else(|refusal| {
        let (status, error) = match refusal {
            Refusal::NoSuchRoute => (404, "there is no such control route".to_owned()),
            Refusal::Body(error) => (400, error.to_string()),
            Refusal::Control(error @ ControlError::Unknown(_)) => (404, error.to_string()),
            Refusal::Control(error @ ControlError::Taken(_)) => (409, error.to_string()),
        };
        Answer::json(status, &json!({ "error": error }))
    })
}

fn control(shared: &Shared, method: &str, path: &str, body: &[u8]) -> Result<Answer, Refusal> {
    let done = || Answer::json(200, &json!({}));
    let parts: Vec<&str> = path.split('/').collect();
    match (method, parts.as_slice()) {
        ("POST", ["applications"]) => {
            return Ok(Answer::json(201, &shared.create_application(read(body)?)?));
        }
        ("POST", ["applications", id, "changes"]) => shared.change_application(key(id)?, read(body)?)?,
        ("GET", ["contacts"]) => {
            return Ok(Answer::json(200, &json!({ "contacts": shared.world().contacts.len() })));
        }
        ("POST", ["contacts"]) => shared.seed_contacts(read(body)?),
        ("POST", ["contacts", "numbered"]) => {
            let numbered: NumberedContacts = read(body)?;
            shared.seed_numbered_contacts(numbered);
            let numbers = numbered.first..numbered.first.saturating_add(numbered.count);
            return Ok(Answer::json(201, &numbers.map(Guid::numbered).collect::<Vec<_>>()));
        }
        ("POST", ["contacts", id, "changes"]) => shared.change_contact(key(id)?, read(body)?)?,
        ("POST", ["contacts", id, "poison"]) => {
            shared.world().poisons.insert(key(id)?, read(body)?);
        }
        ("DELETE", ["poisons"]) => shared.world().poisons.clear(),
        ("GET", ["lists"]) => return Ok(Answer::json(200, &shared.lists())),
        ("GET", ["lists", id]) => return Ok(Answer::json(200, &shared.list(key(id)?)?)),
        ("POST", ["lists"]) => {
            return Ok(Answer::json(201, &json!({ "list_id": shared.create_list(read(body)?)? })));
        }
        ("POST", ["lists", id, "changes"]) => shared.change_list(key(id)?, read(body)?)?,
        ("GET", ["lists", id, "members"]) => return Ok(Answer::json(200, &shared.members(key(id)?)?)),
        ("POST", ["lists", id, "members"]) => shared.seed_members(key(id)?, &read::<Vec<Guid>>(body)?)?,
        ("GET", ["report"]) => return Ok(Answer::json(200, &shared.world().report)),
        ("DELETE", ["report"]) => {
            return Ok(Answer::json(200, &std::mem::take::<Report>(&mut shared.world().report)));
        }
        ("POST", ["throttles"]) => shared.world().throttles.push(read(body)?),
        ("GET", ["faults"]) => return Ok(Answer::json(200, &lock(&shared.faults).remaining())),
        ("POST", ["faults"]) => {
            let mut faults = lock(&shared.faults);
            faults.add(read(body)?);
            return Ok(Answer::json(201, &faults.remaining()));
        }
        ("DELETE", ["faults"]) => {
            lock(&shared.faults).clear();
            shared.world().throttles.clear();
        }
        ("PUT", ["pace"]) => shared.set_pace(read(body)?),
        _ => return Err(Refusal::NoSuchRoute),
    }
    Ok(done())
}

fn key(text: &str) -> Result<Guid, Refusal> {
    Guid::parse(text).ok_or(Refusal::NoSuchRoute)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(Refusal::Body)
}
