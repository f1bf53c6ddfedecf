//! Folders of the asset API.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/folders>

use super::answer::Answer;
use super::clock::{self, Moment};
use super::errors::{self, ApiError};
use super::ids::FolderId;
use super::options::{FolderTypes, Options};
use super::request::{Parameters, Payload};
use super::world::World;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a folder is: lists can be made in folders and in programs, folders in folders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FolderKind {
    /// A folder for lists.
    #[default]
    Folder,
    /// A program, which holds lists of its own.
    Program,
}

/// A folder as a call names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FolderName {
    pub(super) id: FolderId,
    #[serde(rename = "type")]
    pub(super) kind: FolderKind,
}

#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) kind: FolderKind,
    /// None: the root of a workspace.
    pub(super) parent: Option<FolderId>,
    pub(super) workspace: String,
    pub(super) is_system: bool,
    pub(super) created_at: Moment,
}

#[derive(Debug)]
pub(super) struct Folders {
    all: BTreeMap<FolderId, Folder>,
    next: FolderId,
}

impl Folders {
    /// What every instance has: `/Lead Database/Default/Group Lists`, with the ids of a recorded answer.
    pub(super) fn new(now: Moment) -> Self {
        let folder = |name: &str, parent: Option<u32>| Folder {
            name: name.to_owned(),
            description: None,
            kind: FolderKind::Folder,
            parent: parent.map(FolderId::from),
            workspace: "Default".to_owned(),
            is_system: true,
            created_at: now,
        };
        let all = BTreeMap::from([
            (FolderId::from(1), folder("Lead Database", None)),
            (FolderId::from(5), folder("Default", Some(1))),
            (FolderId::from(12), folder("Group Lists", Some(5))),
        ]);
        Self { all, next: FolderId::from(1034) }
    }

    pub(super) fn get(&self, id: FolderId) -> Option<&Folder> {
        self.all.get(&id)
    }

