//! Calls of the API: authorised by a key or a token, judged by the code in the body.

use super::auth::Auth;
use super::errors;
use super::wire::responses::Envelope;
use crate::http::{self, Api, Judgement, LONGEST_WAIT, Pass, RefusedPass};
pub(super) use crate::http::{Answer, Call, Session};
use crate::{CallContext, Endpoint, ErrorKind, HttpClient, HttpResponse, PushError, Retry};
use ::http::HeaderValue;
use relay_model::CredentialStore;
use relay_model::Destination;
use std::time::Duration;
use url::Url;

/// The timeout of a call about one list or one person.
pub(super) const SHORT_TIMEOUT: Duration = Duration::from_secs(30);
/// The type of every body.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// Makes calls.
pub(super) struct Client<S> {
    http: HttpClient,
    endpoint: Endpoint,
    pub(super) auth: Auth<S>,
}

/// Returns a call that reads.
pub(super) fn get_call(operation: &'static str, url: Url) -> Call {
    Call::get(operation, url, SHORT_TIMEOUT, ())
}

impl<S: CredentialStore> Client<S> {
    pub(super) const fn new(http: HttpClient, endpoint: Endpoint, auth: Auth<S>) -> Self {
        Self { http, endpoint, auth }
    }

    /// Returns the address of a call. The API answers in XML unless the last segment ends in `.json`.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut all = vec!["api", "v3.3"];
        all.extend(segments);
        self.endpoint.join(&all)
    }

    /// Makes a call.
    pub(super) async fn call(&self, call: &Call, session: &Session<'_>) -> Result<Answer, PushError> {
        http::call(self, call, session).await
    }
}

impl<S: CredentialStore> Api for Client<S> {
    const DESTINATION: Destination = Destination::CampaignMonitor;

    /// Once with a token that another process has stored, and once with a renewed one if that has expired too.
    const MAX_REPLAYS: u32 = 2;

    type Details = ();

    fn http(&self) -> &HttpClient {
        &self.http
    }

    async fn authorise(
        &self,
        refused: Option<&RefusedPass>,
        context: &CallContext,
    ) -> Result<Pass, PushError> {
        match refused {
            Some(refused) => self.auth.replace(refused, context).await,
            None => self.auth.pass(context).await,
        }
    }

    fn judge(&self, call: &Call, response: &HttpResponse) -> Judgement {
        let code = Envelope::code(&response.body);
        let is_success = code.is_none() && (200..300).contains(&response.status);
        if is_success || code.is_some_and(|code| call.accepts.contains(&code)) {
            return Judgement::Accepted(code);
        }
        let verdict = errors::refused(response.status, code);
        let retry = match (verdict.retry, wait(response, verdict.kind)) {
            (Retry::Backoff, Some(pause)) => Retry::After(pause),
            (retry, _) => retry,
        };
        let error = PushError {
            kind: verdict.kind,
            retry,
            destination: Self::DESTINATION,
            operation: call.operation,
            status: Some(response.status),
            code,
            message: verdict.message.to_owned(),
        };
        match verdict.kind {
            ErrorKind::Authentication | ErrorKind::Permission => Judgement::CredentialsRefused(error),
            _ => Judgement::Refused(error),
        }
    }
}

/// Returns how long the response asks to wait. The vendor documents no `Retry-After`, but `X-RateLimit-Reset` in
/// seconds (<https://www.campaignmonitor.com/api/v3-3/getting-started/#rate-limiting>).
fn wait(response: &HttpResponse, kind: ErrorKind) -> Option<Duration> {
    let reset = || response.seconds("x-ratelimit-reset").filter(|_| kind == ErrorKind::RateLimited);
    response.retry_after().or_else(reset).map(|pause| pause.min(LONGEST_WAIT))
}
