//! Calls over HTTP, in one way for all destinations: counted, within the time that is left, never redirected, with
//! bounded answers, and without a word of the address or the body in any error.

mod endpoint;
mod patience;
#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, EndpointError};
pub(crate) use patience::{FIRST_PAUSE, Patience};

use super::{CallContext, ErrorKind, NotYet, PushError, Retry};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use relay_model::Destination;
use std::fmt;
use std::num::NonZeroU8;
use std::time::Duration;
use url::Url;

/// The largest answer that is read, unpacked.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// How long a connection may take to be made, of the time that the whole call may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Less than this is not worth a call: its answer would come too late.
const LEAST_TIME: Duration = Duration::from_millis(250);

/// One request. Its address and body hold personal data and its headers credentials, so `Debug` shows none of them.
#[derive(Clone)]
pub struct HttpRequest {
    /// The destination, for errors.
    pub destination: Destination,
    /// Doing what, in words, for errors: "import subscribers".
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// The headers, credentials among them.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// How long the call may take, answer included.
    pub timeout: Duration,
    /// Whether it counts against the connection's budget.
    pub cost: Cost,
}

/// Whether a call counts against a connection's budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    /// It needs a turn.
    #[default]
    Counted,
    /// It needs several turns: one of the few calls of a kind that the destination lets fewer of through.
    Turns(NonZeroU8),
    /// It needs a turn of the rarer kind too: one of the many calls of such a kind.
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
    /// An error of this request.
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

    /// The error of a request that has to wait for its turn.
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
            let message = format!("no answer in {:.0} seconds", timeout.as_secs_f64());
            self.error(ErrorKind::Timeout, Retry::Backoff, message)
        } else if error.is_connect() {
            self.error(ErrorKind::Unavailable, Retry::Backoff, "no connection could be made")
        } else {
            self.error(
                ErrorKind::Unavailable,
                Retry::Backoff,
                "the connection broke before the answer was complete",
            )
        }
    }
}

/// One answer, whatever its status. It may hold personal data, so `Debug` shows the status and the size only.
#[derive(Clone)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unpacked.
    pub body: Bytes,
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
    /// How long the server asks to wait: `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let moment = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Duration::try_from(moment.duration_since(Timestamp::now())).unwrap_or_default())
    }
}

/// Makes the calls. One for a function's life: it keeps connections open.
#[derive(Clone, Debug)]
pub struct HttpClient {
    client: reqwest::Client,
}

impl HttpClient {
    /// A client that follows no redirects, uses no proxy of the environment and repeats nothing by itself.
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

    /// Makes one call, within the time that `context` has left, and counts it. Any answer is `Ok`, whatever its
    /// status; what it means is the connector's to say.
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
        // Waiting for the turn may have taken a while.
        let timeout = request.timeout.min(context.left()).max(LEAST_TIME);
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
                let message = format!("the answer is larger than {} MiB", MAX_ANSWER_BYTES >> 20);
                let error = request.error(ErrorKind::Protocol, Retry::Backoff, message);
                return Err(PushError { status: Some(status), ..error });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, headers, body: body.freeze() })
    }
}
