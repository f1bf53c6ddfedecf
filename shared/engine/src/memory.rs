//! A memory pool in which operators that can spill never starve operators that cannot.
//!
//! DataFusion's fair pool lets the first sorts fill the pool. Later operators, above all the merges of these sorts, then
//! get no memory, and the query fails although all of it could be spilled. This pool reserves a part for operators that
//! cannot spill, and divides the rest into equal shares for the expected number of operators that can.

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A pool of a fixed size.
#[derive(Debug)]
pub(crate) struct SharedPool {
    limit_bytes: usize,
    expected_spillers: usize,
    kept_bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spillers: usize,
    spillable_bytes: usize,
    fixed_bytes: usize,
}

impl SharedPool {
    /// Returns a pool that reserves `kept_bytes` for operators that cannot spill, and divides the rest into shares for
    /// `expected_spillers` operators or more.
    pub(crate) fn new(limit_bytes: usize, kept_bytes: usize, expected_spillers: usize) -> Self {
        Self { limit_bytes, expected_spillers, kept_bytes, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryPool for SharedPool {
    fn name(&self) -> &'static str {
        "shared"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.state().spillers += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut state = self.state();
        state.spillers = state.spillers.saturating_sub(usize::from(consumer.can_spill()));
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        let mut state = self.state();
        if reservation.consumer().can_spill() {
            state.spillable_bytes += additional;
        } else {
            state.fixed_bytes += additional;
        }
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut state = self.state();
        if reservation.consumer().can_spill() {
            state.spillable_bytes = state.spillable_bytes.saturating_sub(shrink);
        } else {
            state.fixed_bytes = state.fixed_bytes.saturating_sub(shrink);
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = self.state();
        let free = self.limit_bytes.saturating_sub(state.spillable_bytes + state.fixed_bytes);
        let refused =
            || DataFusionError::ResourcesExhausted(format!("memory for {}", reservation.consumer().name()));
        if !reservation.consumer().can_spill() {
            if additional > free {
                return Err(refused());
            }
            state.fixed_bytes += additional;
            return Ok(());
        }
        let spillable = self.limit_bytes.saturating_sub(state.fixed_bytes.max(self.kept_bytes));
        let share = spillable / state.spillers.max(self.expected_spillers).max(1);
        if additional > free || reservation.size() + additional > share {
            return Err(refused());
        }
        state.spillable_bytes += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        let state = self.state();
        state.spillable_bytes + state.fixed_bytes
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit_bytes)
    }
}

impl fmt::Display for SharedPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "shared, {} bytes", self.limit_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn spillers_leave_room_for_the_others() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SharedPool::new(1_000, 250, 2));
        let sort = MemoryConsumer::new("sort").with_can_spill(true).register(&pool);
        let merge = MemoryConsumer::new("merge").register(&pool);
        assert!(sort.try_grow(376).is_err(), "half of three quarters is its share");
        sort.try_grow(375).unwrap();
        let second = MemoryConsumer::new("second").with_can_spill(true).register(&pool);
        second.try_grow(375).unwrap();
        let third = MemoryConsumer::new("third").with_can_spill(true).register(&pool);
        assert!(merge.try_grow(251).is_err());
        merge.try_grow(250).unwrap();
        assert!(third.try_grow(1).is_err(), "all is taken");
        second.free();
        third.try_grow(250).unwrap();
        assert!(third.try_grow(1).is_err(), "three share now");
        drop((sort, merge, third));
        assert_eq!(pool.reserved(), 0);
    }
}
