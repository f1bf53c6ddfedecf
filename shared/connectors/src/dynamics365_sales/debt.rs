//! Execution time as a budget: calls that keep the organisation busy are paid for in turns of the connection's pace.
//!
//! The organisation limits calls and their combined execution time over one window, for the application as a whole
//! (<https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>). Turns are the one thing that all of a
//! connection's workers share, so a turn stands for its part of the execution time as well. They are taken while the
//! call is under way, which delays nobody who is alone; what could not be paid by its end is paid before the next.

use crate::CallContext;
use relay_model::pacing::NotYet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Nobody owes more than this: trouble with one call does not stop a connection for long.
const MOST: u32 = 1_000;

/// What this process owes, in turns.
#[derive(Debug)]
pub(super) struct Debt {
    owed: AtomicU32,
    execution_per_turn: Duration,
}

impl Debt {
    pub(super) fn new(execution_per_turn: Duration) -> Self {
        Self { owed: AtomicU32::new(0), execution_per_turn: execution_per_turn.max(Duration::from_micros(1)) }
    }

    /// Pays what is owed.
    pub(super) async fn settle(&self, context: &CallContext) -> Result<(), NotYet> {
        let less = |owed: u32| owed.checked_sub(1);
        while self.owed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            if let Err(not_yet) = context.turn().await {
                self.owe(1);
                return Err(not_yet);
            }
        }
        Ok(())
    }

    /// Waits for `call` and takes the turns for its time meanwhile.
    pub(super) async fn while_paying<F: Future>(&self, call: F, context: &CallContext) -> F::Output {
        if context.pacer().is_none() {
            return call.await;
        }
        let begun = Instant::now();
        let paid = AtomicU32::new(0);
        let output = tokio::select! {
            output = call => output,
            never = self.pay(&paid, context) => match never {},
        };
        let turns = begun.elapsed().as_nanos() / self.execution_per_turn.as_nanos();
        let turns = u32::try_from(turns).unwrap_or(u32::MAX);
        self.owe(turns.saturating_sub(paid.load(Ordering::Relaxed)));
        output
    }

    /// Takes turns for as long as it is let.
    async fn pay(&self, paid: &AtomicU32, context: &CallContext) -> Infallible {
        loop {
            sleep(self.execution_per_turn).await;
            if context.turn().await.is_err() {
                // It stays owed, and nothing but the call's end ends this.
                std::future::pending::<()>().await;
            }
            paid.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn owe(&self, turns: u32) {
        let more = |owed: u32| Some(owed.saturating_add(turns).min(MOST));
        // An update that always gives a value always succeeds.
        self.owed.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pacer;
    use async_trait::async_trait;
    use jiff::Timestamp;
    use relay_model::ConnectionId;
    use std::sync::Arc;

    /// Gives turns at once, as many as there are.
    #[derive(Debug)]
    struct Turns {
        left: AtomicU32,
        connection: ConnectionId,
    }

    #[async_trait]
    impl Pacer for Turns {
        async fn turn(&self, _left: Duration) -> Result<(), NotYet> {
            let less = |left: u32| left.checked_sub(1);
            let turn = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            turn.map(drop).map_err(|_| NotYet::Turn(Duration::from_secs(9)))
        }

        async fn slow_down(&self) {}

        async fn pause(&self, _text: &str) -> Timestamp {
            Timestamp::now()
        }

        fn connection(&self) -> &ConnectionId {
            &self.connection
        }
    }

    fn with_turns(left: u32) -> (Arc<Turns>, CallContext) {
        let connection = ConnectionId::try_from("sales".to_owned()).unwrap();
        let turns = Arc::new(Turns { left: AtomicU32::new(left), connection });
        let pacer: Arc<dyn Pacer> = turns.clone();
        (turns, CallContext::paced(Instant::now() + Duration::from_mins(1), Some(pacer)))
    }

    #[tokio::test]
    async fn what_could_not_be_paid_during_a_call_is_paid_before_the_next() {
        let debt = Debt::new(Duration::from_millis(2));
        let (during, context) = with_turns(3);
        let begun = Instant::now();
        assert_eq!(
            debt.while_paying(
                async {
                    sleep(Duration::from_millis(40)).await;
                    7
                },
                &context
            )
            .await,
            7
        );
        let most = u32::try_from(begun.elapsed().as_millis()).unwrap() / 2;
        let owed = debt.owed.load(Ordering::Relaxed);
        assert_eq!(during.left.load(Ordering::Relaxed), 0);
        assert!((17..=most).contains(&owed), "{owed} of {most}");

        let (_, context) = with_turns(5);
        assert_eq!(debt.settle(&context).await, Err(NotYet::Turn(Duration::from_secs(9))));
        assert_eq!(debt.owed.load(Ordering::Relaxed), owed - 5);
        let (_, context) = with_turns(1_000);
        assert_eq!(debt.settle(&context).await, Ok(()));
        assert_eq!(debt.owed.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn nobody_owes_where_nobody_paces_and_nobody_owes_without_end() {
        let debt = Debt::new(Duration::from_micros(1));
        let context = CallContext::until(Instant::now() + Duration::from_mins(1));
        debt.while_paying(std::future::ready(()), &context).await;
        assert_eq!(debt.owed.load(Ordering::Relaxed), 0);
        debt.owe(u32::MAX);
        debt.owe(u32::MAX);
        assert_eq!(debt.owed.load(Ordering::Relaxed), MOST);
    }
}
