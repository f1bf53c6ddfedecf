//! HTTP calls, the same for all destinations: counted, bounded by the time that is left, never redirected,
//! and with bounded responses. No error repeats any part of the address or the body.

mod endpoint;
mod retry_budget;
mod session;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, EndpointError};
pub(crate) use retry_budget::FIRST_PAUSE;
pub(crate) use session::{
    Answer, Api, Call, Judgement, LONGEST_WAIT, Pass, RefusedPass, Session, UNREADABLE, call,
};

use super::{CallContext, ErrorKind, NotYet, PushError, Retry};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use relay_model::Destination;
use std::fmt;
use std::num::NonZeroU8;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The largest response that is read, after decompression.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// The timeout of connecting, within the timeout of the whole call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The least time for a call: with less, its response would arrive too late.
const LEAST_TIME: Duration = Duration::from_millis(250);

/// One request. Its address and body hold personal data, and its headers hold credentials, so `Debug` shows
/// none of them.
#[derive(Clone)]
pub struct HttpRequest {
    /// The destination, for errors.
    pub destination: Destination,
    /// Names the operation in errors: "import subscribers".
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// The headers, including credentials.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// How long the call may take, response included.
    pub timeout: Duration,
    /// Whether the call counts against the connection's budget.
    pub cost: Cost,
}

/// Whether a call counts against a connection's budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    /// It takes a slot.
    #[default]
    Counted,
    /// It takes several slots, because the destination allows fewer calls of this kind. For kinds with few
    /// calls.
    Turns(NonZeroU8),
    /// It also takes a slot of the rare pace, because the destination allows fewer calls of this kind. For
    /// kinds with many calls.
    Rare,
    /// The destination does not count it.
    Free,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpRequest")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl HttpRequest {
    /// Returns an error of this request.
    #[must_use]
    pub fn error(&self, kind: ErrorKind, retry: Retry, message: impl Into<String>) -> PushError {
        PushError {
            kind,
            retry,
            destination: self.destination,
            operation: self.operation,
            status: None,
            code: None,
            message: message.into(),
        }
    }

    /// Returns the error of a request that has to wait for its slot.
    pub(crate) fn not_yet(&self, not_yet: &NotYet) -> PushError {
        match not_yet {
            NotYet::Turn(wait) => self.error(
                ErrorKind::RateLimited,
                Retry::Wait(*wait),
                "other calls of the connection come first",
            ),
            NotYet::Spent { until, text } => {
                self.error(ErrorKind::QuotaSpent, Retry::Pause(*until), text.clone())
            }
            NotYet::Unavailable => self.error(
                ErrorKind::Unavailable,
                Retry::Backoff,
                "the connection's budget of calls cannot be read now",
            ),
        }
    }

    fn broken(&self, error: &reqwest::Error, timeout: Duration) -> PushError {
        if error.is_timeout() && !error.is_connect() {
            let message = format!("no response in {:.0} seconds", timeout.as_secs_f64());
            self.error(ErrorKind::Timeout, Retry::Backoff, message)
        } else if error.is_connect() {
            self.error(ErrorKind::Unavailable, Retry::Backoff, "no connection could be made")
        } else {
            self.error(
                ErrorKind::Unavailable,
                Retry::Backoff,
                "the connection broke before the response was complete",
            )
        }
    }
}

/// One response, whatever its status. It may hold personal data, so `Debug` shows only the status and the
/// size.
#[derive(Clone)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, after decompression.
    pub body: Bytes,
    /// How long it took from the request to the end of the response.
    pub took: Duration,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl HttpResponse {
    /// Returns how long the server asks to wait: `Retry-After`, in seconds or as a date (RFC 9110, section
    /// 10.2.3).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let moment = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Duration::try_from(moment.duration_since(Timestamp::now())).unwrap_or_default())
    }

    /// Returns a header that is a number of seconds.
    pub(crate) fn seconds(&self, header: &str) -> Option<Duration> {
        self.headers.get(header)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
    }
}

/// Sends HTTP requests. A function creates one client for its lifetime, because the client keeps connections
/// open.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
}

impl HttpClient {
    /// Creates a client that follows no redirects, ignores proxies of the environment, and retries nothing by
    /// itself.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("segment-relay/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()?;
        Ok(Self { client })
    }

    /// Makes one call within the time that `context` has left, and counts it. Any response is `Ok`, whatever
    /// its status: the connector interprets it.
    pub async fn send(
        &self,
        request: &HttpRequest,
        context: &CallContext,
    ) -> Result<HttpResponse, PushError> {
        let timeout = request.timeout.min(context.left());
        if timeout < LEAST_TIME {
            return Err(request.error(ErrorKind::Timeout, Retry::Backoff, "no time is left for the call"));
        }
        let turn = match request.cost {
            Cost::Free => Ok(()),
            Cost::Counted => context.turns(NonZeroU8::MIN).await,
            Cost::Turns(turns) => context.turns(turns).await,
            Cost::Rare => context.rare_turn().await,
        };
        turn.map_err(|not_yet| request.not_yet(&not_yet))?;
        if request.cost != Cost::Free {
            context.count_call();
        }
        // Waiting for the slot may have taken a while.
        let timeout = request.timeout.min(context.left()).max(LEAST_TIME);
        let begun_at = Instant::now();
        let mut response = self
            .client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| request.broken(&error, timeout))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| request.broken(&error, timeout))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                let message = format!("the response is larger than {} MiB", MAX_ANSWER_BYTES >> 20);
                let error = request.error(ErrorKind::Protocol, Retry::Backoff, message);
                return Err(PushError { status: Some(status), ..error });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body: body.freeze(), took: begun_at.elapsed() })
    }
}
