//! By calls or by files: decided by what each would cost in calls and in time, as far as that can be known before.

use super::settings::Settings;
use super::{
    IMPORT_BYTES, Imports, MAX_BODY_BYTES, MAX_RECORDS, MarketoTarget, PersonCreation, TYPICAL_DAILY_CALLS,
    Way,
};
use crate::{DeltaSize, Estimate, Gathering, Workload};
use relay_model::batch::{BatchEntry, BatchLimits, Kind};
use std::time::Duration;

/// Files have to be so many times as fast: their outcomes come later and without lead ids.
const TIMES_AS_FAST: u64 = 2;
/// Submitting a file, and reading its failures and its warnings.
const CALLS_A_FILE: u64 = 3;

/// What one way costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    calls: u64,
    seconds: u64,
}

/// Decides, and says why.
pub(super) fn gather(settings: &Settings, target: &mut MarketoTarget, delta: DeltaSize) -> Gathering {
    if delta.upsert_rows == 0 {
        return Gathering::default();
    }
    let sync = by_sync(settings, target, delta);
    let (import, files) = by_import(settings, delta);
    let budget = settings.daily.calls.unwrap_or(TYPICAL_DAILY_CALLS);
    let is_faster = import.seconds.saturating_mul(TIMES_AS_FAST) <= sync.seconds;
    let is_too_dear = sync.calls > budget && import.calls < sync.calls;
    let (way, why) = match target.imports {
        Imports::Never => (Way::Sync, "files are not for this export"),
        Imports::Always => (Way::BulkImport, "the export says so"),
        Imports::WhereFaster if is_too_dear => {
            (Way::BulkImport, "the calls would be more than a day's budget")
        }
        Imports::WhereFaster if is_faster => (Way::BulkImport, "files are at least twice as fast"),
        Imports::WhereFaster => (Way::Sync, "files are not twice as fast"),
    };
    target.way = way;
    let chosen = match way {
        Way::Sync => "calls",
        Way::BulkImport => "files",
    };
    let notice = format!(
        "{} people to add or change: by calls {} calls and at least {}; by {files} files about {} calls and {}; \
         chosen: {chosen}, for {why}",
        delta.upsert_rows,
        sync.calls,
        duration(sync.seconds),
        import.calls,
        duration(import.seconds),
    );
    let limits = (way == Way::BulkImport).then_some(BatchLimits {
        upsert_rows: u32::MAX,
        upsert_bytes: IMPORT_BYTES,
        remove_rows: super::REMOVE_ROWS,
    });
    Gathering { limits, notices: vec![notice] }
}

/// What the delta costs, batch for batch. By calls, each 300 people of a batch are written, or looked up, and those who
/// are new to the list are added to it: how the new ones fall among the pieces is not known, so where there are any, each
/// piece is taken to have some. Files cost what deciding for them took them for. Removals are a call for each 300, where
/// the people's ids are known, which a file does not tell.
pub(super) fn estimate(settings: &Settings, target: &MarketoTarget, workload: &Workload<'_>) -> Estimate {
    let removals = workload.sum(Kind::Remove, pieces_of_rows);
    let removing = Estimate::at(removals, Some(&settings.pace));
    let upserts = match target.way {
        Way::BulkImport if workload.size.upsert_rows > 0 => {
            let (import, _) = by_import(settings, workload.size);
            Estimate { calls: import.calls, seconds: Some(import.seconds) }
        }
        Way::BulkImport | Way::Sync => {
            let batches = workload.batches.iter().filter(|batch| batch.kind == Kind::Upsert);
            let pieces: u64 = batches.map(pieces).sum();
            let has_to_add = workload.added_rows > 0;
            let calls = match (is_only_added(target), has_to_add) {
                (false, true) => 2 * pieces,
                (true, true) | (false, false) => pieces,
                (true, false) => 0,
            };
            Estimate::at(calls, Some(&settings.pace))
        }
    };
    let seconds = upserts.seconds.zip(removing.seconds).map(|(upserts, removals)| upserts + removals);
    Estimate { calls: upserts.calls + removing.calls, seconds }
}

fn pieces(batch: &BatchEntry) -> u64 {
    pieces_of_rows(u64::from(batch.rows)).max(batch.request_bytes.div_ceil(MAX_BODY_BYTES))
}

fn pieces_of_rows(rows: u64) -> u64 {
    rows.div_ceil(u64::try_from(MAX_RECORDS).unwrap_or(1))
}

/// Whether people need not even be looked up: their keys are Marketo's own ids.
fn is_only_added(target: &MarketoTarget) -> bool {
    target.person_creation == PersonCreation::MatchOnly
        && !target.has_attributes
        && target.lookup_field == "id"
}

/// Writing or looking up, then adding to the list: two calls for each 300.
fn by_sync(settings: &Settings, target: &MarketoTarget, delta: DeltaSize) -> Cost {
    let calls_a_piece = if is_only_added(target) { 1 } else { 2 };
    let calls = pieces_of_rows(delta.upsert_rows) * calls_a_piece;
    Cost { calls, seconds: settings.pace.seconds(calls) }
}

/// One file after the other, for a list takes one import at a time; the other lanes' files wait and ask again.
fn by_import(settings: &Settings, delta: DeltaSize) -> (Cost, u64) {
    let lanes = u64::from(delta.lanes.max(1)).min(delta.upsert_rows);
    let files = delta.upsert_bytes.div_ceil(lanes).div_ceil(IMPORT_BYTES).max(1) * lanes;
    let rows_a_file = delta.upsert_rows.div_ceil(files);
    let file = Duration::from_secs(rows_a_file.div_ceil(u64::from(settings.import_rows_per_second)));
    let (polls, file) = polls(settings.poll, file);
    let milliseconds = u64::try_from(file.as_millis()).unwrap_or(u64::MAX).saturating_mul(files);
    let busy =
        u64::try_from(super::classify::busy_wait(settings.poll).as_millis()).unwrap_or(u64::MAX).max(1);
    // While one lane's file is worked off, those of the others are refused; there are fewer of them each time.
    let refused = (lanes - 1) * milliseconds / busy / 2;
    let calls = files * (CALLS_A_FILE + polls) + refused;
    (Cost { calls, seconds: milliseconds.div_ceil(1_000) }, files)
}

/// How often an import that takes so long is looked at, and when the look that sees its end is.
fn polls(poll: Duration, lasts: Duration) -> (u64, Duration) {
    let mut elapsed = poll;
    let mut looks = 1;
    while elapsed < lasts {
        elapsed += super::import::look_after(poll, looks);
        looks += 1;
    }
    (u64::from(looks), elapsed)
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} seconds"),
        120..=7_199 => format!("{} minutes", seconds.div_ceil(60)),
        _ => format!("{}.{} hours", seconds / 3_600, seconds % 3_600 / 360),
    }
}

#[cfg(test)]
#[path = "gathering_tests.rs"]
mod tests;
