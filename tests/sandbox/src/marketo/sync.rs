//! The call that writes up to 300 leads. It looks for matches when it begins and writes when it ends, so that two
//! calls at one time with the same new key make two leads, as the documents warn.
//!
//! `asyncProcessing` is taken and changes nothing: the documents do not say how its answer looks.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>

use super::answer::Answer;
use super::auth::Caller;
use super::clock::Moment;
use super::errors::{self, ApiError};
use super::fields::ID;
use super::ids::LeadId;
use super::options::{PartitionName, RepeatedKeys, UnknownFields};
use super::request::Payload;
use super::upsert::{self, Action, Step, Terms};
use super::values::Changes;
use super::world::World;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

const MOST_RECORDS: usize = 300;

/// A call that has looked and not yet written.
#[derive(Debug)]
pub(super) struct Plan {
    terms: Terms,
    steps: Vec<Step>,
}

/// What became of a record.
#[derive(Debug, Serialize)]
struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<LeadId>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<[ApiError; 1]>,
}

/// Checks a call and looks for its leads.
pub(super) fn begin(world: &mut World, caller: &Caller, payload: &Payload) -> Result<Plan, ApiError> {
    let body = payload.json()?.as_object().ok_or(errors::INVALID_JSON)?;
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(errors::wrong_type(name, "string")),
    };
    let action = match text("action")? {
        None | Some("createOrUpdate") => Action::CreateOrUpdate,
        Some("createOnly") => Action::CreateOnly,
        Some("updateOnly") => Action::UpdateOnly,
        Some("createDuplicate") => Action::CreateDuplicate,
        Some(_) => return Err(errors::error(1003, "Invalid action")),
    };
    let records = match body.get("input") {
        None | Some(Value::Null) => return Err(errors::missing("input")),
        Some(Value::Array(records)) if records.is_empty() => return Err(errors::missing("input")),
        Some(Value::Array(records)) => records,
        Some(_) => return Err(errors::wrong_type("input", "array")),
    };
    if records.len() > MOST_RECORDS {
        return Err(errors::TOO_MANY_RECORDS);
    }
    let lookup = upsert::lookup_field(world, text("lookupField")?.unwrap_or("email"))?;
    if lookup == ID && action != Action::UpdateOnly {
        return Err(errors::error(1003, "Lookup by id is for updateOnly"));
    }
    let partition = partition(world, caller, action, text("partitionName")?)?;
    let terms = Terms { action, lookup, partition, caller: caller.clone() };
    let mut seen = HashSet::with_capacity(records.len());
    let mut steps = Vec::with_capacity(records.len());
    for record in records {
        let record = record.as_object().ok_or_else(|| errors::wrong_type("input", "object"))?;
        steps.push(match changes(world, &terms, record)? {
            Err(reason) => Step::Skip(reason),
            Ok((key, changes)) => step(world, &terms, &mut seen, key.as_deref(), changes),
        });
    }
    let report = &mut world.report.sync;
    report.calls += 1;
    report.records += records.len();
    report.most_records = report.most_records.max(records.len());
    Ok(Plan { terms, steps })
}

fn partition(
    world: &World,
    caller: &Caller,
    action: Action,
    name: Option<&str>,
) -> Result<Option<u32>, ApiError> {
    let may_name = matches!(action, Action::CreateOnly | Action::CreateOrUpdate);
    match name.filter(|name| !name.is_empty()) {
        Some(_) if !may_name => {
            Err(errors::error(1003, "partitionName is for createOnly and createOrUpdate"))
        }
        Some(name) => world.partition(caller, name).map(Some),
        None if may_name
            && world.options.partition_name == PartitionName::Required
            && world.partitions.len() > 1 =>
        {
            Err(errors::PARTITION_REQUIRED)
        }
        None => Ok(None),
    }
}

type Record = (Option<Box<str>>, Changes);

