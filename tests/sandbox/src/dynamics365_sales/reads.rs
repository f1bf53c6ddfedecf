//! Calls that read: rows, pages of rows, counts.

use super::access::{self, Caller};
use super::answer::Answer;
use super::endpoint::{Endpoint, Part, Route};
use super::errors::{self, ApiError};
use super::filter_words::{Word, words};
use super::ids::Guid;
use super::operation::Operation;
use super::options::ListAction;
use super::paging::{self, Origin};
use super::query::Query;
use super::tables::{CONTACTS, Cell, Cursor, LIST_MEMBERS, LISTS, MESSAGE_FILTERS, Row, Table};
use super::world::{ContactRow, ListRow, MemberRow, World};
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Total counts are of a moment within this time, in milliseconds.
const TOTALS_ARE_KEPT_MS: u64 = 24 * 60 * 60 * 1000;

type Rows<'a, R> = Box<dyn Iterator<Item = R> + 'a>;

/// Answers a query or the retrieval of a row.
pub(super) fn read(
    world: &mut World,
    caller: &Caller,
    route: &Route,
    operation: &Operation,
    origin: Origin<'_>,
) -> Result<Answer, ApiError> {
    if route.endpoint == Endpoint::TotalRecordCount {
        return totals(world, caller, &route.part, operation, origin.organization);
    }
    let world = &*world;
    let (table, key) = match route.endpoint {
        Endpoint::Lists | Endpoint::List => (&LISTS, "listid"),
        Endpoint::ListMembers => (&LIST_MEMBERS, "_listid_value"),
        Endpoint::MessageFilters => (&MESSAGE_FILTERS, "sdkmessagefilterid"),
        _ => (&CONTACTS, "contactid"),
    };
    match route.endpoint {
        Endpoint::Lists | Endpoint::List | Endpoint::ListMembers => caller.need("prvReadList", &LISTS)?,
        Endpoint::MessageFilters => {}
        Endpoint::ListContacts => {
            caller.need("prvReadList", &LISTS)?;
            caller.need("prvReadContact", &CONTACTS)?;
        }
        _ => caller.need("prvReadContact", &CONTACTS)?,
    }
    let query = Query::parse(&operation.query, table, operation.preferences(), world.options.most_in_values)?;
    let ids = query.filter.as_ref().and_then(|filter| filter.ids_of(key));
    let select = query.select.as_deref();
    let answer = match (route.endpoint, route.id) {
        (Endpoint::List, Some(id)) => {
            let list = world.lists.get(&id).ok_or_else(|| errors::does_not_exist("list", id))?;
            return Ok(fresh(operation, &ListRow(id, list), &LISTS, select, origin.organization));
        }
        (Endpoint::Contact, Some(id)) => {
            let contact = world.contacts.get(&id).ok_or_else(|| errors::does_not_exist("contact", id))?;
            return Ok(fresh(operation, &ContactRow(id, contact), &CONTACTS, select, origin.organization));
        }
        (Endpoint::Lists, _) => answer(table, &query, route, origin, |behind| -> Rows<'_, ListRow<'_>> {
            let rows = world.lists.range(from(behind)).map(|(id, list)| ListRow(*id, list));
            match &ids {
                Some(ids) => Box::new(rows.filter(|row| ids.contains(&row.0))),
                None => Box::new(rows),
            }
        }),
        (Endpoint::ListContacts, Some(id)) => {
            let list = world.lists.get(&id).ok_or_else(|| errors::does_not_exist("list", id))?;
            answer(table, &query, route, origin, |behind| {
                let members = list.members.range(from(behind)).map(|(contact, _)| *contact);
                members.filter_map(|id| Some(ContactRow(id, world.contacts.get(&id)?)))
            })
        }
        (Endpoint::ListMembers, _) => {
            let contacts = query.filter.as_ref().and_then(|filter| filter.ids_of("_entityid_value"));
            answer(table, &query, route, origin, |behind| {
                let lists = world.lists.range((
                    behind.map_or(Bound::Unbounded, |(list, _)| Bound::Included(list)),
                    Bound::Unbounded,
                ));
                let lists = lists.filter(|(id, _)| ids.as_ref().is_none_or(|ids| ids.contains(id)));
                let contacts = &contacts;
                lists.flat_map(move |(id, list)| -> Rows<'_, MemberRow<'_>> {
                    let start = behind.filter(|(last, _)| last == id).map(|(_, contact)| contact);
                    let row =
                        move |contact: &Guid| Some(MemberRow(*id, *contact, list.members.get(contact)?));
                    if let Some(contacts) = contacts {
                        let is_behind = move |contact: &&Guid| start.is_none_or(|start| **contact > start);
                        Box::new(contacts.iter().filter(is_behind).filter_map(row))
                    } else {
                        let members = list.members.range(from(start.map(|start| (start, start))));
                        Box::new(members.map(move |(contact, member)| MemberRow(*id, *contact, member)))
                    }
                })
            })
        }
        (Endpoint::MessageFilters, _) => {
            let present = |action: &ListAction| !world.options.missing_actions.contains(action);
            answer(table, &query, route, origin, |behind| {
                let rows = ListAction::ALL.into_iter().filter(present).map(MessageFilter);
                rows.filter(move |row| behind.is_none_or(|behind| row.cursor() > behind))
            })
        }
        _ => answer(table, &query, route, origin, |behind| -> Rows<'_, ContactRow<'_>> {
            if let Some(ids) = &ids {
                let ids = ids.range(from(behind));
                Box::new(ids.filter_map(|id| Some(ContactRow(*id, world.contacts.get(id)?))))
            } else {
                let rows = world.contacts.range(from(behind));
                Box::new(rows.map(|(id, contact)| ContactRow(*id, contact)))
            }
        }),
    };
    Ok(answer)
}

