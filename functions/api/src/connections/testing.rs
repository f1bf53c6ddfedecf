//! The test of a connection: can Segment Relay sign in at the destination, and does the account have the rights it needs?

use crate::Api;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use relay_connectors::{Account, CallContext, Connector};
use relay_model::catalog::Connection;
use relay_model::run::StopCode;
use relay_model::{ConnectionId, Destination};
use relay_pipeline::StageError;
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long the destination may take to respond. API Gateway closes the request after 30 seconds.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const PATIENCE: Duration = Duration::from_secs(24);

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(test))
}

/// The result of a connection test.
#[derive(Debug, Serialize, ToSchema)]
struct Tested {
    /// Whether exports can use the account.
    usable: bool,
    /// The account as the destination names it, with notices.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
    /// Why the account cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<TestProblem>,
}

/// Why an account cannot be used.
#[derive(Debug, Serialize, ToSchema)]
struct TestProblem {
    /// A stable code.
    code: String,
    /// What is wrong and how to fix it.
    text: String,
}

/// Signs in with a connection's credentials and checks that they have the rights that exports need. Changes nothing at the
/// destination.
#[utoipa::path(post, path = "/connections/{id}/test", tag = "connections", params(("id" = String, Path)),
    responses((status = 200, body = Tested), Problems))]
async fn test(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<Tested>, Problem> {
    let id = ConnectionId::try_from(id)?;
    let connection = api.saved::<Connection>(id.as_str()).await?.document;
    let deadline = Instant::now() + PATIENCE;
    let answer =
        timeout_at(deadline, check_account(&api, &connection, deadline)).await.unwrap_or_else(|_| {
            let text = format!("the destination did not respond within {} s", PATIENCE.as_secs());
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

/// Signs in at the destination and checks the account.
async fn check_account(api: &Api, connection: &Connection, deadline: Instant) -> Result<Account, StageError> {
    let context = CallContext::until(deadline);
    let connections = &api.connections;
    Ok(match connection.destination {
        Destination::CampaignMonitor => connections.campaign_monitor(connection)?.check(&context).await?,
        Destination::Marketo => connections.marketo(connection)?.check(&context).await?,
        Destination::Omnisend => connections.omnisend(connection)?.check(&context).await?,
        Destination::Dynamics365Sales => connections.dynamics365_sales(connection)?.check(&context).await?,
    })
}
