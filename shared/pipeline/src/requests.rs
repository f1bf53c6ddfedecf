//! Starts runs, for every kind of trigger.

use super::runner::{snapshot_message, stage_message};
use super::{StageError, connections::require_consent, new_uuid};
use jiff::Timestamp;
use relay_cloud::ledger::{Ledger, LedgerError, Requested, RunChange, RunRequest};
use relay_cloud::{CatalogStore, Clients, LookupError, Queue, Settings, SettingsError};
use relay_model::catalog::{CatalogError, Connection, Export};
use relay_model::run::{Failure, Run, RunMode, RunState, Stage, StopCode, Trigger};
use relay_model::{ExportId, RunId};

/// Starts runs.
#[derive(Clone, Debug)]
pub struct RunRequests {
    /// The definitions.
    pub catalog: CatalogStore,
    /// The ledger.
    pub ledger: Ledger,
    /// The queue of a run's first step.
    pub snapshot_queue: Queue,
    /// The queue on which an approved run continues.
    pub chunk_queue: Queue,
    /// The queue of a run's last step.
    pub finish_queue: Queue,
}

impl RunRequests {
    /// Reads the settings of a function that starts runs.
    pub fn of(clients: &Clients) -> Result<Self, SettingsError> {
        let queue = |url: String| Queue::new(clients.sqs(), url);
        Ok(Self {
            catalog: CatalogStore::new(clients.dynamodb(), Settings.catalog_table()?),
            ledger: Ledger::new(clients.dynamodb(), Settings.ledger_table()?),
            snapshot_queue: queue(Settings.snapshot_queue_url()?),
            chunk_queue: queue(Settings.chunk_queue_url()?),
            finish_queue: queue(Settings.finish_queue_url()?),
        })
    }
}

/// Why a run cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The export, its connection, or another definition that it needs is missing or invalid.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The export is disabled.
    #[error("export \"{0}\" is disabled: enable it before it can run")]
    Disabled(ExportId),
    /// The connection has no consent for data to leave through it.
    #[error("{0}")]
    NoConsent(String),
    /// The run is not held, so there is nothing to approve.
    #[error("run {run_id} is {state}, not held: there is nothing to approve or to reject", state = state.name())]
    NotHeld {
        /// The run.
        run_id: RunId,
        /// The state of the run.
        state: RunState,
    },
    /// The run does not exist.
    #[error("run {0} is not in the ledger")]
    RunMissing(RunId),
    /// The run has nothing left to cancel.
    #[error("run {run_id} is {state}: there is nothing left to cancel", state = state.name())]
    NothingToCancel {
        /// The run.
        run_id: RunId,
        /// The state of the run.
        state: RunState,
    },
    /// The run has not ended.
    #[error("run {run_id} is {state}: only a run that is over can be retried", state = state.name())]
    NotOver {
        /// The run.
        run_id: RunId,
        /// The state of the run.
        state: RunState,
    },
    /// The run left no rows to retry.
    #[error("run {0} deferred and rejected no rows: there is nothing to retry")]
    NothingToRetry(RunId),
    /// A transient error: a later attempt may succeed.
    #[error(transparent)]
    Cloud(#[from] StageError),
}

impl From<LedgerError> for StartError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::RunMissing(run_id) => Self::RunMissing(run_id),
            other => Self::Cloud(other.into()),
        }
    }
}

impl From<LookupError> for StartError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Catalog(error) => Self::Catalog(error),
            LookupError::Cloud(error) => Self::Cloud(error.into()),
        }
    }
}

