//! Bulk extracts of static lists.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-extract/bulk-lead-extract>

use super::answer::Answer;
use super::auth::Caller;
use super::clock::{self, Moment, signed};
use super::errors::{self, ApiError};
use super::export_file;
use super::fields::FieldNumber;
use super::ids::ListId;
use super::people;
use super::request::Payload;
use super::server::Shared;
use super::world::World;
use crate::kit::random::hexadecimal_id;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Weak;

const LOOK_MS: u64 = 100;

/// All extracts, by id.
#[derive(Debug, Default)]
pub(super) struct Exports {
    jobs: BTreeMap<String, Job>,
    queued: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Created,
    Queued,
    Processing,
    Canceled,
    Completed,
}

#[derive(Debug)]
struct Job {
    owner: String,
    fields: Vec<FieldNumber>,
    headers: Vec<String>,
    list: ListId,
    state: State,
    created_at: Moment,
    queued_at: Option<Moment>,
    started_at: Option<Moment>,
    finished_at: Option<Moment>,
    /// The place among those that wait.
    turn: u64,
    file: Vec<u8>,
    records: usize,
    /// The answer to questions about the status, and since when: it is brought up to date now and then only.
    shown: Option<(Moment, Value)>,
}

impl Exports {
    /// Whether an extract that is not over reads this list.
    pub(super) fn uses(&self, list: ListId) -> bool {
        let active = |job: &Job| matches!(job.state, State::Queued | State::Processing);
        self.jobs.values().any(|job| job.list == list && active(job))
    }

    fn count(&self, state: State) -> usize {
        self.jobs.values().filter(|job| job.state == state).count()
    }

    fn own(&mut self, caller: &Caller, id: &str) -> Result<&mut Job, ApiError> {
        let job = self.jobs.get_mut(id).filter(|job| job.owner == caller.client_id);
        job.ok_or(errors::BATCH_NOT_FOUND)
    }
}

impl Job {
    fn shown(&self, id: &str) -> Value {
        let status = match self.state {
            State::Created => "Created",
            State::Queued => "Queued",
            State::Processing => "Processing",
            State::Canceled => "Canceled",
            State::Completed => "Completed",
        };
        let mut row = Map::from_iter([
            ("exportId".to_owned(), id.into()),
            ("status".to_owned(), status.into()),
            ("format".to_owned(), "CSV".into()),
            ("createdAt".to_owned(), clock::show(self.created_at).into()),
        ]);
        let times =
            [("queuedAt", self.queued_at), ("startedAt", self.started_at), ("finishedAt", self.finished_at)];
        for (name, at) in times {
            row.extend(at.map(|at| (name.to_owned(), clock::show(at).into())));
        }
        if self.state == State::Completed {
            row.insert("numberOfRecords".to_owned(), self.records.into());
            row.insert("fileSize".to_owned(), self.file.len().into());
        }
        Value::Object(row)
    }
}

/// Makes an extract, which does not wait yet.
pub(super) fn create(
    world: &mut World,
    caller: &Caller,
    payload: &Payload,
    now: Moment,
) -> Result<Answer, ApiError> {
    let request = export_file::read(world, payload)?;
    let names: Vec<&str> = request.fields.iter().map(String::as_str).collect();
    // As asked, in this order: nothing is added.
    let mut fields = people::asked_fields(&world.fields, &names)?;
    fields
        .retain(|number| world.fields.get(*number).is_some_and(|field| names.contains(&field.name.as_str())));
    fields.sort_by_key(|number| {
        let name = world.fields.get(*number).map_or("", |field| &field.name);
        names.iter().position(|asked| *asked == name)
    });
    let id = hexadecimal_id();
    let job = Job {
        owner: caller.client_id.clone(),
        fields,
        headers: request.headers,
        list: request.list,
        state: State::Created,
        created_at: now,
        queued_at: None,
        started_at: None,
        finished_at: None,
        turn: 0,
        file: Vec::new(),
        records: 0,
        shown: None,
    };
    let answer = Answer::result(&[job.shown(&id)]);
    world.exports.jobs.insert(id, job);
    Ok(answer)
}

