//! The rate limits of a brand: rolling windows, one for each class of calls.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/rate-limit-timeouts-errors>: 400 calls a minute, 60 for tags,
//! 100 for reading segments and 15 for writing them, of all keys of a brand together.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How many calls of each class a brand has in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Every call, or every one that has no limit of its own, as the options say.
    pub default: usize,
    /// Adding and removing tags.
    pub tags: usize,
    /// Reading and deleting segments.
    pub segment_reads: usize,
    /// Making and changing segments.
    pub segment_writes: usize,
    /// Length of the window in milliseconds, before it is scaled.
    pub window_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { default: 400, tags: 60, segment_reads: 100, segment_writes: 15, window_ms: 60_000 }
    }
}

impl Limits {
    pub(super) fn of(&self, class: LimitClass) -> usize {
        match class {
            LimitClass::Default => self.default,
            LimitClass::Tags => self.tags,
            LimitClass::SegmentReads => self.segment_reads,
            LimitClass::SegmentWrites => self.segment_writes,
        }
    }
}

/// Calls that share a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitClass {
    /// Calls without a limit of their own, or all of them, as the options say.
    Default,
    /// `POST` and `DELETE /contacts/tags`
    Tags,
    /// `GET` and `DELETE` of segments.
    SegmentReads,
    /// `POST` and `PUT` of segments.
    SegmentWrites,
}

/// What the calls of one class in the running window are.
#[derive(Debug, Default)]
struct Window {
    calls: VecDeque<Call>,
    counted: usize,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    at: Instant,
    is_counted: bool,
}

impl Window {
    fn forget_before(&mut self, start: Option<Instant>) {
        while let Some(call) = self.calls.front().copied().filter(|call| Some(call.at) <= start) {
            self.calls.pop_front();
            self.counted = self.counted.saturating_sub(usize::from(call.is_counted));
        }
    }

    fn add(&mut self, at: Instant, is_counted: bool) {
        self.calls.push_back(Call { at, is_counted });
        self.counted = self.counted.saturating_add(usize::from(is_counted));
    }

    /// How long it takes until one more call has room.
    fn wait(&self, limit: usize, window: Duration, now: Instant) -> Duration {
        let too_many = (self.counted + 1).saturating_sub(limit);
        let leaving = too_many.checked_sub(1);
        let leaves = leaving.and_then(|nth| self.calls.iter().filter(|call| call.is_counted).nth(nth));
        leaves.map_or(Duration::ZERO, |call| (call.at + window).saturating_duration_since(now))
    }
}

/// Which windows a call enters, and what they take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule<'a> {
    pub(super) limits: Option<&'a Limits>,
    pub(super) window: Duration,
    /// The class by which the call is judged and described.
    pub(super) class: LimitClass,
    /// Whether the call counts as one without a limit of its own too.
    pub(super) enters_default: bool,
    /// Whether refused calls take room.
    pub(super) counts_refused: bool,
}

/// Where a call leaves its brand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) is_admitted: bool,
    pub(super) limit: usize,
    pub(super) remaining: usize,
    /// Until a refused call has room, or until the window has moved past its oldest call.
    pub(super) reset: Duration,
}

/// The windows of one brand.
#[derive(Debug, Default)]
pub(super) struct Meter {
    windows: BTreeMap<LimitClass, Window>,
}

impl Meter {
    /// Counts a call; with its standing the most calls of each class that it entered are told, refused ones too.
    pub(super) fn enter(&mut self, rule: &Rule<'_>, now: Instant) -> (Standing, Vec<(LimitClass, usize)>) {
        let mut classes = vec![rule.class];
        if rule.enters_default && rule.class != LimitClass::Default {
            classes.push(LimitClass::Default);
        }
        let start = now.checked_sub(rule.window);
        let mut wait = Duration::ZERO;
        let mut is_admitted = true;
        for class in &classes {
            let window = self.windows.entry(*class).or_default();
            window.forget_before(start);
            if let Some(limit) = rule.limits.map(|limits| limits.of(*class))
                && window.counted >= limit
            {
                is_admitted = false;
                wait = wait.max(window.wait(limit, rule.window, now));
            }
        }
        let mut most = Vec::with_capacity(classes.len());
        for class in classes {
            let window = self.windows.entry(class).or_default();
            window.add(now, is_admitted || rule.counts_refused);
            most.push((class, window.calls.len()));
        }
        let limit = rule.limits.map_or(usize::MAX, |limits| limits.of(rule.class));
        let own = self.windows.entry(rule.class).or_default();
        let oldest = own.calls.front().map_or(now, |call| call.at);
        let reset = if is_admitted { (oldest + rule.window).saturating_duration_since(now) } else { wait };
        (Standing { is_admitted, limit, remaining: limit.saturating_sub(own.counted), reset }, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts_refused: bool, class: LimitClass, at_ms: &[u64], expected: &[bool]) {
        let limits = Limits { default: 3, tags: 2, ..Limits::default() };
        let start = Instant::now();
        let mut meter = Meter::default();
        let window = Duration::from_secs(1);
        let rule = Rule { limits: Some(&limits), window, class, enters_default: true, counts_refused };
        let admitted: Vec<bool> = at_ms
            .iter()
            .map(|at_ms| meter.enter(&rule, start + Duration::from_millis(*at_ms)).0.is_admitted)
            .collect();
        assert_eq!(admitted, expected);
    }

    #[test]
    fn windows_roll() {
        use LimitClass::{Default, Tags};
        check(
            false,
            Default,
            &[0, 500, 900, 999, 1000, 1001, 1500],
            &[true, true, true, false, true, false, true],
        );
        check(
            true,
            Default,
            &[0, 500, 900, 999, 1000, 1001, 1500],
            &[true, true, true, false, false, false, false],
        );
        check(false, Tags, &[0, 1, 2, 1000], &[true, true, false, true]);
    }

    #[test]
    fn a_refused_call_hears_when_there_is_room_again() {
        let limits = Limits { default: 1, ..Limits::default() };
        let rule = Rule {
            limits: Some(&limits),
            window: Duration::from_secs(1),
            class: LimitClass::Default,
            enters_default: true,
            counts_refused: false,
        };
        let (start, mut meter) = (Instant::now(), Meter::default());
        let (first, _) = meter.enter(&rule, start);
        assert_eq!((first.remaining, first.reset), (0, Duration::from_secs(1)));
        let (second, most) = meter.enter(&rule, start + Duration::from_millis(400));
        assert_eq!((second.is_admitted, second.reset), (false, Duration::from_millis(600)));
        assert_eq!(most, [(LimitClass::Default, 2)]);
    }
}