impl RunRequests {
    /// Starts a run of an export.
    pub async fn start(
        &self,
        export_id: &ExportId,
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<Requested, StartError> {
        self.start_as(RunMode::Delivery, export_id, trigger, now).await
    }

    pub(super) async fn start_as(
        &self,
        mode: RunMode,
        export_id: &ExportId,
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<Requested, StartError> {
        let export: Export = self.catalog.get(export_id.as_str()).await?;
        if !export.enabled {
            return Err(StartError::Disabled(export.id));
        }
        let connection: Connection = self.catalog.get(export.connection()?.as_str()).await?;
        require_consent(&connection).map_err(|error| StartError::NoConsent(error.to_string()))?;
        let request = RunRequest {
            run_id: new_run_id(now),
            export_id: export.id,
            connection_id: connection.id,
            mode,
            trigger,
            now,
        };
        let requested = self.ledger.request_run(&request).await.map_err(StageError::from)?;
        if let Requested::Started(run_id) = requested {
            self.begin(run_id, export_id, 0).await?;
        }
        tracing::info!(run.id = %requested.run_id(), export.id = %export_id, ?requested, "run is asked for");
        Ok(requested)
    }

    /// Starts a dry run of an export, even if the export is disabled. A dry run writes nothing at the
    /// destination and blocks no other run. A duplicate request starts only one.
    pub async fn dry_run(
        &self,
        export_id: &ExportId,
        trigger: Trigger,
        now: Timestamp,
    ) -> Result<RunId, StartError> {
        let export: Export = self.catalog.get(export_id.as_str()).await?;
        let connection: Connection = self.catalog.get(export.connection()?.as_str()).await?;
        require_consent(&connection).map_err(|error| StartError::NoConsent(error.to_string()))?;
        let (mode, run_id) = (RunMode::DryRun, new_run_id(now));
        let connection_id = connection.id;
        let request = RunRequest { run_id, export_id: export.id, connection_id, mode, trigger, now };
        let requested = self.ledger.request_beside(&request).await.map_err(StageError::from)?;
        // An earlier call may have stored the run without sending its message, so a repeated call sends it.
        // The queue drops duplicates.
        let run_id = requested.run_id();
        let message = snapshot_message(run_id, &mode.group(export_id, run_id), 0)?;
        self.snapshot_queue.send(&[message]).await.map_err(StageError::from)?;
        tracing::info!(run.id = %run_id, export.id = %export_id, "dry run is asked for");
        Ok(run_id)
    }

    /// Approves a run that the guard holds, and continues it.
    pub async fn approve(&self, run_id: RunId, now: Timestamp) -> Result<Run, StartError> {
        let change = RunChange { approved: Some(()), ..RunChange::default() };
        let advanced = self.ledger.advance(run_id, &[RunState::Held], RunState::Chunking, now, &change).await;
        let advanced = advanced.map_err(StageError::from)?;
        let run = self.ledger.run(run_id).await.map_err(StageError::from)?;
        // An earlier call may have stored the approval without sending its message, so a repeated call sends
        // it.
        let goes_on = advanced || (run.is_approved && run.state == RunState::Chunking);
        if !goes_on {
            return Err(StartError::NotHeld { run_id, state: run.state });
        }
        let message = stage_message(run_id, run.export_id.as_str(), "approved", 0)?;
        self.chunk_queue.send(&[message]).await.map_err(StageError::from)?;
        Ok(run)
    }

    /// Ends a run that the guard holds. None of its rows are sent.
    pub async fn reject(&self, run_id: RunId, now: Timestamp) -> Result<Run, StartError> {
        let failure = Failure {
            stage: Stage::Chunk,
            code: StopCode::RemovalRefused,
            text: "somebody refused the removal that the guard held; nothing was sent".to_owned(),
        };
        let change =
            RunChange { failure: Some(failure), started: Some(Stage::Finish), ..RunChange::default() };
        let advanced =
            self.ledger.advance(run_id, &[RunState::Held], RunState::Finishing, now, &change).await;
        let advanced = advanced.map_err(StageError::from)?;
        let run = self.ledger.run(run_id).await.map_err(StageError::from)?;
        // An earlier call may have stored the refusal without sending its message, so a repeated call sends
        // it.
        if !advanced && run.state != RunState::Finishing {
            return Err(StartError::NotHeld { run_id, state: run.state });
        }
        let message = stage_message(run_id, run.export_id.as_str(), "refused", 0)?;
        self.finish_queue.send(&[message]).await.map_err(StageError::from)?;
        Ok(run)
    }

    pub(super) async fn begin(
        &self,
        run_id: RunId,
        export_id: &ExportId,
        try_number: u64,
    ) -> Result<(), StageError> {
        Ok(self.snapshot_queue.send(&[snapshot_message(run_id, export_id.as_str(), try_number)?]).await?)
    }
}

fn new_run_id(now: Timestamp) -> RunId {
    RunId(new_uuid(now))
}
