//! One call of the API: with a key that works, judged by its status, made again where that may help.

use super::answers;
use super::classify;
use super::dialect::Words;
use super::secret::Auth;
use super::settings::Settings;
use crate::http::Patience;
use crate::{
    CallContext, Cost, Endpoint, ErrorKind, HttpClient, HttpRequest, HttpResponse, PushError, Retry,
};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use relay_model::CredentialStore;
use relay_model::Destination;
use serde::de::DeserializeOwned;
use std::num::NonZeroU8;
use std::time::Duration;
use url::Url;

/// How long a call may take. The vendor advises callers who wait to give up after ten seconds
/// (<https://api-docs.omnisend.com/reference/rate-limit-timeouts-errors>); a batch of a thousand people may take longer.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(30);
/// More than this is not believed of an answer that says how long to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// A call about tags is one of 60 a minute where others are one of 400
/// (<https://api-docs.omnisend.com/reference/rate-limit-timeouts-errors>).
pub(super) const TAG_COST: Cost = Cost::Rare;
/// Reading segments: 100 a minute (same page), so it takes the room of four.
pub(super) const SEGMENT_READ_COST: Cost = turns(4);
/// Making a segment: 15 a minute (same page).
pub(super) const SEGMENT_WRITE_COST: Cost = turns(27);

const fn turns(turns: u8) -> Cost {
    match NonZeroU8::new(turns) {
        Some(turns) => Cost::Turns(turns),
        None => Cost::Counted,
    }
}

/// Makes calls.
pub(super) struct Client<S> {
    http: HttpClient,
    endpoint: Endpoint,
    auth: Auth<S>,
    pub(super) words: Words,
    refused_wait: Duration,
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
    /// The right that a key needs for it.
    pub(super) scope: &'static str,
    pub(super) cost: Cost,
    /// Statuses that are answers, not errors, to this call.
    pub(super) accepts: &'static [u16],
    /// Whether it may be made again after an answer that says nothing of what was done.
    pub(super) is_repeatable: bool,
}

/// An answer that is no error to its call.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
    operation: &'static str,
}

impl Call {
    /// A call that reads.
    pub(super) const fn get(operation: &'static str, url: Url, scope: &'static str) -> Self {
        Self {
            operation,
            method: Method::GET,
            url,
            body: Bytes::new(),
            scope,
            cost: Cost::Counted,
            accepts: &[],
            is_repeatable: true,
        }
    }

    /// A call that writes, and that may be made twice.
    pub(super) fn write(
        operation: &'static str,
        method: Method,
        url: Url,
        body: Bytes,
        scope: &'static str,
    ) -> Self {
        Self { method, body, ..Self::get(operation, url, scope) }
    }
}

impl Answer {
    /// Reads the body. An error names no value of it.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, PushError> {
        serde_json::from_slice(&self.body).map_err(|_| self.unreadable())
    }

    /// The error of an answer that does not have the documented form.
    pub(super) fn unreadable(&self) -> PushError {
        let verdict = classify::unreadable();
        error(self.operation, self.status, verdict.kind, verdict.retry, verdict.message.to_owned())
    }
}

impl<S: CredentialStore> Client<S> {
    pub(super) fn new(http: HttpClient, endpoint: Endpoint, store: S, settings: &Settings) -> Self {
        let words = settings.dialect.words();
        let auth = Auth::new(store, &words);
        Self { http, endpoint, auth, words, refused_wait: settings.refused_wait() }
    }

    /// The address of a call of the API.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut all = vec![self.words.base];
        all.extend(segments);
        self.endpoint.join(&all)
    }

    /// Makes a call, again where another key is to be had, and with short retries while there is time and patience.
    pub(super) async fn call(&self, call: &Call, session: &Session<'_>) -> Result<Answer, PushError> {
        let mut pass = self.auth.pass().await?;
        let mut attempt = 0;
        let mut may_change_key = true;
        loop {
            let error = match self.attempt(call, &pass, session.context).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if may_change_key && matches!(error.kind, ErrorKind::Authentication | ErrorKind::Permission) {
                may_change_key = false;
                if let Some(other) = self.auth.other_than(&pass).await? {
                    pass = other;
                    continue;
                }
            }
            // What took its whole time once is left to the queue, which waits longer.
            let may_repeat = call.is_repeatable
                && !matches!(error.kind, ErrorKind::Timeout | ErrorKind::Permission | ErrorKind::Busy);
            if !may_repeat || !session.patience.pause(&error, attempt, session.context).await {
                return Err(error);
            }
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        pass: &HeaderValue,
        context: &CallContext,
    ) -> Result<Answer, PushError> {
        let mut headers = HeaderMap::new();
        headers.insert(self.words.key_header.clone(), pass.clone());
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some((name, version)) = &self.words.version {
            headers.insert(name.clone(), version.clone());
        }
        if !call.body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let request = HttpRequest {
            cost: call.cost,
            destination: Destination::Omnisend,
            operation: call.operation,
            method: call.method.clone(),
            url: call.url.clone(),
            headers,
            body: call.body.clone(),
            timeout: CALL_TIMEOUT,
        };
        let response = self.http.send(&request, context).await?;
        let status = response.status;
        if (200..300).contains(&status) || call.accepts.contains(&status) {
            return Ok(Answer { status, body: response.body, operation: call.operation });
        }
        if status == 429 {
            context.throttled().await;
        }
        Err(self.refusal(call, &response))
    }

    fn refusal(&self, call: &Call, response: &HttpResponse) -> PushError {
        let verdict = classify::refused(response.status, &self.words, self.refused_wait);
        let retry = match (verdict.retry, wait(response)) {
            (Retry::Wait(_), Some(pause)) => Retry::Wait(pause),
            (Retry::Backoff, Some(pause)) => Retry::After(pause),
            (retry, _) => retry,
        };
        let message = match verdict.kind {
            ErrorKind::Permission => format!("{}: {} is needed", verdict.message, call.scope),
            _ => verdict.message.to_owned(),
        };
        error(call.operation, response.status, verdict.kind, retry, message)
    }
}

fn error(operation: &'static str, status: u16, kind: ErrorKind, retry: Retry, message: String) -> PushError {
    PushError {
        kind,
        retry,
        destination: Destination::Omnisend,
        operation,
        status: Some(status),
        code: None,
        message,
    }
}

/// How long the answer asks to wait: in the body of some 429 answers of version 2026-03-15, and in a header of v5
/// (<https://api-docs.omnisend.com/v5/reference/rate-limit-timeouts-errors>).
fn wait(response: &HttpResponse) -> Option<Duration> {
    let of_body = || answers::retry_after(&response.body).map(Duration::from_secs);
    let of_header = || {
        let text = response.headers.get("x-rate-limit-reset")?.to_str().ok()?;
        (response.status == 429).then(|| text.trim().parse().map(Duration::from_secs).ok())?
    };
    response.retry_after().or_else(of_body).or_else(of_header).map(|pause| pause.min(LONGEST_WAIT))
}
