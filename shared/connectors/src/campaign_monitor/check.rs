//! Whether an account is usable.

use super::classify;
use super::client::{Call, Client, Session};
use super::failure;
use crate::{Account, ErrorKind, PushError};
use relay_model::CredentialStore;
use serde::Deserialize;
use serde::de::IgnoredAny;

const READ_CLIENTS: &str = "read the account's clients";
const READ_LISTS: &str = "read the client's lists";
/// So many clients are named where several are there.
const NAMED_CLIENTS: usize = 5;

/// <https://www.campaignmonitor.com/api/v3-3/account/#getting-your-clients>. The details of one client are never
/// read: they hold a live API key.
#[derive(Deserialize)]
struct ClientItem {
    #[serde(rename = "ClientID")]
    id: String,
    #[serde(rename = "Name")]
    name: String,
}

/// Reads the clients that the credentials see and, where it is clear which one is meant, its lists.
pub(super) async fn check<S: CredentialStore>(
    client: &Client<S>,
    client_id: Option<&str>,
    session: &Session<'_>,
) -> Result<Account, PushError> {
    let url = client.url(&["clients.json"]);
    let clients: Vec<ClientItem> = client.call(&Call::get(READ_CLIENTS, url), session).await?.read()?;
    let meant = match (client_id, clients.as_slice()) {
        (Some(id), clients) => match clients.iter().find(|item| item.id.eq_ignore_ascii_case(id)) {
            Some(item) => item,
            None => return Err(wrong_client()),
        },
        (None, [item]) => item,
        (None, []) => {
            let message = "the credentials are accepted but see no client, so there is no list to export to";
            return Err(failure(READ_CLIENTS, ErrorKind::Permission, message));
        }
        (None, clients) => return Ok(several(clients)),
    };
    let url = client.url(&["clients", &meant.id, "lists.json"]);
    let lists: Vec<IgnoredAny> = match client.call(&Call::get(READ_LISTS, url), session).await {
        Ok(answer) => answer.read()?,
        Err(error) if error.kind == ErrorKind::ListMissing => return Err(wrong_client()),
        Err(error) => return Err(error),
    };
    Ok(Account { name: meant.name.clone(), notices: vec![format!("the client has {} lists", lists.len())] })
}

fn several(clients: &[ClientItem]) -> Account {
    let mut names: Vec<&str> = clients.iter().take(NAMED_CLIENTS).map(|item| item.name.as_str()).collect();
    if clients.len() > NAMED_CLIENTS {
        names.push("…");
    }
    let name = format!("{} clients: {}", clients.len(), names.join(", "));
    let notice =
        "the account has several clients: set client_id in the connection's settings to have one checked";
    Account { name, notices: vec![notice.to_owned()] }
}

fn wrong_client() -> PushError {
    let message = "settings.client_id is none of the clients that the credentials see (the credentials themselves are \
                   accepted)";
    let verdict = classify::refused(401, Some(102));
    PushError { retry: verdict.retry, ..failure(READ_CLIENTS, ErrorKind::Settings, message) }
}
