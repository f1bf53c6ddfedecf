//! A dry run: the delta is made as for a delivery, against the same delivered state, and told instead of sent.
//!
//! Nothing is written at the destination. In the ledger the run itself is noted, its steps' starts and its end, how many
//! members its segments have, which is as true as of a delivery, and which calls were made out of the connection's budget;
//! nothing that a delivery goes by.

use super::accounts::{Accounts, TargetWork, delta_size, of_list, uploads_of};
use super::look_sink::{LookSink, Looked};
use super::{Chunk, RunDefinitions, StageError, pacer};
use jiff::Timestamp;
use relay_cloud::ledger::{DeliveredPointer, RunChange};
use relay_connectors::{CallContext, Connector, Estimate, Gathering, Intent, Prepared, Workload};
use relay_model::Warnings;
use relay_model::batch::gather;
use relay_model::catalog::{Export, SegmentRemoval};
use relay_model::pacing::Quota;
use relay_model::run::{DryRun, DryRunTarget, Keys, Plan, Run, RunSegment, RunState, Sample, StopCode};
use relay_model::{Counts, ListId};
use tokio::time::Instant;

/// What has been found so far.
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

impl Chunk {
    /// Makes the findings of a dry run, stores them and ends it.
    pub(super) async fn look<C: Connector>(
        &self,
        connector: &C,
        run: &Run,
        definitions: &RunDefinitions,
        keys: &Keys,
        deadline: Instant,
    ) -> Result<(), StageError> {
        let found =
            self.find_out(connector, run, definitions, keys, deadline).await.map_err(without_waiting)?;
        let bytes = serde_json::to_vec(&found)
            .map_err(|error| StageError::stop(StopCode::FindingsUnwritable, error.to_string()))?;
        self.objects.put(&keys.dry_run(), bytes).await?;
        let change = RunChange {
            planned: Some((found.rows_in, found.counts, 0, found.calls_spent)),
            notices: Some(found.notices),
            report_key: Some(keys.dry_run()),
            is_ended: Some(found.made_at),
            ..RunChange::default()
        };
        let from = [RunState::Chunking];
        self.ledger.advance(run.run_id, &from, RunState::Succeeded, found.made_at, &change).await?;
        tracing::info!(run.id = %run.run_id, rows_in = found.rows_in, "dry run is done");
        Ok(())
    }

    async fn find_out<C: Connector>(
        &self,
        connector: &C,
        run: &Run,
        definitions: &RunDefinitions,
        keys: &Keys,
        deadline: Instant,
    ) -> Result<DryRun, StageError> {
        let export = &definitions.export;
        let pacer = pacer(&self.ledger, export.connection()?, connector);
        let context = CallContext::paced(deadline, pacer).with_intent(Intent::Look);
        let segments = self.run_segments(run, export, keys).await?;
        let accounts = Accounts::new(C::LIMITS, export, self.resting(definitions).await?);
        let found = Findings { notices: definitions.notices.clone(), ..Findings::default() };
        let before_calls = self.check_cap_before_calls(connector, export, &segments, keys, &accounts).await;
        let over_before_calls = over_cap(before_calls)?;
        let lists = self.lists().prepare_lists(connector, export, &context).await?;
        let mut look =
            Look { chunk: self, connector, definitions, export, keys, segments: &segments, accounts, found };
        for list in &lists {
            // A segment's new list has nobody on it, whoever was on the one that is gone.
            let pointer =
                if list.is_another() { None } else { self.ledger.delivered(&export.id, &list.list).await? };
            look.at(&list.list, &list.label, &list.prepared, pointer).await?;
        }
        // A delivery ends at the first of the two checks that it does not pass, and says that one's figures.
        let over_cap = over_before_calls.or(over_cap(look.accounts.check_cap())?);
        let would_be_held = look.accounts.held(&segments);
        look.at_retired(&context).await?;
        let mut found = look.found;
        if !export.enabled {
            found.warnings.push("the export is switched off: enable it before it can run".to_owned());
        }
        let query_counts = Plan::query_counts_of(&segments);
        found.counts += query_counts;
        let calls_estimated = found.calls + context.calls();
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
            calls_spent: context.calls(),
            quota: found.quota,
            would_be_held,
            over_cap,
            samples: found.samples,
            warnings: found.warnings,
            notices: found.notices,
        })
    }
}

