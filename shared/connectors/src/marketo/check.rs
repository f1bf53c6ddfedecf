//! Whether an account is usable: each right is proven by a call that needs it and changes nothing.

use super::call::{Body, Call};
use super::classify::ACCESS_DENIED;
use super::client::{Client, Session};
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

/// Proves the rights to people and lists, and says what else people should know.
pub(super) async fn check<S: CredentialStore>(
    client: &Client<S>,
    settings: &Settings,
    descriptions: &Descriptions,
    session: &Session<'_>,
) -> Result<Account, PushError> {
    descriptions.get(client, session).await?;
    let mut url = client.url(&["rest", "v1", "lists.json"]);
    url.query_pairs_mut().append_pair("batchSize", "1");
    client.call(&Call::get(READ_LISTS, url, PERSON_RIGHT), session).await?;
    prove_writing(client, session).await?;
    let mut notices = Vec::new();
    match folders::find(client, DEFAULT_FOLDER, None, session).await {
        Ok(_) => {}
        Err(error) if error.kind == ErrorKind::Permission => notices.push(
            "the API user's role lacks \"Read-Write Assets\": exports need the id of an existing list, for lists can \
             neither be found by name nor made or renamed"
                .to_owned(),
        ),
        // The folder may be called otherwise or be there several times; that is an export's matter.
        Err(error) if error.kind == ErrorKind::Settings => {}
        Err(error) => return Err(error),
    }
    notices.extend(usage::read(client, session).await?.map(usage::notice));
    Ok(Account { name: settings.endpoint.host().to_owned(), notices })
}

/// Syncs nobody: without the right that is refused with 603, with it in some other way or not at all.
async fn prove_writing<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
) -> Result<(), PushError> {
    let call = Call::get(PROVE_WRITING, client.url(&["rest", "v1", "leads.json"]), PERSON_RIGHT);
    let body = Body::Json(Bytes::from_static(br#"{"input":[]}"#));
    match client.call(&Call { method: Method::POST, body, ..call }, session).await {
        Ok(_) => Ok(()),
        Err(error) if error.code == Some(ACCESS_DENIED) => Err(error),
        Err(error) if error.code.is_some() && error.retry == Retry::Never => Ok(()),
        Err(error) => Err(error),
    }
}
