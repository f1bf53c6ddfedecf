//! Rate limiter slots for a connection's calls, leased from the ledger in blocks.

use async_trait::async_trait;
use jiff::Timestamp;
use relay_cloud::ledger::{BudgetKind, Ledger, StoredBudget};
use relay_connectors::{Connector, Pacer};
use relay_model::ConnectionId;
use relay_model::pacing::{Budget, Lease, NotYet, Pace};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The longest wait for a slot inside a worker; longer waits are left to the queue.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// The longest lead: a ledger that takes longer than half of this has a problem of its own.
const LONGEST_LEAD: Duration = Duration::from_secs(4);
/// How often a swap is tried: other processes change the same budget at the same time.
const TRIES: u32 = 30;

/// Returns the pacer of a connection's calls, if the connection has a pace.
pub(super) fn pacer<C: Connector>(
    ledger: &Ledger,
    connection: &ConnectionId,
    connector: &C,
) -> Option<Arc<dyn Pacer>> {
    let usual = Track::new(ledger, connection, BudgetKind::Usual, connector.pace()?);
    let rare = connector.rare_pace().map(|pace| Track::new(ledger, connection, BudgetKind::Rare, pace));
    Some(Arc::new(LedgerPacer { usual, rare }))
}

/// One process's share of a connection's budgets.
#[derive(Debug)]
struct LedgerPacer {
    usual: Track,
    rare: Option<Track>,
}

/// One process's share of one budget.
#[derive(Debug)]
struct Track {
    ledger: Ledger,
    connection: ConnectionId,
    kind: BudgetKind,
    pace: Pace,
    share: Mutex<Share>,
    /// Calls of this process that wait for a slot. This many slots are leased at a time, because a leased
    /// slot without a waiting call is lost to the other processes.
    waiting: AtomicU32,
}

#[derive(Debug, Default)]
struct Share {
    lease: Option<Lease>,
    /// The ledger's latency with a margin: slots that have passed before the lease is stored are useless.
    lead: Duration,
    /// The last state that this process saw. If other processes have changed it since, the swap fails.
    known: Option<StoredBudget>,
}

impl Track {
    fn new(ledger: &Ledger, connection: &ConnectionId, kind: BudgetKind, pace: Pace) -> Self {
        let (ledger, connection) = (ledger.clone(), connection.clone());
        Self { ledger, connection, kind, pace, share: Mutex::default(), waiting: AtomicU32::new(0) }
    }

    /// Changes the budget by compare and swap; `change` may be called several times.
    async fn swap<T>(
        &self,
        share: &mut Share,
        mut change: impl FnMut(&mut Budget) -> Change<T>,
    ) -> Result<T, NotYet> {
        for _ in 0..TRIES {
            let stored = match share.known.take() {
                Some(known) => known,
                None => self
                    .ledger
                    .budget(&self.connection, self.kind)
                    .await
                    .map_err(|error| unavailable(&error))?,
            };
            let mut budget = stored.budget.clone();
            let answer = match change(&mut budget) {
                Change::None(answer) => {
                    share.known = Some(stored);
                    return Ok(answer);
                }
                Change::Store(answer) => answer,
            };
            let saved = self.ledger.save_budget(&self.connection, self.kind, &budget, stored.version).await;
            if saved.map_err(|error| unavailable(&error))? {
                share.known = Some(StoredBudget { budget, version: stored.version + 1 });
                return Ok(answer);
            }
        }
        Err(NotYet::Turn(self.pace.spacing() * TRIES))
    }

    /// Returns the next slot of this process, from its lease or a new one.
    async fn slot(&self, patience: Duration) -> Result<Timestamp, NotYet> {
        let mut share = self.share.lock().await;
        loop {
            let slot =
                share.lease.as_mut().and_then(|lease| lease.take(self.pace.lateness(), Timestamp::now()));
            if let Some(slot) = slot {
                return Ok(slot);
            }
            let lease = self.lease(&mut share, patience).await?;
            share.lease = Some(lease);
        }
    }

