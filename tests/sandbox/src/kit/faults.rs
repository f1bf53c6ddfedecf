//! Faults on request: what goes wrong, with which calls, how often.

use serde::{Deserialize, Serialize};

/// A vendor's kinds of calls, of which one stands for all.
pub trait Target: Copy + Eq {
    /// Stands for every kind of call.
    const ANY: Self;
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing is done and this HTTP status is answered, in the vendor's form of an error.
    Status(u16),
    /// Nothing is done and the vendor's 429 is answered.
    TooManyRequests,
    /// The work is done this many milliseconds late, whether the caller still waits or not.
    DelayBefore(u64),
    /// The work is done at once and the answer held back for this many milliseconds.
    DelayAfter(u64),
    /// Nothing is done and the connection is closed without a byte of an answer.
    DropConnection,
    /// The work is done and the connection is closed without a byte of an answer.
    DropAfterProcessing,
    /// The work is done, but this HTTP status is answered, in the vendor's form of an error.
    StatusAfterProcessing(u16),
    /// The work is done and the answer's body is not JSON: a proxy's HTML page with the same status.
    BadJson,
    /// The work is done and the answer's body ends in the middle, with a length that says it is complete.
    TruncatedJson,
    /// Nothing is done and exactly this is answered.
    Answer {
        /// HTTP status.
        status: u16,
        /// The body, as `application/json`.
        body: String,
    },
}

/// A fault and the calls that it hits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault<E> {
    /// The kind of calls that it hits.
    pub matches: E,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many calls it hits before it is over.
    #[serde(default = "once")]
    pub times: usize,
    /// It hits each so-many-th matching call: 1 is each of them, 3 the third, the sixth, ….
    #[serde(default = "once")]
    pub every: usize,
}

impl<E> Fault<E> {
    /// A fault that hits the next matching call only.
    pub fn once(matches: E, kind: FaultKind) -> Self {
        Self { matches, kind, times: 1, every: 1 }
    }

    /// The same fault for the next `times` matching calls.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// The same fault for each `every`-th matching call.
    #[must_use]
    pub fn every(self, every: usize) -> Self {
        Self { every, ..self }
    }
}

fn once() -> usize {
    1
}

/// The faults that wait for their calls, in the order in which they were asked for.
#[derive(Debug)]
pub(crate) struct Faults<E> {
    waiting: Vec<Waiting<E>>,
}

#[derive(Debug)]
struct Waiting<E> {
    fault: Fault<E>,
    seen: usize,
}

impl<E> Default for Faults<E> {
    fn default() -> Self {
        Self { waiting: Vec::new() }
    }
}

impl<E: Target> Faults<E> {
    pub(crate) fn add(&mut self, fault: Fault<E>) {
        self.waiting.push(Waiting { fault, seen: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// The faults that are not over, with the number of calls that each will still hit.
    pub(crate) fn remaining(&self) -> Vec<Fault<E>> {
        self.waiting.iter().map(|waiting| waiting.fault.clone()).collect()
    }

    /// The fault that hits this call, if any: the first that matches and whose turn it is.
    pub(crate) fn take(&mut self, call: E) -> Option<FaultKind> {
        let mut hit = None;
        for waiting in &mut self.waiting {
            let fault = &mut waiting.fault;
            if fault.matches != E::ANY && fault.matches != call {
                continue;
            }
            waiting.seen = waiting.seen.saturating_add(1);
            if hit.is_none() && fault.times > 0 && waiting.seen.is_multiple_of(fault.every.max(1)) {
                fault.times = fault.times.saturating_sub(1);
                hit = Some(fault.kind.clone());
            }
        }
        self.waiting.retain(|waiting| waiting.fault.times > 0);
        hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Call {
        Any,
        Import,
        Remove,
    }

    impl Target for Call {
        const ANY: Self = Self::Any;
    }

    fn check(fault: Fault<Call>, calls: &[Call], expected: &[bool]) {
        let mut faults = Faults::default();
        faults.add(fault);
        let hits: Vec<bool> = calls.iter().map(|call| faults.take(*call).is_some()).collect();
        assert_eq!(hits, expected);
    }

    #[test]
    fn faults_hit_the_calls_they_were_asked_for() {
        use Call::{Any, Import, Remove};
        let fault = |matches| Fault::once(matches, FaultKind::Status(500));
        check(fault(Import), &[Remove, Import, Import], &[false, true, false]);
        check(fault(Any), &[Remove, Import], &[true, false]);
        check(fault(Import).times(2), &[Import, Import, Import], &[true, true, false]);
        check(fault(Import).every(2).times(2), &[Import; 5], &[false, true, false, true, false]);
        check(fault(Import).every(2), &[Import, Remove, Remove, Import], &[false, false, false, true]);
    }
}
