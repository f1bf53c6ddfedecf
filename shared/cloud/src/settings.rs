//! A function's settings, from its environment variables.

use std::env;

/// A setting is missing or empty: the template and the function do not agree.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "environment variable {name} is missing: the function was deployed without the setting that it needs"
)]
pub struct SettingsError {
    /// The variable.
    pub name: &'static str,
}

/// The environment variables that the template sets; each function reads only its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings;

impl Settings {
    /// The bucket of the bundle's own data.
    pub fn data_bucket(self) -> Result<String, SettingsError> {
        required("DATA_BUCKET")
    }

    /// The table of definitions.
    pub fn catalog_table(self) -> Result<String, SettingsError> {
        required("CATALOG_TABLE")
    }

    /// The table of runs, batches and delivered states.
    pub fn ledger_table(self) -> Result<String, SettingsError> {
        required("LEDGER_TABLE")
    }

    /// The queue of requests to the query engine that take a minute at most.
    pub fn engine_queue_url(self) -> Result<String, SettingsError> {
        required("ENGINE_QUEUE_URL")
    }

    /// The queue that starts snapshots.
    pub fn snapshot_queue_url(self) -> Result<String, SettingsError> {
        required("SNAPSHOT_QUEUE_URL")
    }

    /// The queue that starts chunking.
    pub fn chunk_queue_url(self) -> Result<String, SettingsError> {
        required("CHUNK_QUEUE_URL")
    }

    /// The queue that starts chunking, or `None` in a function that evaluates no runs.
    #[must_use]
    pub fn optional_chunk_queue_url(self) -> Option<String> {
        self.chunk_queue_url().ok()
    }

    /// The queue of batches for Campaign Monitor.
    pub fn push_campaign_monitor_queue_url(self) -> Result<String, SettingsError> {
        required("PUSH_CAMPAIGN_MONITOR_QUEUE_URL")
    }

    /// The queue of batches for Marketo Engage.
    pub fn push_marketo_queue_url(self) -> Result<String, SettingsError> {
        required("PUSH_MARKETO_QUEUE_URL")
    }

    /// The queue of batches for Omnisend.
    pub fn push_omnisend_queue_url(self) -> Result<String, SettingsError> {
        required("PUSH_OMNISEND_QUEUE_URL")
    }

    /// The queue of batches for Dynamics 365 Sales.
    pub fn push_dynamics365_sales_queue_url(self) -> Result<String, SettingsError> {
        required("PUSH_DYNAMICS365_SALES_QUEUE_URL")
    }

    /// The queue that ends runs.
    pub fn finish_queue_url(self) -> Result<String, SettingsError> {
        required("FINISH_QUEUE_URL")
    }

    /// The event bus for finished runs.
    pub fn event_bus_name(self) -> Result<String, SettingsError> {
        required("EVENT_BUS_NAME")
    }

    /// Campaign Monitor's endpoint.
    pub fn campaign_monitor_endpoint(self) -> Result<String, SettingsError> {
        required("CAMPAIGN_MONITOR_ENDPOINT")
    }

    /// The claim of a token that contains the caller's roles.
    pub fn roles_claim(self) -> Result<String, SettingsError> {
        required("ROLES_CLAIM")
    }

    /// The claim's value for administrators.
    pub fn administrator_role(self) -> Result<String, SettingsError> {
        required("ADMINISTRATOR_ROLE")
    }

    /// The claim's value for contributors.
    pub fn contributor_role(self) -> Result<String, SettingsError> {
        required("CONTRIBUTOR_ROLE")
    }

    /// The claim's value for viewers.
    pub fn viewer_role(self) -> Result<String, SettingsError> {
        required("VIEWER_ROLE")
    }

    /// The prefix of the connections' secrets.
    pub fn secret_prefix(self) -> Result<String, SettingsError> {
        required("SECRET_PREFIX")
    }

    /// The queue of requests concerning single persons.
    pub fn person_queue_url(self) -> Result<String, SettingsError> {
        required("PERSON_QUEUE_URL")
    }

    /// How many days the data of runs is kept.
    pub fn run_data_retention_days(self) -> Result<u16, SettingsError> {
        days("RUN_DATA_RETENTION_DAYS")
    }

    /// How many days reports are kept.
    pub fn report_retention_days(self) -> Result<u16, SettingsError> {
        days("REPORT_RETENTION_DAYS")
    }

    /// Returns whether the functions run in the local cloud, where objects are addressed by path.
    #[must_use]
    pub fn is_local_cloud(self) -> bool {
        env::var("AWS_ENDPOINT_URL").is_ok_and(|address| !address.is_empty())
    }
}

fn days(name: &'static str) -> Result<u16, SettingsError> {
    required(name)?.parse().map_err(|_| SettingsError { name })
}

fn required(name: &'static str) -> Result<String, SettingsError> {
    env::var(name).ok().filter(|value| !value.is_empty()).ok_or(SettingsError { name })
}
