//! The check of an export with its destination, when it is saved.

use crate::Api;
use crate::problem::{FieldProblem, Problem};
use axum::http::StatusCode;
use relay_model::catalog::{Connection, Export};
use relay_model::run::StopCode;
use relay_pipeline::{ExportCheck, StageError, require_consent};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;

/// How long the destination may take to respond. API Gateway closes the request after 30 seconds.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the destination is asked before an export is saved.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Check {
    /// Lists and fields must exist.
    #[default]
    Destination,
    /// Not before the next run.
    None,
}

/// Options of a request to save an export.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SavingQuery {
    /// Whether the destination is asked first. Default: `destination`.
    #[serde(default)]
    #[param(required = false)]
    pub(super) check: Check,
}

/// Runs the requested check and returns its warnings.
pub(super) async fn check_export(api: &Api, check: Check, export: &Export) -> Result<Vec<String>, Problem> {
    match check {
        Check::Destination => check_with_destination(api, export).await,
        Check::None => Ok(Vec::new()),
    }
}

/// Asks the destination whether it can take the export, and returns warnings. An unreachable destination does not prevent
/// saving, because each run asks it again.
async fn check_with_destination(api: &Api, export: &Export) -> Result<Vec<String>, Problem> {
    let Some(connection) = &export.connection else {
        return Ok(vec!["the export has no connection and does not run until it has one".to_owned()]);
    };
    let connection: Connection = api.requests.catalog.get(connection.as_str()).await?;
    if let Err(error) = require_consent(&connection) {
        return Ok(vec![format!("not checked with the destination: {error}")]);
    }
    let check = ExportCheck {
        catalog: api.requests.catalog.clone(),
        ledger: api.requests.ledger.clone(),
        connections: api.connections.clone(),
    };
    let deadline = Instant::now() + PATIENCE;
    match timeout_at(deadline, check.check(export, &connection, deadline)).await {
        Ok(Ok(notices)) => Ok(notices),
        // The check finds local errors before it needs credentials.
        Ok(Err(StageError::Stop { code, .. }))
            if code == StopCode::AuthenticationFailed && lacks_credentials(api, &connection).await =>
        {
            let id = &connection.id;
            Ok(vec![format!(
                "not checked with the destination: connection \"{id}\" has no credentials yet (PUT \
                 /connections/{id}/credentials, or segment-relay connections credentials {id})"
            )])
        }
        Ok(Err(StageError::Stop { code, text })) => {
            let detail = format!(
                "{text} (to save it without this check: ?check=none, or --no-check of segment-relay)"
            );
            let errors = vec![FieldProblem { field: String::new(), problem: text }];
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code.as_str(), detail).with_errors(errors))
        }
        Ok(Err(error)) => Ok(vec![format!("not checked with the destination: {error}")]),
        Err(_) => Ok(vec!["not checked with the destination: it took too long to respond".to_owned()]),
    }
}

/// Returns whether the connection's credentials are missing. Returns false if that cannot be determined, so that the error
/// of the check is reported.
async fn lacks_credentials(api: &Api, connection: &Connection) -> bool {
    matches!(api.connections.has_credentials(connection).await, Ok(false))
}
