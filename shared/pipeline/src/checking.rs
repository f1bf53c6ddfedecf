//! Checks an export against its destination before a run.

use super::chunk::delta::mapping_error;
use super::chunk::lists::Lists;
use super::pacing::pacer;
use super::{Connections, StageError};
use relay_cloud::CatalogStore;
use relay_cloud::ledger::Ledger;
use relay_connectors::{CallContext, Connector, Intent};
use relay_delivery::mapping::Mapper;
use relay_model::Destination;
use relay_model::catalog::{Connection, Export};
use tokio::time::Instant;

/// The clients that checking an export needs.
#[derive(Clone)]
pub struct ExportCheck {
    /// The definitions.
    pub catalog: CatalogStore,
    /// The ledger; its budgets pay for the calls.
    pub ledger: Ledger,
    /// The connectors.
    pub connections: Connections,
}

impl ExportCheck {
    /// Checks that the target lists exist and belong to no other export, and that the mapped fields exist and
    /// are writable. Writes nothing, neither here nor at the destination, and returns notices.
    ///
    /// [`StageError::Stop`] says what has to be corrected; any other error says nothing about the export.
    pub async fn check(
        &self,
        export: &Export,
        connection: &Connection,
        deadline: Instant,
    ) -> Result<Vec<String>, StageError> {
        match connection.destination {
            Destination::CampaignMonitor => {
                self.ask(&self.connections.campaign_monitor(connection)?, export, deadline).await
            }
            Destination::Marketo => self.ask(&self.connections.marketo(connection)?, export, deadline).await,
            Destination::Omnisend => {
                self.ask(&self.connections.omnisend(connection)?, export, deadline).await
            }
            Destination::Dynamics365Sales => {
                self.ask(&self.connections.dynamics365_sales(connection)?, export, deadline).await
            }
        }
    }

    async fn ask<C: Connector>(
        &self,
        connector: &C,
        export: &Export,
        deadline: Instant,
    ) -> Result<Vec<String>, StageError> {
        let pacer = pacer(&self.ledger, export.connection()?, connector);
        let context = CallContext::paced(deadline, pacer).with_intent(Intent::Look);
        let lists = Lists { catalog: &self.catalog, ledger: &self.ledger };
        let lists = lists.prepare_lists(connector, export, &context).await?;
        let attributes = export.attributes();
        let mut notices = Vec::new();
        for list in lists {
            let prepared = &list.prepared;
            Mapper::bind(export, prepared.match_key, &attributes, &prepared.fields, &prepared.terms)
                .map_err(|error| mapping_error(&error))?;
            notices.extend(
                prepared.notices.iter().map(|notice| format!("target list {}: {notice}", list.label)),
            );
        }
        Ok(notices)
    }
}
