//! Static lists: found, made, renamed and deleted.
//!
//! Whether a list is there can be asked with the right to people alone; finding it by name, making, renaming and
//! deleting it are asset calls with a right of their own
//! (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/assets/static-lists>).

use super::answers::id_text;
use super::call::Call;
use super::classify::{IN_USE, NOT_FOUND};
use super::client::{Client, Session};
use super::{ASSET_RIGHT, PERSON_RIGHT, failure};
use crate::{ErrorKind, PushError, Retired};
use relay_model::CredentialStore;
use relay_model::ListId;
use serde::Deserialize;

pub(super) const READ: &str = "read the target list";
const FIND: &str = "find the target list by its name";
const CREATE: &str = "create the target list";
pub(super) const RENAME: &str = "rename the target list";
const DELETE: &str = "delete the target list";

/// A list as the lead database knows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StaticList {
    #[serde(deserialize_with = "id_text")]
    id: Option<String>,
    pub(super) name: String,
    #[serde(default)]
    pub(super) workspace_name: Option<String>,
}

/// A list as an asset.
#[derive(Debug, Deserialize)]
struct ListAsset {
    #[serde(deserialize_with = "id_text")]
    id: Option<String>,
    name: String,
    #[serde(default)]
    folder: Option<FolderId>,
}

/// A folder's id, as asset calls want it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct FolderId {
    pub(super) id: u64,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

impl FolderId {
    /// JSON inside a form. The type sometimes comes back in capitals.
    pub(super) fn to_form(&self) -> String {
        let kind = if self.kind.eq_ignore_ascii_case("program") { "Program" } else { "Folder" };
        serde_json::json!({"id": self.id, "type": kind}).to_string()
    }
}

/// The one spelling of a list's id: the admin pages' addresses have it as `ST1027A1`, requests as `1027`.
pub(super) fn canonical_id(text: &str) -> Option<ListId> {
    let text = text.trim().to_ascii_uppercase();
    let digits = match text.strip_prefix("ST") {
        Some(rest) => rest.split_once('A').filter(|(_, zone)| is_digits(zone))?.0,
        None => &text,
    };
    let number: u32 = digits.parse().ok().filter(|number| *number > 0 && is_digits(digits))?;
    Some(ListId(number.to_string()))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The list, or none where it is not there.
pub(super) async fn read<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    session: &Session<'_>,
) -> Result<Option<StaticList>, PushError> {
    let url = client.url(&["rest", "v1", "lists", &format!("{list}.json")]);
    let call = Call { accepts: NOT_FOUND, ..Call::get(READ, url, PERSON_RIGHT) };
    let answer = client.call(&call, session).await?;
    if answer.code.is_some() {
        return Ok(None);
    }
    let lists = answer.results::<StaticList>()?.result;
    Ok(lists.into_iter().find(|found| found.id.as_deref() == Some(&list.0)))
}

/// The list of exactly this name in a folder.
pub(super) async fn find<S: CredentialStore>(
    client: &Client<S>,
    name: &str,
    folder: &FolderId,
    session: &Session<'_>,
) -> Result<Option<ListId>, PushError> {
    let mut url = client.url(&["rest", "asset", "v1", "staticList", "byName.json"]);
    url.query_pairs_mut().append_pair("name", name);
    let call = Call { accepts: NOT_FOUND, ..Call::get(FIND, url, ASSET_RIGHT) };
    let answer = client.call(&call, session).await?;
    if answer.code.is_some() {
        return Ok(None);
    }
    let lists = answer.results::<ListAsset>()?.result;
    let is_meant = |list: &ListAsset| {
        list.name == name && list.folder.as_ref().is_none_or(|found| found.id == folder.id)
    };
    Ok(lists.into_iter().find(is_meant).and_then(|list| list.id).map(ListId))
}

/// Makes a list.
pub(super) async fn create<S: CredentialStore>(
    client: &Client<S>,
    name: &str,
    folder: &FolderId,
    session: &Session<'_>,
) -> Result<ListId, PushError> {
    let answer = client.call(&create_call(client, name, folder), session).await?;
    let list = answer.results::<ListAsset>()?.result.into_iter().next().and_then(|list| list.id);
    list.map(ListId).ok_or_else(|| answer.unreadable())
}

pub(super) fn create_call<S: CredentialStore>(client: &Client<S>, name: &str, folder: &FolderId) -> Call {
    let url = client.url(&["rest", "asset", "v1", "staticLists.json"]);
    let description = "Filled by Segment Relay: people are added and removed with the segment of this name.";
    let form =
        [("folder", folder.to_form()), ("name", name.to_owned()), ("description", description.to_owned())];
    let form: Vec<(&str, &str)> = form.iter().map(|(key, value)| (*key, value.as_str())).collect();
    // Where the answer is lost the list may be there; the next attempt finds it by its name.
    Call { is_repeatable: false, ..Call::form(CREATE, url, ASSET_RIGHT, &form) }
}

/// Gives a list another name.
pub(super) async fn rename<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    name: &str,
    session: &Session<'_>,
) -> Result<(), PushError> {
    client.call(&rename_call(client, list, name), session).await.map(drop)
}

pub(super) fn rename_call<S: CredentialStore>(client: &Client<S>, list: &ListId, name: &str) -> Call {
    let url = client.url(&["rest", "asset", "v1", "staticList", &format!("{list}.json")]);
    Call::form(RENAME, url, ASSET_RIGHT, &[("name", name)])
}

/// Deletes a list, unless something uses it. The people on it stay in the account.
pub(super) async fn delete<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    session: &Session<'_>,
) -> Result<Retired, PushError> {
    let Some(list) = canonical_id(&list.0) else {
        return Err(failure(DELETE, ErrorKind::ListMissing, "the id of the list is not one"));
    };
    match client.call(&delete_call(client, &list), session).await?.code {
        Some(IN_USE) => Ok(Retired::InUse),
        _ => Ok(Retired::Gone),
    }
}

pub(super) fn delete_call<S: CredentialStore>(client: &Client<S>, list: &ListId) -> Call {
    let url = client.url(&["rest", "asset", "v1", "staticList", &list.0, "delete.json"]);
    Call { accepts: &[702, 1013, IN_USE], ..Call::form(DELETE, url, ASSET_RIGHT, &[]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(canonical_id(text), expected.map(|id| ListId(id.to_owned())), "{text}");
    }

    #[test]
    fn ids_are_taken_as_people_find_them() {
        check("1027", Some("1027"));
        check(" 01027 ", Some("1027"));
        check("ST1027A1", Some("1027"));
        check("st1027a12", Some("1027"));
        check("ST1027", None);
        check("ST1027A", None);
        check("STA1", None);
        check("LI1027A1", None);
        check("+1027", None);
        check("0", None);
        check("1027/../1", None);
        check("", None);
    }
}
