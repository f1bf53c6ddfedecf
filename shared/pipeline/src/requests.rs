//! Asking for a run, whoever asks.

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
    /// Where a run's first step is asked for.
    pub snapshot_queue: Queue,
    /// Where an approved run goes on.
    pub chunk_queue: Queue,
    /// Where a run ends.
    pub finish_queue: Queue,
}

impl RunRequests {
    /// What a function that starts runs was deployed with.
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

/// Why a run cannot be asked for.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The export, its connection, or something else that it needs is not there or not right.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The export is switched off.
    #[error("export \"{0}\" is disabled: enable it before it can run")]
    Disabled(ExportId),
    /// Nobody agreed to data leaving through this connection.
    #[error("{0}")]
    NoConsent(String),
    /// The run is not held, so there is nothing to approve.
    #[error("run {run_id} is {state}, not held: there is nothing to approve or to reject", state = state.name())]
    NotHeld {
        /// The run.
        run_id: RunId,
        /// Where it is.
        state: RunState,
    },
    /// There is no such run.
    #[error("run {0} is not in the ledger")]
    RunMissing(RunId),
    /// The run has nothing left that could be stopped.
    #[error("run {run_id} is {state}: there is nothing left to cancel", state = state.name())]
    NothingToCancel {
        /// The run.
        run_id: RunId,
        /// Where it is.
        state: RunState,
    },
    /// The run is still under way.
    #[error("run {run_id} is {state}: only a run that is over can be retried", state = state.name())]
    NotOver {
        /// The run.
        run_id: RunId,
        /// Where it is.
        state: RunState,
    },
    /// The run left no rows behind.
    #[error("run {0} deferred and rejected no rows: there is nothing to retry")]
    NothingToRetry(RunId),
    /// It may go better later.
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
    /// Asks for a run of an export.
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

    /// Asks what a run of an export would do, of one that is switched off too. It writes nothing at the destination and
    /// keeps no other run waiting; a doubled request makes one.
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
        // One that was written but not sent is sent when it is asked for again; the queue drops a second message.
        let run_id = requested.run_id();
        let message = snapshot_message(run_id, &mode.group(export_id, run_id), 0)?;
        self.snapshot_queue.send(&[message]).await.map_err(StageError::from)?;
        tracing::info!(run.id = %run_id, export.id = %export_id, "dry run is asked for");
        Ok(run_id)
    }

    /// Lets a run go on that the guard holds.
    pub async fn approve(&self, run_id: RunId, now: Timestamp) -> Result<Run, StartError> {
        let change = RunChange { approved: Some(()), ..RunChange::default() };
        let advanced = self.ledger.advance(run_id, &[RunState::Held], RunState::Chunking, now, &change).await;
        let advanced = advanced.map_err(StageError::from)?;
        let run = self.ledger.run(run_id).await.map_err(StageError::from)?;
        // An approval that was written but not sent on is sent on when it is given again.
        let goes_on = advanced || (run.is_approved && run.state == RunState::Chunking);
        if !goes_on {
            return Err(StartError::NotHeld { run_id, state: run.state });
        }
        let message = stage_message(run_id, run.export_id.as_str(), "approved", 0)?;
        self.chunk_queue.send(&[message]).await.map_err(StageError::from)?;
        Ok(run)
    }

    /// Ends a run that the guard holds: nothing of it is sent.
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
        // A refusal that was written but not sent on is sent on when it is given again.
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
