//! Overviews of exports: connection, last run, next run and the caller's permission.

use crate::Api;
use crate::caller::{Caller, Role};
use crate::definitions::{DocumentList, SavedDocument};
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

/// Whether the response includes overviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OverviewChoice {
    /// With overviews.
    #[default]
    Full,
    /// Definitions only. This saves two reads for each export.
    None,
}

/// The requested page of the exports, and whether it includes overviews.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Maximum number of exports. Default: 50.
    #[param(minimum = 1, maximum = 100)]
    pub(super) limit: Option<u32>,
    /// `next_cursor` of the previous page.
    #[param(max_length = 64)]
    pub(super) cursor: Option<String>,
    /// Whether the exports include their overviews. Default: `full`.
    #[serde(default)]
    #[param(required = false)]
    pub(super) overview: OverviewChoice,
}

/// Whether the requested export includes its overview.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReadQuery {
    /// Whether the export includes its overview. Default: `full`.
    #[serde(default)]
    #[param(required = false)]
    pub(super) overview: OverviewChoice,
}

/// An export with its overview.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListedExport {
    #[serde(flatten)]
    saved: SavedDocument<Export>,
    /// The overview, if requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    overview: Option<Overview>,
}

/// One page of the exports.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExportList {
    /// The exports, sorted by id.
    items: Vec<ListedExport>,
    /// The cursor of the next page; null on the last page.
    next_cursor: Option<String>,
    /// One error for each stored definition that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<String>,
}

/// The connection, the runs and the caller's permission of an export.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
struct Overview {
    /// The display name of its connection; null if the export is detached.
    connection_name: Option<String>,
    /// The destination of its connection; null if the export is detached.
    destination: Option<Destination>,
    /// The active run, or else the run that ended last. Dry runs are left out.
    last_run: Option<LastRun>,
    /// When the schedule starts the next run; null if only a request or a refresh starts one, or if the export is disabled or
    /// detached.
    next_run_at: Option<Timestamp>,
    /// When the last run ended that delivered everything, which is the age of the data at the destination.
    delivered_at: Option<Timestamp>,
    /// What the caller may do with the export.
    permission: Permission,
}

/// A summary of a run.
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

/// What a caller may do with an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Permission {
    /// Change it, run it, and decide about its runs.
    Edit,
    /// Read it.
    View,
}

impl Permission {
    /// Returns what a role may do with an export of this connection. It follows the rules of `require_use`.
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

/// Adds the overviews to one page of exports.
pub(super) async fn with_overviews(
    api: &Api,
    caller: &Caller,
    list: DocumentList<Export>,
    choice: OverviewChoice,
) -> Result<ExportList, Problem> {
    let DocumentList { items, next_cursor, unreadable } = list;
    let items = match choice {
        OverviewChoice::None => {
            items.into_iter().map(|saved| ListedExport { saved, overview: None }).collect()
        }
        OverviewChoice::Full => overviews(api, caller, items).await?,
    };
    Ok(ExportList { items, next_cursor, unreadable })
}

async fn overviews(
    api: &Api,
    caller: &Caller,
    items: Vec<SavedDocument<Export>>,
) -> Result<Vec<ListedExport>, Problem> {
    let ids: Vec<ExportId> = items.iter().map(|saved| saved.document.id.clone()).collect();
    let connections = api.requests.catalog.list::<Connection>().await?;
    let connections: HashMap<ConnectionId, Connection> =
        connections.into_iter().flatten().map(|saved| (saved.document.id.clone(), saved.document)).collect();
    let latest = api.requests.ledger.latest_runs(&ids).await?;
    let now = timestamp_now();
    let listed = |(saved, latest): (SavedDocument<Export>, LatestRun)| {
        let connection = saved.document.connection.as_ref().and_then(|id| connections.get(id));
        let overview = Overview::of(caller.role, &saved.document, connection, latest, now);
        ListedExport { saved, overview: Some(overview) }
    };
    Ok(items.into_iter().zip(latest).map(listed).collect())
}

/// Adds the overview to one export.
pub(super) async fn with_overview(
    api: &Api,
    caller: &Caller,
    saved: Saved<Export>,
    choice: OverviewChoice,
) -> Result<ListedExport, Problem> {
    if choice == OverviewChoice::None {
        return Ok(ListedExport { saved: saved.into(), overview: None });
    }
    let export = &saved.document;
    let connection = match &export.connection {
        Some(id) => match api.requests.catalog.find::<Connection>(id.as_str()).await {
            Ok(found) => found.map(|saved| saved.document),
            // An unreadable connection is treated as missing here; the list of connections reports the error.
            Err(LookupError::Catalog(_)) => None,
            Err(error) => return Err(error.into()),
        },
        None => None,
    };
    let latest = api.requests.ledger.latest_run(&export.id).await?;
    let overview = Overview::of(caller.role, export, connection.as_ref(), latest, timestamp_now());
    Ok(ListedExport { saved: saved.into(), overview: Some(overview) })
}

#[cfg(test)]
#[path = "overview_tests.rs"]
mod tests;
