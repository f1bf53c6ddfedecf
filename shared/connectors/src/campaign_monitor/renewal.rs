//! The call that renews an access token.
//!
//! `POST /oauth/token` with the refresh token alone
//! (<https://www.campaignmonitor.com/api/v3-3/getting-started/#refreshing-tokens>). It gives two new tokens.

use super::failure;
use super::secret::Tokens;
use crate::{CallContext, Cost, Endpoint, ErrorKind, HttpClient, HttpRequest, PushError, Retry};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};
use relay_model::Destination;
use secrecy::ExposeSecret;
use serde::Deserialize;
use std::time::Duration;
use url::form_urlencoded;

pub(super) const OPERATION: &str = "renew the access token";
/// How long the token endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What became of a renewal that was answered.
pub(super) enum Renewal {
    /// Two new tokens.
    Renewed(Tokens),
    /// The refresh token is used up or revoked.
    Refused,
}

#[derive(Deserialize)]
struct TokenAnswer {
    error: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<i64>,
}

/// Asks for new tokens, once: a lost answer may have used up the refresh token.
pub(super) async fn renew(
    http: &HttpClient,
    endpoint: &Endpoint,
    tokens: &Tokens,
    context: &CallContext,
) -> Result<Renewal, PushError> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", tokens.refresh.expose_secret())
        .finish();
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let request = HttpRequest {
        cost: Cost::Counted,
        destination: Destination::CampaignMonitor,
        operation: OPERATION,
        method: Method::POST,
        url: endpoint.join(&["oauth", "token"]),
        headers,
        body: Bytes::from(form),
        timeout: TIMEOUT,
    };
    let asked_at = Timestamp::now();
    let answer = http.send(&request, context).await?;
    // An error may come with HTTP 200, so the body decides.
    let found: Option<TokenAnswer> = serde_json::from_slice(&answer.body).ok();
    match found {
        Some(TokenAnswer { error: Some(error), .. }) if error == "invalid_grant" => Ok(Renewal::Refused),
        Some(TokenAnswer {
            error: None,
            access_token: Some(access),
            refresh_token: Some(refresh),
            expires_in,
        }) => {
            let lifetime = expires_in.map(SignedDuration::from_secs);
            let expires_at = lifetime.and_then(|lifetime| asked_at.checked_add(lifetime).ok());
            Ok(Renewal::Renewed(Tokens { access: access.into(), refresh: refresh.into(), expires_at }))
        }
        _ => {
            let (kind, message) = match answer.status {
                429 => (ErrorKind::RateLimited, "too many calls in too short a time"),
                500.. => (ErrorKind::Unavailable, "the service cannot answer now"),
                _ => (ErrorKind::Protocol, "the answer does not have the documented form"),
            };
            let error = failure(OPERATION, kind, message);
            Err(PushError { retry: Retry::Backoff, status: Some(answer.status), ..error })
        }
    }
}