/// A dry run in the making.
struct Look<'a, C> {
    chunk: &'a Chunk,
    connector: &'a C,
    definitions: &'a RunDefinitions,
    export: &'a Export,
    keys: &'a Keys,
    segments: &'a [RunSegment],
    accounts: Accounts,
    found: Findings,
}

impl<C: Connector> Look<'_, C> {
    /// Makes the delta of one target list.
    async fn at(
        &mut self,
        list: &ListId,
        label: &str,
        prepared: &Prepared<C::Target>,
        pointer: Option<DeliveredPointer>,
    ) -> Result<(), StageError> {
        let Self { chunk, connector, export, keys, segments, .. } = *self;
        let (accounts, found) = (&mut self.accounts, &mut self.found);
        let (target, lanes) = (found.targets.len(), connector.lanes());
        let work = TargetWork { target, list, export, keys, segments, lanes, only: None };
        let inputs = chunk.delta_inputs(work, prepared, pointer.as_ref(), accounts).await?;
        let field_keys = inputs.mapper.field_keys().to_vec();
        let sink_list = list.clone();
        let begin = move || Ok(LookSink::new(sink_list, field_keys, lanes, C::LIMITS.batch, C::row_bytes));
        let (figures, looked) = inputs.differ(begin, LookSink::finish).await?;
        let uploads = uploads_of(segments, list, pointer.as_ref());
        accounts.add(&figures, of_list(segments, list), &uploads.ending);
        let Looked { batches, mut counts, samples, reasons, fields } = looked;
        let mut target = prepared.target.clone();
        let size = delta_size(&batches, fields, lanes);
        let Gathering { limits, notices } = connector.gather(&mut target, size);
        let batches = match limits {
            Some(limits) => gather(batches, limits),
            None => batches,
        };
        let workload = Workload { batches: &batches, size, added_rows: counts.added };
        found.add_estimate(connector.estimate(&target, &workload), batches.len());
        counts += figures.settled;
        found.counts += counts;
        found.quota = prepared.quota.or(found.quota);
        found.samples.extend(samples);
        found.say(label, prepared.notices.iter().chain(&notices));
        found.warn_of_bent(label, &figures.warnings);
        found.targets.push(DryRunTarget {
            target_list: list.clone(),
            label: label.to_owned(),
            rows_in: figures.members + figures.removals,
            added: counts.added,
            changed: counts.changed,
            removed: counts.removed,
            unchanged: counts.unchanged,
            skipped: counts.skipped,
            rejected: counts.rejected,
            reasons,
            warnings: figures.warnings,
        });
        Ok(())
    }

    /// Lists whose segment was taken out of the export: whether one that would be deleted is in use is only known when it
    /// is tried, so nobody is counted as taken off it.
    async fn at_retired(&mut self, context: &CallContext) -> Result<(), StageError> {
        let Self { chunk, connector, definitions, export, .. } = *self;
        for retirement in chunk.retirements(definitions).await? {
            let label = retirement.label().clone();
            if retirement.is_own() && export.when_segment_removed == SegmentRemoval::Delete {
                let notice = "its segment was taken out, so it would be deleted, or be emptied where that is not possible";
                self.found.say(&label.0, [&notice.to_owned()]);
                continue;
            }
            self.found.say(&label.0, [&"its segment was taken out, so it would be emptied".to_owned()]);
            let Some(prepared) = retirement.prepare(connector, export, context).await? else { continue };
            let pointer = chunk.ledger.delivered(&export.id, &label).await?;
            self.at(&label, &label.0, &prepared, pointer).await?;
        }
        Ok(())
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

    fn warn_of_bent(&mut self, label: &str, warnings: &Warnings) {
        let bent = [(&warnings.shortened, "would be shortened"), (&warnings.left_out, "would be left out")];
        for (fields, what) in bent {
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

/// What a delivery would end with where it is over the cap. A look goes on.
fn over_cap(checked: Result<(), StageError>) -> Result<Option<String>, StageError> {
    match checked {
        Ok(()) => Ok(None),
        Err(StageError::Stop { code, text }) if code == StopCode::CapExceeded => Ok(Some(text)),
        Err(error) => Err(error),
    }
}

/// A delivery waits for a new day; people who ask what it would do do not. And as nothing keeps a delivery from ending
/// meanwhile, a delivered state that is gone was replaced.
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