    pub(super) fn add(&mut self, folder: Folder) -> FolderId {
        let id = self.next;
        self.next = id.next();
        self.all.insert(id, folder);
        id
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (FolderId, &Folder)> {
        self.all.iter().map(|(id, folder)| (*id, folder))
    }

    /// The folder that a call names, if it is there and of that kind.
    pub(super) fn named(&self, name: FolderName) -> Option<&Folder> {
        self.get(name.id).filter(|folder| folder.kind == name.kind)
    }

    /// `/Lead Database/Default/Group Lists`
    fn path(&self, folder: &Folder) -> String {
        let parent = folder.parent.and_then(|parent| self.get(parent));
        format!("{}/{}", parent.map_or_else(String::new, |parent| self.path(parent)), folder.name)
    }
}

/// A folder in JSON, as it is in parameters and answers.
pub(super) fn read_name(text: &str) -> Result<FolderName, ApiError> {
    serde_json::from_str(text).map_err(|_| errors::error(701, "Folder must be JSON with id and type"))
}

/// `{"id":12,"type":"Folder"}`
pub(super) fn shown_name(options: &Options, id: FolderId, kind: FolderKind) -> Value {
    let kind = match (kind, options.folder_types) {
        (FolderKind::Folder, FolderTypes::Capitalised) => "Folder",
        (FolderKind::Folder, FolderTypes::UpperCase) => "FOLDER",
        (FolderKind::Program, FolderTypes::Capitalised) => "Program",
        (FolderKind::Program, FolderTypes::UpperCase) => "PROGRAM",
    };
    json!({ "id": id, "type": kind })
}

fn shown(world: &World, id: FolderId, folder: &Folder) -> Value {
    let parent = folder.parent.unwrap_or(id);
    let created_at = clock::show_asset(folder.created_at);
    let mut row = json!({
        "name": folder.name,
        "createdAt": created_at,
        "updatedAt": created_at,
        "folderId": shown_name(&world.options, id, folder.kind),
        "folderType": "List",
        "parent": shown_name(&world.options, parent, FolderKind::Folder),
        "path": world.folders.path(folder),
        "isArchive": false,
        "isSystem": folder.is_system,
        "accessZoneId": 1,
        "workspace": folder.workspace,
        "id": id,
    });
    if let (Some(description), Some(row)) = (&folder.description, row.as_object_mut()) {
        row.insert("description".to_owned(), description.as_str().into());
    }
    row
}

/// All folders of a name, perhaps below another one, perhaps of a workspace only.
pub(super) fn by_name(world: &World, query: &Parameters) -> Result<Answer, ApiError> {
    let name = query.required("name")?;
    let root = query.get("root").map(read_name).transpose()?;
    let rows: Vec<Value> = world
        .folders
        .iter()
        .filter(|(_, folder)| folder.name == name)
        .filter(|(_, folder)| query.get("workSpace").is_none_or(|wanted| wanted == folder.workspace))
        .filter(|(id, _)| root.is_none_or(|root| is_below(world, *id, root.id)))
        .map(|(id, folder)| shown(world, id, folder))
        .collect();
    Ok(Answer::asset(&rows))
}

fn is_below(world: &World, id: FolderId, root: FolderId) -> bool {
    let parent = world.folders.get(id).and_then(|folder| folder.parent);
    id == root || parent.is_some_and(|parent| is_below(world, parent, root))
}

/// A folder by id.
pub(super) fn by_id(world: &World, id: &str) -> Result<Answer, ApiError> {
    let id: FolderId = id.parse().map_err(|_| errors::NO_RECORD)?;
    let rows: Vec<Value> = world.folders.get(id).map(|folder| shown(world, id, folder)).into_iter().collect();
    Ok(Answer::asset(&rows))
}

/// Folders in pages, perhaps below one of them.
pub(super) fn browse(world: &World, query: &Parameters) -> Result<Answer, ApiError> {
    let root = query.get("root").map(read_name).transpose()?;
    let (offset, size) = asset_page(query)?;
    let rows: Vec<Value> = world
        .folders
        .iter()
        .filter(|(_, folder)| query.get("workSpace").is_none_or(|wanted| wanted == folder.workspace))
        .filter(|(id, _)| root.is_none_or(|root| is_below(world, *id, root.id)))
        .skip(offset)
        .take(size)
        .map(|(id, folder)| shown(world, id, folder))
        .collect();
    Ok(Answer::asset(&rows))
}

/// `offset` and `maxReturn`: 20, and at most 200.
pub(super) fn asset_page(query: &Parameters) -> Result<(usize, usize), ApiError> {
    let size = query.number("maxReturn")?.unwrap_or(20);
    if !(1..=200).contains(&size) {
        return Err(errors::error(701, "maxReturn must be between 1 and 200"));
    }
    Ok((query.number("offset")?.unwrap_or(0), size))
}

/// Makes a folder in another one.
pub(super) fn create(world: &mut World, payload: &Payload, now: Moment) -> Result<Answer, ApiError> {
    let form = payload.required_form()?;
    let name = form.required("name").map_err(|_| errors::error(701, "name cannot be blank"))?.to_owned();
    let parent = form.required("parent").map_err(|_| errors::error(701, "parent cannot be blank"))?;
    let parent = read_name(parent)?;
    let folder = world.folders.named(parent).ok_or(errors::NO_PARENT_FOLDER)?;
    if folder.kind == FolderKind::Program {
        return Err(errors::error(711, "Incompatible folder type"));
    }
    if world.folders.iter().any(|(_, folder)| folder.parent == Some(parent.id) && folder.name == name) {
        return Err(errors::error(709, "Folder name already exists"));
    }
    let workspace = folder.workspace.clone();
    let id = world.folders.add(Folder {
        name,
        description: form.get("description").map(str::to_owned),
        kind: FolderKind::Folder,
        parent: Some(parent.id),
        workspace,
        is_system: false,
        created_at: now,
    });
    let rows: Vec<Value> = world.folders.get(id).map(|folder| shown(world, id, folder)).into_iter().collect();
    Ok(Answer::asset(&rows))
}
