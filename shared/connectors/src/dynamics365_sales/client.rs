//! One call of the Web API: with a token that works, judged by its code, made again where that may help.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors>

use super::answers::Refusal;
use super::auth::{Auth, Pass};
use super::classify::{self, Blame};
use super::debt::Debt;
use super::gate::Gate;
use super::settings::Settings;
use crate::http::Patience;
use crate::{CallContext, Cost, ErrorKind, HttpClient, HttpRequest, PushError, Retry};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use relay_model::CredentialStore;
use relay_model::Destination;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// How long a call that does little may take.
pub(super) const SHORT_TIMEOUT: Duration = Duration::from_mins(1);
/// More than this is not believed of a header that says how long to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
const MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
const VERSION: HeaderName = HeaderName::from_static("odata-version");
const FOUR: HeaderValue = HeaderValue::from_static("4.0");

/// Makes calls.
pub(super) struct Client<S> {
    http: HttpClient,
    pub(super) settings: Settings,
    auth: Auth<S>,
    pub(super) gate: Gate,
    debt: Debt,
}

/// One piece of work: what it may spend and how patient it still is.
pub(super) struct Session<'a> {
    pub(super) context: &'a CallContext,
    pub(super) patience: Patience,
}

/// How much the organisation has to do for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Little: only the call itself counts.
    Light,
    /// Much: the time that it takes counts as well.
    Heavy,
}

/// One call.
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) url: Url,
    /// Beside those that every call has.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) timeout: Duration,
    pub(super) weight: Weight,
}

/// An answer that is no error.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// How long it took, without the wait for its turn.
    pub(super) took: Duration,
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
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: SHORT_TIMEOUT,
            weight: Weight::Light,
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
        refusal(self.operation, self.status, &Refusal::default(), None)
    }
}

impl<S: CredentialStore> Client<S> {
    pub(super) fn new(http: HttpClient, settings: Settings, store: S) -> Self {
        let debt = Debt::new(settings.execution_per_turn());
        Self { http, settings, auth: Auth::new(store), gate: Gate::new(), debt }
    }

    /// The address of something of the Web API.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut segments = vec!["api", "data", "v9.2"];
        segments.extend(path.split('/'));
        self.settings.organisation.join(&segments)
    }

    /// Makes a call, once more with another token where the token is refused, and with short retries while there is
    /// time and patience. Every call may be made twice: additions, removals and lists with ids of our choice are the
    /// same the second time.
    pub(super) async fn call(&self, call: &Call, session: &Session<'_>) -> Result<Answer, PushError> {
        let mut attempt = 0;
        let mut refused: Option<Pass> = None;
        loop {
            let pass = self.auth.pass(&self.http, &self.settings, refused.as_ref(), session.context).await?;
            let error = match self.attempt(call, &pass, session.context).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.status == Some(401) && refused.is_none() {
                refused = Some(pass);
                continue;
            }
            // What took its whole time once is not asked for again as it was.
            let may_repeat = classify::blame(&error) == Blame::Call;
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
        headers.insert(MAX_VERSION, FOUR);
        headers.insert(VERSION, FOUR);
        // Documented for every request: no cache on the way answers in the organisation's place.
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("null"));
        headers.extend(call.headers.iter().cloned());
        let request = HttpRequest {
            // The turn is taken here, so that waiting for it is not taken for the organisation's slowness.
            cost: Cost::Free,
            destination: Destination::Dynamics365Sales,
            operation: call.operation,
            method: call.method.clone(),
            url: call.url.clone(),
            headers,
            body: call.body.clone(),
            timeout: call.timeout,
        };
        if call.weight == Weight::Heavy {
            self.debt.settle(context).await.map_err(|not_yet| request.not_yet(&not_yet))?;
        }
        context.turn().await.map_err(|not_yet| request.not_yet(&not_yet))?;
        let _permit = self.gate.enter().await;
        context.count_call();
        let begun = Instant::now();
        let sent = match call.weight {
            Weight::Light => self.http.send(&request, context).await,
            Weight::Heavy => self.debt.while_paying(self.http.send(&request, context), context).await,
        };
        let response = sent?;
        self.gate.learn(&response.headers);
        if (200..300).contains(&response.status) {
            return Ok(Answer {
                headers: response.headers,
                body: response.body,
                took: begun.elapsed(),
                status: response.status,
                operation: call.operation,
            });
        }
        let wait = response.retry_after();
        let error = refusal(call.operation, response.status, &Refusal::read(&response.body), wait);
        if error.status == Some(429) {
            context.throttled().await;
        }
        Err(error)
    }
}

/// The error of a refusal, whether it came by itself or as a part of a batch.
pub(super) fn refusal(
    operation: &'static str,
    status: u16,
    refusal: &Refusal,
    wait: Option<Duration>,
) -> PushError {
    let verdict = classify::refused(status, refusal.code);
    let retry = match (verdict.retry, wait) {
        (Retry::Backoff | Retry::After(_), Some(wait)) => Retry::After(wait.min(LONGEST_WAIT)),
        (retry, _) => retry,
    };
    let message = match &refusal.privilege {
        Some(privilege) if verdict.kind == ErrorKind::Permission => {
            format!("the application user lacks the privilege {privilege}: add it to its security role")
        }
        _ => verdict.message.to_owned(),
    };
    PushError {
        kind: verdict.kind,
        retry,
        destination: Destination::Dynamics365Sales,
        operation,
        status: Some(status),
        code: refusal.code.map(classify::shown),
        message,
    }
}
