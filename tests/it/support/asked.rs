//! Dry runs, asked for as the API does.

use super::{Definitions, wait_until};
use jiff::Timestamp;
use local::world::World;
use relay_cloud::Queue;
use relay_model::RunId;
use relay_model::run::{DryRun, Run, RunMode, RunState, Trigger, TriggerKind};
use relay_pipeline::{RunRequests, dry_run_findings};

/// What the API asks for runs with.
pub(super) fn requests(world: &World) -> RunRequests {
    let outputs = world.cloud.outputs();
    let queue = |url: &String| Queue::new(world.clients.sqs(), url.clone());
    RunRequests {
        catalog: world.catalog(),
        ledger: world.ledger(),
        snapshot_queue: queue(&outputs.snapshot_queue_url),
        chunk_queue: queue(&outputs.chunk_queue_url),
        finish_queue: queue(&outputs.finish_queue_url),
    }
}

impl Definitions<'_> {
    /// Asks for a dry run.
    pub(crate) async fn ask_for_dry_run(&self, key: &str) -> RunId {
        let trigger = Trigger::new(TriggerKind::OnDemand, key.to_owned());
        requests(self.world).dry_run(&self.id(), trigger, Timestamp::now()).await.unwrap()
    }

    /// Waits for the end of a dry run.
    pub(crate) async fn dry_run_over(&self, run_id: RunId) -> Run {
        let ledger = self.world.ledger();
        let mut over = None;
        wait_until("the dry run is over", async || {
            over = Some(ledger.run(run_id).await.unwrap()).filter(|run| run.state.is_over());
            over.is_some()
        })
        .await;
        let run = over.unwrap();
        assert_eq!((run.mode, run.batches, run.is_approved), (RunMode::DryRun, 0, false));
        run
    }

    /// Makes a dry run, and checks what is true of every one.
    pub(crate) async fn dry_run(&self, key: &str) -> DryRun {
        let active = self.world.ledger().active_run(&self.id()).await.unwrap();
        let run = self.dry_run_over(self.ask_for_dry_run(key).await).await;
        assert_eq!((run.state, &run.failure), (RunState::Succeeded, &None));
        let found = dry_run_findings(&self.world.data(), &run).await.unwrap().unwrap();
        assert_eq!((found.run_id, &found.export_id), (run.run_id, &run.export_id));
        assert_eq!((run.counts, run.rows_in), (found.counts, Some(found.rows_in)));
        assert_eq!(found.counts.total(), found.rows_in, "every row would have an outcome");
        assert_eq!((run.calls, &run.notices), (found.calls_spent, &found.notices));
        assert_eq!(self.world.ledger().active_run(&self.id()).await.unwrap(), active, "it takes no place");
        found
    }
}
