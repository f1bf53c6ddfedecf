//! The call that gets an access token: OAuth's client credentials at Entra.
//!
//! `POST {authority}/{tenant}/oauth2/v2.0/token`
//! (<https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>). There is no refresh token:
//! a new token is got as the first was. What its errors mean is at
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use super::failure;
use super::settings::Settings;
use crate::{CallContext, Cost, ErrorKind, HttpClient, HttpRequest, PushError, Retry};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};
use relay_model::Destination;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::time::Duration;
use url::form_urlencoded;

pub(super) const OPERATION: &str = "get an access token";
/// How long the token endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// "Access token lifetime" where the answer does not say.
const USUAL_LIFETIME_SECONDS: i64 = 3_599;

/// A token and its life.
pub(super) struct Token {
    pub(super) text: SecretString,
    pub(super) issued_at: Timestamp,
    pub(super) lifetime: SignedDuration,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TokenRefusal {
    error: String,
    error_codes: Vec<u64>,
}

/// The scope of an application's token: everything that its user may do
/// (<https://learn.microsoft.com/power-apps/developer/data-platform/authenticate-oauth>).
pub(super) fn scope(settings: &Settings) -> String {
    let organisation = settings.organisation.join(&[]);
    format!("{}/.default", organisation.as_str().trim_end_matches('/'))
}

/// The body of the request.
pub(super) fn form(settings: &Settings, secret: &SecretString) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &settings.client_id)
        .append_pair("client_secret", secret.expose_secret())
        .append_pair("scope", &scope(settings))
        .finish()
}

/// Gets a token.
pub(super) async fn token(
    http: &HttpClient,
    settings: &Settings,
    secret: &SecretString,
    context: &CallContext,
) -> Result<Token, PushError> {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
    let request = HttpRequest {
        // Entra is not the organisation: nothing of the organisation's limits is spent.
        cost: Cost::Free,
        destination: Destination::Dynamics365Sales,
        operation: OPERATION,
        method: Method::POST,
        url: settings.authority.join(&[&settings.tenant, "oauth2", "v2.0", "token"]),
        headers,
        body: Bytes::from(form(settings, secret)),
        timeout: TIMEOUT,
    };
    let issued_at = Timestamp::now();
    let answer = http.send(&request, context).await?;
    if answer.status == 200
        && let Ok(TokenAnswer { access_token, expires_in }) = serde_json::from_slice(&answer.body)
        && !access_token.is_empty()
    {
        let lifetime = SignedDuration::from_secs(expires_in.unwrap_or(USUAL_LIFETIME_SECONDS));
        return Ok(Token { text: access_token.into(), issued_at, lifetime });
    }
    let refusal: TokenRefusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let number = refusal.error_codes.first().copied();
    let (kind, message) = refused(answer.status, &refusal.error, number);
    let retry = match kind {
        ErrorKind::Unavailable | ErrorKind::RateLimited | ErrorKind::Protocol => {
            answer.retry_after().map_or(Retry::Backoff, Retry::After)
        }
        _ => Retry::Never,
    };
    let code = number.and_then(|number| i64::try_from(number).ok());
    Err(PushError { retry, status: Some(answer.status), code, ..failure(OPERATION, kind, message) })
}

/// What a refusal means: by Entra's number (AADSTS…), which may change at any time, else by OAuth's word for it.
fn refused(status: u16, error: &str, number: Option<u64>) -> (ErrorKind, &'static str) {
    use ErrorKind::{Authentication, Permission, Protocol, RateLimited, Settings, Unavailable};
    match number {
        Some(7_000_215) => (
            Authentication,
            "the client secret is not accepted: put the secret's value, not its id, into the connection's secret",
        ),
        Some(7_000_222) => {
            (Authentication, "the client secret has expired: make a new one in Entra and store it")
        }
        Some(7_000_216 | 7_000_218) => {
            (Authentication, "the client secret is missing: store one in the connection's secret")
        }
        Some(700_016) => {
            (Authentication, "Entra knows no such application in this tenant: check client_id and tenant")
        }
        Some(7_000_112) => (Authentication, "the application is disabled in Entra"),
        Some(700_213 | 700_027) => {
            (Authentication, "the application is set up for other credentials than a client secret")
        }
        Some(90_002 | 900_023 | 50_059) => (Settings, "Entra knows no such tenant: check tenant"),
        Some(500_011) => (
            Settings,
            "the tenant has no such organisation: check organisation_url, and that it belongs to this tenant",
        ),
        Some(500_014) => (Settings, "Dataverse is disabled in this tenant"),
        Some(70_011 | 1_002_012) => (Settings, "Entra does not take the scope: check organisation_url"),
        Some(53_000..=53_011) => {
            (Permission, "a rule for conditional access in Entra keeps the application out")
        }
        Some(50_105 | 501_051) => (Permission, "the application has no assignment that Entra asks for"),
        Some(90_033 | 90_006 | 90_024 | 50_196 | 90_055) => (Unavailable, "Entra cannot answer now"),
        _ => match (error, status) {
            (_, 429) => (RateLimited, "Entra is asked for too many tokens"),
            (_, 500..) | ("temporarily_unavailable", _) => (Unavailable, "Entra cannot answer now"),
            ("invalid_client" | "unauthorized_client" | "access_denied", _) => (
                Authentication,
                "Entra does not accept the application: check client_id and the client secret",
            ),
            ("invalid_resource" | "invalid_scope" | "invalid_request", _) => {
                (Settings, "Entra does not take the request: check tenant, client_id and organisation_url")
            }
            _ => (Protocol, "the answer does not have the documented form"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, error: &str, number: Option<u64>, kind: ErrorKind, words: &str) {
        let (found, message) = refused(status, error, number);
        assert_eq!(found, kind, "{status} {error} {number:?}");
        assert!(message.contains(words), "{message}");
    }

    #[test]
    fn refusals_say_what_to_mend() {
        use ErrorKind::{Authentication, Permission, Protocol, RateLimited, Settings, Unavailable};
        check(401, "invalid_client", Some(7_000_215), Authentication, "not its id");
        check(401, "invalid_client", Some(7_000_222), Authentication, "has expired");
        check(401, "invalid_client", Some(7_000_216), Authentication, "is missing");
        check(400, "unauthorized_client", Some(700_016), Authentication, "client_id and tenant");
        check(401, "unauthorized_client", Some(7_000_112), Authentication, "disabled");
        check(400, "invalid_request", Some(90_002), Settings, "check tenant");
        check(400, "invalid_request", Some(900_023), Settings, "check tenant");
        check(400, "invalid_resource", Some(500_011), Settings, "check organisation_url");
        check(400, "invalid_scope", Some(1_002_012), Settings, "scope");
        check(400, "invalid_scope", Some(70_011), Settings, "scope");
        check(400, "invalid_grant", Some(53_003), Permission, "conditional access");
        check(503, "temporarily_unavailable", Some(90_033), Unavailable, "now");
        check(401, "invalid_client", Some(1), Authentication, "check client_id");
        check(400, "invalid_request", None, Settings, "check tenant");
        check(429, "", None, RateLimited, "too many");
        check(500, "", None, Unavailable, "now");
        check(200, "", None, Protocol, "documented form");
        check(404, "", None, Protocol, "documented form");
    }
}
