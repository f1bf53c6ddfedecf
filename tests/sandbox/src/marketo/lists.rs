//! Static lists: as the lead database shows them, and as assets that can be made, renamed and deleted.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/static-lists>

use super::answer::Answer;
use super::clock::{self, Moment};
use super::errors::{self, ApiError};
use super::folders::{self, FolderKind};
use super::ids::ListId;
use super::paging;
use super::request::{Parameters, Payload};
use super::world::{StaticList, World};
use serde_json::{Value, json};

fn workspace<'a>(world: &'a World, list: &StaticList) -> &'a str {
    world.folders.get(list.folder).map_or("", |folder| &folder.workspace)
}

fn program<'a>(world: &'a World, list: &StaticList) -> Option<&'a str> {
    let folder = world.folders.get(list.folder).filter(|folder| folder.kind == FolderKind::Program)?;
    Some(&folder.name)
}

fn insert_text(row: &mut Value, name: &str, text: Option<&str>) {
    if let (Some(text), Some(row)) = (text, row.as_object_mut()) {
        row.insert(name.to_owned(), text.into());
    }
}

fn shown(world: &World, id: ListId, list: &StaticList) -> Value {
    let mut row = json!({
        "id": id,
        "name": list.name,
        "workspaceName": workspace(world, list),
        "createdAt": clock::show(list.created_at),
        "updatedAt": clock::show(list.updated_at),
    });
    insert_text(&mut row, "description", list.description.as_deref());
    insert_text(&mut row, "programName", program(world, list));
    row
}

/// Lists by ids, names, programs and workspaces, in pages.
pub(super) fn search(world: &World, query: &Parameters) -> Result<Answer, ApiError> {
    let mut ids: Vec<ListId> = Vec::new();
    for text in query.all("id") {
        ids.push(text.parse().map_err(|_| errors::wrong_type("id", "integer"))?);
    }
    let [names, programs, workspaces] =
        ["name", "programName", "workspaceName"].map(|parameter| query.all(parameter));
    let size = paging::page_size(query.number("batchSize")?)?;
    let search = (&ids, &names, &programs, &workspaces);
    let last = paging::last(&search, query.get("nextPageToken"))?;
    let is_wanted = |wanted: &[&str], text: Option<&str>| {
        wanted.is_empty() || text.is_some_and(|text| wanted.contains(&text))
    };
    let mut found: Vec<(&ListId, &StaticList)> = world
        .lists
        .iter()
        .filter(|(id, list)| {
            id.get() > last
                && (ids.is_empty() || ids.contains(id))
                && is_wanted(&names, Some(&list.name))
                && is_wanted(&programs, program(world, list))
                && is_wanted(&workspaces, Some(workspace(world, list)))
        })
        .take(size + 1)
        .collect();
    let has_more = found.len() > size;
    found.truncate(size);
    let token = found.last().filter(|_| has_more).map(|(id, _)| paging::token(&search, id.get()));
    let rows: Vec<Value> = found.into_iter().map(|(id, list)| shown(world, *id, list)).collect();
    Ok(Answer::page(&rows, token))
}

/// One list of the lead database.
pub(super) fn details(world: &World, id: &str) -> Result<Answer, ApiError> {
    let id = world.list_id(id)?;
    let list = world.lists.get(&id).ok_or(errors::LIST_NOT_FOUND)?;
    Ok(Answer::result(&[shown(world, id, list)]))
}

fn shown_asset(world: &World, id: ListId, list: &StaticList) -> Value {
    let kind = world.folders.get(list.folder).map_or(FolderKind::Folder, |folder| folder.kind);
    let mut row = json!({
        "id": id,
        "name": list.name,
        "createdAt": clock::show_asset(list.created_at),
        "updatedAt": clock::show_asset(list.updated_at),
        "folder": folders::shown_name(&world.options, list.folder, kind),
        "computedUrl": format!("https://app.example.com/#ST{id}A1"),
        "workspace": workspace(world, list),
    });
    insert_text(&mut row, "description", list.description.as_deref());
    row
}

