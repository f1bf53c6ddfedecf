//! Whether an organisation is usable: is the application let in, may it read what it has to, which privileges lack.

use super::answers::{UserPrivileges, WhoAmI};
use super::client::{Call, Client, Session};
use super::failure;
use crate::{Account, ErrorKind, PushError};
use relay_model::CredentialStore;
use std::collections::HashSet;

const WHO_AM_I: &str = "ask the organisation who we are";
const READ_LISTS: &str = "read marketing lists";
const READ_CONTACTS: &str = "read contacts";
const READ_PRIVILEGES: &str = "read the application user's privileges";
/// What an export to an existing list needs
/// (<https://learn.microsoft.com/previous-versions/dynamicscrm-2016/developers-guide/gg309603(v=crm.8)>).
const NEEDED: [&str; 5] =
    ["prvReadList", "prvWriteList", "prvAppendToList", "prvReadContact", "prvAppendContact"];
/// What making a segment's own list needs beside them.
const CREATE_LIST: &str = "prvCreateList";

/// Asks who we are, reads a list and a contact, and compares the privileges with those that are needed.
///
/// The first call needs no privilege: it proves the token and the application user, and nothing else.
pub(super) async fn check<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
) -> Result<Account, PushError> {
    let WhoAmI { user_id } =
        client.call(&Call::get(WHO_AM_I, client.url("WhoAmI")), session).await?.read()?;
    for (operation, path, key) in [(READ_LISTS, "lists", "listid"), (READ_CONTACTS, "contacts", "contactid")]
    {
        let mut url = client.url(path);
        url.set_query(Some(&format!("$top=1&$select={key}")));
        client.call(&Call::get(operation, url), session).await?;
    }
    let mut notices = privileges(client, &user_id, session).await?;
    if let Some(hint) = client.gate.hint() {
        notices
            .push(format!("the organisation recommends up to {hint} calls at a time; each list takes one"));
    }
    let organisation = client.settings.organisation.join(&[]);
    Ok(Account { name: organisation.host_str().unwrap_or_default().to_owned(), notices })
}

async fn privileges<S: CredentialStore>(
    client: &Client<S>,
    user: &str,
    session: &Session<'_>,
) -> Result<Vec<String>, PushError> {
    let path = format!("systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges");
    let held: UserPrivileges = match client
        .call(&Call::get(READ_PRIVILEGES, client.url(&path)), session)
        .await
    {
        Ok(answer) => answer.read()?,
        // What cannot be read is not therefore missing: the calls that need it will tell.
        Err(error) if matches!(error.kind, ErrorKind::Permission | ErrorKind::Settings) => {
            let notice = "the application user's privileges could not be read, so whether it may change lists is \
                              not known yet";
            return Ok(vec![notice.to_owned()]);
        }
        Err(error) => return Err(error),
    };
    let held: HashSet<String> =
        held.role_privileges.into_iter().map(|privilege| privilege.privilege_name).collect();
    let missing: Vec<&str> = NEEDED.into_iter().filter(|privilege| !held.contains(*privilege)).collect();
    if !missing.is_empty() {
        let message =
            format!("the application user lacks {}: add it to its security role", missing.join(", "));
        return Err(failure(READ_PRIVILEGES, ErrorKind::Permission, message));
    }
    if held.contains(CREATE_LIST) {
        return Ok(Vec::new());
    }
    let notice = format!("the application user lacks {CREATE_LIST}: exports have to name existing lists");
    Ok(vec![notice])
}
