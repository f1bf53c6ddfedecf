//! Bulk imports: a file of people, taken at once and worked off at the vendor's pace.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import>

use super::answer::Answer;
use super::auth::Caller;
use super::clock::{Moment, signed};
use super::errors::{self, ApiError};
use super::fields::ID;
use super::ids::{BatchId, ListId};
use super::import_rows::{self, ImportFile};
use super::multipart;
use super::request::{Parameters, Payload};
use super::server::Shared;
use super::upsert::{self, Action, Terms};
use super::world::World;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Weak;
use tokio::task::yield_now;

const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// As many rows are written without letting other calls in.
const ROWS_AT_ONCE: usize = 500;
/// How often a waiting import looks whether it is its turn.
const LOOK_MS: u64 = 100;
const LONGEST_WAIT_MS: u64 = 1000;

/// What goes wrong with an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportTrouble {
    /// It ends as `Failed`, without having taken a row.
    Fails,
    /// It ends as `Failed` after half of its rows.
    FailsHalfway,
    /// It takes all rows and stays `Importing`.
    NeverEnds,
}

/// All imports of the last week.
#[derive(Debug, Default)]
pub(super) struct Imports {
    jobs: BTreeMap<BatchId, Job>,
    last: BatchId,
    /// What is to go wrong with the next imports, one each.
    pub(super) troubles: VecDeque<ImportTrouble>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Queued,
    Importing { since: Moment },
    Complete,
    Failed,
}

#[derive(Debug)]
struct Job {
    list: Option<ListId>,
    terms: Terms,
    file: ImportFile,
    created_at: Moment,
    state: State,
    trouble: Option<ImportTrouble>,
    message: Option<String>,
}

impl Job {
    fn is_active(&self) -> bool {
        matches!(self.state, State::Queued | State::Importing { .. })
    }

    fn status(&self) -> &'static str {
        match self.state {
            State::Queued => "Queued",
            State::Importing { .. } => "Importing",
            State::Complete => "Complete",
            State::Failed => "Failed",
        }
    }
}

impl Imports {
    /// Whether an import that is not over writes to this list.
    pub(super) fn uses(&self, list: ListId) -> bool {
        self.jobs.values().any(|job| job.is_active() && job.list == Some(list))
    }

    pub(super) fn active(&self) -> usize {
        self.jobs.values().filter(|job| job.is_active()).count()
    }

    fn running(&self) -> usize {
        self.jobs.values().filter(|job| matches!(job.state, State::Importing { .. })).count()
    }

    fn find(&self, text: &str, now: Moment) -> Result<(BatchId, &Job), ApiError> {
        let id = text.parse().map_err(|_| errors::BATCH_NOT_FOUND)?;
        let job = self.jobs.get(&id).filter(|job| now.saturating_sub(job.created_at) < KEPT_MS);
        Ok((id, job.ok_or(errors::BATCH_NOT_FOUND)?))
    }

    /// The oldest import that waits.
    fn next(&self) -> Option<BatchId> {
        self.jobs.iter().find(|(_, job)| job.state == State::Queued).map(|(id, _)| *id)
    }
}

/// Takes a file. The import has to be driven from then on.
pub(super) fn submit(
    world: &mut World,
    caller: &Caller,
    query: &Parameters,
    payload: &Payload,
    now: Moment,
) -> Result<(Answer, BatchId), ApiError> {
    let delimiter = match query.required("format")? {
        "csv" => b',',
        "tsv" => b'\t',
        "ssv" => b';',
        _ => return Err(errors::error(1003, "format must be csv, tsv or ssv")),
    };
    let lookup = upsert::lookup_field(world, query.get("lookupField").unwrap_or("email"))?;
    let partition = query.get("partitionName").map(|name| world.partition(caller, name)).transpose()?;
    let list = query.get("listId").map(|text| world.list_id(text)).transpose()?;
    let Payload::Multipart(boundary, body) = payload else {
        return Err(errors::CONTENT_TYPE);
    };
    let content = multipart::file(boundary, body).ok_or(errors::MULTIPART)?;
    if world.imports.active().saturating_add(world.options.others.imports) >= world.options.imports_at_most {
        return Err(errors::TOO_MANY_IMPORTS);
    }
    if list.is_some_and(|list| world.imports.uses(list)) {
        return Err(errors::LIST_BEING_IMPORTED);
    }
    let action = if lookup == ID { Action::UpdateOnly } else { Action::CreateOrUpdate };
    let job = Job {
        list,
        terms: Terms { action, lookup, partition, caller: caller.clone() },
        file: ImportFile::read(content, delimiter),
        created_at: now,
        state: State::Queued,
        trouble: world.imports.troubles.pop_front(),
        message: None,
    };
    let id = world.imports.last.next();
    world.imports.last = id;
    world.imports.jobs.insert(id, job);
    world.report.most_imports = world.report.most_imports.max(world.imports.active());
    let row = json!({ "batchId": id, "importId": id.to_string(), "status": "Queued" });
    Ok((Answer::result(&[row]), id))
}

