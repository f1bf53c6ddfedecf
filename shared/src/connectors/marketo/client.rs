//! One call of the API: with a token that works, judged by its code, made again where that may help.

use super::answers::{Envelope, Judged, Results};
use super::auth::{Auth, Pass};
use super::classify::{self, ACCESS_DENIED, Action, Verdict};
use super::settings::Settings;
use crate::connectors::http::Patience;
use crate::connectors::{
    CallContext, Cost, CredentialStore, ErrorKind, HttpClient, HttpRequest, HttpResponse, PushError, Retry,
};
use crate::model::Destination;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use url::{Url, form_urlencoded};

/// "Other lead endpoints 30 s" on the vendor's side
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>); some more lets
/// its end come before ours.
pub(super) const SHORT_TIMEOUT: Duration = Duration::from_secs(40);
/// More than this is not believed of a header that says how long to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Makes calls.
pub(super) struct Client<S> {
    http: HttpClient,
    settings: Arc<Settings>,
    auth: Auth<S>,
}

/// One piece of work: what it may spend and how patient it still is.
pub(super) struct Session<'a> {
    pub(super) context: &'a CallContext,
    pub(super) patience: Patience,
}

/// What a call carries.
pub(super) enum Body {
    None,
    Json(Bytes),
    Form(String),
    Multipart { boundary: String, body: Bytes },
}

/// What an answer looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The vendor's envelope.
    Envelope,
    /// A file; an error comes in the envelope all the same.
    File,
}

/// One call.
pub(super) struct Call {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Body,
    pub(super) timeout: Duration,
    /// The right that it needs, as the admin pages call it.
    pub(super) right: &'static str,
    /// Codes that are answers, not errors, to this call.
    pub(super) accepts: &'static [i64],
    pub(super) form: Form,
    /// Whether it may be made again at once where it is not known whether it was carried out.
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
    pub(super) const fn get(operation: &'static str, url: Url, right: &'static str) -> Self {
        Self {
            operation,
            method: Method::GET,
            url,
            body: Body::None,
            timeout: SHORT_TIMEOUT,
            right,
            accepts: &[],
            form: Form::Envelope,
            is_repeatable: true,
        }
    }

    /// A call that sends a form.
    pub(super) fn form(
        operation: &'static str,
        url: Url,
        right: &'static str,
        fields: &[(&str, &str)],
    ) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self { method: Method::POST, body: Body::Form(form), ..Self::get(operation, url, right) }
    }

    pub(super) fn request(&self, authorization: HeaderValue) -> HttpRequest {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        let accept = match self.form {
            Form::Envelope => "application/json",
            Form::File => "text/csv, application/json",
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        let (content_type, body) = match &self.body {
            // The vendor wants a type on DELETE too, body or none.
            Body::None if self.method == Method::DELETE => {
                (Some(HeaderValue::from_static("application/json")), Bytes::new())
            }
            Body::None => (None, Bytes::new()),
            Body::Json(body) => (Some(HeaderValue::from_static("application/json")), body.clone()),
            Body::Form(form) => (
                Some(HeaderValue::from_static("application/x-www-form-urlencoded")),
                Bytes::from(form.clone()),
            ),
            Body::Multipart { boundary, body } => (
                HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}")).ok(),
                body.clone(),
            ),
        };
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, content_type);
        }
        HttpRequest {
            destination: Destination::Marketo,
            operation: self.operation,
            method: self.method.clone(),
            url: self.url.clone(),
            headers,
            body,
            timeout: self.timeout,
            cost: Cost::Counted,
        }
    }
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
            // What took its whole time once is left to the queue, which waits longer.
            let may_repeat =
                (call.is_repeatable || is_not_done(&error)) && error.kind != ErrorKind::Timeout;
            if !may_repeat || !session.patience.pause(&error, attempt, session.context).await {
                return Err(error);
            }
            if action == Some(Action::Renew) {
                self.auth.forget(&pass).await;
            }
            attempt += 1;
        }
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