fn asset(world: &World, id: ListId) -> Answer {
    let rows: Vec<Value> =
        world.lists.get(&id).map(|list| shown_asset(world, id, list)).into_iter().collect();
    Answer::asset(&rows)
}

/// The list of exactly this name.
pub(super) fn by_name(world: &World, query: &Parameters) -> Result<Answer, ApiError> {
    let name = query.required("name").map_err(|_| errors::error(701, "name cannot be blank"))?;
    let found = world.lists.iter().find(|(_, list)| list.name == name);
    Ok(found.map_or_else(Answer::no_asset, |(id, _)| asset(world, *id)))
}

/// One list as an asset; nothing found is a success.
pub(super) fn by_id(world: &World, id: &str) -> Result<Answer, ApiError> {
    Ok(asset(world, id.parse().map_err(|_| errors::NO_RECORD)?))
}

/// Lists in pages, perhaps of one folder.
pub(super) fn browse(world: &World, query: &Parameters) -> Result<Answer, ApiError> {
    let folder = query.get("folder").map(folders::read_name).transpose()?;
    let (offset, size) = folders::asset_page(query)?;
    let rows: Vec<Value> = world
        .lists
        .iter()
        .filter(|(_, list)| folder.is_none_or(|folder| folder.id == list.folder))
        .skip(offset)
        .take(size)
        .map(|(id, list)| shown_asset(world, *id, list))
        .collect();
    Ok(Answer::asset(&rows))
}

/// Makes a list in a folder or program.
pub(super) fn create(world: &mut World, payload: &Payload, now: Moment) -> Result<Answer, ApiError> {
    let form = payload.required_form()?;
    let name = form.required("name").map_err(|_| errors::error(701, "name cannot be blank"))?.to_owned();
    let folder = form.required("folder").map_err(|_| errors::error(701, "folder cannot be blank"))?;
    let folder = folders::read_name(folder)?;
    if world.folders.named(folder).is_none() {
        return Err(errors::NO_PARENT_FOLDER);
    }
    check_name(world, &name, None)?;
    let description = form.get("description").map(str::to_owned);
    let id = world.add_list(name, description, folder.id, now);
    world.report.lists_created += 1;
    Ok(asset(world, id))
}

fn check_name(world: &World, name: &str, own: Option<ListId>) -> Result<(), ApiError> {
    if name.chars().count() > 255 {
        return Err(errors::error(701, "name cannot be longer than 255 characters"));
    }
    let is_taken = world.lists.iter().any(|(id, list)| Some(*id) != own && list.name == name);
    if is_taken { Err(errors::DUPLICATE_NAME) } else { Ok(()) }
}

/// Changes name and description; what is not sent stays.
pub(super) fn update(
    world: &mut World,
    id: &str,
    payload: &Payload,
    now: Moment,
) -> Result<Answer, ApiError> {
    let form = payload.required_form()?;
    let id = asset_id(world, id)?;
    if let Some(name) = form.get("name") {
        check_name(world, name, Some(id))?;
    }
    if let Some(list) = world.lists.get_mut(&id) {
        if let Some(name) = form.get("name") {
            name.clone_into(&mut list.name);
        }
        if let Some(description) = form.get("description") {
            list.description = Some(description.to_owned());
        }
        list.updated_at = now;
    }
    Ok(asset(world, id))
}

fn asset_id(world: &World, id: &str) -> Result<ListId, ApiError> {
    id.parse().ok().filter(|id| world.lists.contains_key(id)).ok_or(errors::NO_RECORD)
}

/// Deletes a list that nothing uses; its people stay in the database.
pub(super) fn delete(world: &mut World, id: &str) -> Result<Answer, ApiError> {
    let id = asset_id(world, id)?;
    let is_used = world.lists.get(&id).is_some_and(|list| list.is_used);
    if is_used || world.imports.uses(id) || world.exports.uses(id) {
        return Err(errors::IN_USE);
    }
    world.lists.remove(&id);
    world.report.lists_deleted += 1;
    Ok(Answer::asset(&[json!({ "id": id })]))
}
