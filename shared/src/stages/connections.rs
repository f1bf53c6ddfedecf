//! Connectors out of the catalog's connections.

use super::StageError;
use crate::aws::{Clients, SecretStore};
use crate::catalog::Connection;
use crate::connectors::campaign_monitor::{CampaignMonitor, DOMAINS};
use crate::connectors::{Endpoint, HttpClient};

/// Makes connectors. The credentials are read when they are first needed.
#[derive(Clone)]
pub struct Connections {
    secrets: aws_sdk_secretsmanager::Client,
    http: HttpClient,
    campaign_monitor_endpoint: Endpoint,
}

impl Connections {
    /// Checks the destinations' addresses and makes the one HTTP client of the process.
    pub fn new(clients: &Clients, campaign_monitor_endpoint: &str) -> Result<Self, StageError> {
        let endpoint = Endpoint::parse(campaign_monitor_endpoint, DOMAINS);
        let http = HttpClient::new();
        Ok(Self {
            secrets: clients.secrets_manager(),
            http: http.map_err(|error| StageError::stop("http_client", error.to_string()))?,
            campaign_monitor_endpoint: endpoint
                .map_err(|error| StageError::stop("endpoint_invalid", error.to_string()))?,
        })
    }

    /// The connector of a Campaign Monitor connection.
    pub fn campaign_monitor(
        &self,
        connection: &Connection,
    ) -> Result<CampaignMonitor<SecretStore>, StageError> {
        require_consent(connection)?;
        let store = SecretStore::new(self.secrets.clone(), connection.secret.clone());
        let endpoint = self.campaign_monitor_endpoint.clone();
        Ok(CampaignMonitor::new(endpoint, self.http.clone(), &connection.settings, store)?)
    }
}

/// Nothing leaves through a connection that nobody agreed to.
pub fn require_consent(connection: &Connection) -> Result<(), StageError> {
    if connection.consent.is_some() {
        return Ok(());
    }
    let text = format!(
        "connection \"{}\" has no consent: somebody has to agree to data leaving for {} (who, when, which text)",
        connection.id, connection.destination
    );
    Err(StageError::stop("consent_missing", text))
}
