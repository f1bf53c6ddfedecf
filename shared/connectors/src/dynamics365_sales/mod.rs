//! Dynamics 365 Sales: marketing lists of contacts, over Dataverse's Web API (version 9.2).
//!
//! Contacts are found by their id and never made or changed: an export decides who is on a list and nothing else.
//!
//! `wire`, `batch`, `answers`, `classify`, `metadata` and `ids` are pure; `entra`, `auth`, `gate`, `debt` and `client`
//! make one call work; `check`, `prepare`, `lookup`, `members` and `count` are the connector's answers. The vendor's
//! documents are at <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/overview>.

mod answers;
mod auth;
mod batch;
mod board;
mod check;
mod classify;
mod client;
mod count;
mod debt;
mod entra;
mod gate;
mod ids;
mod lookup;
mod members;
mod metadata;
mod outcomes;
mod prepare;
mod settings;
mod size;
#[cfg(test)]
mod tests;
mod wire;

pub use metadata::{Adding, Removing};
pub use settings::{AUTHORITY_DOMAINS, ORGANISATION_DOMAINS, OptionsError};

use super::http::{FIRST_PAUSE, Patience};
use super::{
    Account, CallContext, CapScope, Connector, CredentialStore, ErrorKind, Estimate, HttpClient, LaneScope,
    Limits, NoJob, Pace, Prepared, PushError, Pushed, Retry, WantedList, Workload,
};
use client::{Client, Session};
use lookup::PerQuery;
use members::Membership;
use metadata::Actions;
use prepare::Preparation;
use relay_delivery::batch::Frame;
use relay_delivery::mapping::MatchKeyKind;
use relay_model::batch::{BatchLimits, Kind};
use relay_model::catalog::Export;
use relay_model::{Destination, ListId, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use settings::Settings;
use size::Size;
use std::time::Duration;
use tokio::sync::OnceCell;

/// What the organisation does for a call may take two minutes
/// (<https://learn.microsoft.com/power-apps/developer/data-platform/analyze-performance>); some more lets its end come
/// before ours.
const CALL_TIMEOUT: Duration = Duration::from_secs(130);

/// One organisation of Dynamics 365 Sales. `S` is where its secret is.
pub struct Dynamics365Sales<S> {
    client: Client<S>,
    additions: Size,
    removals: Size,
    per_query: PerQuery,
    actions: OnceCell<Actions>,
    first_pause: Duration,
}

/// What a push to Dynamics 365 Sales must know.
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
    /// A connector for one connection. `settings` are the connection's; the secret is read when it is first needed.
    pub fn new(http: HttpClient, settings: &Map<String, Value>, store: S) -> Result<Self, PushError> {
        Self::with_pause(http, settings, store, FIRST_PAUSE)
    }

    fn with_pause(
        http: HttpClient,
        settings: &Map<String, Value>,
        store: S,
        first_pause: Duration,
    ) -> Result<Self, PushError> {
        const OPERATION: &str = "use the connection's settings";
        let settings = Settings::parse(settings)
            .map_err(|error| failure(OPERATION, ErrorKind::Settings, error.to_string()))?;
        let size = || Size::new(settings.first_members, settings.largest_members, settings.call_goal);
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
        Session { context, patience: Patience::new(self.first_pause) }
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

    /// Additions look 5,000 contacts up with a call, then change members, as removals do, in calls whose size follows the
    /// organisation's speed: the estimate takes the first call's. They come one after the other, and each may take as
    /// long as the connection says that a call should.
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

/// An error that no answer is behind, and that trying again does not mend.
fn failure(operation: &'static str, kind: ErrorKind, message: impl Into<String>) -> PushError {
    PushError {
        kind,
        retry: Retry::Never,
        destination: Destination::Dynamics365Sales,
        operation,
        status: None,
        code: None,
        message: message.into(),
    }
}

/// Every row is settled or there is an error; anything else is a mistake of ours, and sending again is safe.
fn unsettled() -> PushError {
    let error = failure("change the marketing list", ErrorKind::Protocol, "not every contact has an outcome");
    PushError { retry: Retry::Backoff, ..error }
}
