//! One call of a destination's API: authorised, interpreted, and retried if that can help.
//!
//! A destination implements two hooks: [`Api::authorise`] returns the credentials of the next attempt, and
//! [`Api::judge`] interprets a response. Everything else is the same for all destinations.

use super::retry_budget::RetryBudget;
use super::{Cost, HttpClient, HttpRequest, HttpResponse};
use crate::{CallContext, ErrorKind, PushError, Retry};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use relay_model::Destination;
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// Caps the wait that a response asks for. A longer one is taken to be a mistake of the destination.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// The time that has to be left after a wait for a slot for another attempt to make sense.
const LEAST_TIME_AFTER_WAIT: Duration = Duration::from_secs(5);

/// How one destination's API is called.
pub(crate) trait Api: Sync {
    /// The destination, for errors.
    const DESTINATION: Destination;

    /// How often a call is repeated with other credentials after the destination has refused the first.
    const MAX_REPLAYS: u32 = 1;

    /// The details that only this destination's calls have.
    type Details: Sync;

    /// Returns the client that sends the requests.
    fn http(&self) -> &HttpClient;

    /// Returns the headers that every request has besides the credentials.
    fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))])
    }

    /// Returns the credentials of the next attempt. `refused` holds those of the last attempt, if the
    /// destination refused them. If there are no others, the error of the refusal is returned.
    fn authorise(
        &self,
        refused: Option<&RefusedPass>,
        context: &CallContext,
    ) -> impl Future<Output = Result<Pass, PushError>> + Send;

    /// Interprets a response.
    fn judge(&self, call: &Call<Self::Details>, response: &HttpResponse) -> Judgement;

    /// Returns whether a call that failed with `error` may be repeated at once. A call that timed out is left
    /// to the queue, which waits longer.
    fn may_repeat(&self, call: &Call<Self::Details>, error: &PushError) -> bool {
        call.is_repeatable && error.kind != ErrorKind::Timeout
    }

    /// Sends one request.
    fn send(
        &self,
        request: &HttpRequest,
        _details: &Self::Details,
        context: &CallContext,
    ) -> impl Future<Output = Result<HttpResponse, PushError>> + Send {
        self.http().send(request, context)
    }
}

/// The credentials of one attempt.
#[derive(Clone)]
pub(crate) struct Pass {
    /// The header that carries them.
    pub(crate) name: HeaderName,
    /// The header's value, marked as sensitive.
    pub(crate) value: HeaderValue,
    /// Grows with each change of the credentials, so that a refused call can tell whether it used the newest.
    pub(crate) generation: u64,
    /// Whether no other credentials are tried after these.
    pub(crate) is_last: bool,
}

impl Pass {
    /// Returns credentials that are sent in the `Authorization` header.
    pub(crate) const fn authorization(value: HeaderValue, generation: u64) -> Self {
        Self { name: AUTHORIZATION, value, generation, is_last: false }
    }
}

/// Credentials that the destination refused.
pub(crate) struct RefusedPass {
    /// The credentials.
    pub(crate) pass: Pass,
    /// How the destination refused them.
    pub(crate) error: PushError,
}

/// What a response means.
pub(crate) enum Judgement {
    /// The call succeeded, or was refused with a code that the call accepts.
    Accepted(Option<i64>),
    /// The call failed.
    Refused(PushError),
    /// The credentials were refused, and others may be accepted.
    CredentialsRefused(PushError),
}

/// One call, before it is authorised.
#[derive(Clone)]
pub(crate) struct Call<D = ()> {
    /// Names the operation in errors: "import subscribers".
    pub(crate) operation: &'static str,
    /// The method.
    pub(crate) method: Method,
    /// The whole address.
    pub(crate) url: Url,
    /// The headers besides those that every request has. They replace headers of the same name.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty for none.
    pub(crate) body: Bytes,
    /// How long an attempt may take, response included.
    pub(crate) timeout: Duration,
    /// The cost of an attempt in the connection's budget.
    pub(crate) cost: Cost,
    /// The right that the call needs, as the vendor names it; empty if errors do not name it.
    pub(crate) right: &'static str,
    /// Codes that are successful responses to this call and not errors.
    pub(crate) accepts: &'static [i64],
    /// Whether the call may be repeated at once if it is unknown whether it was carried out.
    pub(crate) is_repeatable: bool,
    /// The details that only this destination's calls have.
    pub(crate) details: D,
}

impl<D> Call<D> {
    /// Returns a read-only call that may be repeated.
    pub(crate) const fn get(operation: &'static str, url: Url, timeout: Duration, details: D) -> Self {
        Self {
            operation,
            method: Method::GET,
            url,
            headers: Vec::new(),
            body: Bytes::new(),
            timeout,
            cost: Cost::Counted,
            right: "",
            accepts: &[],
            is_repeatable: true,
            details,
        }
    }

    /// Returns the same call with another method and a body of the given type.
    pub(crate) fn with_body(self, method: Method, content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        let headers = vec![(http::header::CONTENT_TYPE, content_type)];
        Self { method, headers, body: body.into(), ..self }
    }

