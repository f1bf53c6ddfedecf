//! Functions that are held or killed at one of their calls to AWS.

use super::{Scene, wait_until};
use local::cloud::{Hold, HoldNumber, Moment};
use local::processes;

impl Scene {
    /// Holds the next call of a function to this service with this action whose request has `contains`.
    pub(crate) async fn hold(
        &self,
        moment: Moment,
        service: &str,
        action: &str,
        contains: &str,
    ) -> HoldNumber {
        let hold = Hold {
            service: service.to_owned(),
            action: action.to_owned(),
            contains: contains.to_owned(),
            moment,
        };
        self.cloud.hold(&hold).await.unwrap()
    }

    /// Waits until the call is held.
    pub(crate) async fn held(&self, hold: HoldNumber) {
        wait_until("a call is held", async || self.cloud.is_held(hold).await.unwrap()).await;
    }

    /// Kills a function at the held call.
    pub(crate) async fn kill_at(&self, function: &str, hold: HoldNumber) {
        self.held(hold).await;
        self.kill(function);
    }

    /// Kills all processes of a function.
    pub(crate) fn kill(&self, function: &str) {
        let workers = self.cloud.function_processes(function);
        assert!(!workers.is_empty());
        for worker in workers {
            processes::signal(worker, "KILL");
        }
    }
}