/// From now on the extract waits for its turn. It has to be driven then.
pub(super) fn enqueue(world: &mut World, caller: &Caller, id: &str, now: Moment) -> Result<Answer, ApiError> {
    let active = world.exports.count(State::Queued) + world.exports.count(State::Processing);
    let turn = world.exports.queued + 1;
    let job = world.exports.own(caller, id)?;
    if job.state != State::Created {
        return Err(errors::ALREADY_QUEUED);
    }
    if active >= world.options.exports_at_most {
        return Err(errors::EXPORT_QUEUE);
    }
    if world.limits.day.exported_bytes >= world.options.export_bytes_a_day {
        return Err(errors::EXPORT_QUOTA);
    }
    (job.state, job.queued_at, job.turn) = (State::Queued, Some(now), turn);
    let answer = Answer::result(&[job.shown(id)]);
    world.exports.queued = turn;
    Ok(answer)
}

/// The extract is not done, or not offered, any more.
pub(super) fn cancel(world: &mut World, caller: &Caller, id: &str) -> Result<Answer, ApiError> {
    let job = world.exports.own(caller, id)?;
    job.state = State::Canceled;
    Ok(Answer::result(&[job.shown(id)]))
}

/// What became of the extract, perhaps a while ago.
pub(super) fn status(world: &mut World, caller: &Caller, id: &str, now: Moment) -> Result<Answer, ApiError> {
    let fresh_ms = signed(world.options.export_status_ms);
    let job = world.exports.own(caller, id)?;
    let kept = job.shown.take().filter(|(since, _)| now.saturating_sub(*since) < fresh_ms);
    let shown = kept.unwrap_or_else(|| (now, job.shown(id)));
    let answer = Answer::result(std::slice::from_ref(&shown.1));
    job.shown = Some(shown);
    Ok(answer)
}

/// The file, or a part of it.
pub(super) fn file(
    world: &mut World,
    caller: &Caller,
    id: &str,
    range: Option<&str>,
) -> Result<Answer, ApiError> {
    let job = world.exports.own(caller, id)?;
    if job.state != State::Completed {
        return Ok(Answer::text(404, "The requested resource could not be found."));
    }
    Ok(export_file::part(&job.file, range))
}

/// Works an extract off until it is over or the sandbox is gone.
pub(super) async fn drive(shared: Weak<Shared>, id: String) {
    loop {
        let (clock, wait_ms) = {
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let now = shared.gate.now();
            let Some(wait_ms) = advance(&mut shared.world(), &id, now) else {
                return;
            };
            (shared.gate, wait_ms)
        };
        clock.sleep(wait_ms).await;
    }
}

/// One step: how long to wait for the next one, in milliseconds; none when the extract is over.
fn advance(world: &mut World, id: &str, now: Moment) -> Option<u64> {
    let has_place = world.exports.count(State::Processing) < world.options.exports_running;
    let waiting = world.exports.jobs.values().filter(|job| job.state == State::Queued);
    let next = waiting.map(|job| job.turn).min();
    let job = world.exports.jobs.get_mut(id)?;
    match job.state {
        State::Queued => {
            let ready_at = job.queued_at?.saturating_add(signed(world.options.export_queue_ms));
            if now < ready_at {
                return u64::try_from(ready_at.saturating_sub(now)).ok();
            }
            if !has_place || next != Some(job.turn) {
                return Some(LOOK_MS);
            }
            // Who is on the list counts at this moment.
            (job.state, job.started_at) = (State::Processing, Some(now));
            let list = world.lists.get(&job.list)?;
            let leads = list.members.iter().filter_map(|id| world.leads.get(*id));
            (job.file, job.records) = export_file::write(&world.fields, &job.headers, &job.fields, leads);
            let speed = u64::from(world.options.export_rows_per_second.max(1));
            Some(u64::try_from(job.records).unwrap_or(u64::MAX).saturating_mul(1000) / speed)
        }
        State::Processing => {
            (job.state, job.finished_at) = (State::Completed, Some(now));
            world.limits.day.exported_bytes += job.file.len();
            None
        }
        State::Created | State::Canceled | State::Completed => None,
    }
}
