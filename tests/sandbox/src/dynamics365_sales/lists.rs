//! Marketing lists: made, changed and deleted.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/create-entity-web-api>,
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/update-delete-entities-using-web-api>,
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/perform-conditional-operations-using-web-api>

use super::access::Caller;
use super::answer::Answer;
use super::control_types::MemberType;
use super::errors::{self, ApiError};
use super::ids::Guid;
use super::list_columns::{Columns, Write};
use super::paging;
use super::query::Preferences;
use super::tables::LISTS;
use super::world::{List, ListRow, World};
use axum::http::HeaderMap;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A write's circumstances.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    pub(super) caller: &'a Caller,
    pub(super) headers: &'a HeaderMap,
    pub(super) preferences: &'a Preferences,
    pub(super) organization: &'a str,
}

impl Request<'_> {
    /// A condition's value; `null`, which keeps browsers from caching, is none.
    pub(super) fn condition(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| *value != "null")
    }
}

/// `POST lists`: with an id of the caller's choice or a new one.
pub(super) fn create(world: &mut World, request: Request<'_>, body: &[u8]) -> Result<Answer, ApiError> {
    request.caller.need("prvCreateList", &LISTS)?;
    let columns = Columns::read(body, Write::Create, world.options.fixed_columns)?;
    let id = columns.id.unwrap_or_else(Guid::random);
    if world.lists.contains_key(&id) {
        return Err(errors::duplicate_record());
    }
    insert(world, id, columns)?;
    Ok(written(world, request, id, Write::Create))
}

/// `PATCH lists({id})`: changes the list, or makes it, as far as `If-Match` and `If-None-Match` allow.
pub(super) fn upsert(
    world: &mut World,
    request: Request<'_>,
    id: Guid,
    body: &[u8],
) -> Result<Answer, ApiError> {
    check_conditions(world, request, id)?;
    if !world.lists.contains_key(&id) {
        request.caller.need("prvCreateList", &LISTS)?;
        let columns = Columns::read(body, Write::Create, world.options.fixed_columns)?;
        if columns.id.is_some_and(|sent| sent != id) {
            return Err(errors::invalid_argument("The key in the address and that in the body differ"));
        }
        insert(world, id, columns)?;
        return Ok(written(world, request, id, Write::Create));
    }
    request.caller.need("prvWriteList", &LISTS)?;
    let columns = Columns::read(body, Write::Update, world.options.fixed_columns)?;
    if columns.id.is_some_and(|sent| sent != id) {
        return Err(errors::invalid_argument("The key of a row cannot be changed"));
    }
    update(world, id, columns)?;
    Ok(written(world, request, id, Write::Update))
}

/// `PUT lists({id})/{column}` with `{"value":…}`.
pub(super) fn set_column(
    world: &mut World,
    request: Request<'_>,
    id: Guid,
    column: &str,
    body: &[u8],
) -> Result<Answer, ApiError> {
    request.caller.need("prvWriteList", &LISTS)?;
    let columns = Columns::read_single(column, body, world.options.fixed_columns)?;
    check_conditions(world, request, id)?;
    update(world, id, columns)?;
    Ok(Answer::nothing())
}

/// `DELETE lists({id})`.
pub(super) fn delete(world: &mut World, request: Request<'_>, id: Guid) -> Result<Answer, ApiError> {
    request.caller.need("prvDeleteList", &LISTS)?;
    check_conditions(world, request, id)?;
    world.lists.remove(&id).ok_or_else(|| errors::does_not_exist("list", id))?;
    world.report.lists_deleted += 1;
    Ok(Answer::nothing())
}

