//! What the API answers.

use crate::access::{self, RoleNames};
use crate::problem::Problem;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use relay::model::{ExportId, RunId};
use relay::run::{Run, Trigger, TriggerKind};
use relay::stages::RunRequests;
use relay::timestamp_now;
use serde_json::{Value, json};

/// The longest idempotency key that is taken.
const MAX_KEY_CHARACTERS: usize = 128;

/// The routes. The template lets nothing get here without a token, and [`access`] lets no role get further than it may.
///
/// `requests` is what starts and ends runs, and `names` how the issuer calls the roles.
pub fn router(requests: RunRequests, names: RoleNames) -> Router {
    let routes = Router::new()
        .route("/exports/{id}/runs", post(start))
        .route("/runs/{id}", get(read))
        .route("/runs/{id}/approve", post(approve))
        .route("/runs/{id}/reject", post(reject))
        .with_state(requests);
    access::guarded(routes, names).fallback(no_such_route)
}

async fn no_such_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "route_missing", "there is no such route")
}

async fn start(
    State(requests): State<RunRequests>,
    Path(export_id): Path<String>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let export_id = ExportId::try_from(export_id)?;
    let trigger =
        Trigger { kind: TriggerKind::OnDemand, key: format!("on-demand/{}", idempotency_key(&headers)?) };
    let requested = requests.start(&export_id, trigger, timestamp_now()).await?;
    let run_id = requested.run_id();
    let body = json!({ "run_id": run_id, "export_id": export_id, "request": request_name(requested) });
    Ok((StatusCode::ACCEPTED, Json(body)))
}

async fn read(
    State(requests): State<RunRequests>,
    Path(run_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let run_id: RunId = run_id.parse()?;
    Ok(Json(shown(&requests.ledger.run(run_id).await?)))
}

async fn approve(
    State(requests): State<RunRequests>,
    Path(run_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let run_id: RunId = run_id.parse()?;
    // A run that does not exist is not "not held".
    requests.ledger.run(run_id).await?;
    Ok(Json(shown(&requests.approve(run_id, timestamp_now()).await?)))
}

async fn reject(
    State(requests): State<RunRequests>,
    Path(run_id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let run_id: RunId = run_id.parse()?;
    requests.ledger.run(run_id).await?;
    Ok(Json(shown(&requests.reject(run_id, timestamp_now()).await?)))
}

/// The caller's key, or one that nobody else has: without a key every request is one of its own.
fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(header) = headers.get("idempotency-key") else {
        return Ok(uuid::Uuid::now_v7().to_string());
    };
    let key = header.to_str().unwrap_or_default();
    let is_plain = !key.is_empty()
        && key.len() <= MAX_KEY_CHARACTERS
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'));
    if is_plain {
        return Ok(key.to_owned());
    }
    let detail = "header Idempotency-Key must be 1 to 128 letters, digits, '-', '_', '.' or ':'";
    Err(Problem::new(StatusCode::BAD_REQUEST, "idempotency_key_malformed", detail))
}

const fn request_name(requested: relay::ledger::Requested) -> &'static str {
    use relay::ledger::Requested;
    match requested {
        Requested::Started(_) => "started",
        Requested::Waiting(_) => "waiting",
        Requested::Merged(_) => "merged",
        Requested::Repeated(_) => "repeated",
    }
}

/// A run with its progress: how many of the rows that came in have their outcome.
fn shown(run: &Run) -> Value {
    let mut shown = json!(run);
    if let (Some(fields), Some(rows_in)) = (shown.as_object_mut(), run.rows_in) {
        fields.insert("rows_done".to_owned(), json!(run.counts.total()));
        fields.insert("progress_percent".to_owned(), json!((run.counts.total() * 100).checked_div(rows_in)));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[track_caller]
    fn check(key: &'static str, accepted: bool) {
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", HeaderValue::from_static(key));
        assert_eq!(idempotency_key(&headers).is_ok(), accepted, "{key:?}");
    }

    #[test]
    fn idempotency_keys_are_plain() {
        check("2026-11-21T10:00:00Z.nightly_1", true);
        check("", false);
        check("a b", false);
        check("schedule/2026", false);
    }

    #[test]
    fn without_a_key_every_request_is_its_own() {
        let headers = HeaderMap::new();
        assert_ne!(idempotency_key(&headers).unwrap(), idempotency_key(&headers).unwrap());
    }
}
