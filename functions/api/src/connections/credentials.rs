//! A connection's credentials and consent. Credentials can be stored and are never returned.

use crate::Api;
use crate::caller::Caller;
use crate::definitions::{SavedDocument, change, write};
use crate::extract::{Body, Seen};
use crate::problem::{Problem, Problems};
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relay_cloud::timestamp_now;
use relay_cloud::{AuditAction, Expected, SecretStore};
use relay_model::ConnectionId;
use relay_model::CredentialError;
use relay_model::catalog::{Connection, Consent};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The longest secret that Secrets Manager stores, in bytes.
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
const MAX_SECRET_BYTES: usize = 65_536;
/// The longest text of a consent, in characters.
const MAX_CONSENT_CHARACTERS: usize = 10_000;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(store)).routes(routes!(agree, withdraw))
}

/// Stores the credentials of a connection in AWS Secrets Manager, under the secret name in the connection. They are never
/// returned. The page of the destination lists the fields: `api_key`; or `client_id` and `client_secret`; or `client_secret`
/// alone.
#[utoipa::path(put, path = "/connections/{id}/credentials", tag = "connections",
    request_body = BTreeMap<String, String>, params(("id" = String, Path)),
    responses((status = 204), Problems))]
async fn store(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let parts = read(&body)?;
    let id = ConnectionId::try_from(id)?;
    let connection = api.saved::<Connection>(id.as_str()).await?.document;
    let exposed: BTreeMap<&str, &str> =
        parts.iter().map(|(name, part)| (name.as_str(), part.expose_secret())).collect();
    let secret = serde_json::to_string(&exposed)
        .map_err(|_| Problem::field("credentials_malformed", "", "must be text"))?;
    let store = SecretStore::new(api.secrets.clone(), connection.secret);
    store.store(secret.into()).await.map_err(|error| refused(&error))?;
    // The audit line has the caller and the time, and never the credentials.
    api.record(&caller, AuditAction::StoreCredentials, "connection", id.as_str(), None).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Parses the credentials. The error leaves out the parser's message, which would quote them.
fn read(body: &[u8]) -> Result<BTreeMap<String, SecretString>, Problem> {
    let malformed = || {
        let problem = "must be a JSON object of non-empty strings, such as {\"api_key\": \"...\"}";
        Problem::field("credentials_malformed", "", problem)
    };
    let parts: BTreeMap<String, SecretString> = serde_json::from_slice(body).map_err(|_| malformed())?;
    let is_empty = parts.is_empty() || parts.values().any(|part| part.expose_secret().trim().is_empty());
    let is_too_long = body.len() > MAX_SECRET_BYTES;
    if is_empty || is_too_long { Err(malformed()) } else { Ok(parts) }
}

fn refused(error: &CredentialError) -> Problem {
    tracing::error!(%error, "credentials could not be stored");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "credentials_not_stored", error.to_string())
}

/// The text of a consent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Agreement {
    /// The text as it was shown to the person who gives the consent.
    #[schema(examples("I agree that the profiles' data leaves for Marketo Engage."))]
    text: String,
}

/// Gives the consent to export data through a connection. It is recorded with the caller and the current time.
#[utoipa::path(put, path = "/connections/{id}/consent", tag = "connections", request_body = Agreement,
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = SavedDocument<Connection>, headers(("ETag" = String))), Problems))]
async fn agree(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Seen(version): Seen,
    Body(Agreement { text }): Body<Agreement>,
) -> Result<Response, Problem> {
    if text.trim().is_empty() || text.chars().count() > MAX_CONSENT_CHARACTERS {
        let problem =
            format!("must be the text of the consent, with at most {MAX_CONSENT_CHARACTERS} characters");
        return Err(Problem::field("consent_malformed", "/text", problem));
    }
    let consent = Consent { by: caller.display_id(), at: timestamp_now(), text };
    set_consent(&api, &caller, id, version, Some(consent), AuditAction::Consent).await
}

/// Withdraws the consent: nothing more is exported through the connection, and its active runs end.
#[utoipa::path(delete, path = "/connections/{id}/consent", tag = "connections",
    params(("id" = String, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = SavedDocument<Connection>, headers(("ETag" = String))), Problems))]
async fn withdraw(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Seen(version): Seen,
) -> Result<Response, Problem> {
    set_consent(&api, &caller, id, version, None, AuditAction::WithdrawConsent).await
}

async fn set_consent(
    api: &Api,
    caller: &Caller,
    id: String,
    version: u64,
    consent: Option<Consent>,
    action: AuditAction,
) -> Result<Response, Problem> {
    let id = ConnectionId::try_from(id)?;
    let connection = api.saved::<Connection>(id.as_str()).await?.document;
    let connection = Connection { consent, ..connection };
    let saved = write(api, &connection, Expected::Version(version), &change(caller, action)).await?;
    Ok(SavedDocument::from(saved).answer(StatusCode::OK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, is_taken: bool) {
        let found = read(body.as_bytes());
        assert_eq!(found.is_ok(), is_taken, "{body}");
        if let Err(problem) = found {
            assert!(!problem.body().to_string().contains("hunter2"), "{body}");
        }
    }

    #[test]
    fn credentials_are_texts_and_are_never_quoted() {
        check(r#"{"api_key": "hunter2"}"#, true);
        check(r#"{"client_id": "a", "client_secret": "hunter2"}"#, true);
        check(r#""hunter2""#, false);
        check(r#"{"api_key": ["hunter2"]}"#, false);
        check(r#"{"api_key": "hunter2", "other": 1}"#, false);
        check(r#"{"api_key": " "}"#, false);
        check("{}", false);
        check(r#"{"api_key": "hunter2""#, false);
        check(&format!(r#"{{"api_key": "{}"}}"#, "x".repeat(MAX_SECRET_BYTES)), false);
    }
}
