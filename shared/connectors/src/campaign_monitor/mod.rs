//! Campaign Monitor (API version 3.3): subscriber lists.
//!
//! `wire`, `answers` and `classify` are pure; `auth` and `client` make one call work; `check`, `prepare`, `import` and `removal`
//! are the connector's answers. The vendor's documents are at <https://www.campaignmonitor.com/api/v3-3/>.

mod answers;
mod auth;
mod check;
mod classify;
mod client;
mod import;
mod options;
mod prepare;
mod removal;
mod renewal;
mod secret;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

pub use options::{CampaignMonitorOptions, ConsentToTrack, DataType, NewField, OptionsError};

use super::http::{FIRST_PAUSE, Patience};
use super::{
    Account, CallContext, CapScope, Connector, CredentialStore, Endpoint, ErrorKind, Estimate, HttpClient,
    LaneScope, Limits, NoJob, Prepared, PushError, Pushed, Retry, WantedList, Workload,
};
use auth::Auth;
use client::{Client, Session};
use import::Importer;
use relay_delivery::batch::Frame;
use relay_delivery::mapping::MatchKeyKind;
use relay_model::batch::{BatchLimits, Kind};
use relay_model::catalog::Export;
use relay_model::{Destination, ListId, Row};
use removal::Remover;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use settings::{DEFAULT_LANES, Settings};
use std::time::Duration;

/// The vendor's own domains for its API (<https://www.campaignmonitor.com/api/v3-3/getting-started/>).
pub const DOMAINS: &[&str] = &["createsend.com"];

/// Code 209: "You can only add 1000 subscribers in one call"
/// (<https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>).
const MAX_IMPORT_ROWS: usize = 1_000;
/// "The call will only return back once all subscribers have been added" (same place). The vendor's Ruby client waits
/// 120 seconds (<https://github.com/campaignmonitor/createsend-ruby/blob/master/HISTORY.md>, v5.1.1); some more lets
/// its end come before ours.
const CALL_TIMEOUT: Duration = Duration::from_secs(150);
/// How long another process that renews a token is given, in each of three looks.
const LOOK_PAUSE: Duration = Duration::from_millis(700);

/// One account of Campaign Monitor. `S` is where its secret is.
pub struct CampaignMonitor<S> {
    client: Client<S>,
    settings: Settings,
    first_pause: Duration,
}

/// What a push to Campaign Monitor must know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignMonitorTarget {
    /// The list.
    pub list_id: ListId,
    /// What is said about consent to tracking for everybody who is sent.
    pub consent_to_track: ConsentToTrack,
    /// Keys of the mapped custom fields that hold days: clearing them has a form of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub day_fields: Vec<String>,
}

impl<S: CredentialStore> CampaignMonitor<S> {
    /// A connector for one connection. `settings` are the connection's; the secret is read when it is first needed.
    pub fn new(
        endpoint: Endpoint,
        http: HttpClient,
        settings: &Map<String, Value>,
        store: S,
    ) -> Result<Self, PushError> {
        Self::with_pauses(endpoint, http, settings, store, FIRST_PAUSE, LOOK_PAUSE)
    }

    fn with_pauses(
        endpoint: Endpoint,
        http: HttpClient,
        settings: &Map<String, Value>,
        store: S,
        first_pause: Duration,
        look_pause: Duration,
    ) -> Result<Self, PushError> {
        const OPERATION: &str = "use the connection's settings";
        let refuse = |message: String| failure(OPERATION, ErrorKind::Settings, message);
        endpoint.check(DOMAINS).map_err(|error| refuse(error.to_string()))?;
        let settings = Settings::parse(settings).map_err(|error| refuse(error.to_string()))?;
        let auth = Auth::new(store, http.clone(), endpoint.clone(), look_pause);
        Ok(Self { client: Client::new(http, endpoint, auth), settings, first_pause })
    }

    const fn session<'a>(&self, context: &'a CallContext) -> Session<'a> {
        Session { context, patience: Patience::new(self.first_pause) }
    }
}

impl<S: CredentialStore> Connector for CampaignMonitor<S> {
    const DESTINATION: Destination = Destination::CampaignMonitor;

    const LIMITS: Limits = Limits {
        batch: BatchLimits {
            upsert_rows: 1_000,
            // The vendor publishes no limit. A thousand people with ten fields are about 1 MB; this leaves room and
            // stays within what common gateways take.
            upsert_bytes: 3_900_000,
            // Two calls a person, one after the other: a minute's work, so that a lane is not blocked for longer.
            remove_rows: 100,
        },
        // The vendor publishes no rate for lists and subscribers. Four calls in flight are few, and take a million
        // people well within the 20 minutes that Dynamics 365 Customer Insights names for its own export
        // (<https://learn.microsoft.com/dynamics365/customer-insights/data/export-campaign-monitor>).
        lanes: DEFAULT_LANES,
        lane_scope: LaneScope::Connection,
        // One million profiles per export (same page).
        cap_rows: 1_000_000,
        cap_scope: CapScope::Export,
        call_timeout: CALL_TIMEOUT,
    };

    type Target = CampaignMonitorTarget;

    type Job = NoJob;

    fn lanes(&self) -> u16 {
        self.settings.lanes
    }

    fn match_key(&self, _export: &Export) -> Option<MatchKeyKind> {
        Some(MatchKeyKind::Email)
    }

    fn row_bytes(row: &Row, field_keys: &[String]) -> u64 {
        wire::row_bytes(row, field_keys)
    }

    async fn check(&self, context: &CallContext) -> Result<Account, PushError> {
        check::check(&self.client, self.settings.client_id.as_deref(), &self.session(context)).await
    }

    async fn prepare(
        &self,
        export: &Export,
        list: &WantedList,
        context: &CallContext,
    ) -> Result<Prepared<Self::Target>, PushError> {
        prepare::prepare(&self.client, export, list, &self.session(context)).await
    }

    /// An import is one call a batch, and a removal two for each person: a look and the removal.
    fn estimate(&self, _target: &Self::Target, workload: &Workload<'_>) -> Estimate {
        let imports = workload.sum(Kind::Upsert, |_| 1);
        let removals = workload.sum(Kind::Remove, |rows| 2 * rows);
        Estimate::at(imports + removals, self.pace().as_ref())
    }

    async fn push(
        &self,
        target: &Self::Target,
        kind: Kind,
        frame: &Frame,
        context: &CallContext,
    ) -> Result<Pushed<NoJob>, PushError> {
        let (client, session) = (&self.client, &self.session(context));
        match kind {
            Kind::Upsert => {
                let max_body_bytes = self.settings.max_body_bytes;
                Importer { client, session, target, max_body_bytes }.import(frame).await.map(Pushed::Done)
            }
            Kind::Remove => Remover { client, session, target }.remove(frame).await.map(Pushed::Done),
        }
    }

    async fn poll(
        &self,
        _target: &Self::Target,
        job: NoJob,
        _frame: &Frame,
        _context: &CallContext,
    ) -> Result<Pushed<NoJob>, PushError> {
        match job {}
    }
}

/// An error that no answer is behind, and that trying again does not mend.
fn failure(operation: &'static str, kind: ErrorKind, message: impl Into<String>) -> PushError {
    PushError {
        kind,
        retry: Retry::Never,
        destination: Destination::CampaignMonitor,
        operation,
        status: None,
        code: None,
        message: message.into(),
    }
}
