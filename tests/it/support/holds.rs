//! Functions that are stopped at one of their calls to AWS.

use super::{Scene, wait_until};
use local::cloud::{Hold, HoldNumber, Moment};
use local::processes;

impl Scene {
    /// Asks for the first call of a function that does `action` with something that contains `contains` to be held.
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

    /// Waits until the call has come.
    pub(crate) async fn held(&self, hold: HoldNumber) {
        wait_until("a call is held", async || self.cloud.is_held(hold).await.unwrap()).await;
    }

    /// Ends a function at the call that is held, as nothing can prevent.
    pub(crate) async fn kill_at(&self, function: &str, hold: HoldNumber) {
        self.held(hold).await;
        self.kill(function);
    }

    /// Ends all processes of a function.
    pub(crate) fn kill(&self, function: &str) {
        let workers = self.cloud.function_processes(function);
        assert!(!workers.is_empty());
        for worker in workers {
            processes::signal(worker, "KILL");
        }
    }
}
