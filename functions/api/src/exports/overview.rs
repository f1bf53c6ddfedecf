//! Exports as people look at them all day: beside each definition, where it goes, how its last run went, when the next
//! one will be, and whether whoever looks may change it.

use crate::Api;
use crate::caller::{Caller, Role};
use crate::documents::{DocumentList, SavedDocument};
use crate::problem::Problem;
use jiff::Timestamp;
use relay_cloud::ledger::LatestRun;
use relay_cloud::timestamp_now;
use relay_cloud::{LookupError, Saved};
use relay_model::catalog::{Connection, Export, UseBy};
use relay_model::run::{Run, RunMode, RunState};
use relay_model::{ConnectionId, Counts, Destination, ExportId, RunId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

/// Whether exports come with their overviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OverviewChoice {
    /// With them.
    #[default]
    Full,
    /// Without, for whoever reads the definitions only: it spares two reads for each export.
    None,
}

/// Which part of the exports is wanted, and how much of each.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// How many exports at the most; 50 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[param(max_length = 64)]
    pub(super) cursor: Option<String>,
    /// Whether they come with their overviews: `full` where it is not given.
    #[serde(default)]
    #[param(required = false)]
    pub(super) overview: OverviewChoice,
}

/// How much of an export is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReadQuery {
    /// Whether it comes with its overview: `full` where it is not given.
    #[serde(default)]
    #[param(required = false)]
    pub(super) overview: OverviewChoice,
}

/// An export, and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListedExport {
    #[serde(flatten)]
    saved: SavedDocument<Export>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    overview: Option<Overview>,
}

/// A part of the exports.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExportList {
    /// The exports, by their ids.
    items: Vec<ListedExport>,
    /// Where to go on; null at the end.
    next_cursor: Option<String>,
    /// What is wrong with stored definitions that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

/// Where an export stands.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct Overview {
    /// What people call its connection; null where it has none.
    connection_name: Option<String>,
    /// Which kind of system it goes to; null where it has no connection.
    destination: Option<Destination>,
    /// The run under way, and where there is none the one that ended last. Dry runs are left out.
    last_run: Option<LastRun>,
    /// When it runs next by itself; null where nothing but a request or a refresh runs it, where it is disabled, and
    /// where it has no connection.
    next_run_at: Option<Timestamp>,
    /// When a run that brought everything ended last; what is at the destination is as old.
    delivered_at: Option<Timestamp>,
    /// What the caller may do with it.
    permission: Permission,
}

/// A run in short.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct LastRun {
    /// Its id.
    run_id: RunId,
    /// Where it is.
    state: RunState,
    /// What it is to deliver.
    mode: RunMode,
    /// When it was asked for.
    requested_at: Timestamp,
    /// When it began.
    started_at: Option<Timestamp>,
    /// When it ended.
    ended_at: Option<Timestamp>,
    /// Rows that came in, once they are known.
    rows_in: Option<u64>,
    /// What has become of them, so far.
    counts: Counts,
    /// The stable word for why it stopped; the run itself says more.
    failure_code: Option<String>,
}

impl From<Run> for LastRun {
    fn from(run: Run) -> Self {
        Self {
            run_id: run.run_id,
            state: run.state,
            mode: run.mode,
            requested_at: run.requested_at,
            started_at: run.snapshot_started_at,
            ended_at: run.ended_at,
            rows_in: run.rows_in,
            counts: run.counts,
            failure_code: run.failure.map(|failure| failure.code.to_string()),
        }
    }
}

/// What somebody may do with an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Permission {
    /// Change it, run it, and decide about its runs.
    Edit,
    /// Look at it.
    View,
}

impl Permission {
    /// What somebody in a role may do with an export of this connection; as `require_use` has it.
    fn of(role: Role, export: &Export, connection: Option<&Connection>) -> Self {
        let is_shared = connection.is_some_and(|connection| connection.use_by == UseBy::Contributors);
        match role {
            Role::Administrator => Self::Edit,
            Role::Contributor if export.connection.is_none() || is_shared => Self::Edit,
            Role::Contributor | Role::Viewer => Self::View,
        }
    }
}

impl Overview {
    fn of(
        role: Role,
        export: &Export,
        connection: Option<&Connection>,
        latest: LatestRun,
        now: Timestamp,
    ) -> Self {
        let runs_by_itself = export.enabled && export.connection.is_some();
        Self {
            connection_name: connection.map(|connection| connection.name.clone()),
            destination: connection.map(|connection| connection.destination),
            last_run: latest.run.map(LastRun::from),
            next_run_at: export.schedule.next_due(now).filter(|_| runs_by_itself),
            delivered_at: latest.delivered_at,
            permission: Permission::of(role, export, connection),
        }
    }
}

impl Api {
    /// A part of the exports with their overviews.
    pub(super) async fn with_overviews(
        &self,
        caller: &Caller,
        list: DocumentList<Export>,
        choice: OverviewChoice,
    ) -> Result<ExportList, Problem> {
        let DocumentList { items, next_cursor, unreadable } = list;
        let items = match choice {
            OverviewChoice::None => {
                items.into_iter().map(|saved| ListedExport { saved, overview: None }).collect()
            }
            OverviewChoice::Full => self.overviews(caller, items).await?,
        };
        Ok(ExportList { items, next_cursor, unreadable })
    }

    async fn overviews(
        &self,
        caller: &Caller,
        items: Vec<SavedDocument<Export>>,
    ) -> Result<Vec<ListedExport>, Problem> {
        let ids: Vec<ExportId> = items.iter().map(|saved| saved.document.id.clone()).collect();
        let connections = self.requests.catalog.list::<Connection>().await?;
        let connections: HashMap<ConnectionId, Connection> = connections
            .into_iter()
            .flatten()
            .map(|saved| (saved.document.id.clone(), saved.document))
            .collect();
        let latest = self.requests.ledger.latest_runs(&ids).await?;
        let now = timestamp_now();
        let listed = |(saved, latest): (SavedDocument<Export>, LatestRun)| {
            let connection = saved.document.connection.as_ref().and_then(|id| connections.get(id));
            let overview = Overview::of(caller.role, &saved.document, connection, latest, now);
            ListedExport { saved, overview: Some(overview) }
        };
        Ok(items.into_iter().zip(latest).map(listed).collect())
    }

    /// One export with its overview.
    pub(super) async fn with_overview(
        &self,
        caller: &Caller,
        saved: Saved<Export>,
        choice: OverviewChoice,
    ) -> Result<ListedExport, Problem> {
        if choice == OverviewChoice::None {
            return Ok(ListedExport { saved: saved.into(), overview: None });
        }
        let export = &saved.document;
        let connection = match &export.connection {
            Some(id) => match self.requests.catalog.find::<Connection>(id.as_str()).await {
                Ok(found) => found.map(|saved| saved.document),
                // One that cannot be read is as good as none here; the list of connections says what is wrong.
                Err(LookupError::Catalog(_)) => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let latest = self.requests.ledger.latest_run(&export.id).await?;
        let overview = Overview::of(caller.role, export, connection.as_ref(), latest, timestamp_now());
        Ok(ListedExport { saved: saved.into(), overview: Some(overview) })
    }
}

#[cfg(test)]
#[path = "overview_tests.rs"]
mod tests;
