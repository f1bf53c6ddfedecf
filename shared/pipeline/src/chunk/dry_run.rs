//! A dry run: computes the same deltas as a delivery, against the same delivered state, and renders them
//! instead of storing them.
//!
//! Nothing is written at the destination. The ledger records the run itself: when its steps started and
//! ended, how many members its segments have, and how many calls it spent. No delivery depends on these.

use super::accounts::Accounts;
use super::context::Context;
use super::delta::{TargetDelta, TargetWork, compute_delta, run_segments};
use super::dry_run_sink::{DryRunSink, Rendered};
use super::retire::Retirement;
use super::sequence::{Receiver, compute};
use super::{Chunk, RunDefinitions, StageError, pacer};
use jiff::Timestamp;
use relay_cloud::ledger::RunChange;
use relay_connectors::{CallContext, Connector, Estimate, Intent, Workload};
use relay_model::catalog::SegmentRemoval;
use relay_model::pacing::Quota;
use relay_model::run::{DryRun, DryRunTarget, Keys, Plan, Run, RunState, Sample, StopCode};
use relay_model::{Counts, ListId, Warnings};
use std::collections::HashSet;
use std::ops::ControlFlow;
use tokio::time::Instant;

/// The findings so far.
#[derive(Default)]
struct Findings {
    targets: Vec<DryRunTarget>,
    counts: Counts,
    batches: u64,
    calls: u64,
    seconds: Option<u64>,
    samples: Vec<Sample>,
    warnings: Vec<String>,
    notices: Vec<String>,
    quota: Option<Quota>,
}

/// Computes the findings of a dry run, stores them and ends the run.
pub(super) async fn dry_run<C: Connector>(
    chunk: &Chunk,
    connector: &C,
    run: &Run,
    definitions: &RunDefinitions,
    keys: &Keys,
    deadline: Instant,
) -> Result<(), StageError> {
    let found =
        find_out(chunk, connector, run, definitions, keys, deadline).await.map_err(without_waiting)?;
    let bytes = serde_json::to_vec(&found)
        .map_err(|error| StageError::stop(StopCode::FindingsUnwritable, error.to_string()))?;
    chunk.objects.put(&keys.dry_run(), bytes).await?;
    let change = RunChange {
        planned: Some((found.rows_in, found.counts, 0, found.calls_spent)),
        notices: Some(found.notices),
        report_key: Some(keys.dry_run()),
        is_ended: Some(found.made_at),
        ..RunChange::default()
    };
    let from = [RunState::Chunking];
    chunk.ledger.advance(run.run_id, &from, RunState::Succeeded, found.made_at, &change).await?;
    tracing::info!(run.id = %run.run_id, rows_in = found.rows_in, "dry run is done");
    Ok(())
}

async fn find_out<C: Connector>(
    chunk: &Chunk,
    connector: &C,
    run: &Run,
    definitions: &RunDefinitions,
    keys: &Keys,
    deadline: Instant,
) -> Result<DryRun, StageError> {
    let export = &definitions.export;
    let calls = CallContext::paced(deadline, pacer(&chunk.ledger, export.connection()?, connector))
        .with_intent(Intent::Look);
    let segments = run_segments(&chunk.objects, run, export, keys).await?;
    let context = Context { chunk, connector, run, definitions, keys, segments: &segments, calls: &calls };
    let mut found = Findings { notices: definitions.notices.clone(), ..Findings::default() };
    let checked = compute(&context, &mut found).await?;
    // Nothing breaks a dry run's sequence, because it deletes nothing.
    let (over_cap, would_be_held) = checked.map_or((None, None), |checked| (checked.over_cap, checked.held));
    if !export.enabled {
        found.warnings.push("the export is switched off: enable it before it can run".to_owned());
    }
    let query_counts = Plan::query_counts_of(&segments);
    found.counts += query_counts;
    let calls_estimated = found.calls + calls.calls();
    found.warn_of_quota(calls_estimated);
    Ok(DryRun {
        export_id: export.id.clone(),
        run_id: run.run_id,
        made_at: Timestamp::now(),
        rows_in: query_counts.total() + found.targets.iter().map(|target| target.rows_in).sum::<u64>(),
        counts: found.counts,
        segments,
        targets: found.targets,
        batches: found.batches,
        calls_estimated,
        seconds_estimated: found.seconds,
        calls_spent: calls.calls(),
        quota: found.quota,
        would_be_held,
        over_cap,
        samples: found.samples,
        warnings: found.warnings,
        notices: found.notices,
    })
}

impl<C: Connector> Receiver<C> for Findings {
    type Output = DryRunSink;

    fn only(&mut self, _list: &ListId) -> Option<HashSet<u128>> {
        None
    }

    fn cap_checked(&self, checked: Result<(), StageError>) -> Result<Option<String>, StageError> {
        over_cap(checked)
    }

    async fn receive(
        &mut self,
        context: &Context<'_, C>,
        delta: TargetDelta<C::Target, Rendered>,
    ) -> Result<(), StageError> {
        let Rendered { mut counts, samples, reasons } = delta.made;
        let workload = Workload { batches: &delta.batches, size: delta.size, added_rows: counts.added };
        self.add_estimate(context.connector.estimate(&delta.target, &workload), delta.batches.len());
        counts += delta.figures.settled;
        self.counts += counts;
        self.quota = delta.prepared.quota.or(self.quota);
        self.samples.extend(samples);
        self.say(&delta.label, delta.prepared.notices.iter().chain(&delta.notices));
        self.warn_adjusted_values(&delta.label, &delta.figures.warnings);
        self.targets.push(DryRunTarget {
            target_list: delta.list,
            label: delta.label,
            rows_in: delta.figures.members + delta.figures.removals,
            added: counts.added,
            changed: counts.changed,
            removed: counts.removed,
            unchanged: counts.unchanged,
            skipped: counts.skipped,
            rejected: counts.rejected,
            reasons,
            warnings: delta.figures.warnings,
        });
        Ok(())
    }

