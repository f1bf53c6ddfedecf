//! Calls of the API: authorised by a token, judged by the code in the body.

use super::auth::Auth;
use super::errors::{self, ACCESS_DENIED, Action, Verdict};
use super::settings::Settings;
use super::wire::responses::{Envelope, Judged};
use crate::http::{self, Api, Judgement, LONGEST_WAIT, Pass, RefusedPass};
pub(super) use crate::http::{Answer, Session};
use crate::{CallContext, ErrorKind, HttpClient, HttpResponse, PushError, Retry};
use ::http::header::{ACCEPT, CONTENT_TYPE};
use ::http::{HeaderValue, Method};
use jiff::Timestamp;
use relay_model::CredentialStore;
use relay_model::Destination;
use std::sync::Arc;
use std::time::Duration;
use url::{Url, form_urlencoded};

/// "Other lead endpoints 30 s" on the vendor's side
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>). The timeout is
/// longer, so that Marketo's own limit is reached first.
const SHORT_TIMEOUT: Duration = Duration::from_secs(40);
/// The type of JSON bodies.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// The form of a successful response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// The vendor's envelope.
    Envelope,
    /// A file. Errors come in the envelope all the same.
    File,
}

/// One call.
pub(super) type Call = http::Call<Format>;

/// Returns a call that reads. `right` is what the admin pages call the right that it needs.
pub(super) fn get_call(operation: &'static str, url: Url, right: &'static str) -> Call {
    Call { right, ..Call::get(operation, url, SHORT_TIMEOUT, Format::Envelope) }
}

/// Returns a call that reads a file.
pub(super) fn get_file_call(operation: &'static str, url: Url, right: &'static str) -> Call {
    let headers = vec![(ACCEPT, HeaderValue::from_static("text/csv, application/json"))];
    Call { headers, details: Format::File, ..get_call(operation, url, right) }
}

/// Returns a call that sends a form.
pub(super) fn form_call(
    operation: &'static str,
    url: Url,
    right: &'static str,
    fields: &[(&str, &str)],
) -> Call {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    get_call(operation, url, right).with_body(Method::POST, FORM, form)
}

/// Returns a call that deletes. The vendor wants a content type on DELETE, with or without a body.
pub(super) fn delete_call(operation: &'static str, url: Url, right: &'static str) -> Call {
    Call { method: Method::DELETE, headers: vec![(CONTENT_TYPE, JSON)], ..get_call(operation, url, right) }
}

/// Makes calls.
pub(super) struct Client<S> {
    http: HttpClient,
    pub(super) settings: Arc<Settings>,
    auth: Auth<S>,
}

impl<S: CredentialStore> Client<S> {
    pub(super) const fn new(http: HttpClient, settings: Arc<Settings>, auth: Auth<S>) -> Self {
        Self { http, settings, auth }
    }

    /// Returns the address of a call.
    pub(super) fn url(&self, segments: &[&str]) -> Url {
        self.settings.endpoint.join(segments)
    }

    /// Makes a call.
    pub(super) async fn call(&self, call: &Call, session: &Session<'_>) -> Result<Answer, PushError> {
        http::call(self, call, session).await
    }

    fn retry(&self, action: Action, response: &HttpResponse) -> Retry {
        match action {
            Action::Stop => Retry::Never,
            // A token that is refused again after a renewal is Marketo's error: it passes.
            Action::Renew => Retry::Backoff,
            Action::Backoff => {
                response.retry_after().map_or(Retry::Backoff, |pause| Retry::After(pause.min(LONGEST_WAIT)))
            }
            Action::SlowDown => {
                Retry::Wait(response.retry_after().unwrap_or(self.settings.pace.window / 4).min(LONGEST_WAIT))
            }
            Action::Wait => Retry::Wait(errors::busy_wait(self.settings.poll)),
            Action::Pause => Retry::Pause(self.settings.daily.next_reset(Timestamp::now())),
        }
    }

    fn refusal(
        &self,
        call: &Call,
        response: &HttpResponse,
        code: Option<i64>,
        verdict: Verdict,
    ) -> Judgement {
        let message = if code == Some(ACCESS_DENIED) {
            format!(
                "the API user's role lacks \"{}\" (Admin > Users & Roles > Roles > Access API), or the account's list \
                 of allowed IP addresses does not have ours",
                call.right
            )
        } else {
            verdict.message.to_owned()
        };
        let error = PushError {
            kind: verdict.kind,
            retry: self.retry(verdict.action, response),
            destination: Self::DESTINATION,
            operation: call.operation,
            status: Some(response.status),
            code,
            message,
        };
        match verdict.action {
            Action::Renew => Judgement::CredentialsRefused(error),
            _ => Judgement::Refused(error),
        }
    }
}

impl<S: CredentialStore> Api for Client<S> {
    const DESTINATION: Destination = Destination::Marketo;

    type Details = Format;

    fn http(&self) -> &HttpClient {
        &self.http
    }

    async fn authorise(
        &self,
        refused: Option<&RefusedPass>,
        context: &CallContext,
    ) -> Result<Pass, PushError> {
        if let Some(refused) = refused {
            self.auth.forget(&refused.pass).await;
        }
        self.auth.pass(context).await
    }

    fn judge(&self, call: &Call, response: &HttpResponse) -> Judgement {
        match Envelope::judge(&response.body) {
            Judged::Done => Judgement::Accepted(None),
            Judged::Refused(code) if call.accepts.contains(&code) => Judgement::Accepted(Some(code)),
            Judged::Refused(code) => self.refusal(call, response, Some(code), errors::by_code(code)),
            Judged::NoEnvelope if call.details == Format::File && (200..300).contains(&response.status) => {
                Judgement::Accepted(None)
            }
            Judged::NoEnvelope => self.refusal(call, response, None, errors::by_status(response.status)),
        }
    }

    fn may_repeat(&self, call: &Call, error: &PushError) -> bool {
        (call.is_repeatable || is_not_done(error)) && error.kind != ErrorKind::Timeout
    }
}

/// Returns whether nothing of a request was carried out: codes 6xx and 7xx say so.
fn is_not_done(error: &PushError) -> bool {
    error.code.is_some_and(|code| (600..800).contains(&code))
}
