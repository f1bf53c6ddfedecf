//! A connection's budget of calls, shared by all workers: slots in time, leased in blocks.
//!
//! A destination refuses calls beyond a limit in any rolling window. Counting per window would let two
//! bursts meet at a window's edge, so calls are spread instead: each has a slot, and slots are one spacing
//! apart. A call may start somewhat late for its slot; the spacing allows for that.

use super::{NotYet, Pace};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The usual spacing of the slots, in percent of what the pace allows.
const USUAL_PERCENT: u32 = 100;
/// The maximum spacing, if other clients use up the account's limit.
const LARGEST_PERCENT: u32 = 1_600;

/// The remaining budget of a connection. One item of the ledger, changed by compare and swap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The first free slot.
    pub next_slot: Timestamp,
    /// The spacing of slots, in percent of what the pace allows.
    pub spacing_percent: u32,
    /// When the spacing last changed.
    pub changed_at: Timestamp,
    /// When the day of `spent` ends.
    pub resets_at: Timestamp,
    /// The calls of the day so far.
    pub spent: u64,
    /// The whole connection waits until this time.
    pub paused_until: Timestamp,
    /// The reason for waiting.
    pub pause_text: String,
}

/// A block of slots leased by one worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The first slot.
    pub first: Timestamp,
    /// The spacing of the slots.
    pub spacing: Duration,
    /// The number of slots.
    pub slots: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            next_slot: Timestamp::UNIX_EPOCH,
            spacing_percent: USUAL_PERCENT,
            changed_at: Timestamp::UNIX_EPOCH,
            resets_at: Timestamp::UNIX_EPOCH,
            spent: 0,
            paused_until: Timestamp::UNIX_EPOCH,
            pause_text: String::new(),
        }
    }
}

impl Pace {
    /// Returns how late for its slot a call may start.
    #[must_use]
    pub fn lateness(&self) -> Duration {
        self.window / 80
    }

    /// Returns the spacing of slots. No window has more than `calls`, although calls start late and their
    /// latencies differ.
    #[must_use]
    pub fn spacing(&self) -> Duration {
        (self.window + self.lateness() + self.window / 160) / self.calls.max(1)
    }
}

impl Budget {
    /// Leases up to `requested` slots (at least one), the first of which is no more than `patience` away.
    pub fn lease(
        &mut self,
        pace: &Pace,
        requested: u32,
        patience: Duration,
        now: Timestamp,
    ) -> Result<Lease, NotYet> {
        if self.paused_until > now {
            return Err(NotYet::Spent { until: self.paused_until, text: self.pause_text.clone() });
        }
        let slots = self.within_the_day(pace, requested.max(1), now)?;
        self.ease(pace, now);
        let spacing = pace.spacing() * self.spacing_percent / USUAL_PERCENT;
        let first = self.next_slot.max(now);
        let away = first.duration_since(now).unsigned_abs();
        if away > patience {
            return Err(NotYet::Turn(away));
        }
        self.next_slot = later(first, spacing * slots);
        self.spent += u64::from(slots);
        Ok(Lease { first, spacing, slots })
    }

    /// Widens the spacing, once for all refusals at about the same time. Returns whether it did.
    pub fn slow_down(&mut self, pace: &Pace, now: Timestamp) -> bool {
        if now.duration_since(self.changed_at).unsigned_abs() < pace.window / 4 && now >= self.changed_at {
            return false;
        }
        self.spacing_percent = (self.spacing_percent * 2).min(LARGEST_PERCENT);
        self.changed_at = now;
        // The full window has to pass before there is room again.
        self.next_slot = self.next_slot.max(later(now, pace.window / 4));
        true
    }

    /// Pauses the whole connection until the destination's quota resets. Returns that time.
    pub fn pause(&mut self, pace: &Pace, text: &str, now: Timestamp) -> Timestamp {
        let reset = pace.daily.as_ref().map(|daily| daily.next_reset(now));
        self.paused_until = reset.unwrap_or_else(|| later(now, Duration::from_hours(1)));
        text.clone_into(&mut self.pause_text);
        self.paused_until
    }

    fn within_the_day(&mut self, pace: &Pace, requested: u32, now: Timestamp) -> Result<u32, NotYet> {
        let Some(daily) = &pace.daily else { return Ok(requested) };
        if now >= self.resets_at {
            self.spent = 0;
            self.resets_at = daily.next_reset(now);
        }
        let Some(cap) = daily.calls else { return Ok(requested) };
        let left = cap.saturating_sub(self.spent);
        if left == 0 {
            let text = format!("the connection's own limit of {cap} calls a day is used up");
            return Err(NotYet::Spent { until: self.resets_at, text });
        }
        Ok(requested.min(u32::try_from(left).unwrap_or(u32::MAX)))
    }

    /// Narrows the spacing after a whole window without a refusal.
    fn ease(&mut self, pace: &Pace, now: Timestamp) {
        if self.spacing_percent > USUAL_PERCENT
            && now.duration_since(self.changed_at).unsigned_abs() > pace.window
        {
            self.spacing_percent = (self.spacing_percent * 4 / 5).max(USUAL_PERCENT);
            self.changed_at = now;
        }
    }
}

impl Lease {
    /// Takes the next slot that a call can still be in time for.
    pub fn take(&mut self, lateness: Duration, now: Timestamp) -> Option<Timestamp> {
        while self.slots > 0 {
            let slot = self.first;
            self.first = later(self.first, self.spacing);
            self.slots -= 1;
            if later(slot, lateness) >= now {
                return Some(slot);
            }
        }
        None
    }
}

fn later(moment: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| moment.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
