//! The report and the event of a finished run.

use jiff::Timestamp;
use relay_model::Counts;
use relay_model::run::{
    Cancellation, Failure, Keys, Plan, ReasonCount, Report, ReportTarget, Run, RunState, StageDurations,
};
use serde_json::{Value, json};

/// Returns how long each step took. A step begins at the moment at which the one before it ended.
pub(super) fn durations(run: &Run, ended_at: Timestamp) -> StageDurations {
    let marks = [
        Some(run.requested_at),
        run.snapshot_started_at,
        run.chunk_started_at,
        run.push_started_at,
        run.finish_started_at,
        Some(ended_at),
    ];
    let between = |step: usize| {
        let from = (*marks.get(step)?)?;
        let to = marks.iter().skip(step + 1).find_map(|mark| *mark)?;
        Some(to.as_millisecond() - from.as_millisecond())
    };
    StageDurations {
        wait_ms: between(0),
        snapshot_ms: between(1),
        chunk_ms: between(2),
        push_ms: between(3),
        finish_ms: between(4),
    }
}

#[expect(clippy::too_many_arguments, reason = "a report is where everything about a run comes together")]
pub(super) fn report(
    run: &Run,
    plan: Option<&Plan>,
    state: RunState,
    ended_at: Timestamp,
    rows_in: u64,
    counts: Counts,
    targets: Vec<ReportTarget>,
    reasons: Vec<ReasonCount>,
    failure: Option<Failure>,
    rejected_key: Option<String>,
) -> Report {
    Report {
        run_id: run.run_id,
        export_id: run.export_id.clone(),
        state,
        trigger: run.trigger.clone(),
        requested_at: run.requested_at,
        ended_at,
        durations: durations(run, ended_at),
        rows_in,
        counts,
        reasons,
        segments: plan.map(|plan| plan.segments.clone()).unwrap_or_default(),
        notices: notices(run, &targets),
        targets,
        calls: run.calls,
        throttled: run.throttled,
        batches: run.batches,
        failure,
        rejected_key,
    }
}

/// Returns the notices of the plan and those about later events.
fn notices(run: &Run, targets: &[ReportTarget]) -> Vec<String> {
    let mut notices = run.notices.clone();
    if run.throttled > 0 {
        notices.push(format!(
            "the destination refused {} of {} calls as one too many, so the run slowed down; somebody else may be using \
             up the account",
            run.throttled, run.calls
        ));
    }
    for target in targets {
        if let Some(counted) = target.members_counted.filter(|counted| *counted != target.delivered) {
            notices.push(format!(
                "target list {}: the destination counts {counted} members, and {} of them are there by our doing",
                target.target_list, target.delivered
            ));
        }
    }
    notices.extend(run.canceled.as_ref().map(Cancellation::notice));
    notices.extend(
        run.pause.as_ref().map(|pause| format!("the run waited until {}: {}", pause.until, pause.text)),
    );
    notices
}

/// Returns the detail of the event: ids and counts.
pub(super) fn event_detail(report: &Report, keys: &Keys) -> Value {
    json!({
        "run_id": report.run_id,
        "export_id": report.export_id,
        "state": report.state,
        "rows_in": report.rows_in,
        "counts": report.counts,
        "calls": report.calls,
        "failure": report.failure,
        "report_key": keys.report(),
        "rejected_key": report.rejected_key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::run::{RunMode, Trigger, TriggerKind};
    use relay_model::{ConnectionId, ExportId, RunId};

    fn run(snapshot: Option<i64>, chunk: Option<i64>, push: Option<i64>, finish: Option<i64>) -> Run {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        Run {
            run_id: RunId(uuid::Uuid::nil()),
            export_id: ExportId::try_from("newsletter".to_owned()).unwrap(),
            connection_id: ConnectionId::try_from("account".to_owned()).unwrap(),
            mode: RunMode::Delivery,
            state: RunState::Finishing,
            trigger: Trigger::new(TriggerKind::OnDemand, "key".to_owned()),
            requested_at: at(0),
            updated_at: at(0),
            snapshot_started_at: snapshot.map(at),
            chunk_started_at: chunk.map(at),
            push_started_at: push.map(at),
            finish_started_at: finish.map(at),
            ended_at: None,
            rows_in: None,
            counts: Counts::default(),
            rows_settled: 0,
            batches: 0,
            batches_open: 0,
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
    fn check(run: &Run, expected: [Option<i64>; 5]) {
        let durations = durations(run, Timestamp::from_second(100).unwrap());
        let found = [
            durations.wait_ms,
            durations.snapshot_ms,
            durations.chunk_ms,
            durations.push_ms,
            durations.finish_ms,
        ];
        assert_eq!(found, expected.map(|seconds| seconds.map(|seconds| seconds * 1_000)));
    }

    #[test]
    fn steps_end_where_the_next_one_begins() {
        let whole = run(Some(1), Some(3), Some(6), Some(10));
        check(&whole, [Some(1), Some(2), Some(3), Some(4), Some(90)]);
        // Without batches there is no push, and a run that failed early has no chunking either.
        check(&run(Some(1), Some(3), None, Some(10)), [Some(1), Some(2), Some(7), None, Some(90)]);
        check(&run(Some(1), None, None, Some(10)), [Some(1), Some(9), None, None, Some(90)]);
    }
}
