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

/// Which runs are wanted, and which part of them.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunsQuery {
    /// How many runs at the most; 50 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[param(max_length = 64)]
    cursor: Option<String>,
    /// The states that are wanted, separated by commas; all where it is not given.
    #[serde(default)]
    #[param(required = false, value_type = Vec<RunState>, style = Form, explode = false)]
    state: States,
    /// Runs that were asked for then or later.
    since: Option<Timestamp>,
    /// Runs that were asked for before.
    until: Option<Timestamp>,
    /// Runs of this export only, of one too that has been removed.
    export: Option<ExportId>,
}

/// States as they stand in a query.
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

/// The runs of all exports, the newest first, dry runs (`mode`) among them. Runs of exports that have been removed are
/// left out, unless one of them is asked for.
///
/// A page takes one short query for each export and one read for each run, so it takes longer the more exports there
/// are, and no longer the more they have run. Where `state` is given, a page may have fewer runs than `limit`, or none,
/// and a `next_cursor` all the same.
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
