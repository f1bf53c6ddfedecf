//! The sandboxes of Marketo Engage, Omnisend and Dynamics 365 Sales.

use std::collections::BTreeMap;

use sandbox::dynamics365_sales::{self, ExecutionTimes, NewApplication};
use sandbox::marketo::{self, DataType, Endpoint, Field, NewService};
use sandbox::omnisend::{self, BrandId, NewBrand};
use serde_json::{Value, json};

use super::{Tool, Values, World, example_catalog};
use crate::Error;
use crate::cloud::{Cloud, StackOutputs};
use crate::console::Progress;

/// The example catalog's connection to Campaign Monitor.
pub const CAMPAIGN_MONITOR: &str = "campaign-monitor";

/// The acceleration of the destinations' time: limit windows, latencies and jobs are shorter by this
/// factor, and so are the connections' settings.
const TIME_SCALE: u32 = 20;
/// The response time of a call, in milliseconds of the vendors' time. No vendor publishes a figure.
const LATENCY_MS: u64 = 300;
/// The vendors' rolling windows for rate limits, in milliseconds.
/// <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/marketo-integration-best-practices>
const MARKETO_WINDOW_MS: u64 = 20_000;
/// <https://api-docs.omnisend.com/reference/rate-limit-timeouts-errors>
const OMNISEND_WINDOW_MS: u64 = 60_000;
/// <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>
const DYNAMICS_WINDOW_MS: u64 = 300_000;
/// The poll interval of jobs.
const POLL_MS: u64 = 5_000;
/// The maximum duration of a call that changes members, in seconds.
const CALL_SECONDS: f64 = 10.0;

/// An account at each destination other than Campaign Monitor, in sandboxes that enforce the documented limits.
pub struct Destinations {
    /// Marketo Engage.
    pub marketo: marketo::Sandbox,
    /// Omnisend.
    pub omnisend: omnisend::Sandbox,
    /// The brand that the connection belongs to.
    pub brand: BrandId,
    /// Dynamics 365 Sales.
    pub dynamics365_sales: dynamics365_sales::Sandbox,
    /// The values for `${name}` in their connections.
    pub values: Values,
    /// Their credentials and Campaign Monitor's, by the ids of the example catalog's connections.
    pub credentials: BTreeMap<&'static str, Value>,
}

impl Destinations {
    /// Starts them. No credentials are stored.
    pub async fn start(world: &World, progress: &Progress) -> Result<Self, Error> {
        progress.step("starting the sandboxes of Marketo Engage, Omnisend and Dynamics 365 Sales");
        let outputs = world.cloud.outputs();
        let mut values = Values::new();
        let (marketo, marketo_credentials) = start_marketo(outputs, &mut values).await?;
        let (omnisend, brand) = start_omnisend(outputs, &mut values).await?;
        let (dynamics365_sales, application) = start_dynamics(outputs, &mut values).await?;
        let credentials = BTreeMap::from([
            (CAMPAIGN_MONITOR, json!({ "api_key": world.account.api_key })),
            ("marketo", marketo_credentials),
            ("omnisend", json!({ "api_key": brand.api_key })),
            ("dynamics365-sales", application),
        ]);
        let brand = brand.brand_id;
        Ok(Self { marketo, omnisend, brand, dynamics365_sales, values, credentials })
    }

    /// Applies the example catalog, and stores the connections' credentials.
    pub async fn define(&self, cloud: &Cloud, values: &Values) -> Result<(), Error> {
        let tool = Tool::of(cloud, "demo")?;
        tool.apply(&example_catalog(), values).await?;
        for (connection, credentials) in &self.credentials {
            tool.connect(connection, credentials).await?;
        }
        Ok(())
    }

    /// Ends them.
    pub async fn stop(self) {
        self.marketo.stop().await;
        self.omnisend.stop().await;
        self.dynamics365_sales.stop().await;
    }
}

async fn start_marketo(
    outputs: &StackOutputs,
    values: &mut Values,
) -> Result<(marketo::Sandbox, Value), Error> {
    let options = marketo::Options {
        time_scale: f64::from(TIME_SCALE),
        latency_ms: LATENCY_MS,
        latency_ms_of: [(Endpoint::Import, 2 * LATENCY_MS)].into(),
        ..marketo::Options::default()
    };
    let sandbox =
        marketo::Sandbox::start(options).await.map_err(Error::start("the Marketo Engage sandbox"))?;
    sandbox.add_field(Field::new("loyaltyPoints", DataType::Integer));
    let service = NewService { user: "segment-relay@example.com".to_owned(), ..NewService::default() };
    let credentials = json!(sandbox.create_service(service));
    put(values, "marketo_secret", outputs.marketo_secret.clone());
    put(values, "marketo_endpoint", sandbox.base_url());
    put(values, "marketo_window_ms", scaled(MARKETO_WINDOW_MS));
    put(values, "marketo_poll_ms", scaled(POLL_MS));
    Ok((sandbox, credentials))
}

async fn start_omnisend(
    outputs: &StackOutputs,
    values: &mut Values,
) -> Result<(omnisend::Sandbox, omnisend::BrandKey), Error> {
    let options = omnisend::Options {
        time_scale: f64::from(TIME_SCALE),
        latency_ms: LATENCY_MS,
        ..omnisend::Options::default()
    };
    let sandbox = omnisend::Sandbox::start(options).await.map_err(Error::start("the Omnisend sandbox"))?;
    let brand = sandbox.create_brand(NewBrand { name: "Demo".to_owned(), ..NewBrand::default() });
    put(values, "omnisend_secret", outputs.omnisend_secret.clone());
    put(values, "omnisend_endpoint", sandbox.base_url());
    put(values, "omnisend_window_ms", scaled(OMNISEND_WINDOW_MS));
    put(values, "omnisend_poll_ms", scaled(POLL_MS));
    Ok((sandbox, brand))
}

async fn start_dynamics(
    outputs: &StackOutputs,
    values: &mut Values,
) -> Result<(dynamics365_sales::Sandbox, Value), Error> {
    let options = dynamics365_sales::Options {
        time_scale: f64::from(TIME_SCALE),
        execution: ExecutionTimes::plausible(),
        ..dynamics365_sales::Options::default()
    };
    let sandbox = dynamics365_sales::Sandbox::start(options)
        .await
        .map_err(Error::start("the Dynamics 365 Sales sandbox"))?;
    let application = sandbox
        .create_application(NewApplication::default())
        .map_err(|error| Error::Answer(error.to_string()))?;
    put(values, "dynamics365_sales_secret", outputs.dynamics365_sales_secret.clone());
    put(values, "dynamics365_sales_endpoint", sandbox.base_url());
    put(values, "dynamics365_sales_tenant", application.tenant_id.to_string());
    put(values, "dynamics365_sales_client_id", application.client_id.to_string());
    put(values, "dynamics365_sales_window_ms", scaled(DYNAMICS_WINDOW_MS));
    let call_seconds = CALL_SECONDS / f64::from(TIME_SCALE);
    put(values, "dynamics365_sales_call_seconds", call_seconds.to_string());
    Ok((sandbox, json!({ "client_secret": application.client_secret })))
}

fn put(values: &mut Values, name: &str, value: String) {
    values.insert(name.to_owned(), value);
}

fn scaled(milliseconds: u64) -> String {
    (milliseconds / u64::from(TIME_SCALE)).to_string()
}