fn check_conditions(world: &World, request: Request<'_>, id: Guid) -> Result<(), ApiError> {
    let etag = world.lists.get(&id).map(|list| paging::etag(&ListRow(id, list)));
    match (request.condition("if-match"), &etag) {
        (Some(_), None) => return Err(errors::does_not_exist("list", id)),
        (Some(wanted), Some(etag)) if wanted != "*" && wanted != etag => {
            return Err(errors::version_mismatch());
        }
        _ => {}
    }
    if request.condition("if-none-match") == Some("*") && etag.is_some() {
        return Err(errors::exists_already());
    }
    Ok(())
}

fn insert(world: &mut World, id: Guid, columns: Columns) -> Result<(), ApiError> {
    let required = |column: &str| errors::invalid_argument(format!("The column {column} is required"));
    let list = new_list(
        columns.name.ok_or_else(|| required("listname"))?,
        columns.member_type.ok_or_else(|| required("createdfromcode"))?,
        columns.is_dynamic.unwrap_or_default(),
        world.next_version(),
    );
    let is_locked = columns.is_locked.unwrap_or_default();
    let list = List { is_locked, texts: columns.texts, ..list };
    check_query(&list)?;
    let mut list = list;
    list.flags.extend(columns.flags);
    world.lists.insert(id, list);
    world.report.lists_created += 1;
    Ok(())
}

/// An active, unlocked list without members.
pub(super) fn new_list(name: String, member_type: MemberType, is_dynamic: bool, version: u64) -> List {
    let now = Timestamp::now();
    List {
        name,
        is_dynamic,
        member_type,
        is_locked: false,
        is_active: true,
        shown_count: 0,
        texts: BTreeMap::new(),
        flags: [("donotsendonoptout", true), ("ignoreinactivelistmembers", true)].into(),
        created: now,
        modified: now,
        version,
        members: BTreeMap::new(),
        pending: Vec::new(),
        calls: 0,
    }
}

fn update(world: &mut World, id: Guid, columns: Columns) -> Result<(), ApiError> {
    let version = world.next_version();
    let list = world.lists.get_mut(&id).ok_or_else(|| errors::does_not_exist("list", id))?;
    // An inactive list is read-only, but for its way back.
    if !list.is_active && columns.is_active.is_none() {
        return Err(errors::list_inactive());
    }
    let mut changed = list.clone_without_members();
    changed.texts.extend(columns.texts);
    changed.flags.extend(columns.flags);
    changed.name = columns.name.unwrap_or(changed.name);
    changed.is_locked = columns.is_locked.unwrap_or(changed.is_locked);
    changed.is_active = columns.is_active.unwrap_or(changed.is_active);
    check_query(&changed)?;
    changed.members = std::mem::take(&mut list.members);
    changed.modified = Timestamp::now();
    changed.version = version;
    *list = changed;
    Ok(())
}

impl List {
    fn clone_without_members(&self) -> Self {
        Self {
            name: self.name.clone(),
            texts: self.texts.clone(),
            flags: self.flags.clone(),
            pending: self.pending.clone(),
            members: BTreeMap::new(),
            ..*self
        }
    }
}

fn check_query(list: &List) -> Result<(), ApiError> {
    if !list.is_dynamic && list.texts.contains_key("query") {
        return Err(errors::query_on_static_list());
    }
    if list.is_dynamic && list.is_locked {
        return Err(errors::lock_on_dynamic_list());
    }
    Ok(())
}

/// 204 with the address of the row, or the row itself if it was asked for.
fn written(world: &World, request: Request<'_>, id: Guid, write: Write) -> Answer {
    let organization = request.organization;
    let address = format!("{organization}/api/data/v9.2/lists({id})");
    if let Some(list) = world.lists.get(&id).filter(|_| request.preferences.has_representation) {
        let status = if write == Write::Create { 201 } else { 200 };
        let answer = paging::single(&LISTS, None, organization, &ListRow(id, list));
        return Answer { status, rows: 0, ..answer }
            .with_text("odata-entityid", &address)
            .with_text("preference-applied", "return=representation");
    }
    Answer::nothing().with_text("odata-entityid", &address)
}
