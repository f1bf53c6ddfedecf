//! The control of the sandbox over HTTP, for other processes: `/_sandbox/…`, JSON both ways.
//!
//! | route | body | answer |
//! |---|---|---|
//! | `POST brands` | `NewBrand` | `BrandKey` |
//! | `POST brands/{brand}/keys` | `NewKey` | `{"api_key"}` |
//! | `POST keys/revoke` | `{"api_key"}` | `{}` |
//! | `POST retire` | `{"dialect"}` | `{}` |
//! | `POST brands/{brand}/contacts` | `[SeedContact]` | `{}` |
//! | `GET brands/{brand}/contacts[?from=…&limit=…&tag=…]` | | `ContactPage` |
//! | `GET brands/{brand}/contact?email=…` | | `ListedContact` |
//! | `POST brands/{brand}/changes` | `[{"email","change"}]` | `{}` |
//! | `GET brands/{brand}/counts` | | `Counts` |
//! | `GET brands/{brand}/batches` | | `[BatchView]` |
//! | `GET brands/{brand}/segments` | | `[[id, name]]` |
//! | `POST batches/stop` | `StopBatches` | `{}` |
//! | `POST batches/fail` | `FailItems` | `{}` |
//! | `DELETE batches/orders` | | `{}` |
//! | `GET report`, `DELETE report` | | `Report` (before the reset) |
//! | `GET faults`, `POST faults`, `DELETE faults` | `Fault` | `[Fault]` still to come |
//! | `PUT pace` | `Pace` | `{}` |
//!
//! What cannot be done is answered with 404 (no such thing), 409 (it cannot be) or 400 (a body of the wrong form)
//! and `{"error"}`. Nothing here is counted, delayed, limited or hit by faults.

use super::answer::Answer;
use super::control_types::{Change, ContactsQuery, ControlError};
use super::dialect::Dialect;
use super::query::Query;
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
struct KeyName {
    api_key: String,
}

#[derive(Deserialize)]
struct DialectName {
    dialect: Dialect,
}

#[derive(Deserialize)]
struct ChangeOf {
    email: String,
    change: Change,
}

pub(super) async fn handle(shared: &Shared, parts: &Parts, path: &str, body: Body) -> Answer {
    let Ok(body) = to_bytes(body, LARGEST_BODY_BYTES).await else {
        return Answer::html(413, "Request Entity Too Large");
    };
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let answer = control(shared, parts.method.as_str(), path, &query, &body);
    answer.unwrap_or_else(|refusal| {
        let (status, error) = match refusal {
            Refusal::NoSuchRoute => (404, "there is no such control route".to_owned()),
            Refusal::Body(error) => (400, error.to_string()),
            Refusal::Control(error @ ControlError::Unknown(_)) => (404, error.to_string()),
            Refusal::Control(error @ ControlError::Refused(_)) => (409, error.to_string()),
        };
        Answer::json(status, &json!({ "error": error }))
    })
}

fn control(shared: &Shared, method: &str, path: &str, query: &Query, body: &[u8]) -> Result<Answer, Refusal> {
    let parts: Vec<&str> = path.split('/').collect();
    if let ["brands", brand, rest] = parts.as_slice() {
        return of_brand(shared, method, brand, rest, query, body);
    }
    Ok(match (method, parts.as_slice()) {
        ("POST", ["brands"]) => Answer::json(201, &shared.create_brand(read(body)?)),
        ("POST", ["keys", "revoke"]) => {
            shared.revoke_key(&read::<KeyName>(body)?.api_key)?;
            done()
        }
        ("POST", ["retire"]) => {
            let dialect = read::<DialectName>(body)?.dialect;
            shared.world().options.retired.insert(dialect);
            done()
        }
        ("POST", ["batches", "stop"]) => {
            let order = read(body)?;
            shared.world().orders.stop(order);
            done()
        }
        ("POST", ["batches", "fail"]) => {
            let order = read(body)?;
            shared.world().orders.fail(order);
            done()
        }
        ("DELETE", ["batches", "orders"]) => {
            shared.world().orders.clear();
            done()
        }
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

fn of_brand(
    shared: &Shared,
    method: &str,
    brand: &str,
    rest: &str,
    query: &Query,
    body: &[u8],
) -> Result<Answer, Refusal> {
    Ok(match (method, rest) {
        ("POST", "keys") => Answer::json(201, &json!({ "api_key": shared.create_key(brand, read(body)?)? })),
        ("POST", "contacts") => {
            shared.seed_contacts(brand, read(body)?)?;
            done()
        }
        ("GET", "contacts") => {
            let number = |name: &str| query.get(name).and_then(|text| text.parse().ok());
            let default = ContactsQuery::default();
            let query = ContactsQuery {
                from: number("from").unwrap_or(default.from),
                limit: number("limit")
                    .map_or(default.limit, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
                tag: query.get("tag").map(str::to_owned),
            };
            Answer::json(200, &shared.contacts(brand, &query)?)
        }
        ("GET", "contact") => {
            Answer::json(200, &shared.contact(brand, query.get("email").unwrap_or_default())?)
        }
        ("POST", "changes") => {
            for ChangeOf { email, change } in read::<Vec<_>>(body)? {
                shared.change_contact(brand, &email, change)?;
            }
            done()
        }
        ("GET", "counts") => Answer::json(200, &shared.counts(brand)?),
        ("GET", "batches") => Answer::json(200, &shared.batches(brand)?),
        ("GET", "segments") => Answer::json(200, &shared.segments(brand)?),
        _ => return Err(Refusal::NoSuchRoute),
    })
}

fn done() -> Answer {
    Answer::json(200, &json!({}))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(Refusal::Body)
}
