//! Who has which lead ids. Nobody's values stand in an address: the look-up is posted as a form.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>: up to 300 values,
//! separated by commas, up to 300 people a page, and an error where more than 1,000 people match.

use super::answers::{id_text, scalar_text};
use super::call::Call;
use super::classify::INVALID_VALUE;
use super::client::{Client, Session};
use super::{CALL_TIMEOUT, MAX_RECORDS, PERSON_RIGHT};
use crate::PushError;
use relay_model::CredentialStore;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeSet, HashMap, VecDeque};

const OPERATION: &str = "look people up";
/// A look-up that has more pages than its matches can fill does not end.
const MOST_PAGES: usize = 8;

/// Lead ids by match key.
#[derive(Debug, Default)]
pub(super) struct Found {
    ids: HashMap<String, BTreeSet<u64>>,
    /// Keys of which more people match than a look-up tells.
    too_many: BTreeSet<String>,
}

/// Whom a match key finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Matches {
    None,
    One(u64),
    Several(BTreeSet<u64>),
    TooMany,
}

#[derive(Deserialize)]
struct Lead {
    #[serde(default, deserialize_with = "id_text")]
    id: Option<String>,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl Found {
    pub(super) fn of(&self, key: &str) -> Matches {
        let key = folded(key);
        if self.too_many.contains(&key) {
            return Matches::TooMany;
        }
        match self.ids.get(&key) {
            None => Matches::None,
            Some(ids) => match ids.first() {
                Some(id) if ids.len() == 1 => Matches::One(*id),
                _ => Matches::Several(ids.clone()),
            },
        }
    }
}

/// Whether a key can be looked up at all.
pub(super) fn is_expressible(key: &str) -> bool {
    !key.contains(',')
}

/// Looks keys up in `field`. Those that cannot be expressed are left out.
pub(super) async fn look_up<S: CredentialStore>(
    client: &Client<S>,
    field: &str,
    keys: &[&str],
    session: &Session<'_>,
) -> Result<Found, PushError> {
    let keys: Vec<&str> = keys.iter().copied().filter(|key| is_expressible(key)).collect();
    let mut found = Found::default();
    let mut pieces: VecDeque<&[&str]> = keys.chunks(MAX_RECORDS).collect();
    while let Some(piece) = pieces.pop_front() {
        if look_up_piece(client, field, piece, session, &mut found).await? == Told::All {
            continue;
        }
        if let [key] = piece {
            found.too_many.insert(folded(key));
        } else {
            let (first, second) = piece.split_at(piece.len() / 2);
            pieces.push_front(second);
            pieces.push_front(first);
        }
    }
    Ok(found)
}

#[derive(PartialEq)]
enum Told {
    All,
    TooMany,
}

async fn look_up_piece<S: CredentialStore>(
    client: &Client<S>,
    field: &str,
    keys: &[&str],
    session: &Session<'_>,
    found: &mut Found,
) -> Result<Told, PushError> {
    let mut page: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let answer = client.call(&call(client, field, keys, page.as_deref()), session).await?;
        if answer.code == Some(INVALID_VALUE) {
            return Ok(Told::TooMany);
        }
        let results = answer.results::<Lead>()?;
        for Lead { id, fields } in results.result {
            let id = id.and_then(|id| id.parse().ok());
            let key = if field == "id" {
                id.map(|id: u64| id.to_string())
            } else {
                fields.get(field).and_then(scalar_text)
            };
            if let (Some(id), Some(key)) = (id, key) {
                found.ids.entry(folded(&key)).or_default().insert(id);
            }
        }
        page = results.next_page_token.filter(|token| !token.is_empty());
        if page.is_none() {
            return Ok(Told::All);
        }
    }
    Ok(Told::TooMany)
}

pub(super) fn call<S: CredentialStore>(
    client: &Client<S>,
    field: &str,
    keys: &[&str],
    page: Option<&str>,
) -> Call {
    let mut url = client.url(&["rest", "v1", "leads.json"]);
    url.set_query(Some("_method=GET"));
    let values = keys.join(",");
    let fields = if field == "id" { "id".to_owned() } else { format!("id,{field}") };
    let mut form = vec![("filterType", field), ("filterValues", &values), ("fields", &fields)];
    form.extend(page.map(|page| ("nextPageToken", page)));
    let call = Call::form(OPERATION, url, PERSON_RIGHT, &form);
    // Of a look-up this code says that too many people match.
    Call { accepts: &[INVALID_VALUE], timeout: CALL_TIMEOUT, ..call }
}

/// Marketo finds people without regard to case, and gives the spelling that it has.
fn folded(key: &str) -> String {
    key.trim().to_lowercase()
}