    fn retires(&self, _is_held: bool) -> bool {
        true
    }

    /// Renders the retirement of a list. Only a deletion shows whether the list is in use, so no removals are
    /// counted if the list would be deleted.
    async fn retire(
        &mut self,
        context: &Context<'_, C>,
        retirement: Retirement,
        accounts: &mut Accounts,
    ) -> Result<ControlFlow<()>, StageError> {
        let (list, export) = (retirement.label(), context.export());
        if retirement.is_own() && export.when_segment_removed == SegmentRemoval::Delete {
            let notice =
                "its segment was taken out, so it would be deleted, or be emptied where that is not possible";
            self.say(&list.0, [&notice.to_owned()]);
            return Ok(ControlFlow::Continue(()));
        }
        self.say(&list.0, [&"its segment was taken out, so it would be emptied".to_owned()]);
        let prepared = retirement.prepare(context.connector, export, context.calls).await?;
        if let Some(prepared) = prepared {
            let pointer = context.chunk.ledger.delivered(&export.id, list).await?;
            let work = TargetWork { list, label: &list.0, prepared: &prepared, pointer, only: None };
            let delta = compute_delta::<C, DryRunSink>(context, work, accounts).await?;
            self.receive(context, delta).await?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Findings {
    fn say<'a>(&mut self, label: &str, notices: impl IntoIterator<Item = &'a String>) {
        self.notices.extend(notices.into_iter().map(|notice| format!("target list {label}: {notice}")));
    }

    fn add_estimate(&mut self, estimate: Estimate, batches: usize) {
        self.batches += u64::try_from(batches).unwrap_or(u64::MAX);
        self.calls += estimate.calls;
        if let Some(seconds) = estimate.seconds {
            *self.seconds.get_or_insert(0) += seconds;
        }
    }

    fn warn_adjusted_values(&mut self, label: &str, warnings: &Warnings) {
        let adjusted =
            [(&warnings.shortened, "would be shortened"), (&warnings.left_out, "would be left out")];
        for (fields, what) in adjusted {
            let warning = |(field, rows): (&String, &u64)| {
                format!("target list {label}: {rows} values of {field} {what}")
            };
            self.warnings.extend(fields.iter().map(warning));
        }
    }

    fn warn_of_quota(&mut self, calls: u64) {
        let Some(Quota { used_today, limit_today }) = self.quota else { return };
        let left = limit_today.saturating_sub(used_today);
        if calls > left {
            self.warnings.push(format!(
                "about {calls} calls are more than the {left} that are left of today's {limit_today}: the run would \
                 wait for the next day"
            ));
        }
    }
}

/// Returns the text that a delivery over the cap would end with. A dry run continues.
fn over_cap(checked: Result<(), StageError>) -> Result<Option<String>, StageError> {
    match checked {
        Ok(()) => Ok(None),
        Err(StageError::Stop { code: StopCode::CapExceeded, text }) => Ok(Some(text)),
        Err(error) => Err(error),
    }
}

/// Converts the errors of a dry run, which does not wait for a new quota as a delivery does. A missing
/// delivered state was replaced by a delivery that ended meanwhile, so the step is retried.
fn without_waiting(error: StageError) -> StageError {
    match error {
        StageError::Pause { until, code, text } => {
            StageError::stop(code, format!("{text}; ask again after {until}"))
        }
        StageError::Stop { code, text } if code == StopCode::ObjectMissing => {
            StageError::Again { code, text }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(quota: Option<(u64, u64)>, calls: u64, expected: usize) {
        let quota = quota.map(|(used_today, limit_today)| Quota { used_today, limit_today });
        let mut found = Findings { quota, ..Findings::default() };
        found.warn_of_quota(calls);
        assert_eq!(found.warnings.len(), expected, "{:?}", found.warnings);
    }

    #[test]
    fn more_calls_than_the_day_has_left_are_warned_of() {
        check(None, 1_000, 0);
        check(Some((49_990, 50_000)), 10, 0);
        check(Some((49_990, 50_000)), 11, 1);
        check(Some((60_000, 50_000)), 0, 0);
        check(Some((60_000, 50_000)), 1, 1);
    }

    #[test]
    fn only_the_cap_is_told_instead_of_failing() {
        let over = StageError::stop(StopCode::CapExceeded, "12 profiles");
        assert_eq!(over_cap(Err(over)), Ok(Some("12 profiles".to_owned())));
        assert_eq!(over_cap(Ok(())), Ok(None));
        for error in [
            StageError::stop(StopCode::SnapshotDamaged, "gone"),
            StageError::again(StopCode::CapExceeded, "later"),
        ] {
            assert_eq!(over_cap(Err(error.clone())), Err(error));
        }
    }

    #[test]
    fn a_dry_run_does_not_wait_for_a_new_day() {
        let until = Timestamp::UNIX_EPOCH;
        let pause =
            StageError::Pause { until, code: StopCode::QuotaSpent, text: "the day is spent".to_owned() };
        let expected =
            StageError::stop(StopCode::QuotaSpent, "the day is spent; ask again after 1970-01-01T00:00:00Z");
        assert_eq!(without_waiting(pause), expected);
        let again = StageError::again(StopCode::Disk, "full");
        assert_eq!(without_waiting(again.clone()), again);
        let replaced = StageError::stop(StopCode::ObjectMissing, "gone");
        assert_eq!(without_waiting(replaced), StageError::again(StopCode::ObjectMissing, "gone"));
    }
}
