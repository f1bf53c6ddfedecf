//! The runs of all exports.

use super::RunList;
use crate::Api;
use crate::extract::Page;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use relay_cloud::ledger::RunFilter;
use relay_model::ExportId;
use relay_model::catalog::Export;
use relay_model::run::RunState;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The filter and the requested page.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunsQuery {
    /// Maximum number of runs. Default: 50.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the previous page.
    #[param(max_length = 64)]
    cursor: Option<String>,
    /// The requested states, separated by commas. Default: all.
    #[serde(default)]
    #[param(required = false, value_type = Vec<RunState>, style = Form, explode = false)]
    state: States,
    /// Only runs requested at or after this time.
    since: Option<Timestamp>,
    /// Only runs requested before this time.
    until: Option<Timestamp>,
    /// Only runs of this export, which may have been removed.
    export: Option<ExportId>,
}

/// States, separated by commas in a query.
#[derive(Debug, Default, PartialEq, Eq)]
struct States(Vec<RunState>);

impl<'de> Deserialize<'de> for States {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let state = |name: &str| {
            RunState::from_name(name).ok_or_else(|| D::Error::custom(format!("there is no state \"{name}\"")))
        };
        text.split(',').map(state).collect::<Result<_, _>>().map(Self)
    }
}

/// Lists the runs of all exports, newest first, including dry runs (see `mode`). Runs of removed exports are left out unless
/// `export` names one.
///
/// A page takes one short query for each export and one read for each run, so its duration depends on the number of exports
/// and not on the length of their history. With `state`, a page can have fewer runs than `limit`, or none, and still have a
/// `next_cursor`.
#[utoipa::path(get, path = "/runs", tag = "runs", params(RunsQuery),
    responses((status = 200, body = RunList), Problems))]
async fn list(
    State(api): State<Api>,
    query: Result<Query<RunsQuery>, QueryRejection>,
) -> Result<Json<RunList>, Problem> {
    let Query(query) = query.map_err(|error| Problem::query(&error))?;
    let RunsQuery { limit, cursor, state: States(states), since, until, export } = query;
    let page = Page::checked(limit, cursor)?;
    let cursor = page.cursor.as_deref().map(str::parse).transpose()?;
    let exports = if let Some(export) = export {
        vec![export]
    } else {
        let ids = api.requests.catalog.ids::<Export>().await?;
        ids.into_iter().filter_map(|id| ExportId::try_from(id).ok()).collect()
    };
    let filter = RunFilter { states, since, until };
    let limit = usize::try_from(page.limit).unwrap_or_default();
    Ok(Json(api.requests.ledger.runs_of(&exports, &filter, limit, cursor).await?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Uri;

    #[track_caller]
    fn check(query: &str, expected: Result<&[RunState], &str>) {
        let uri: Uri = format!("/runs?{query}").parse().unwrap();
        let found = Query::<RunsQuery>::try_from_uri(&uri);
        match (found, expected) {
            (Ok(Query(found)), Ok(states)) => assert_eq!(found.state.0, states, "{query}"),
            (Err(error), Err(words)) => assert!(error.body_text().contains(words), "{query}: {error:?}"),
            (found, _) => panic!("{query}: {found:?}"),
        }
    }

    #[test]
    fn states_are_named_with_commas_between() {
        check("limit=10", Ok(&[]));
        check("state=failed", Ok(&[RunState::Failed]));
        check("state=failed,held", Ok(&[RunState::Failed, RunState::Held]));
        check("state=failed%2Cheld", Ok(&[RunState::Failed, RunState::Held]));
        check("state=", Err("there is no state \"\""));
        check("state=failed,gone", Err("there is no state \"gone\""));
        check("state=failed&state=held", Err("duplicate field"));
        check("export=Not%20an%20id", Err("export"));
        check("since=2026-11-21T10:00:00Z&until=2026-11-22T10:00:00%2B01:00&export=news", Ok(&[]));
        check("since=yesterday", Err("since"));
        check("stat=failed", Err("unknown field"));
    }
}
