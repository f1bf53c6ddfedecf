//! Looking at people: what a lead has, who matches a filter, who is on a list; and deleting them.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>

use super::answer::Answer;
use super::auth::Caller;
use super::clock;
use super::errors::{self, ApiError};
use super::fields::{CREATED_AT, FieldNumber, Fields, ID, PARTITION_ID, UPDATED_AT};
use super::ids::LeadId;
use super::leads::Lead;
use super::paging;
use super::request::{Parameters, Payload};
use super::upsert;
use super::value_check;
use super::world::World;
use serde_json::{Map, Value, json};

const MOST_MATCHES: usize = 1000;
const MOST_VALUES: usize = 300;
const USUAL_FIELDS: [&str; 6] = ["id", "updatedAt", "lastName", "email", "createdAt", "firstName"];

/// The fields that a call asks for; `id` is always among them.
pub(super) fn asked_fields(fields: &Fields, names: &[&str]) -> Result<Vec<FieldNumber>, ApiError> {
    let names = if names.is_empty() { &USUAL_FIELDS[..] } else { names };
    let mut numbers = vec![ID];
    for name in names {
        let (number, _) =
            fields.find(name).ok_or_else(|| errors::error(1006, format!("Field '{name}' not found")))?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}

/// A field of a lead as it is answered; null for one without a value.
pub(super) fn shown_value(fields: &Fields, lead: &Lead, number: FieldNumber) -> Value {
    match number {
        ID => lead.id.get().into(),
        CREATED_AT => clock::show(lead.created_at).into(),
        UPDATED_AT => clock::show(lead.updated_at).into(),
        PARTITION_ID => lead.partition.into(),
        _ => match (fields.get(number), lead.values.get(number)) {
            (Some(field), Some(text)) => value_check::shown(field.data_type, text),
            _ => Value::Null,
        },
    }
}

fn shown(fields: &Fields, lead: &Lead, numbers: &[FieldNumber]) -> Value {
    let values = numbers.iter().filter_map(|number| {
        let name = &fields.get(*number)?.name;
        Some((name.clone(), shown_value(fields, lead, *number)))
    });
    Value::Object(values.collect::<Map<_, _>>())
}

/// The leads whose field has one of these values.
pub(super) fn find(world: &mut World, caller: &Caller, query: &Parameters) -> Result<Answer, ApiError> {
    let filter = query.required("filterType")?;
    let field = upsert::lookup_field(world, filter)?;
    let values = query.all("filterValues");
    if values.is_empty() {
        return Err(errors::missing("filterValues"));
    }
    if values.len() > MOST_VALUES {
        return Err(errors::error(1003, "Too many filterValues: at most 300"));
    }
    let numbers = asked_fields(&world.fields, &query.all("fields"))?;
    let size = paging::page_size(query.number("batchSize")?)?;
    let search = ("find", filter, &values);
    let seen = LeadId::from(paging::last(&search, query.get("nextPageToken"))?);
    let mut found: Vec<LeadId> = values.iter().flat_map(|value| world.leads.find(field, value)).collect();
    found.retain(|id| world.leads.get(*id).is_some_and(|lead| world.sees(caller, lead.partition)));
    found.sort_unstable();
    found.dedup();
    if found.len() > MOST_MATCHES {
        return Err(errors::TOO_MANY_RESULTS);
    }
    let rest = || found.iter().copied().filter(|id| *id > seen);
    Ok(page(world, &search, rest(), size, &numbers))
}

/// Who is on a list, in the order of their ids.
pub(super) fn members(
    world: &mut World,
    caller: &Caller,
    id: &str,
    query: &Parameters,
) -> Result<Answer, ApiError> {
    let id = world.list_id(id)?;
    let numbers = asked_fields(&world.fields, &query.all("fields"))?;
    let size = paging::page_size(query.number("batchSize")?)?;
    let search = ("members", id);
    let seen = LeadId::from(paging::last(&search, query.get("nextPageToken"))?);
    let list = world.lists.get(&id).ok_or(errors::LIST_NOT_FOUND)?;
    let is_visible =
        |lead: &LeadId| world.leads.get(*lead).is_some_and(|lead| world.sees(caller, lead.partition));
    let rest = list.members.range(seen.next()..).copied().filter(is_visible);
    Ok(page(world, &search, rest, size, &numbers))
}

fn page(
    world: &World,
    search: &impl std::hash::Hash,
    ids: impl Iterator<Item = LeadId>,
    size: usize,
    numbers: &[FieldNumber],
) -> Answer {
    let mut ids: Vec<LeadId> = ids.take(size + 1).collect();
    let has_more = ids.len() > size;
    ids.truncate(size);
    let token = ids.last().filter(|_| has_more).map(|last| paging::token(search, last.get()));
    let leads = ids.iter().filter_map(|id| world.leads.get(*id));
    let rows: Vec<Value> = leads.map(|lead| shown(&world.fields, lead, numbers)).collect();
    Answer::page(&rows, token)
}

/// The lists that a lead is on.
pub(super) fn lists_of(world: &World, lead: &str, query: &Parameters) -> Result<Answer, ApiError> {
    let lead: LeadId = lead.parse().map_err(|_| errors::LEAD_NOT_FOUND)?;
    if world.leads.get(lead).is_none() {
        return Err(errors::LEAD_NOT_FOUND);
    }
    let size = paging::page_size(query.number("batchSize")?)?;
    let search = ("lists", lead);
    let last = paging::last(&search, query.get("nextPageToken"))?;
    let mut found: Vec<_> = world
        .lists
        .iter()
        .filter(|(id, list)| id.get() > last && list.members.contains(&lead))
        .take(size + 1)
        .collect();
    let has_more = found.len() > size;
    found.truncate(size);
    let token = found.last().filter(|_| has_more).map(|(id, _)| paging::token(&search, id.get()));
    let rows: Vec<Value> = found
        .into_iter()
        .map(|(id, list)| {
            json!({
                "listId": id,
                "createdAt": clock::show(list.created_at),
                "updatedAt": clock::show(list.updated_at),
            })
        })
        .collect();
    Ok(Answer::page(&rows, token))
}

/// Deletes leads from the whole database.
pub(super) fn delete(world: &mut World, query: &Parameters, payload: &Payload) -> Result<Answer, ApiError> {
    let ids = super::membership::ids(query, payload)?;
    let rows: Vec<Value> = ids
        .into_iter()
        .map(|(id, lead)| {
            if lead.is_some_and(|lead| world.delete_lead(lead)) {
                world.report.leads_deleted += 1;
                json!({ "id": id, "status": "deleted" })
            } else {
                json!({ "id": id, "status": "skipped", "reasons": [errors::LEAD_NOT_FOUND] })
            }
        })
        .collect();
    Ok(Answer::result(&rows))
}
