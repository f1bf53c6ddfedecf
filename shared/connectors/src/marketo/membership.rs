//! Who is on a list: leads are added to it and taken off it by their ids, up to 300 a call.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/static-lists>. Both are
//! repeatable: whoever is on the list already stays on it, and whoever is off it stays off.

use super::answers::RecordResult;
use super::call::{Body, Call};
use super::client::{Client, Session};
use super::{CALL_TIMEOUT, MAX_RECORDS, PERSON_RIGHT, failure, wire};
use crate::{ErrorKind, PushError};
use bytes::Bytes;
use http::Method;
use relay_model::CredentialStore;
use relay_model::ListId;
use std::collections::{BTreeSet, HashMap};

const ADD: &str = "add people to the target list";
const REMOVE: &str = "remove people from the target list";

/// What became of each lead, by its id.
pub(super) type ById = HashMap<u64, RecordResult>;

/// Adds leads to a list.
pub(super) async fn add<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    ids: &BTreeSet<u64>,
    session: &Session<'_>,
) -> Result<ById, PushError> {
    let ids: Vec<u64> = ids.iter().copied().collect();
    let mut told = ById::with_capacity(ids.len());
    for ids in ids.chunks(MAX_RECORDS) {
        let answer = client.call(&add_call(client, list, ids)?, session).await?;
        told.extend(by_id(answer.results()?.result));
    }
    Ok(told)
}

/// Takes leads off a list. The leads themselves are never touched.
pub(super) async fn remove<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    ids: &BTreeSet<u64>,
    session: &Session<'_>,
) -> Result<ById, PushError> {
    let ids: Vec<u64> = ids.iter().copied().collect();
    let mut told = ById::with_capacity(ids.len());
    for ids in ids.chunks(MAX_RECORDS) {
        let answer = client.call(&remove_call(client, list, ids), session).await?;
        told.extend(by_id(answer.results()?.result));
    }
    Ok(told)
}

pub(super) fn add_call<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    ids: &[u64],
) -> Result<Call, PushError> {
    let body = wire::encode_ids(ids)
        .map_err(|_| failure(ADD, ErrorKind::InvalidRequest, "the ids cannot be written as JSON"))?;
    let url = client.url(&["rest", "v1", "lists", &list.0, "leads.json"]);
    let call = Call::get(ADD, url, PERSON_RIGHT);
    Ok(Call { method: Method::POST, body: Body::Json(Bytes::from(body)), timeout: CALL_TIMEOUT, ..call })
}

pub(super) fn remove_call<S: CredentialStore>(client: &Client<S>, list: &ListId, ids: &[u64]) -> Call {
    let mut url = client.url(&["rest", "v1", "lists", &list.0, "leads.json"]);
    // 300 ids of ten digits are about 4 KB, well below the 8 KB that an address may have.
    url.query_pairs_mut().extend_pairs(ids.iter().map(|id| ("id", id.to_string())));
    Call { method: Method::DELETE, timeout: CALL_TIMEOUT, ..Call::get(REMOVE, url, PERSON_RIGHT) }
}

fn by_id(records: Vec<RecordResult>) -> impl Iterator<Item = (u64, RecordResult)> {
    records.into_iter().filter_map(|record| Some((record.id.as_ref()?.parse().ok()?, record)))
}
