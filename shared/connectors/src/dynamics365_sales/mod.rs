//! Dynamics 365 Sales: marketing lists of contacts, over Dataverse's Web API (version 9.2).
//!
//! Contacts are found by their id and never created or changed: an export changes the members of a list and nothing else.
//!
//! `settings` is the configuration; `auth`, `client`, `concurrency` and `execution_budget` make calls within the
//! organisation's limits; `wire`, `batch`, `errors`, `metadata`, `progress` and `ids` do no I/O; `check`, `prepare`,
//! `lookup`, `push`, `remove` and `count` implement the connector. The vendor's documentation is at
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview>.

mod auth;
mod batch;
mod call_size;
mod check;
mod client;
mod concurrency;
mod count;
mod errors;
mod execution_budget;
mod ids;
mod lookup;
mod metadata;
mod prepare;
mod progress;
mod push;
mod remove;
mod settings;
#[cfg(test)]
mod tests;
mod wire;

pub use metadata::{Adding, Removing};
pub use settings::{
    AUTHORITY_DOMAINS, Dynamics365SalesOptions, Dynamics365SalesSettings, ORGANISATION_DOMAINS,
};

use super::http::{FIRST_PAUSE, Session};
use super::{
    Account, CallContext, CapScope, Connector, CredentialStore, ErrorKind, Estimate, HttpClient, LaneScope,
    Limits, NoJob, Pace, Prepared, PushError, Pushed, Retry, WantedList, Workload,
};
use call_size::CallSize;
use client::Client;
use lookup::PerQuery;
use metadata::Actions;
use prepare::Preparation;
use push::Membership;
use relay_delivery::batch::Frame;
use relay_delivery::mapping::MatchKeyKind;
use relay_model::batch::{BatchLimits, Kind};
use relay_model::catalog::Export;
use relay_model::{Destination, ListId, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use settings::Settings;
use std::time::Duration;
use tokio::sync::OnceCell;

/// The organisation may work on a call for two minutes
/// (<https://learn.microsoft.com/power-apps/developer/data-platform/analyze-performance>); some more lets its end come
/// before ours.
const CALL_TIMEOUT: Duration = Duration::from_secs(130);

/// One organisation of Dynamics 365 Sales. `S` is where its secret is.
pub struct Dynamics365Sales<S> {
    client: Client<S>,
    additions: CallSize,
    removals: CallSize,
    per_query: PerQuery,
    actions: OnceCell<Actions>,
    first_pause: Duration,
}

/// What a push to Dynamics 365 Sales needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dynamics365SalesTarget {
    /// The marketing list.
    pub list_id: ListId,
    /// How the organisation adds members.
    #[serde(default)]
    pub adding: Adding,
    /// How the organisation removes members.
    #[serde(default)]
    pub removing: Removing,
}

impl Dynamics365SalesTarget {
    const fn is_one_by_one(&self) -> bool {
        matches!(self.adding, Adding::OneByOne) || !matches!(self.removing, Removing::Many)
    }
}

impl<S: CredentialStore> Dynamics365Sales<S> {
    /// Creates a connector for one connection with its settings. The secret is read when it is first needed.
    pub fn new(http: HttpClient, settings: &Map<String, Value>, store: S) -> Result<Self, PushError> {
        Self::with_pause(http, settings, store, FIRST_PAUSE)
    }

    fn with_pause(
        http: HttpClient,
        settings: &Map<String, Value>,
        store: S,
        first_pause: Duration,
    ) -> Result<Self, PushError> {
        let settings = parse_settings(settings)?;
        let size = || CallSize::new(settings.first_members, settings.largest_members, settings.call_goal);
        Ok(Self {
            additions: size(),
            removals: size(),
            per_query: PerQuery::default(),
            actions: OnceCell::new(),
            first_pause,
            client: Client::new(http, settings, store),
        })
    }

    const fn session<'a>(&self, context: &'a CallContext) -> Session<'a> {
        Session::new(context, self.first_pause)
    }
}

impl<S: CredentialStore> Connector for Dynamics365Sales<S> {
    const DESTINATION: Destination = Destination::Dynamics365Sales;

    const LIMITS: Limits = Limits {
        batch: BatchLimits {
            // No most is published for a call; its size follows its time. A batch of a few calls keeps look-ups and
            // messages few, and what has to be done again after a crash small.
            upsert_rows: 5_000,
            upsert_bytes: 1_000_000,
            remove_rows: 5_000,
        },
        // Two writes to one list at a time end in deadlocks of the database
        // (<https://learn.microsoft.com/power-apps/developer/data-platform/bulk-operations>).
        lanes: 1,
        lane_scope: LaneScope::List,
        // "Limited to 100,000 contacts per segment"
        // (<https://learn.microsoft.com/dynamics365/customer-insights/data/export-dynamics365-sales>).
        cap_rows: 100_000,
        cap_scope: CapScope::Segment,
        call_timeout: CALL_TIMEOUT,
    };

