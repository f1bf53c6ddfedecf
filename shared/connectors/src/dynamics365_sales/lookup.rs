//! Who of a number of contacts is there.
//!
//! By the query function `In` with parameter aliases
//! (<https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows>), whose queries are too
//! long for addresses of a call by themselves and so go in a batch.

use super::answers::{Contact, Page};
use super::batch::{self, Operation};
use super::classify;
use super::client::{Client, Session, Weight};
use crate::{ErrorKind, PushError};
use http::Method;
use relay_model::CredentialStore;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use url::Url;

const LOOK_UP: &str = "look up contacts";
const LOOK_UP_MEMBERS: &str = "look up members of the list";
/// How many contacts a query names at first. The address of each is about 45 bytes, and an operation's address may
/// have 65,536 (<https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/overview>); how many values
/// `In` takes is not published.
const FIRST_PER_QUERY: usize = 250;
/// A batch asks for so many contacts at the most, to be answered well within a minute.
const MOST_QUERIES: usize = 20;

/// Contacts that one call looks up, as long as the organisation has refused none.
pub(super) const AT_A_TIME: u64 = 5_000;

/// Where contacts are looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Among<'a> {
    /// Everybody in the organisation.
    Contacts,
    /// The members of a list.
    MembersOf(&'a str),
}

/// What is known of a contact that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// May be put on lists.
    Active,
    /// May not.
    Inactive,
}

/// How many contacts a query names: fewer where the organisation has refused more.
#[derive(Debug)]
pub(super) struct PerQuery(AtomicUsize);

impl Default for PerQuery {
    fn default() -> Self {
        Self(AtomicUsize::new(FIRST_PER_QUERY))
    }
}

/// Looks up `ids`, which are not empty; who is not in the answer is not there.
pub(super) async fn look_up<S: CredentialStore>(
    client: &Client<S>,
    per_query: &PerQuery,
    among: Among<'_>,
    ids: &[&str],
    session: &Session<'_>,
) -> Result<HashMap<String, State>, PushError> {
    let mut found = HashMap::with_capacity(ids.len());
    let mut rest = ids;
    while !rest.is_empty() {
        let size = per_query.0.load(Ordering::Relaxed).max(1);
        let (now, later) = rest.split_at(rest.len().min(size * MOST_QUERIES));
        match look_up_some(client, among, now, size, session).await {
            Ok(contacts) => {
                found.extend(contacts);
                rest = later;
            }
            Err(error) if error.kind == ErrorKind::TooLarge && size > 1 => {
                tracing::info!(size, "queries name fewer contacts from now on");
                per_query.0.store(size / 2, Ordering::Relaxed);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn look_up_some<S: CredentialStore>(
    client: &Client<S>,
    among: Among<'_>,
    ids: &[&str],
    size: usize,
    session: &Session<'_>,
) -> Result<Vec<(String, State)>, PushError> {
    let (operation, path) = match among {
        Among::Contacts => (LOOK_UP, "contacts".to_owned()),
        Among::MembersOf(list) => (LOOK_UP_MEMBERS, format!("lists({list})/listcontact_association")),
    };
    let queries: Vec<Operation> = ids
        .chunks(size)
        .map(|ids| Operation { method: Method::GET, url: query(client.url(&path), ids), body: None })
        .collect();
    let call = batch::call(operation, client.url("$batch"), &queries, Weight::Light);
    let mut attempt = 0;
    loop {
        let answer = client.call(&call, session).await?;
        match read(operation, &batch::parts(&answer, queries.len())?) {
            Ok(contacts) => return Ok(contacts),
            Err(error) => {
                // A part may be refused as one too many although the whole was let in.
                if error.status == Some(429) {
                    session.context.throttled().await;
                }
                let may_repeat = classify::blame(&error) == classify::Blame::Call;
                if !may_repeat || !session.patience.pause(&error, attempt, session.context).await {
                    return Err(error);
                }
                attempt += 1;
            }
        }
    }
}

/// The address of a query for contacts by their ids.
pub(super) fn query(mut url: Url, ids: &[&str]) -> Url {
    let ids = ids.join("\",\"");
    let query = format!(
        "$select=contactid,statecode&$filter=Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)\
         &@p1='contactid'&@p2=[\"{ids}\"]"
    );
    url.set_query(Some(&query));
    url
}

fn read(operation: &'static str, parts: &[batch::Part]) -> Result<Vec<(String, State)>, PushError> {
    let unreadable = || super::client::refusal(operation, 200, &super::answers::Refusal::default(), None);
    let mut contacts = Vec::new();
    for part in parts {
        let page: Page<Contact> = serde_json::from_str(part.judge(operation)?).map_err(|_| unreadable())?;
        // There are fewer contacts in a query than on a page; were there more, those missing would look unknown.
        if page.next_link.is_some() {
            return Err(unreadable());
        }
        contacts.extend(page.value.into_iter().map(|contact| {
            let state = if contact.statecode == 0 { State::Active } else { State::Inactive };
            (contact.contactid.to_ascii_lowercase(), state)
        }));
    }
    Ok(contacts)
}
