//! One call of the API: with credentials that work, judged by its code, made again where that may help.

use super::answers::Envelope;
use super::auth::{Auth, Change, Pass};
use super::classify::{self, TOKEN_EXPIRED};
use crate::http::Patience;
use crate::{
    CallContext, Cost, Endpoint, ErrorKind, HttpClient, HttpRequest, HttpResponse, PushError, Retry,
};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use relay_model::CredentialStore;
use relay_model::Destination;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// How long a call about one list or one person may take.
pub(super) const SHORT_TIMEOUT: Duration = Duration::from_secs(30);
/// More than this is not believed of a header that says how long to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// How often a refused call is made again with other credentials: with those that somebody else has stored, and with
/// renewed ones where those have run their time too. After a renewal there is no further.
const REPLAYS: u32 = 2;

/// Makes calls.
pub(super) struct Client<S> {
    http: HttpClient,
    endpoint: Endpoint,
    pub(super) auth: Auth<S>,
}

/// One piece of work: what it may spend and how patient it still is.
pub(super) struct Session<'a> {
    pub(super) context: &'a CallContext,
    pub(super) patience: Patience,
}

/// One call.
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Bytes,
    pub(super) timeout: Duration,
    /// Codes that are answers, not errors, to this call.
    pub(super) accepts: &'static [i64],
    /// Whether it may be made again after an answer that says nothing of what was done.
    pub(super) is_repeatable: bool,
}

/// An answer that is no error to its call.
pub(super) struct Answer {
    pub(super) code: Option<i64>,
    pub(super) body: Bytes,
    status: u16,
    operation: &'static str,
}

impl Call {
    /// A call that reads.
    pub(super) const fn get(operation: &'static str, url: Url) -> Self {
        Self {
            operation,
            method: Method::GET,
            url,
            body: Bytes::new(),
            timeout: SHORT_TIMEOUT,
            accepts: &[],
            is_repeatable: true,
        }
    }
}

impl Answer {
    /// Reads the body. An error names no value of it.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, PushError> {
        serde_json::from_slice(&self.body).map_err(|_| self.unreadable())
    }

    /// The error of an answer that does not have the documented form.
    pub(super) fn unreadable(&self) -> PushError {
        let verdict = classify::refused(200, None);
        PushError {
            kind: verdict.kind,
            retry: verdict.retry,
            destination: Destination::CampaignMonitor,
            operation: self.operation,
            status: Some(self.status),
            code: self.code,
            message: verdict.message.to_owned(),
        }
    }
}

impl<S: CredentialStore> Client<S> {
    pub(super) const fn new(http: HttpClient, endpoint: Endpoint, auth: Auth<S>) -> Self {
        Self { http, endpoint, auth }
    }

    /// The address of a call of the API. Without `.json` the vendor speaks XML.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut all = vec!["api", "v3.3"];
        all.extend(segments);
        self.endpoint.join(&all)
    }

    /// Makes a call, again where other credentials are to be had, and with short retries while there is
    /// time and patience.
    pub(super) async fn call(&self, call: &Call, session: &Session<'_>) -> Result<Answer, PushError> {
        let mut attempt = 0;
        let mut replays_left = REPLAYS;
        loop {
            let pass = self.auth.pass(session.context).await?;
            let error = match self.attempt(call, &pass, session.context).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let is_refused = matches!(error.kind, ErrorKind::Authentication | ErrorKind::Permission);
            if is_refused && replays_left > 0 {
                let may_refresh = error.code == Some(TOKEN_EXPIRED);
                match self.auth.renew(&pass, may_refresh, session.context).await? {
                    Change::None => return Err(error),
                    Change::Adopted => replays_left -= 1,
                    Change::Renewed => replays_left = 0,
                }
                continue;
            }
            // What took its whole time once is left to the queue, which waits longer.
            let may_repeat = call.is_repeatable && error.kind != ErrorKind::Timeout;
            if !may_repeat || !session.patience.pause(&error, attempt, session.context).await {
                return Err(error);
            }
            attempt += 1;
        }
    }

    async fn attempt(&self, call: &Call, pass: &Pass, context: &CallContext) -> Result<Answer, PushError> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, pass.header.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if !call.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        }
        let request = HttpRequest {
            cost: Cost::Counted,
            destination: Destination::CampaignMonitor,
            operation: call.operation,
            method: call.method.clone(),
            url: call.url.clone(),
            headers,
            body: call.body.clone(),
            timeout: call.timeout,
        };
        let response = self.http.send(&request, context).await?;
        let answer = judge(call, &response);
        if answer.as_ref().is_err_and(|error| error.kind == ErrorKind::RateLimited) {
            context.throttled().await;
        }
        answer
    }
}

fn judge(call: &Call, response: &HttpResponse) -> Result<Answer, PushError> {
    let code = Envelope::code(&response.body);
    let is_success = code.is_none() && (200..300).contains(&response.status);
    if is_success || code.is_some_and(|code| call.accepts.contains(&code)) {
        let body = response.body.clone();
        return Ok(Answer { code, body, status: response.status, operation: call.operation });
    }
    let verdict = classify::refused(response.status, code);
    let retry = match (verdict.retry, wait(response, verdict.kind)) {
        (Retry::Backoff, Some(pause)) => Retry::After(pause),
        (retry, _) => retry,
    };
    Err(PushError {
        kind: verdict.kind,
        retry,
        destination: Destination::CampaignMonitor,
        operation: call.operation,
        status: Some(response.status),
        code,
        message: verdict.message.to_owned(),
    })
}

/// How long the answer asks to wait. The vendor documents no `Retry-After`, but `X-RateLimit-Reset` in seconds
/// (<https://www.campaignmonitor.com/api/v3-3/getting-started/#rate-limiting>).
fn wait(response: &HttpResponse, kind: ErrorKind) -> Option<Duration> {
    let reset = || {
        let text = response.headers.get("x-ratelimit-reset")?.to_str().ok()?;
        (kind == ErrorKind::RateLimited).then(|| text.trim().parse().map(Duration::from_secs).ok())?
    };
    response.retry_after().or_else(reset).map(|pause| pause.min(LONGEST_WAIT))
}
