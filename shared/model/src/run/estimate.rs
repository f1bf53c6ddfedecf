//! Estimates the remaining time of a run.

use super::{Run, RunState};
use jiff::Timestamp;

/// The minimum elapsed time: earlier, the start-up of the first calls distorts the pace.
const LEAST_ELAPSED_MS: u64 = 5_000;
/// The minimum percentage of rows: below it, a single batch distorts the pace.
const LEAST_PERCENT: u64 = 2;

/// Returns the estimated milliseconds of pushing that remain at the pace so far.
///
/// `None` if there is no basis for an estimate: before its batches are sent, in the first moments, and
/// while it is paused (the run shows until when).
#[must_use]
pub fn remaining_ms(run: &Run, now: Timestamp) -> Option<u64> {
    if run.state != RunState::Pushing || run.canceled.is_some() || run.is_paused(now) {
        return None;
    }
    // Rows settled without a call took no push time.
    let rows = run.rows_in?.saturating_sub(run.rows_settled);
    let done = run.counts.total().saturating_sub(run.rows_settled).min(rows);
    let elapsed_ms = u64::try_from(now.duration_since(run.push_started_at?).as_millis()).ok()?;
    let is_enough = elapsed_ms >= LEAST_ELAPSED_MS
        && done > 0
        && u128::from(done) * 100 >= u128::from(rows) * u128::from(LEAST_PERCENT);
    if !is_enough {
        return None;
    }
    let remaining_ms = u128::from(elapsed_ms) * u128::from(rows - done) / u128::from(done);
    u64::try_from(remaining_ms).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{CancelReason, Cancellation, Pause, RunMode, Trigger, TriggerKind};
    use crate::{ConnectionId, Counts, ExportId, RunId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Returns a run that began to push at second 100, with these numbers of rows in total, settled at
    /// once, and added.
    fn run(rows_in: u64, rows_settled: u64, added: u64) -> Run {
        Run {
            run_id: RunId(uuid::Uuid::nil()),
            export_id: ExportId::try_from("newsletter".to_owned()).unwrap(),
            connection_id: ConnectionId::try_from("account".to_owned()).unwrap(),
            mode: RunMode::Delivery,
            state: RunState::Pushing,
            trigger: Trigger::new(TriggerKind::OnDemand, "key".to_owned()),
            requested_at: at(0),
            updated_at: at(0),
            snapshot_started_at: None,
            chunk_started_at: None,
            push_started_at: Some(at(100)),
            finish_started_at: None,
            ended_at: None,
            rows_in: Some(rows_in),
            counts: Counts { unchanged: rows_settled, added, ..Counts::default() },
            rows_settled,
            batches: 1,
            batches_open: 1,
            calls: 0,
            throttled: 0,
            pause: None,
            members: std::collections::BTreeMap::new(),
            is_approved: false,
            notices: Vec::new(),
            failure: None,
            canceled: None,
            report_key: None,
        }
    }

    #[track_caller]
    fn check(run: &Run, now: i64, expected: Option<u64>) {
        assert_eq!(remaining_ms(run, at(now)), expected);
    }

    #[test]
    fn the_pace_so_far_says_how_long_the_rest_takes() {
        check(&run(1_000, 0, 250), 110, Some(30_000));
        // Rows settled at once do not count for the pace.
        check(&run(1_000_000, 999_000, 250), 110, Some(30_000));
        check(&run(1_000, 0, 1_000), 110, Some(0));
        check(&run(u64::MAX, 0, u64::MAX / 2), 110, Some(10_000));
    }

    #[test]
    fn nothing_is_said_without_anything_to_go_by() {
        check(&run(1_000, 0, 250), 104, None);
        check(&run(1_000, 0, 250), 105, Some(15_000));
        check(&run(1_000, 0, 250), 90, None);
        check(&run(1_000, 0, 19), 110, None);
        check(&run(1_000, 0, 20), 110, Some(490_000));
        check(&run(1_000, 1_000, 0), 110, None);
        check(&Run { state: RunState::Finishing, ..run(1_000, 0, 250) }, 110, None);
        check(&Run { rows_in: None, ..run(1_000, 0, 250) }, 110, None);
        check(&Run { push_started_at: None, ..run(1_000, 0, 250) }, 110, None);
        let pause = Some(Pause { until: at(500), text: "the day is spent".to_owned() });
        check(&Run { pause: pause.clone(), ..run(1_000, 0, 250) }, 110, None);
        check(&Run { pause, ..run(1_000, 0, 250) }, 500, Some(1_200_000));
        let by = "jane".to_owned();
        let canceled = Some(Cancellation { by, at: at(109), reason: CancelReason::Asked });
        check(&Run { canceled, ..run(1_000, 0, 250) }, 110, None);
    }
}
