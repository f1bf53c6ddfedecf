//! Creates connectors from the connections in the catalog.

use super::StageError;
use relay_cloud::{Clients, SecretStore};
use relay_connectors::campaign_monitor::{CampaignMonitor, DOMAINS};
use relay_connectors::dynamics365_sales::Dynamics365Sales;
use relay_connectors::marketo::Marketo;
use relay_connectors::omnisend::{self, Omnisend};
use relay_connectors::{Endpoint, HttpClient};
use relay_model::catalog::Connection;
use relay_model::run::StopCode;
use relay_model::{CredentialError, CredentialStore, Destination};

/// Creates connectors. Credentials are read on first use.
#[derive(Clone)]
pub struct Connections {
    secrets: aws_sdk_secretsmanager::Client,
    http: HttpClient,
    campaign_monitor_endpoint: Option<Endpoint>,
}

impl Connections {
    /// Creates the process's only HTTP client, and checks the Campaign Monitor address, which all its
    /// connections share. Functions that do not call Campaign Monitor pass `None`.
    pub fn new(clients: &Clients, campaign_monitor_endpoint: Option<&str>) -> Result<Self, StageError> {
        let endpoint = campaign_monitor_endpoint.map(|text| Endpoint::parse(text, DOMAINS)).transpose();
        let http = HttpClient::new();
        Ok(Self {
            secrets: clients.secrets_manager(),
            http: http.map_err(|error| StageError::stop(StopCode::HttpClient, error.to_string()))?,
            campaign_monitor_endpoint: endpoint
                .map_err(|error| StageError::stop(StopCode::EndpointInvalid, error.to_string()))?,
        })
    }

    /// Returns the connector of a Campaign Monitor connection.
    pub fn campaign_monitor(
        &self,
        connection: &Connection,
    ) -> Result<CampaignMonitor<SecretStore>, StageError> {
        require_consent(connection)?;
        self.build_campaign_monitor(connection)
    }

    fn build_campaign_monitor(
        &self,
        connection: &Connection,
    ) -> Result<CampaignMonitor<SecretStore>, StageError> {
        let store = SecretStore::new(self.secrets.clone(), connection.secret.clone());
        let endpoint = self.campaign_monitor_endpoint.clone().ok_or_else(|| {
            StageError::stop(
                StopCode::EndpointMissing,
                "the function was deployed without Campaign Monitor's address",
            )
        })?;
        Ok(CampaignMonitor::new(endpoint, self.http.clone(), &connection.settings, store)?)
    }
}

impl Connections {
    /// Returns the connector of a Marketo Engage connection.
    pub fn marketo(&self, connection: &Connection) -> Result<Marketo<SecretStore>, StageError> {
        require_consent(connection)?;
        self.build_marketo(connection)
    }

    fn build_marketo(&self, connection: &Connection) -> Result<Marketo<SecretStore>, StageError> {
        let store = SecretStore::new(self.secrets.clone(), connection.secret.clone());
        Ok(Marketo::new(self.http.clone(), &connection.settings, store)?)
    }

    /// Returns the connector of an Omnisend connection.
    pub fn omnisend(&self, connection: &Connection) -> Result<Omnisend<SecretStore>, StageError> {
        require_consent(connection)?;
        self.build_omnisend(connection)
    }

    fn build_omnisend(&self, connection: &Connection) -> Result<Omnisend<SecretStore>, StageError> {
        let store = SecretStore::new(self.secrets.clone(), connection.secret.clone());
        let endpoint = Endpoint::parse(omnisend::DEFAULT_ENDPOINT, omnisend::DOMAINS)
            .map_err(|error| StageError::stop(StopCode::EndpointInvalid, error.to_string()))?;
        Ok(Omnisend::new(endpoint, self.http.clone(), &connection.settings, store)?)
    }

    /// Returns the connector of a Dynamics 365 Sales connection.
    pub fn dynamics365_sales(
        &self,
        connection: &Connection,
    ) -> Result<Dynamics365Sales<SecretStore>, StageError> {
        require_consent(connection)?;
        self.build_dynamics365_sales(connection)
    }

    fn build_dynamics365_sales(
        &self,
        connection: &Connection,
    ) -> Result<Dynamics365Sales<SecretStore>, StageError> {
        let store = SecretStore::new(self.secrets.clone(), connection.secret.clone());
        Ok(Dynamics365Sales::new(self.http.clone(), &connection.settings, store)?)
    }
}

impl Connections {
    /// Checks a connection's settings without its consent or credentials. Sends no request.
    pub fn validate_settings(&self, connection: &Connection) -> Result<(), StageError> {
        match connection.destination {
            Destination::CampaignMonitor => self.build_campaign_monitor(connection).map(drop),
            Destination::Marketo => self.build_marketo(connection).map(drop),
            Destination::Omnisend => self.build_omnisend(connection).map(drop),
            Destination::Dynamics365Sales => self.build_dynamics365_sales(connection).map(drop),
        }
    }

    /// Returns whether credentials are stored for the connection. They may be invalid.
    pub async fn has_credentials(&self, connection: &Connection) -> Result<bool, CredentialError> {
        match SecretStore::new(self.secrets.clone(), connection.secret.clone()).load().await {
            Ok(_) => Ok(true),
            Err(CredentialError::Missing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Returns an error if the connection has no consent.
pub fn require_consent(connection: &Connection) -> Result<(), StageError> {
    if connection.consent.is_some() {
        return Ok(());
    }
    let text = format!(
        "connection \"{}\" has no consent: somebody has to agree to data leaving for {} (who, when, which text)",
        connection.id, connection.destination
    );
    Err(StageError::stop(StopCode::ConsentMissing, text))
}
