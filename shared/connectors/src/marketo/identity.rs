//! The call that gives an access token.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication>. The vendor documents its
//! parameters in the address and nowhere else; addresses are neither logged nor part of any error.

use super::answers::{Envelope, Judged};
use super::classify::{self, Action};
use super::failure;
use super::secret::Secret;
use crate::{CallContext, Cost, Endpoint, ErrorKind, HttpClient, HttpRequest, PushError, Retry};
use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Method};
use relay_model::Destination;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::time::Duration;

pub(super) const OPERATION: &str = "get an access token";
/// How long the identity service may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A token and how long it is good for.
pub(super) struct Granted {
    pub(super) token: SecretString,
    pub(super) lifetime: Duration,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: i64,
}

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Asks for a token.
pub(super) async fn ask(
    http: &HttpClient,
    endpoint: &Endpoint,
    secret: &Secret,
    context: &CallContext,
) -> Result<Granted, PushError> {
    let answer = http.send(&request(endpoint, secret), context).await?;
    if let Ok(TokenAnswer { access_token, expires_in }) = serde_json::from_slice(&answer.body) {
        let lifetime = Duration::from_secs(u64::try_from(expires_in).unwrap_or_default());
        return Ok(Granted { token: access_token.into(), lifetime });
    }
    let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
    let is_refused = refusal.is_some_and(|Refusal { error }| {
        matches!(error.as_str(), "invalid_client" | "unauthorized" | "unauthorized_client")
    });
    let error = if is_refused || matches!(answer.status, 401 | 403) {
        let message =
            "the client id or the client secret is not accepted: compare them with Admin > LaunchPoint";
        failure(OPERATION, ErrorKind::Authentication, message)
    } else if answer.status == 404 {
        let message =
            "there is no identity service at this address: check the endpoint in the connection's settings";
        failure(OPERATION, ErrorKind::Settings, message)
    } else {
        let verdict = match Envelope::judge(&answer.body) {
            Judged::Refused(code) => classify::by_code(code),
            Judged::Done | Judged::NoEnvelope => classify::by_status(answer.status),
        };
        let error = failure(OPERATION, verdict.kind, verdict.message);
        let retry = if verdict.action == Action::Stop { Retry::Never } else { Retry::Backoff };
        PushError { retry, ..error }
    };
    Err(PushError { status: Some(answer.status), ..error })
}

pub(super) fn request(endpoint: &Endpoint, secret: &Secret) -> HttpRequest {
    let mut url = endpoint.join(&["identity", "oauth", "token"]);
    url.query_pairs_mut()
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", secret.client_id.expose_secret())
        .append_pair("client_secret", secret.client_secret.expose_secret());
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    HttpRequest {
        destination: Destination::Marketo,
        operation: OPERATION,
        method: Method::GET,
        url,
        headers,
        body: Bytes::new(),
        timeout: TIMEOUT,
        cost: Cost::Free,
    }
}

/// The error of a token that cannot stand in a header.
pub(super) fn unreadable() -> PushError {
    let verdict = classify::by_status(200);
    PushError { retry: Retry::Backoff, ..failure(OPERATION, verdict.kind, verdict.message) }
}