/// A record's key and changes. The outer error refuses the call, the inner one skips the record.
fn changes(
    world: &World,
    terms: &Terms,
    record: &Map<String, Value>,
) -> Result<Result<Record, ApiError>, ApiError> {
    let mut changes = Changes::with_capacity(record.len());
    let mut key = None;
    for (name, value) in record {
        let Some((number, field)) = world.fields.find(name) else {
            let error = errors::error(1006, format!("Field '{name}' not found"));
            match world.options.unknown_fields {
                UnknownFields::SkipRecord => return Ok(Err(error)),
                UnknownFields::WholeCall => return Err(error),
            }
        };
        if number == ID {
            if terms.action != Action::UpdateOnly {
                return Ok(Err(errors::error(1003, "Field 'id' is for updateOnly")));
            }
            key = Some(value.to_string().trim_matches('"').into());
            continue;
        }
        match upsert::change(world, number, field, value) {
            Ok(change) => changes.push(change),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    if terms.lookup != ID {
        key = upsert::key_of(&changes, terms.lookup).map(Box::from);
    }
    Ok(Ok((key, changes)))
}

/// Decides about a record, in view of the records before it.
fn step(
    world: &mut World,
    terms: &Terms,
    seen: &mut HashSet<String>,
    key: Option<&str>,
    changes: Changes,
) -> Step {
    let is_repeated = key.is_some_and(|key| !seen.insert(world.leads.key(key).into_owned()));
    world.report.sync.repeated_keys += usize::from(is_repeated);
    if is_repeated && world.options.repeated_keys == RepeatedKeys::Refused {
        return Step::Skip(errors::REPEATED_KEY);
    }
    upsert::decide(world, terms, key, changes)
}

/// Writes what was decided, whatever other calls have written since.
pub(super) fn finish(world: &mut World, plan: Plan, now: Moment) -> Answer {
    let Plan { terms, steps } = plan;
    let mut made: HashMap<String, LeadId> = HashMap::new();
    let mut counts = [0_usize; 2];
    let mut outcomes = Vec::with_capacity(steps.len());
    for step in steps {
        let outcome = match step {
            Step::Skip(reason) => skipped(world, None, reason),
            Step::Update(id, changes) if world.leads.update(id, &changes, now) => {
                counts[1] += 1;
                Outcome { id: Some(id), status: "updated", reasons: None }
            }
            Step::Update(..) => skipped(world, None, errors::LEAD_NOT_FOUND),
            Step::Create(changes) => {
                let applies = world.options.repeated_keys == RepeatedKeys::Applied
                    && terms.action == Action::CreateOrUpdate;
                let key = upsert::key_of(&changes, terms.lookup).filter(|_| applies);
                let key = key.map(|key| world.leads.key(key).into_owned());
                if let Some(id) = key.as_ref().and_then(|key| made.get(key)).copied() {
                    world.leads.update(id, &changes, now);
                    counts[1] += 1;
                    Outcome { id: Some(id), status: "updated", reasons: None }
                } else {
                    let id = create(world, &terms, &changes, now);
                    counts[0] += 1;
                    made.extend(key.map(|key| (key, id)));
                    Outcome { id: Some(id), status: "created", reasons: None }
                }
            }
        };
        outcomes.push(outcome);
    }
    let [created, updated] = counts;
    let report = &mut world.report.sync;
    for (counted, by_action) in [(created, &mut report.created), (updated, &mut report.updated)] {
        if counted > 0 {
            *by_action.entry(terms.action.name().to_owned()).or_default() += counted;
        }
    }
    Answer::result(&outcomes)
}

fn skipped(world: &mut World, id: Option<LeadId>, reason: ApiError) -> Outcome {
    *world.report.sync.skipped.entry(reason.code).or_default() += 1;
    Outcome { id, status: "skipped", reasons: Some([reason]) }
}

fn create(world: &mut World, terms: &Terms, changes: &Changes, now: Moment) -> LeadId {
    if terms.action != Action::CreateDuplicate && upsert::has_twin(world, terms, changes) {
        world.report.duplicate_leads += 1;
    }
    let partition = terms.partition.or_else(|| world.partitions.first().map(|partition| partition.id));
    world.leads.create(partition.unwrap_or(1), changes, now)
}
