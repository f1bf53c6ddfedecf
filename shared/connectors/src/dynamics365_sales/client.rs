//! Calls of the Web API: authorised by a token, judged by the code in the body, within the organisation's limits.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/compose-http-requests-handle-errors>

use super::auth::Auth;
use super::concurrency::ConcurrencyLimit;
use super::errors::{self, Blame};
use super::execution_budget::ExecutionBudget;
use super::settings::Settings;
use super::wire::responses::Refusal;
use crate::http::{self, Api, Judgement, Pass, RefusedPass};
pub(super) use crate::http::{Answer, Session};
use crate::{CallContext, Cost, HttpClient, HttpRequest, HttpResponse, PushError};
use ::http::header::{ACCEPT, IF_NONE_MATCH};
use ::http::{HeaderMap, HeaderName, HeaderValue};
use relay_model::CredentialStore;
use relay_model::Destination;
use std::time::Duration;
use url::Url;

/// The timeout of a call that does little.
const SHORT_TIMEOUT: Duration = Duration::from_mins(1);
const MAX_VERSION: HeaderName = HeaderName::from_static("odata-maxversion");
const VERSION: HeaderName = HeaderName::from_static("odata-version");
const FOUR: HeaderValue = HeaderValue::from_static("4.0");
/// The type of JSON bodies.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How much work a call is for the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Little: only the call itself counts.
    Light,
    /// Much: the time that it takes counts as well.
    Heavy,
}

/// One call.
pub(super) type Call = http::Call<Weight>;

/// Returns a call that reads.
pub(super) fn get_call(operation: &'static str, url: Url) -> Call {
    // The slot is taken by `Client::send`, so that waiting for it does not count as the organisation's slowness.
    Call { cost: Cost::Free, ..Call::get(operation, url, SHORT_TIMEOUT, Weight::Light) }
}

/// Makes calls.
pub(super) struct Client<S> {
    http: HttpClient,
    pub(super) settings: Settings,
    auth: Auth<S>,
    pub(super) concurrency: ConcurrencyLimit,
    execution_budget: ExecutionBudget,
}

impl<S: CredentialStore> Client<S> {
    pub(super) fn new(http: HttpClient, settings: Settings, store: S) -> Self {
        let execution_budget = ExecutionBudget::new(settings.execution_per_slot());
        Self {
            http,
            settings,
            auth: Auth::new(store),
            concurrency: ConcurrencyLimit::new(),
            execution_budget,
        }
    }

    /// Returns the address of a resource of the Web API.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut segments = vec!["api", "data", "v9.2"];
        segments.extend(path.split('/'));
        self.settings.organisation.join(&segments)
    }

    /// Makes a call. Every call may be made twice: additions, removals and lists with ids of our choice are the same
    /// the second time.
    pub(super) async fn call(&self, call: &Call, session: &Session<'_>) -> Result<Answer, PushError> {
        http::call(self, call, session).await
    }
}

impl<S: CredentialStore> Api for Client<S> {
    const DESTINATION: Destination = Destination::Dynamics365Sales;

    type Details = Weight;

    fn http(&self) -> &HttpClient {
        &self.http
    }

    fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([
            (ACCEPT, JSON),
            (MAX_VERSION, FOUR),
            (VERSION, FOUR),
            // Documented for every request: no cache on the way answers in the organisation's place.
            (IF_NONE_MATCH, HeaderValue::from_static("null")),
        ])
    }

    async fn authorise(
        &self,
        refused: Option<&RefusedPass>,
        context: &CallContext,
    ) -> Result<Pass, PushError> {
        let refused = refused.map(|refused| refused.pass.generation);
        self.auth.pass(&self.http, &self.settings, refused, context).await
    }

    fn judge(&self, call: &Call, response: &HttpResponse) -> Judgement {
        if (200..300).contains(&response.status) {
            return Judgement::Accepted(None);
        }
        let refusal = Refusal::read(&response.body);
        let error = errors::refusal(call.operation, response.status, &refusal, response.retry_after());
        if response.status == 401 {
            return Judgement::CredentialsRefused(error);
        }
        Judgement::Refused(error)
    }

    /// A call that took its whole time is not sent again as it was.
    fn may_repeat(&self, _call: &Call, error: &PushError) -> bool {
        errors::blame(error) == Blame::Call
    }

    async fn send(
        &self,
        request: &HttpRequest,
        weight: &Weight,
        context: &CallContext,
    ) -> Result<HttpResponse, PushError> {
        if *weight == Weight::Heavy {
            self.execution_budget.settle(context).await.map_err(|not_yet| request.not_yet(&not_yet))?;
        }
        context.turn().await.map_err(|not_yet| request.not_yet(&not_yet))?;
        let _permit = self.concurrency.enter().await;
        context.count_call();
        let sent = self.http.send(request, context);
        let response = match weight {
            Weight::Light => sent.await?,
            Weight::Heavy => self.execution_budget.while_paying(sent, context).await?,
        };
        self.concurrency.learn(&response.headers);
        Ok(response)
    }
}