    async fn lease(&self, share: &mut Share, patience: Duration) -> Result<Lease, NotYet> {
        let largest = (self.pace.calls / 8).max(1);
        let wanted = self.waiting.load(Ordering::Relaxed).clamp(1, largest);
        let lead = share.lead;
        let began = Instant::now();
        let answer = self.swap(share, |budget| {
            let before = budget.clone();
            let earliest = Timestamp::now().saturating_add(lead).unwrap_or(Timestamp::MAX);
            match budget.lease(&self.pace, wanted, patience, earliest) {
                Ok(lease) => Change::Store(Ok(lease)),
                // The cached state may be outdated: a pause may have been lifted, or slots freed.
                Err(not_yet) if *budget == before => Change::None(Err(not_yet)),
                Err(not_yet) => Change::Store(Err(not_yet)),
            }
        });
        let lease = answer.await?;
        share.lead = (began.elapsed() * 2).max(lead * 3 / 4).min(LONGEST_LEAD);
        if lease.is_err() {
            share.known = None;
        }
        lease
    }

    async fn turn(&self, left: Duration) -> Result<(), NotYet> {
        let patience = LONGEST_WAIT.min(left / 2);
        loop {
            let slot = {
                let _waiter = Waiter::among(&self.waiting);
                self.slot(patience).await?
            };
            tokio::time::sleep(slot.duration_since(Timestamp::now()).try_into().unwrap_or_default()).await;
            // A process that was delayed has missed its slot; the calls behind it must not become a burst.
            if Timestamp::now().duration_since(slot).unsigned_abs() <= self.pace.lateness() {
                return Ok(());
            }
        }
    }

    async fn slow_down(&self) {
        let mut share = self.share.lock().await;
        share.lease = None;
        let slowed = self.swap(&mut share, |budget| {
            if budget.slow_down(&self.pace, Timestamp::now()) { Change::Store(()) } else { Change::None(()) }
        });
        if slowed.await.is_err() {
            // The call's own retry waits nevertheless.
            tracing::warn!(connection.id = %self.connection, "the connection's pace could not be slowed down");
        }
    }

    async fn pause(&self, text: &str) -> Timestamp {
        let mut share = self.share.lock().await;
        share.lease = None;
        let paused =
            self.swap(&mut share, |budget| Change::Store(budget.pause(&self.pace, text, Timestamp::now())));
        match paused.await {
            Ok(until) => until,
            // The other workers are not informed, but this batch waits for as long as it should.
            Err(_) => Budget::default().pause(&self.pace, text, Timestamp::now()),
        }
    }
}

/// Counts a call that waits for a slot until it is dropped, so an abandoned call is no longer counted.
struct Waiter<'a>(&'a AtomicU32);

impl<'a> Waiter<'a> {
    fn among(waiting: &'a AtomicU32) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

enum Change<T> {
    None(T),
    Store(T),
}

#[async_trait]
impl Pacer for LedgerPacer {
    async fn turn(&self, left: Duration) -> Result<(), NotYet> {
        self.usual.turn(left).await
    }

    async fn rare_turn(&self, left: Duration) -> Result<(), NotYet> {
        // The rare slot is claimed first: a call that waits for it must not hold a slot that other calls
        // could use.
        if let Some(rare) = &self.rare {
            rare.turn(left).await?;
        }
        self.usual.turn(left).await
    }

    async fn slow_down(&self) {
        self.usual.slow_down().await;
        // A rate limit response does not say which of the two rates was exceeded.
        if let Some(rare) = &self.rare {
            rare.slow_down().await;
        }
    }

    async fn pause(&self, text: &str) -> Timestamp {
        self.usual.pause(text).await
    }

    fn connection(&self) -> &ConnectionId {
        &self.usual.connection
    }
}

fn unavailable(error: &relay_cloud::ledger::LedgerError) -> NotYet {
    tracing::warn!(%error, "the connection's budget cannot be read");
    NotYet::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_is_given_up_waits_no_longer() {
        let waiting = AtomicU32::new(0);
        let waits_for_ever = async {
            let _waiter = Waiter::among(&waiting);
            std::future::pending::<()>().await;
        };
        let given_up = tokio::time::timeout(Duration::ZERO, waits_for_ever).await;
        assert!(given_up.is_err());
        assert_eq!(waiting.load(Ordering::Relaxed), 0);
    }
}
