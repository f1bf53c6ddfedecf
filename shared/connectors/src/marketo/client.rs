//! One call of the API: with a token that works, judged by its code, made again where that may help.

use super::answers::{Envelope, Judged, Results};
use super::auth::{Auth, Pass};
use super::call::{Call, Form};
use super::classify::{self, ACCESS_DENIED, Action, Verdict};
use super::settings::Settings;
use crate::http::Patience;
use crate::{CallContext, ErrorKind, HttpClient, HttpResponse, PushError, Retry};
use bytes::Bytes;
use jiff::Timestamp;
use relay_model::CredentialStore;
use relay_model::Destination;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// More than this is not believed of a header that says how long to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// What has to be left after a wait for another attempt to make sense.
const LEAST_TIME_AFTER: Duration = Duration::from_secs(5);

/// Makes calls.
pub(super) struct Client<S> {
    http: HttpClient,
    pub(super) settings: Arc<Settings>,
    auth: Auth<S>,
}

/// One piece of work: what it may spend and how patient it still is.
pub(super) struct Session<'a> {
    pub(super) context: &'a CallContext,
    pub(super) patience: Patience,
    pub(super) turns: Turns,
}

/// What is done about a call that only has to wait for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turns {
    /// The batch goes back to the queue, which waits as often as it takes.
    InTheQueue,
    /// It is waited for here while there is time: what prepares a run cannot be put down half done.
    Here,
}

/// An answer that is no error to its call.
pub(super) struct Answer {
    pub(super) code: Option<i64>,
    pub(super) body: Bytes,
    status: u16,
    operation: &'static str,
}

impl Answer {
    /// Reads the results. An error names no value of them.
    pub(super) fn results<T: DeserializeOwned>(&self) -> Result<Results<T>, PushError> {
        serde_json::from_slice(&self.body).map_err(|_| self.unreadable())
    }

    /// The error of an answer that does not have the documented form.
    pub(super) fn unreadable(&self) -> PushError {
        let verdict = classify::by_status(200);
        PushError {
            kind: verdict.kind,
            retry: Retry::Backoff,
            destination: Destination::Marketo,
            operation: self.operation,
            status: Some(self.status),
            code: self.code,
            message: verdict.message.to_owned(),
        }
    }
}

impl<S: CredentialStore> Client<S> {
    pub(super) const fn new(http: HttpClient, settings: Arc<Settings>, auth: Auth<S>) -> Self {
        Self { http, settings, auth }
    }

    /// The address of a call.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        self.settings.endpoint.join(segments)
    }

    /// Makes a call, again with another token where the first is refused, and with short retries while there is time
    /// and patience.
    pub(super) async fn call(&self, call: &Call, session: &Session<'_>) -> Result<Answer, PushError> {
        let mut attempt = 0;
        let mut is_renewed = false;
        loop {
            let pass = self.auth.pass(session.context).await?;
            let (error, action) = match self.attempt(call, &pass, session.context).await {
                Ok(answer) => return Ok(answer),
                Err(refused) => refused,
            };
            if action == Some(Action::Renew) && !is_renewed {
                self.auth.forget(&pass).await;
                is_renewed = true;
                continue;
            }
            if self.waits_here(&error, session).await {
                continue;
            }
            // What took its whole time once is left to the queue, which waits longer.
            let may_repeat = (call.is_repeatable || is_not_done(&error)) && error.kind != ErrorKind::Timeout;
            if !may_repeat || !session.patience.pause(&error, attempt, session.context).await {
                return Err(error);
            }
            if action == Some(Action::Renew) {
                self.auth.forget(&pass).await;
            }
            attempt += 1;
        }
    }

    async fn waits_here(&self, error: &PushError, session: &Session<'_>) -> bool {
        let Retry::Wait(pause) = error.retry else {
            return false;
        };
        if session.turns == Turns::InTheQueue || session.context.left() < pause + LEAST_TIME_AFTER {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }

    async fn attempt(
        &self,
        call: &Call,
        pass: &Pass,
        context: &CallContext,
    ) -> Result<Answer, (PushError, Option<Action>)> {
        let request = call.request(pass.header.clone());
        let response = self.http.send(&request, context).await.map_err(|error| (error, None))?;
        match judge(call, &response) {
            Ok(answer) => Ok(answer),
            Err((code, verdict)) => {
                let retry = self.retry(verdict, &response, context).await;
                let message = if code == Some(ACCESS_DENIED) {
                    format!(
                        "the API user's role lacks \"{}\" (Admin > Users & Roles > Roles > Access API), or the account's \
                         list of allowed IP addresses does not have ours",
                        call.right
                    )
                } else {
                    verdict.message.to_owned()
                };
                let status = Some(response.status);
                Err((
                    PushError { retry, status, code, ..request.error(verdict.kind, retry, message) },
                    Some(verdict.action),
                ))
            }
        }
    }

    async fn retry(&self, verdict: Verdict, response: &HttpResponse, context: &CallContext) -> Retry {
        match verdict.action {
            Action::Stop => Retry::Never,
            // A token that is refused again after a renewal is the vendor's trouble: it passes.
            Action::Renew => Retry::Backoff,
            Action::Backoff => {
                response.retry_after().map_or(Retry::Backoff, |pause| Retry::After(pause.min(LONGEST_WAIT)))
            }
            Action::SlowDown => {
                context.throttled().await;
                Retry::Wait(response.retry_after().unwrap_or(self.settings.pace.window / 4).min(LONGEST_WAIT))
            }
            Action::Wait => Retry::Wait(classify::busy_wait(self.settings.poll)),
            Action::Pause => Retry::Pause(match context.pacer() {
                Some(pacer) => pacer.pause(verdict.message).await,
                None => self.settings.daily.next_reset(Timestamp::now()),
            }),
        }
    }
}

/// Codes 6xx and 7xx say that nothing of a request was carried out.
fn is_not_done(error: &PushError) -> bool {
    error.code.is_some_and(|code| (600..800).contains(&code))
}

fn judge(call: &Call, response: &HttpResponse) -> Result<Answer, (Option<i64>, Verdict)> {
    let answer = |code| Answer {
        code,
        body: response.body.clone(),
        status: response.status,
        operation: call.operation,
    };
    match Envelope::judge(&response.body) {
        Judged::Done => Ok(answer(None)),
        Judged::Refused(code) if call.accepts.contains(&code) => Ok(answer(Some(code))),
        Judged::Refused(code) => Err((Some(code), classify::by_code(code))),
        Judged::NoEnvelope if call.form == Form::File && (200..300).contains(&response.status) => {
            Ok(answer(None))
        }
        Judged::NoEnvelope => Err((None, classify::by_status(response.status))),
    }
}
