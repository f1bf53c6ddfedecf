//! Who is on a list: adding, removing and asking, by lead ids only.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/list-membership>

use super::answer::Answer;
use super::clock::Moment;
use super::endpoint::Endpoint;
use super::errors::{self, ApiError};
use super::ids::{LeadId, ListId};
use super::options::ExistingMembers;
use super::request::{Parameters, Payload};
use super::world::World;
use serde::Serialize;
use serde_json::Value;

const MOST_IDS: usize = 300;

#[derive(Debug, Serialize)]
struct Outcome {
    id: u64,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasons: Option<[ApiError; 1]>,
}

/// The ids of a call, from the query and the JSON body: as sent, and as leads' if they can be any's.
pub(super) fn ids(query: &Parameters, payload: &Payload) -> Result<Vec<(u64, Option<LeadId>)>, ApiError> {
    let invalid = || errors::wrong_type("id", "integer");
    let mut numbers = Vec::new();
    for text in query.all("id") {
        numbers.push(text.parse().map_err(|_| invalid())?);
    }
    if !matches!(payload, Payload::Nothing | Payload::Form(_)) {
        let input = payload.json()?.get("input").ok_or_else(|| errors::missing("input"))?;
        let input = input.as_array().ok_or_else(|| errors::wrong_type("input", "array"))?;
        for row in input {
            numbers.push(row.get("id").and_then(Value::as_u64).ok_or_else(invalid)?);
        }
    }
    if numbers.is_empty() {
        return Err(errors::missing("id"));
    }
    if numbers.len() > MOST_IDS {
        return Err(errors::error(1003, "Too many ids: at most 300 in one call"));
    }
    Ok(numbers.into_iter().map(|id: u64| (id, u32::try_from(id).ok().map(LeadId::from))).collect())
}

/// Adds, removes or looks, as the kind of call says.
pub(super) fn operate(
    world: &mut World,
    call: Endpoint,
    list: &str,
    query: &Parameters,
    payload: &Payload,
    now: Moment,
) -> Result<Answer, ApiError> {
    let list = world.list_id(list)?;
    let ids = ids(query, payload)?;
    let mut outcomes = Vec::with_capacity(ids.len());
    for (id, lead) in ids {
        let Some(lead) = lead.filter(|lead| world.leads.get(*lead).is_some()) else {
            outcomes.push(Outcome { id, status: "skipped", reasons: Some([errors::LEAD_NOT_FOUND]) });
            continue;
        };
        let (status, reason) = match call {
            Endpoint::AddMembers => (add(world, list, lead, now), None),
            Endpoint::RemoveMembers => remove(world, list, lead, now),
            _ if is_member(world, list, lead) => ("memberof", None),
            _ => ("notmemberof", None),
        };
        outcomes.push(Outcome { id, status, reasons: reason.map(|reason| [reason]) });
    }
    Ok(Answer::result(&outcomes))
}

fn add(world: &mut World, list: ListId, lead: LeadId, now: Moment) -> &'static str {
    if world.add_member(list, lead, now) {
        world.report.members_added += 1;
        return "added";
    }
    match world.options.existing_members {
        ExistingMembers::Skipped => "skipped",
        ExistingMembers::Added => "added",
    }
}

fn remove(world: &mut World, list: ListId, lead: LeadId, now: Moment) -> (&'static str, Option<ApiError>) {
    let Some(list) = world.lists.get_mut(&list).filter(|list| list.members.contains(&lead)) else {
        return ("skipped", Some(errors::NOT_IN_LIST));
    };
    list.members.remove(&lead);
    list.updated_at = now;
    world.report.removals_of_seeded += usize::from(list.seeded.remove(&lead));
    world.report.members_removed += 1;
    ("removed", None)
}

fn is_member(world: &World, list: ListId, lead: LeadId) -> bool {
    world.lists.get(&list).is_some_and(|list| list.members.contains(&lead))
}
