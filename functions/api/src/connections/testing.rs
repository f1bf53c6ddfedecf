//! Whether an account is usable, asked of the destination itself.

use crate::Api;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use relay_connectors::{Account, CallContext, Connector};
use relay_model::catalog::{Connection, Consent};
use relay_model::run::StopCode;
use relay_model::{ConnectionId, Destination};
use relay_pipeline::StageError;
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// API Gateway gives up after 30 seconds, so the destination gets a little less.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const PATIENCE: Duration = Duration::from_secs(24);

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(test))
}

/// What the destination says of an account.
#[derive(Debug, Serialize, ToSchema)]
struct Tested {
    /// Whether exports can use it.
    usable: bool,
    /// What the destination calls it, and what people should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
    /// Why it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<TestProblem>,
}

/// Why an account cannot be used.
#[derive(Debug, Serialize, ToSchema)]
struct TestProblem {
    /// A stable word.
    code: String,
    /// What is wrong, and what would mend it.
    text: String,
}

/// Signs in with a connection's credentials and looks whether they may do what an export needs. Changes nothing there.
#[utoipa::path(post, path = "/connections/{id}/test", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = Tested), Problems))]
async fn test(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Tested>, Problem> {
    let id = ConnectionId::try_from(id)?;
    let connection = api.saved::<Connection>(id.as_str()).await?.document;
    let deadline = Instant::now() + PATIENCE;
    let answer = timeout_at(deadline, api.ask(&connection, deadline)).await.unwrap_or_else(|_| {
        let text = format!("the destination has not answered within {} s", PATIENCE.as_secs());
        Err(StageError::again(StopCode::DestinationSlow, text))
    });
    Ok(Json(match answer {
        Ok(account) => Tested { usable: true, account: Some(account), problem: None },
        Err(error) => {
            let problem = TestProblem { code: error.code().to_string(), text: error.to_string() };
            Tested { usable: false, account: None, problem: Some(problem) }
        }
    }))
}

impl Api {
    /// Whether the connector takes the settings, which it knows alone. Nobody is asked.
    pub(super) fn check_settings(&self, connection: &Connection) -> Result<(), Problem> {
        // Whether somebody has agreed makes no difference to whether the settings can be read.
        let consent = Consent { by: String::new(), at: Timestamp::UNIX_EPOCH, text: String::new() };
        let connection = &Connection { consent: Some(consent), ..connection.clone() };
        let made = match connection.destination {
            Destination::CampaignMonitor => self.connections.campaign_monitor(connection).map(drop),
            Destination::Marketo => self.connections.marketo(connection).map(drop),
            Destination::Omnisend => self.connections.omnisend(connection).map(drop),
            Destination::Dynamics365Sales => self.connections.dynamics365_sales(connection).map(drop),
        };
        made.map_err(|error| Problem::field(error.code().as_str(), "/settings", error.to_string()))
    }

    async fn ask(&self, connection: &Connection, deadline: Instant) -> Result<Account, StageError> {
        let context = CallContext::until(deadline);
        Ok(match connection.destination {
            Destination::CampaignMonitor => {
                self.connections.campaign_monitor(connection)?.check(&context).await?
            }
            Destination::Marketo => self.connections.marketo(connection)?.check(&context).await?,
            Destination::Omnisend => self.connections.omnisend(connection)?.check(&context).await?,
            Destination::Dynamics365Sales => {
                self.connections.dynamics365_sales(connection)?.check(&context).await?
            }
        })
    }
}
