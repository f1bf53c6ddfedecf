//! The control of the sandbox over HTTP, for other processes: `/_sandbox/…`, JSON both ways.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `POST services` | `NewService` | `Credentials` |
//! | `POST services/{client id}/expire`, `…/revoke` | | `{}` |
//! | `PUT services/{client id}/secret` | `{"secret"}` | `{}` |
//! | `PUT zero-lifetimes` | `{"times"}` | `{}` |
//! | `POST fields` | `Field` | `{}` |
//! | `POST partitions` | `{"name"}` | `{}` |
//! | `POST folders` | `NewFolder` | `{"folder_id"}` |
//! | `GET lists`, `POST lists` | `NewList` | `[ShownList]`, `{"list_id"}` |
//! | `DELETE lists/{list}` | | `{}` |
//! | `POST lists/{list}/use`, `DELETE lists/{list}/use` | | `{}` |
//! | `GET lists/{list}/members[?after=&most=]` | | `[id]` |
//! | `GET lists/{list}/emails` | | `[text]`, sorted |
//! | `POST lists/{list}/members`, `DELETE …` | `[id]` | `{}` |
//! | `GET leads[?after=&most=]`, `GET leads?field=&value=` | | `[ShownLead]` |
//! | `POST leads` | `[SeedLead]` | `[id]` |
//! | `DELETE leads/{lead}` | | `{}` |
//! | `GET lead-count` | | `{"leads"}` |
//! | `GET report`, `DELETE report` | | `Report` (before the reset) |
//! | `GET requests` | | `[LoggedRequest]` |
//! | `GET faults`, `POST faults`, `DELETE faults` | `Fault` | `[Fault]` still to come |
//! | `PUT pace` | `Pace` | `{}` |
//! | `PUT others` | `OtherUsers` | `{}` |
//! | `POST quota` | `{"calls"}` | `{}` |
//! | `DELETE quota` | | `{}` |
//! | `POST import-troubles` | `ImportTrouble` | `{}` |
//! | `GET active-imports` | | `{"imports"}` |
//!
//! What cannot be done is answered with 404 (no such thing) or 400 (a body of the wrong form) and `{"error"}`.
//! Nothing here is counted, delayed or hit by faults.

use super::answer::Answer;
use super::control_types::ControlError;
use super::ids::{LeadId, ListId};
use super::request::Parameters;
use super::server::{Shared, lock};
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// What control paths begin with.
pub(super) const PREFIX: &str = "/_sandbox/";

const LARGEST_BODY_BYTES: usize = 1 << 30;
const USUAL_PAGE: usize = 1000;

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

