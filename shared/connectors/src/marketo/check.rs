//! Checks whether an account is usable: a call that changes nothing proves each right.

use super::client::{Client, JSON, Session, get_call};
use super::errors::ACCESS_DENIED;
use super::fields::Descriptions;
use super::options::DEFAULT_FOLDER;
use super::settings::Settings;
use super::{PERSON_RIGHT, folders, usage};
use crate::{Account, ErrorKind, PushError, Retry};
use bytes::Bytes;
use http::Method;
use relay_model::CredentialStore;

const READ_LISTS: &str = "read the account's lists";
const PROVE_WRITING: &str = "find out whether people may be written";

/// Proves the rights to people and lists, and collects notices.
pub(super) async fn check<S: CredentialStore>(
    client: &Client<S>,
    settings: &Settings,
    descriptions: &Descriptions,
    session: &Session<'_>,
) -> Result<Account, PushError> {
    descriptions.get(client, session).await?;
    let mut url = client.url(&["rest", "v1", "lists.json"]);
    url.query_pairs_mut().append_pair("batchSize", "1");
    client.call(&get_call(READ_LISTS, url, PERSON_RIGHT), session).await?;
    prove_writing(client, session).await?;
    let mut notices = Vec::new();
    match folders::find(client, DEFAULT_FOLDER, None, session).await {
        Ok(_) => {}
        Err(error) if error.kind == ErrorKind::Permission => notices.push(
            "the API user's role lacks \"Read-Write Assets\": exports need the id of an existing list, because lists \
             can neither be found by name nor created or renamed"
                .to_owned(),
        ),
        // The folder may be called otherwise or be there several times; that is an export's matter.
        Err(error) if error.kind == ErrorKind::Settings => {}
        Err(error) => return Err(error),
    }
    notices.extend(usage::read(client, session).await?.map(usage::notice));
    Ok(Account { name: settings.endpoint.host().to_owned(), notices })
}

/// Syncs an empty list of people. Marketo refuses it with 603 if the right is missing, and otherwise if it is not.
async fn prove_writing<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
) -> Result<(), PushError> {
    let call = get_call(PROVE_WRITING, client.url(&["rest", "v1", "leads.json"]), PERSON_RIGHT).with_body(
        Method::POST,
        JSON,
        Bytes::from_static(br#"{"input":[]}"#),
    );
    match client.call(&call, session).await {
        Ok(_) => Ok(()),
        Err(error) if error.code == Some(ACCESS_DENIED) => Err(error),
        Err(error) if error.code.is_some() && error.retry == Retry::Never => Ok(()),
        Err(error) => Err(error),
    }
}
