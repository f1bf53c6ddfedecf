//! Whether the destination can take an export, looked at when it is saved.

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

/// API Gateway gives up after 30 seconds, so the destination gets less.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether the destination is asked before an export is saved.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Check {
    /// Lists and fields have to be there.
    #[default]
    Destination,
    /// The next run will tell.
    None,
}

/// How an export is saved.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SavingQuery {
    /// Whether the destination is asked first: `destination` where it is not given.
    #[serde(default)]
    #[param(required = false)]
    pub(super) check: Check,
}

impl Api {
    /// Checks what is wanted, and gives what people should know.
    pub(super) async fn check_export(&self, check: Check, export: &Export) -> Result<Vec<String>, Problem> {
        match check {
            Check::Destination => self.check_with_destination(export).await,
            Check::None => Ok(Vec::new()),
        }
    }

    /// Asks the destination whether it can take the export, and gives what people should know. A destination that
    /// cannot be asked now keeps nobody from saving: it is asked again before each run.
    async fn check_with_destination(&self, export: &Export) -> Result<Vec<String>, Problem> {
        let Some(connection) = &export.connection else {
            return Ok(vec!["the export has no connection: it does not run until it has one".to_owned()]);
        };
        let connection: Connection = self.requests.catalog.get(connection.as_str()).await?;
        if let Err(error) = require_consent(&connection) {
            return Ok(vec![format!("not checked with the destination: {error}")]);
        }
        let check = ExportCheck {
            catalog: self.requests.catalog.clone(),
            ledger: self.requests.ledger.clone(),
            connections: self.connections.clone(),
        };
        let deadline = Instant::now() + PATIENCE;
        match timeout_at(deadline, check.check(export, &connection, deadline)).await {
            Ok(Ok(notices)) => Ok(notices),
            // Whatever else is wrong is found out without them.
            Ok(Err(StageError::Stop { code, .. }))
                if code == StopCode::AuthenticationFailed && self.lacks_credentials(&connection).await =>
            {
                let id = &connection.id;
                Ok(vec![format!(
                    "not checked with the destination: connection \"{id}\" has no credentials yet (PUT \
                     /connections/{id}/credentials, or segment-relay connections credentials {id})"
                )])
            }
            Ok(Err(StageError::Stop { code, text })) => {
                let detail =
                    format!("{text} (to save it all the same: ?check=none, or --no-check of segment-relay)");
                let errors = vec![FieldProblem { field: String::new(), problem: text }];
                Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code.as_str(), detail).with_errors(errors))
            }
            Ok(Err(error)) => Ok(vec![format!("not checked with the destination: {error}")]),
            Err(_) => Ok(vec!["not checked with the destination: it took too long to answer".to_owned()]),
        }
    }

    /// Whether nobody has stored the connection's credentials yet. Where that cannot be found out, what the check said
    /// stands.
    async fn lacks_credentials(&self, connection: &Connection) -> bool {
        matches!(self.connections.has_credentials(connection).await, Ok(false))
    }
}
