//! The folder that lists are made in.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/folders>

use super::call::Call;
use super::client::{Client, Session};
use super::lists::FolderId;
use super::{ASSET_RIGHT, failure};
use crate::{ErrorKind, PushError};
use relay_model::CredentialStore;
use serde::Deserialize;

pub(super) const OPERATION: &str = "find the folder for lists";
/// So many paths are told where several folders are meant.
const TOLD: usize = 5;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Folder {
    #[serde(rename = "folderId")]
    id: FolderId,
    #[serde(default, rename = "folderType")]
    kind: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    is_archive: bool,
    #[serde(default)]
    is_system: bool,
    #[serde(default)]
    workspace: Option<String>,
}

/// Finds the folder that `wanted` names or is the path of. Several folders may have one name.
pub(super) async fn find<S: CredentialStore>(
    client: &Client<S>,
    wanted: &str,
    workspace: Option<&str>,
    session: &Session<'_>,
) -> Result<FolderId, PushError> {
    let path = wanted.trim().trim_matches('/');
    let name = path.rsplit('/').next().unwrap_or(path).trim();
    let mut url = client.url(&["rest", "asset", "v1", "folder", "byName.json"]);
    url.query_pairs_mut().append_pair("name", name);
    if let Some(workspace) = workspace {
        url.query_pairs_mut().append_pair("workSpace", workspace);
    }
    let call = Call { accepts: &[702, 710], ..Call::get(OPERATION, url, ASSET_RIGHT) };
    let answer = client.call(&call, session).await?;
    let folders = if answer.code.is_some() { Vec::new() } else { answer.results::<Folder>()?.result };
    choose(folders, path, workspace).map_err(|message| failure(OPERATION, ErrorKind::Settings, message))
}

fn choose(mut folders: Vec<Folder>, wanted: &str, workspace: Option<&str>) -> Result<FolderId, String> {
    folders.retain(|folder| !folder.is_archive);
    if let Some(workspace) = workspace {
        folders.retain(|folder| folder.workspace.as_deref().is_none_or(|found| found == workspace));
    }
    if wanted.contains('/') {
        folders.retain(|folder| {
            folder.path.as_deref().is_some_and(|path| {
                let path = path.trim_matches('/');
                path == wanted || path.strip_suffix(wanted).is_some_and(|start| start.ends_with('/'))
            })
        });
    }
    if folders.len() > 1 && folders.iter().any(Folder::is_for_lists) {
        folders.retain(Folder::is_for_lists);
    }
    if folders.len() > 1 && folders.iter().any(|folder| folder.is_system) {
        folders.retain(|folder| folder.is_system);
    }
    match folders.as_slice() {
        [folder] => Ok(folder.id.clone()),
        [] => {
            let place =
                workspace.map(|workspace| format!(" in workspace \"{workspace}\"")).unwrap_or_default();
            Err(format!("options.folder: there is no folder \"{wanted}\"{place} that the API user can see"))
        }
        _ => {
            let mut paths: Vec<&str> =
                folders.iter().take(TOLD).filter_map(|folder| folder.path.as_deref()).collect();
            if folders.len() > TOLD {
                paths.push("…");
            }
            Err(format!(
                "options.folder: several folders are called \"{wanted}\"; write the path of one of them, or set \
                 options.workspace: {}",
                paths.join(", ")
            ))
        }
    }
}

impl Folder {
    fn is_for_lists(&self) -> bool {
        self.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("list"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn folder(id: u64, path: &str, kind: &str, is_system: bool) -> Value {
        let workspace = path.split('/').nth(2).unwrap();
        json!({
            "folderId": {"id": id, "type": "Folder"},
            "folderType": kind,
            "path": path,
            "isArchive": false,
            "isSystem": is_system,
            "workspace": workspace,
        })
    }

    #[track_caller]
    fn check(folders: &[Value], wanted: &str, workspace: Option<&str>, expected: Result<u64, &str>) {
        let folders = folders.iter().map(|folder| serde_json::from_value(folder.clone()).unwrap()).collect();
        let found = choose(folders, wanted, workspace).map(|folder| folder.id);
        match expected {
            Ok(id) => assert_eq!(found, Ok(id), "{wanted}"),
            Err(part) => assert!(found.clone().unwrap_err().contains(part), "{wanted}: {found:?}"),
        }
    }

    #[test]
    fn one_of_several_folders_of_a_name_is_chosen_by_what_tells_them_apart() {
        let group = folder(12, "/Lead Database/Default/Group Lists", "List", true);
        let other = folder(34, "/Lead Database/EMEA/Group Lists", "List", true);
        let child = folder(56, "/Lead Database/Default/Group Lists/Group Lists", "List", false);
        let images = folder(78, "/Design Studio/Default/Group Lists", "Image", false);
        check(std::slice::from_ref(&group), "Group Lists", None, Ok(12));
        check(&[group.clone(), images.clone()], "Group Lists", None, Ok(12));
        check(&[group.clone(), child.clone(), images], "Group Lists", None, Ok(12));
        check(&[group.clone(), other.clone()], "Group Lists", Some("EMEA"), Ok(34));
        check(&[group.clone(), other.clone()], "EMEA/Group Lists", None, Ok(34));
        check(&[group.clone(), child], "Lead Database/Default/Group Lists", None, Ok(12));
        check(&[group.clone(), other], "Group Lists", None, Err("/Lead Database/EMEA/Group Lists"));
        check(&[group], "Group Lists", Some("APAC"), Err("no folder \"Group Lists\" in workspace \"APAC\""));
        check(&[], "Nowhere", None, Err("no folder \"Nowhere\" that"));
    }
}