    /// Returns the request of one attempt.
    pub(crate) fn request<A: Api<Details = D>>(&self, api: &A, pass: &Pass) -> HttpRequest {
        let mut headers = HeaderMap::from_iter([(pass.name.clone(), pass.value.clone())]);
        headers.extend(api.headers());
        headers.extend(self.headers.iter().cloned());
        HttpRequest {
            destination: A::DESTINATION,
            operation: self.operation,
            method: self.method.clone(),
            url: self.url.clone(),
            headers,
            body: self.body.clone(),
            timeout: self.timeout,
            cost: self.cost,
        }
    }
}

/// The response to a successful call.
pub(crate) struct Answer {
    /// The accepted code; `None` for a plain success.
    pub(crate) code: Option<i64>,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, after decompression.
    pub(crate) body: Bytes,
    /// How long the destination took, without the wait for a slot.
    pub(crate) took: Duration,
    status: u16,
    destination: Destination,
    operation: &'static str,
}

impl Answer {
    /// Parses the body. An error contains no value of it.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, PushError> {
        serde_json::from_slice(&self.body).map_err(|_| self.unreadable())
    }

    /// Returns the error of a response that does not have the documented form.
    pub(crate) fn unreadable(&self) -> PushError {
        PushError {
            kind: ErrorKind::Protocol,
            retry: Retry::Backoff,
            destination: self.destination,
            operation: self.operation,
            status: Some(self.status),
            code: self.code,
            message: UNREADABLE.to_owned(),
        }
    }
}

/// The message of a response that cannot be parsed.
pub(crate) const UNREADABLE: &str = "the response does not have the documented form";

/// How a piece of work handles a call that has to wait for its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotWait {
    /// The batch returns to the queue, which waits as often as needed.
    InQueue,
    /// The call waits here while there is time.
    Here,
}

/// One piece of work: its time, its calls and its retries.
pub(crate) struct Session<'a> {
    /// The time that is left and the calls made so far.
    pub(crate) context: &'a CallContext,
    retries: RetryBudget,
    slot_wait: SlotWait,
}

impl<'a> Session<'a> {
    /// Starts a piece of work. Calls that have to wait for a slot are left to the queue.
    pub(crate) const fn new(context: &'a CallContext, first_pause: Duration) -> Self {
        Self { context, retries: RetryBudget::new(first_pause), slot_wait: SlotWait::InQueue }
    }

    /// Waits for slots here while there is time, because preparation cannot be released half done.
    pub(crate) const fn waiting_here(self) -> Self {
        Self { slot_wait: SlotWait::Here, ..self }
    }

    /// Waits before another attempt of a call that failed with `error`. Returns `false` at once if the call
    /// must not be repeated now; `attempt` counts the further attempts so far.
    pub(crate) async fn pause(&self, error: &PushError, attempt: u32) -> bool {
        self.retries.pause(error, attempt, self.context).await
    }

    async fn waits_here(&self, error: &PushError) -> bool {
        let Retry::Wait(pause) = error.retry else {
            return false;
        };
        if self.slot_wait == SlotWait::InQueue || self.context.left() < pause + LEAST_TIME_AFTER_WAIT {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}

/// Makes a call: with other credentials if the first are refused, and again after short pauses while there is
/// time.
pub(crate) async fn call<A: Api>(
    api: &A,
    call: &Call<A::Details>,
    session: &Session<'_>,
) -> Result<Answer, PushError> {
    let mut attempt = 0;
    let mut replays_left = A::MAX_REPLAYS;
    let mut refused = None;
    loop {
        let pass = api.authorise(refused.as_ref(), session.context).await?;
        refused = None;
        if pass.is_last {
            replays_left = 0;
        }
        let error = match attempt_once(api, call, &pass, session.context).await {
            Ok(answer) => return Ok(answer),
            Err(Failed::Call(error)) => error,
            Err(Failed::Credentials(error)) => {
                refused = Some(RefusedPass { pass, error: error.clone() });
                if replays_left > 0 {
                    replays_left -= 1;
                    continue;
                }
                error
            }
        };
        if session.waits_here(&error).await {
            continue;
        }
        if !api.may_repeat(call, &error) || !session.pause(&error, attempt).await {
            return Err(error);
        }
        attempt += 1;
    }
}

/// How one attempt failed.
enum Failed {
    Call(PushError),
    Credentials(PushError),
}

async fn attempt_once<A: Api>(
    api: &A,
    call: &Call<A::Details>,
    pass: &Pass,
    context: &CallContext,
) -> Result<Answer, Failed> {
    let request = call.request(api, pass);
    let response = api.send(&request, &call.details, context).await.map_err(Failed::Call)?;
    match api.judge(call, &response) {
        Judgement::Accepted(code) => Ok(Answer {
            code,
            status: response.status,
            headers: response.headers,
            body: response.body,
            took: response.took,
            destination: A::DESTINATION,
            operation: call.operation,
        }),
        Judgement::CredentialsRefused(error) => Err(Failed::Credentials(error)),
        Judgement::Refused(error) => Err(Failed::Call(report(error, context).await)),
    }
}

/// Reports a rate limit or a spent quota to the other workers of the connection.
async fn report(error: PushError, context: &CallContext) -> PushError {
    if error.kind == ErrorKind::RateLimited {
        context.throttled().await;
    }
    match (error.retry, context.pacer()) {
        (Retry::Pause(_), Some(pacer)) => {
            let retry = Retry::Pause(pacer.pause(&error.message).await);
            PushError { retry, ..error }
        }
        _ => error,
    }
}
