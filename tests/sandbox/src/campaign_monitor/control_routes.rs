//! The control of the sandbox over HTTP, for other processes: `/_sandbox/…`, JSON both ways.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `POST accounts` | `NewAccount` | `Account` |
//! | `POST clients` | `NewClient` | `AccountClient` |
//! | `GET clients/{client}/suppressed` | | `[Suppressed]` |
//! | `POST tokens` | `NewTokens` | `Tokens` |
//! | `POST tokens/expire`, `POST tokens/revoke` | `{"access_token"}` | `{}` |
//! | `POST keys/revoke` | `{"api_key"}` | `{}` |
//! | `POST lists` | `NewList` | `{"list_id"}` |
//! | `DELETE lists/{list}` | | `{}` |
//! | `POST lists/{list}/fields` | `NewField` | `{"key"}` |
//! | `GET lists/{list}/subscribers[?email=…]` | | `[ListedSubscriber]` |
//! | `POST lists/{list}/subscribers` | `[SeedSubscriber]` | `{}` |
//! | `POST lists/{list}/changes` | `[{"email","change"}]` | `{}` |
//! | `GET lists/{list}/counts` | | `Counts` |
//! | `GET report`, `DELETE report` | | `Report` (before the reset) |
//! | `GET faults`, `POST faults`, `DELETE faults` | `Fault` | `[Fault]` still to come |
//! | `PUT pace` | `Pace` | `{}` |
//!
//! What cannot be done is answered with 404 (no such thing), 409 (the API would refuse it) or 400 (a body of the
//! wrong form) and `{"error"}`. Nothing here is counted, delayed or hit by faults.

use super::answer::Answer;
use super::control_types::{Change, ControlError};
use super::endpoint::Query;
use super::report::Report;
use super::server::{Shared, lock};
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use serde::Deserialize;
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

#[derive(Deserialize)]
struct TokenName {
    access_token: String,
}

#[derive(Deserialize)]
struct KeyName {
    api_key: String,
}

#[derive(Deserialize)]
struct ChangeOf {
    email: String,
    change: Change,
}

pub(super) async fn handle(shared: &Shared, parts: &Parts, path: &str, body: Body) -> Answer {
    let Ok(body) = to_bytes(body, LARGEST_BODY_BYTES).await else {
        return Answer::too_large();
    };
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let answer = control(shared, parts.method.as_str(), path, &query, &body);
    answer.unwrap_or_else(|refusal| {
        let (status, error) = match refusal {
            Refusal::NoSuchRoute => (404, "there is no such control route".to_owned()),
            Refusal::Body(error) => (400, error.to_string()),
            Refusal::Control(error @ ControlError::Unknown(_)) => (404, error.to_string()),
            Refusal::Control(error @ ControlError::Refused(..)) => (409, error.to_string()),
        };
        Answer::json(status, &json!({ "error": error }))
    })
}

fn control(shared: &Shared, method: &str, path: &str, query: &Query, body: &[u8]) -> Result<Answer, Refusal> {
    let done = || Answer::json(200, &json!({}));
    let parts: Vec<&str> = path.split('/').collect();
    Ok(match (method, parts.as_slice()) {
        ("POST", ["accounts"]) => Answer::json(201, &shared.create_account(read(body)?)),
        ("POST", ["clients"]) => Answer::json(201, &shared.create_client(read(body)?)?),
        ("GET", ["clients", id, "suppressed"]) => Answer::json(200, &shared.suppression_list(id)?),
        ("POST", ["tokens"]) => Answer::json(201, &shared.issue_tokens(read(body)?)?),
        ("POST", ["tokens", "expire"]) => {
            shared.expire_token(&read::<TokenName>(body)?.access_token)?;
            done()
        }
        ("POST", ["tokens", "revoke"]) => {
            shared.revoke_token(&read::<TokenName>(body)?.access_token)?;
            done()
        }
        ("POST", ["keys", "revoke"]) => {
            shared.revoke_key(&read::<KeyName>(body)?.api_key)?;
            done()
        }
        ("POST", ["lists"]) => Answer::json(201, &json!({ "list_id": shared.create_list(read(body)?)? })),
        ("DELETE", ["lists", id]) => {
            shared.delete_list(id)?;
            done()
        }
        ("POST", ["lists", id, "fields"]) => {
            Answer::json(201, &json!({ "key": shared.add_custom_field(id, read(body)?)? }))
        }
        ("GET", ["lists", id, "subscribers"]) => Answer::json(200, &shared.dump(id, query.get("email"))?),
        ("POST", ["lists", id, "subscribers"]) => {
            for seed in read::<Vec<_>>(body)? {
                shared.seed_subscriber(id, seed)?;
            }
            done()
        }
        ("POST", ["lists", id, "changes"]) => {
            for ChangeOf { email, change } in read::<Vec<_>>(body)? {
                shared.change_subscriber(id, &email, change)?;
            }
            done()
        }
        ("GET", ["lists", id, "counts"]) => Answer::json(200, &shared.counts(id)?),
        ("GET", ["report"]) => Answer::json(200, &shared.world().report),
        ("DELETE", ["report"]) => Answer::json(200, &std::mem::take::<Report>(&mut shared.world().report)),
        ("GET", ["faults"]) => Answer::json(200, &lock(&shared.faults).remaining()),
        ("POST", ["faults"]) => {
            let mut faults = lock(&shared.faults);
            faults.add(read(body)?);
            Answer::json(201, &faults.remaining())
        }
        ("DELETE", ["faults"]) => {
            lock(&shared.faults).clear();
            done()
        }
        ("PUT", ["pace"]) => {
            shared.set_pace(read(body)?);
            done()
        }
        _ => return Err(Refusal::NoSuchRoute),
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(Refusal::Body)
}