/// What lies behind a cursor.
fn from(behind: Option<Cursor>) -> (Bound<Guid>, Bound<Guid>) {
    (behind.map_or(Bound::Unbounded, |(id, _)| Bound::Excluded(id)), Bound::Unbounded)
}

fn answer<R: Row, I: Iterator<Item = R>>(
    table: &Table,
    query: &Query,
    route: &Route,
    origin: Origin<'_>,
    rows: impl Fn(Option<Cursor>) -> I,
) -> Answer {
    if route.part == Part::Count {
        paging::count(query, rows(None))
    } else {
        paging::page(table, query, origin, rows)
    }
}

/// The row, unless the caller has this version already.
fn fresh(
    operation: &Operation,
    row: &impl Row,
    table: &Table,
    select: Option<&[String]>,
    organization: &str,
) -> Answer {
    let known = operation.headers.get("if-none-match").and_then(|value| value.to_str().ok());
    if known == Some(paging::etag(row).as_str()) {
        return Answer::empty(304);
    }
    paging::single(table, select, organization, row)
}

/// That a message exists for lists.
struct MessageFilter(ListAction);

impl Row for MessageFilter {
    fn cell(&self, column: &str) -> Cell<'_> {
        match column {
            "sdkmessagefilterid" => Cell::Id(self.cursor().0),
            "primaryobjecttypecode" => Cell::Text("list"),
            "sdkmessageid/name" => Cell::Text(self.0.name()),
            _ => Cell::Null,
        }
    }

    fn version(&self) -> u64 {
        1
    }

    fn cursor(&self) -> Cursor {
        (access::name_id(self.0.name()), Guid::from_number(0))
    }
}

/// `RetrieveTotalRecordCount(EntityNames=['contact'])`: whole tables only, as they were within a day.
fn totals(
    world: &mut World,
    caller: &Caller,
    part: &Part,
    operation: &Operation,
    organization: &str,
) -> Result<Answer, ApiError> {
    caller.need("prvReadContact", &CONTACTS)?;
    let wrong =
        || errors::invalid_query("RetrieveTotalRecordCount takes EntityNames, a collection of logical names");
    let Part::Parameters(parameters) = part else { return Err(wrong()) };
    let names = match words(parameters)?.as_slice() {
        [Word::Name(name), Word::Is, Word::Texts(names)] if name == "EntityNames" => names.clone(),
        [Word::Name(name), Word::Is, Word::Name(alias)] if name == "EntityNames" => {
            let mut options = url::form_urlencoded::parse(operation.query.as_bytes());
            let (_, value) = options.find(|(name, _)| name == alias).ok_or_else(wrong)?;
            match words(&value)?.as_slice() {
                [Word::Texts(names)] => names.clone(),
                _ => return Err(wrong()),
            }
        }
        _ => return Err(wrong()),
    };
    let now_ms = world.clock.now_ms();
    let kept = world.counted.take().filter(|(at_ms, _)| at_ms.saturating_add(TOTALS_ARE_KEPT_MS) > now_ms);
    let (at_ms, counts) = kept.unwrap_or_else(|| {
        let members = world.lists.values().map(|list| list.members.len()).sum();
        let counts =
            [("contact", world.contacts.len()), ("list", world.lists.len()), ("listmember", members)];
        (now_ms, BTreeMap::from(counts))
    });
    let values: Option<Vec<usize>> = names.iter().map(|name| counts.get(name.as_str()).copied()).collect();
    world.counted = Some((at_ms, counts));
    let values = values.ok_or_else(|| errors::invalid_argument("An entity with this name does not exist"))?;
    let context = "Microsoft.Dynamics.CRM.RetrieveTotalRecordCountResponse";
    Ok(Answer::json(
        200,
        &json!({
            "@odata.context": format!("{organization}/api/data/v9.2/$metadata#{context}"),
            "EntityRecordCountCollection": {
                "Count": names.len(), "IsReadOnly": false, "Keys": names, "Values": values,
            },
        }),
    ))
}
