//! Whether an export can work, asked of its destination before anything runs.

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

/// What checking an export needs.
#[derive(Clone)]
pub struct ExportCheck {
    /// The definitions.
    pub catalog: CatalogStore,
    /// The ledger, whose budgets the calls are paid from.
    pub ledger: Ledger,
    /// Connectors.
    pub connections: Connections,
}

impl ExportCheck {
    /// Looks whether the target lists are there and nobody else's, and whether the mapped fields exist and may be
    /// written. Writes nothing, there or here, and gives what people should know.
    ///
    /// [`StageError::Stop`] says what has to be mended; any other error says nothing of the export.
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