/// What became of an import so far.
pub(super) fn status(world: &World, batch: &str, now: Moment) -> Result<Answer, ApiError> {
    let (id, job) = world.imports.find(batch, now)?;
    let mut row = Map::new();
    row.insert("batchId".to_owned(), id.get().into());
    row.insert("importId".to_owned(), id.to_string().into());
    row.insert("status".to_owned(), job.status().into());
    row.insert("numOfLeadsProcessed".to_owned(), job.file.imported.into());
    row.insert("numOfRowsFailed".to_owned(), job.file.failures.len().into());
    row.insert("numOfRowsWithWarning".to_owned(), job.file.warnings.len().into());
    if let Some(message) = &job.message {
        row.insert("message".to_owned(), message.as_str().into());
    }
    Ok(Answer::result(&[Value::Object(row)]))
}

/// The rows that failed, as a file with the reasons.
pub(super) fn failures(world: &World, batch: &str, now: Moment) -> Result<Answer, ApiError> {
    let (_, job) = world.imports.find(batch, now)?;
    Ok(Answer::csv(job.file.written(&job.file.failures, "Import Failure Reason")))
}

/// The rows that were imported without some of their values, as a file with the reasons.
pub(super) fn warnings(world: &World, batch: &str, now: Moment) -> Result<Answer, ApiError> {
    let (_, job) = world.imports.find(batch, now)?;
    Ok(Answer::csv(job.file.written(&job.file.warnings, "Import Warning Reason")))
}

/// Works an import off until it is over or the sandbox is gone.
pub(super) async fn drive(shared: Weak<Shared>, id: BatchId) {
    loop {
        let (clock, wait_ms) = {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let now = shared.gate.now();
            let Some(wait_ms) = advance(&mut shared.world(), id, now) else {
                return;
            };
            (shared.gate, wait_ms)
        };
        clock.sleep(wait_ms).await;
        yield_now().await;
    }
}

/// One step of an import: how long to wait for the next one, in milliseconds; none when it is over.
fn advance(world: &mut World, id: BatchId, now: Moment) -> Option<u64> {
    let job = world.imports.jobs.get(&id)?;
    match job.state {
        State::Queued => {
            let ready_at = job.created_at.saturating_add(signed(world.options.import_queue_ms));
            if now < ready_at {
                return u64::try_from(ready_at.saturating_sub(now)).ok();
            }
            let has_place = world.imports.running() < world.options.imports_running;
            if !has_place || world.imports.next() != Some(id) {
                return Some(LOOK_MS);
            }
            start(world, id, now)
        }
        State::Importing { since } => {
            // Taken out while its rows are written: the rows change the world around it.
            let mut job = world.imports.jobs.remove(&id)?;
            let wait_ms = take_rows(world, &mut job, since, now);
            world.imports.jobs.insert(id, job);
            wait_ms
        }
        State::Complete | State::Failed => None,
    }
}

fn start(world: &mut World, id: BatchId, now: Moment) -> Option<u64> {
    let lookup = world.imports.jobs.get(&id)?.terms.lookup;
    let lookup = world.fields.get(lookup).map(|field| field.name.clone()).unwrap_or_default();
    let job = world.imports.jobs.get_mut(&id)?;
    job.state = State::Importing { since: now };
    let failure = if job.trouble == Some(ImportTrouble::Fails) {
        Some("Import failed".to_owned())
    } else {
        job.file.resolve(&world.fields, &lookup).err()
    };
    if let Some(message) = failure {
        job.state = State::Failed;
        job.message = Some(message);
        return None;
    }
    Some(0)
}

fn take_rows(world: &mut World, job: &mut Job, since: Moment, now: Moment) -> Option<u64> {
    let speed = u64::from(world.options.import_rows_per_second.max(1));
    let elapsed_ms = u64::try_from(now.saturating_sub(since)).unwrap_or_default();
    let due = usize::try_from(elapsed_ms.saturating_mul(speed) / 1000).unwrap_or(usize::MAX);
    let half = job.file.rows() / 2;
    let fails_halfway = job.trouble == Some(ImportTrouble::FailsHalfway);
    let last = if fails_halfway { half } else { job.file.rows() };
    for _ in 0..ROWS_AT_ONCE {
        if job.file.taken() >= due.min(last) {
            break;
        }
        import_rows::take_row(world, &mut job.file, &job.terms, job.list, now);
    }
    let taken = job.file.taken();
    if taken < last {
        // Behind time there is no wait; else until some rows are due, but not for so long that a change of
        // speed goes unnoticed.
        return Some(if taken < due { 0 } else { (200_000 / speed).clamp(1, LONGEST_WAIT_MS) });
    }
    if job.trouble == Some(ImportTrouble::NeverEnds) {
        return None;
    }
    let (imported, members, failed) = (job.file.imported, job.file.members, job.file.failures.len());
    let how = if failed > 0 { "completed with errors" } else { "succeeded" };
    let message = format!("Import {how}, {imported} records imported ({members} members), {failed} failed");
    (job.state, job.message) = if fails_halfway {
        (State::Failed, Some("Import failed".to_owned()))
    } else {
        (State::Complete, Some(message))
    };
    None
}
