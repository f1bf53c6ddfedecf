//! Lists: details, statistics, creation, custom fields and members.
//!
//! <https://www.campaignmonitor.com/api/v3-3/lists/>

use super::answer::Answer;
use super::auth::Caller;
use super::endpoint::{Part, Query};
use super::errors::{self, ApiError};
use super::fields::{DataType, Fields};
use super::ids::ListId;
use super::members::{Members, OrderQuery};
use super::paging::{self, PageQuery};
use super::people;
use super::subscriber::SubscriberState;
use super::world::{List, UnsubscribeSetting, World};
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListDetails<'a> {
    confirmed_opt_in: bool,
    title: &'a str,
    unsubscribe_page: &'a str,
    #[serde(rename = "ListID")]
    list_id: &'a str,
    confirmation_success_page: &'a str,
    unsubscribe_setting: UnsubscribeSetting,
}

pub(super) fn details(world: &mut World, caller: &Caller, id: &str) -> Result<Answer, ApiError> {
    let list = world.list(caller, id)?.list;
    let details = ListDetails {
        confirmed_opt_in: list.confirmed_opt_in,
        title: &list.title,
        unsubscribe_page: &list.unsubscribe_page,
        list_id: id,
        confirmation_success_page: &list.confirmation_success_page,
        unsubscribe_setting: list.unsubscribe_setting,
    };
    Ok(Answer::json(200, &details))
}

/// A list to make. Settings are words here so that a wrong one is the vendor's error and not a malformed body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateList {
    pub(super) title: Option<String>,
    pub(super) unsubscribe_page: Option<String>,
    pub(super) unsubscribe_setting: Option<String>,
    pub(super) confirmed_opt_in: Option<bool>,
    pub(super) confirmation_success_page: Option<String>,
}

pub(super) fn create(
    world: &mut World,
    caller: &Caller,
    client_id: &str,
    body: &[u8],
) -> Result<Answer, ApiError> {
    world.client(caller, client_id)?;
    let sent: CreateList = serde_json::from_slice(body).map_err(|_| errors::MALFORMED)?;
    Ok(Answer::json(201, &insert(world, client_id, sent)?))
}

/// Makes a list for a client that is known to exist.
pub(super) fn insert(world: &mut World, client_id: &str, sent: CreateList) -> Result<ListId, ApiError> {
    let title = sent.title.unwrap_or_default();
    if title.trim().is_empty() {
        return Err(errors::EMPTY_TITLE);
    }
    let of_client = |list: &&List| list.client.as_str() == client_id;
    if world.lists.values().filter(of_client).any(|list| list.title == title) {
        return Err(errors::DUPLICATE_TITLE);
    }
    let unsubscribe_setting = match sent.unsubscribe_setting.as_deref() {
        None | Some("AllClientLists") => UnsubscribeSetting::AllClientLists,
        Some("OnlyThisList") => UnsubscribeSetting::OnlyThisList,
        Some(_) => return Err(errors::INVALID_UNSUBSCRIBE_SETTING),
    };
    let list = List {
        client: client_id.into(),
        title,
        unsubscribe_page: sent.unsubscribe_page.unwrap_or_default(),
        confirmation_success_page: sent.confirmation_success_page.unwrap_or_default(),
        unsubscribe_setting,
        confirmed_opt_in: sent.confirmed_opt_in.unwrap_or_default(),
        created: world.next_created(),
        fields: Fields::default(),
        members: Members::default(),
    };
    let id = ListId::random();
    world.lists.insert(id.clone(), list);
    Ok(id)
}

pub(super) fn fields(world: &mut World, caller: &Caller, id: &str) -> Result<Answer, ApiError> {
    let fields: Vec<_> = world.list(caller, id)?.list.fields.iter().cloned().collect();
    Ok(Answer::json(200, &fields))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SentField {
    field_name: Option<String>,
    data_type: Option<String>,
    options: Option<Vec<String>>,
    visible_in_preference_center: Option<bool>,
    keep_existing_options: Option<bool>,
}

pub(super) fn create_field(
    world: &mut World,
    caller: &Caller,
    id: &str,
    body: &[u8],
) -> Result<Answer, ApiError> {
    let list = world.list(caller, id)?.list;
    let sent: SentField = serde_json::from_slice(body).map_err(|_| errors::MALFORMED)?;
    let data_type = data_type(sent.data_type.as_deref()).ok_or(errors::INVALID_DATA_TYPE)?;
    let key = list.fields.create(
        sent.field_name.as_deref().unwrap_or_default(),
        data_type,
        sent.options.unwrap_or_default(),
        sent.visible_in_preference_center.unwrap_or(true),
    )?;
    Ok(Answer::json(201, &key))
}

fn data_type(word: Option<&str>) -> Option<DataType> {
    serde_json::from_value(serde_json::Value::String(word?.to_owned())).ok()
}

pub(super) fn change_field(
    world: &mut World,
    caller: &Caller,
    id: &str,
    part: &Part,
    body: &[u8],
) -> Result<Answer, ApiError> {
    let list = world.list(caller, id)?.list;
    let read = || serde_json::from_slice::<SentField>(body).map_err(|_| errors::MALFORMED);
    match part {
        Part::RenameField(key) => {
            let sent = read()?;
            let name = sent.field_name.unwrap_or_default();
            let key = list.fields.rename(key, &name, sent.visible_in_preference_center)?;
            Ok(Answer::json(200, &key))
        }
        Part::FieldOptions(key) => {
            let sent = read()?;
            let keep = sent.keep_existing_options.unwrap_or_default();
            list.fields.set_options(key, sent.options.unwrap_or_default(), keep)?;
            Ok(Answer::empty())
        }
        Part::DeleteField(key) => {
            let number = list.fields.delete(key)?;
            list.members.forget_values(number);
            Ok(Answer::empty())
        }
        Part::None | Part::State(_) => Err(errors::NOT_FOUND),
    }
}

/// A page of the people in one state.
pub(super) fn members(
    world: &mut World,
    caller: &Caller,
    id: &str,
    state: SubscriberState,
    query: &Query,
) -> Result<Answer, ApiError> {
    let target = world.list(caller, id)?;
    let page = PageQuery::parse(query, target.client.zone)?;
    let PageQuery { changed_since, by, descending, .. } = page;
    let order = OrderQuery { state, changed_since, by, descending };
    let List { members, fields, .. } = target.list;
    let (total, rows) = members.page(order, page.skip(), page.page_size);
    let rows: Vec<_> =
        rows.into_iter().map(|person| people::show(person, fields, target.client, page.tracking)).collect();
    Ok(Answer::json(200, &paging::envelope(&page, total, rows)))
}
