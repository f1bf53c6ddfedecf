//! Calls of the API: authorised by the brand's key, judged by the status.

use super::auth::Auth;
use super::dialect::Words;
use super::errors;
use super::settings::OmnisendSettings;
use super::wire::responses;
use crate::http::{self, Api, Judgement, LONGEST_WAIT, Pass, RefusedPass};
pub(super) use crate::http::{Answer, Call, Session};
use crate::{CallContext, Cost, Endpoint, ErrorKind, HttpClient, HttpResponse, PushError, Retry};
use ::http::header::ACCEPT;
use ::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use relay_model::CredentialStore;
use relay_model::Destination;
use std::num::NonZeroU8;
use std::time::Duration;
use url::Url;

/// The timeout of a call. The vendor advises callers who wait to give up after ten seconds
/// (<https://api-docs.omnisend.com/reference/rate-limit-timeouts-errors>); a batch of a thousand people may take longer.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Calls about tags have a rate of 60 a minute, other calls one of 400
/// (<https://api-docs.omnisend.com/reference/rate-limit-timeouts-errors>).
pub(super) const TAG_COST: Cost = Cost::Rare;
/// Segments may be read 100 times a minute (same page), so one read takes four slots.
pub(super) const SEGMENT_READ_COST: Cost = slots(4);
/// Segments may be created 15 times a minute (same page).
pub(super) const SEGMENT_WRITE_COST: Cost = slots(27);

const fn slots(slots: u8) -> Cost {
    match NonZeroU8::new(slots) {
        Some(slots) => Cost::Turns(slots),
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

/// Returns a call that reads. `scope` is the right that a key needs for it.
pub(super) fn get_call(operation: &'static str, url: Url, scope: &'static str) -> Call {
    Call { right: scope, ..Call::get(operation, url, CALL_TIMEOUT, ()) }
}

/// Returns a call that writes JSON and may be repeated.
pub(super) fn write_call(
    operation: &'static str,
    method: Method,
    url: Url,
    body: Bytes,
    scope: &'static str,
) -> Call {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    get_call(operation, url, scope).with_body(method, JSON, body)
}

impl<S: CredentialStore> Client<S> {
    pub(super) fn new(http: HttpClient, endpoint: Endpoint, store: S, settings: &OmnisendSettings) -> Self {
        let words = settings.dialect.words();
        let auth = Auth::new(store, &words);
        Self { http, endpoint, auth, words, refused_wait: settings.refused_wait() }
    }

    /// Returns the address of a call.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        let mut all = vec![self.words.base];
        all.extend(segments);
        self.endpoint.join(&all)
    }

    /// Makes a call.
    pub(super) async fn call(&self, call: &Call, session: &Session<'_>) -> Result<Answer, PushError> {
        http::call(self, call, session).await
    }
}

impl<S: CredentialStore> Api for Client<S> {
    const DESTINATION: Destination = Destination::Omnisend;

    type Details = ();

    fn http(&self) -> &HttpClient {
        &self.http
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        headers.extend(self.words.version.clone());
        headers
    }

    async fn authorise(
        &self,
        refused: Option<&RefusedPass>,
        _context: &CallContext,
    ) -> Result<Pass, PushError> {
        match refused {
            Some(refused) => self.auth.replace(refused).await,
            None => self.auth.pass().await,
        }
    }

    fn judge(&self, call: &Call, response: &HttpResponse) -> Judgement {
        let status = i64::from(response.status);
        if (200..300).contains(&status) {
            return Judgement::Accepted(None);
        }
        if call.accepts.contains(&status) {
            return Judgement::Accepted(Some(status));
        }
        let verdict = errors::refused(response.status, &self.words, self.refused_wait);
        let retry = match (verdict.retry, wait(response)) {
            (Retry::Wait(_), Some(pause)) => Retry::Wait(pause),
            (Retry::Backoff, Some(pause)) => Retry::After(pause),
            (retry, _) => retry,
        };
        let message = match verdict.kind {
            ErrorKind::Permission => format!("{}: {} is needed", verdict.message, call.right),
            _ => verdict.message.to_owned(),
        };
        let error = PushError {
            kind: verdict.kind,
            retry,
            destination: Self::DESTINATION,
            operation: call.operation,
            status: Some(response.status),
            code: None,
            message,
        };
        match verdict.kind {
            ErrorKind::Authentication | ErrorKind::Permission => Judgement::CredentialsRefused(error),
            _ => Judgement::Refused(error),
        }
    }

    fn may_repeat(&self, call: &Call, error: &PushError) -> bool {
        call.is_repeatable
            && !matches!(error.kind, ErrorKind::Timeout | ErrorKind::Permission | ErrorKind::Busy)
    }
}

/// Returns how long the response asks to wait: in the body of some 429 responses of version 2026-03-15, and in a header
/// of v5 (<https://api-docs.omnisend.com/v5/reference/rate-limit-timeouts-errors>).
fn wait(response: &HttpResponse) -> Option<Duration> {
    let of_body = || responses::retry_after(&response.body).map(Duration::from_secs);
    let of_header = || response.seconds("x-rate-limit-reset").filter(|_| response.status == 429);
    response.retry_after().or_else(of_body).or_else(of_header).map(|pause| pause.min(LONGEST_WAIT))
}