#[derive(Deserialize)]
struct Secret {
    secret: String,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Times {
    times: usize,
}

#[derive(Deserialize)]
struct Calls {
    calls: usize,
}

pub(super) async fn handle(shared: &Shared, parts: &Parts, path: &str, body: Body) -> Answer {
    let Ok(body) = to_bytes(body, LARGEST_BODY_BYTES).await else {
        return Answer::html(413, "Request Entity Too Large");
    };
    let query = Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let segments: Vec<&str> = path.split('/').collect();
    let method = parts.method.as_str();
    let answer = match segments.as_slice() {
        ["lists" | "leads", ..] | ["lead-count"] => data(shared, method, &segments, &query, &body),
        _ => settings(shared, method, &segments, &body),
    };
    answer.unwrap_or_else(|refusal| {
        let (status, error) = match refusal {
            Refusal::NoSuchRoute => (404, "there is no such control route".to_owned()),
            Refusal::Body(error) => (400, error.to_string()),
            Refusal::Control(error @ ControlError::Unknown(_)) => (404, error.to_string()),
        };
        Answer::json(status, &json!({ "error": error }))
    })
}

fn done() -> Answer {
    Answer::json(200, &json!({}))
}

fn data(
    shared: &Shared,
    method: &str,
    path: &[&str],
    query: &Parameters,
    body: &[u8],
) -> Result<Answer, Refusal> {
    let number = |name| query.get(name).and_then(|text| text.parse().ok());
    let after = LeadId::from(number("after").unwrap_or(0));
    let most = query.get("most").and_then(|text| text.parse().ok()).unwrap_or(USUAL_PAGE);
    Ok(match (method, path) {
        ("GET", ["lists"]) => Answer::json(200, &shared.lists()),
        ("POST", ["lists"]) => Answer::json(201, &json!({ "list_id": shared.create_list(read(body)?)? })),
        ("DELETE", ["lists", id]) => {
            shared.delete_list(list(id)?)?;
            done()
        }
        ("POST", ["lists", id, "use"]) => {
            shared.use_list(list(id)?, true)?;
            done()
        }
        ("DELETE", ["lists", id, "use"]) => {
            shared.use_list(list(id)?, false)?;
            done()
        }
        ("GET", ["lists", id, "members"]) => Answer::json(200, &shared.members(list(id)?, after, most)?),
        ("GET", ["lists", id, "emails"]) => Answer::json(200, &shared.member_emails(list(id)?)?),
        ("POST", ["lists", id, "members"]) => {
            shared.seed_members(list(id)?, &read::<Vec<_>>(body)?)?;
            done()
        }
        ("DELETE", ["lists", id, "members"]) => {
            shared.remove_members(list(id)?, &read::<Vec<_>>(body)?)?;
            done()
        }
        ("GET", ["leads"]) => match (query.get("field"), query.get("value")) {
            (Some(field), Some(value)) => Answer::json(200, &shared.leads_by(field, value)?),
            _ => Answer::json(200, &shared.leads(after, most)),
        },
        ("POST", ["leads"]) => Answer::json(201, &shared.seed_leads(read(body)?)?),
        ("DELETE", ["leads", id]) => {
            shared.delete_lead(id.parse().map_err(|_| ControlError::Unknown("lead"))?)?;
            done()
        }
        ("GET", ["lead-count"]) => Answer::json(200, &json!({ "leads": shared.world().leads.len() })),
        _ => return Err(Refusal::NoSuchRoute),
    })
}

fn settings(shared: &Shared, method: &str, path: &[&str], body: &[u8]) -> Result<Answer, Refusal> {
    match (method, path) {
        ("POST", ["services"]) => return Ok(Answer::json(201, &shared.create_service(read(body)?))),
        ("POST", ["services", id, "expire"]) => shared.expire_token(id)?,
        ("POST", ["services", id, "revoke"]) => shared.revoke_token(id)?,
        ("PUT", ["services", id, "secret"]) => shared.change_secret(id, &read::<Secret>(body)?.secret)?,
        ("PUT", ["zero-lifetimes"]) => shared.world().zero_lifetimes = read::<Times>(body)?.times,
        ("POST", ["fields"]) => shared.world().fields.add(read(body)?),
        ("POST", ["partitions"]) => shared.add_partition(&read::<Name>(body)?.name),
        ("POST", ["folders"]) => {
            return Ok(Answer::json(201, &json!({ "folder_id": shared.create_folder(read(body)?)? })));
        }
        ("GET", ["report"]) => return Ok(Answer::json(200, &shared.report())),
        ("DELETE", ["report"]) => {
            let report = shared.report();
            shared.reset_report();
            return Ok(Answer::json(200, &report));
        }
        ("GET", ["requests"]) => return Ok(Answer::json(200, &shared.world().requests)),
        ("GET", ["faults"]) => return Ok(Answer::json(200, &lock(&shared.faults).remaining())),
        ("POST", ["faults"]) => {
            let mut faults = lock(&shared.faults);
            faults.add(read(body)?);
            return Ok(Answer::json(201, &faults.remaining()));
        }
        ("DELETE", ["faults"]) => lock(&shared.faults).clear(),
        ("PUT", ["pace"]) => shared.set_pace(read(body)?),
        ("PUT", ["others"]) => shared.set_others(read(body)?),
        ("POST", ["quota"]) => shared.use_quota(read::<Calls>(body)?.calls),
        ("POST", ["import-troubles"]) => shared.world().imports.troubles.push_back(read(body)?),
        ("GET", ["active-imports"]) => {
            return Ok(Answer::json(200, &json!({ "imports": shared.world().imports.active() })));
        }
        ("DELETE", ["quota"]) => shared.world().limits.reset_day(),
        _ => return Err(Refusal::NoSuchRoute),
    }
    Ok(done())
}

fn list(text: &str) -> Result<ListId, ControlError> {
    text.parse().map_err(|_| ControlError::Unknown("list"))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(Refusal::Body)
}
