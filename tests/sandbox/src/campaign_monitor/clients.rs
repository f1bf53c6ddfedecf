//! Clients, their lists and their suppression list.
//!
//! <https://www.campaignmonitor.com/api/v3-3/account/>, <https://www.campaignmonitor.com/api/v3-3/clients/>

use super::answer::Answer;
use super::auth::Caller;
use super::endpoint::Query;
use super::errors::ApiError;
use super::ids::{ClientId, ListId};
use super::paging::{self, PageQuery};
use super::world::{Client, List, World};
use serde::Serialize;

#[derive(Serialize)]
struct ClientItem<'a> {
    #[serde(rename = "ClientID")]
    client_id: &'a ClientId,
    #[serde(rename = "Name")]
    name: &'a str,
}

/// The clients that the caller sees: one for a client's key, all for an account.
pub(super) fn all(world: &World, caller: &Caller) -> Answer {
    let mut own: Vec<(&ClientId, &Client)> =
        world.clients.iter().filter(|(id, client)| caller.owns(id, client)).collect();
    own.sort_by_key(|(_, client)| client.created);
    let items: Vec<ClientItem<'_>> =
        own.into_iter().map(|(client_id, client)| ClientItem { client_id, name: &client.name }).collect();
    Answer::json(200, &items)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ClientDetails<'a> {
    api_key: &'a str,
    basic_details: BasicDetails<'a>,
}

#[derive(Serialize)]
struct BasicDetails<'a> {
    #[serde(rename = "ClientID")]
    client_id: &'a ClientId,
    #[serde(rename = "CompanyName")]
    company_name: &'a str,
    #[serde(rename = "Country")]
    country: &'static str,
    #[serde(rename = "TimeZone")]
    time_zone: String,
}

/// A client's details, its live API key among them.
pub(super) fn details(world: &World, caller: &Caller, id: &str) -> Result<Answer, ApiError> {
    let (client_id, client) = world.client(caller, id)?;
    let basic_details = BasicDetails {
        client_id,
        company_name: &client.name,
        country: "Australia",
        time_zone: client.zone.name(),
    };
    Ok(Answer::json(200, &ClientDetails { api_key: &client.api_key, basic_details }))
}

#[derive(Serialize)]
struct ListItem<'a> {
    #[serde(rename = "ListID")]
    list_id: &'a ListId,
    #[serde(rename = "Name")]
    name: &'a str,
}

/// A client's lists.
pub(super) fn lists(world: &World, caller: &Caller, id: &str) -> Result<Answer, ApiError> {
    let (client_id, _) = world.client(caller, id)?;
    let mut own: Vec<(&ListId, &List)> =
        world.lists.iter().filter(|(_, list)| list.client == *client_id).collect();
    own.sort_by_key(|(_, list)| list.created);
    let items: Vec<ListItem<'_>> =
        own.into_iter().map(|(list_id, list)| ListItem { list_id, name: &list.title }).collect();
    Ok(Answer::json(200, &items))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SuppressedItem<'a> {
    suppression_reason: &'static str,
    email_address: &'a str,
    date: String,
    state: &'static str,
}

/// A page of the client's suppression list.
pub(super) fn suppression_list(
    world: &World,
    caller: &Caller,
    id: &str,
    query: &Query,
) -> Result<Answer, ApiError> {
    let (_, client) = world.client(caller, id)?;
    let page = PageQuery::parse(query, client.zone)?;
    let mut entries: Vec<_> = client.suppressed.values().collect();
    if page.orders_by_date() {
        entries.sort_by_key(|entry| entry.since);
    }
    if page.descending {
        entries.reverse();
    }
    let total = entries.len();
    let items: Vec<SuppressedItem<'_>> = entries
        .into_iter()
        .skip(page.skip())
        .take(page.page_size)
        .map(|entry| SuppressedItem {
            suppression_reason: entry.reason,
            email_address: &entry.email,
            date: client.zone.show(entry.since),
            state: "Suppressed",
        })
        .collect();
    Ok(Answer::json(200, &paging::envelope(&page, total, items)))
}