    type Target = Dynamics365SalesTarget;

    type Job = NoJob;

    fn lanes(&self) -> u16 {
        1
    }

    fn pace(&self) -> Option<Pace> {
        Some(self.client.settings.pace.clone())
    }

    fn match_key(&self, _export: &Export) -> Option<MatchKeyKind> {
        Some(MatchKeyKind::Guid)
    }

    fn row_bytes(row: &Row, _field_keys: &[String]) -> u64 {
        wire::row_bytes(row)
    }

    async fn check(&self, context: &CallContext) -> Result<Account, PushError> {
        check::check(&self.client, &self.session(context)).await
    }

    async fn prepare(
        &self,
        export: &Export,
        list: &WantedList,
        context: &CallContext,
    ) -> Result<Prepared<Self::Target>, PushError> {
        let session = &self.session(context);
        Preparation { client: &self.client, session, actions: &self.actions }.prepare(export, list).await
    }

    /// Additions look up 5,000 contacts in a call. Additions and removals then change members in calls that follow the
    /// organisation's speed; the estimate assumes the size of the first call. Calls are made in sequence, and each may take
    /// as long as `call_seconds` says.
    fn estimate(&self, target: &Self::Target, workload: &Workload<'_>) -> Estimate {
        let settings = &self.client.settings;
        let set = u64::try_from(settings.first_members).unwrap_or(u64::MAX).max(1);
        let one_by_one = set.min(u64::try_from(batch::MOST_OPERATIONS).unwrap_or(u64::MAX));
        let size = |is_set: bool| if is_set { set } else { one_by_one };
        let add = size(!matches!(target.adding, Adding::OneByOne));
        let remove = size(matches!(target.removing, Removing::Many));
        let look_ups = workload.sum(Kind::Upsert, |rows| rows.div_ceil(lookup::AT_A_TIME));
        let changes = workload.sum(Kind::Upsert, |rows| rows.div_ceil(add))
            + workload.sum(Kind::Remove, |rows| rows.div_ceil(remove));
        let paced = Estimate::at(look_ups + changes, Some(&settings.pace));
        let busy_seconds = settings.call_goal.as_secs().saturating_mul(changes);
        Estimate { seconds: paced.seconds.max(Some(busy_seconds)), ..paced }
    }

    async fn push(
        &self,
        target: &Self::Target,
        kind: Kind,
        frame: &Frame,
        context: &CallContext,
    ) -> Result<Pushed<NoJob>, PushError> {
        let (client, session, per_query) = (&self.client, &self.session(context), &self.per_query);
        let size = match kind {
            Kind::Upsert => &self.additions,
            Kind::Remove => &self.removals,
        };
        Membership { client, session, target, kind, size, per_query }.push(&frame.rows).await
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

    async fn count_members(
        &self,
        target: &Self::Target,
        context: &CallContext,
    ) -> Result<Option<u64>, PushError> {
        count::count(&self.client, target, &self.session(context)).await
    }
}

/// Checks a connection's settings, without credentials and without a call.
pub fn validate_settings(settings: &Map<String, Value>) -> Result<(), PushError> {
    parse_settings(settings).map(drop)
}

/// Checks an export's options, as far as that is possible without a call.
pub fn validate_options(options: &Map<String, Value>) -> Result<(), PushError> {
    Dynamics365SalesOptions::parse(options)
        .map(drop)
        .map_err(|error| error.push_error(Destination::Dynamics365Sales, "use the export's options"))
}

fn parse_settings(settings: &Map<String, Value>) -> Result<Settings, PushError> {
    Settings::parse(settings)
        .map_err(|error| error.push_error(Destination::Dynamics365Sales, "use the connection's settings"))
}

/// Returns a permanent error that is not a response of the destination.
fn failure(operation: &'static str, kind: ErrorKind, message: impl Into<String>) -> PushError {
    PushError::permanent(Destination::Dynamics365Sales, operation, kind, message)
}

/// Returns the error of a batch that ended without a result for every row. Sending it again is safe.
fn unsettled() -> PushError {
    let error = failure("change the marketing list", ErrorKind::Protocol, "not every contact has an outcome");
    PushError { retry: Retry::Backoff, ..error }
}
