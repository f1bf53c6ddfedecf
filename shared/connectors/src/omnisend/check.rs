//! Whether an account is usable.

use super::answers::Contacts;
use super::client::{Call, Client, Session};
use super::{WRITE_SCOPE, contacts};
use crate::{Account, ErrorKind, PushError};
use bytes::Bytes;
use http::Method;
use relay_model::CredentialStore;
use serde::Deserialize;

const READ_BRAND: &str = "read the brand";
const READ_CONTACTS: &str = "read contacts";
const PROBE_WRITING: &str = "probe the right to write contacts";

/// <https://api-docs.omnisend.com/v2026-03-15/reference/get_brands-current>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Brand {
    #[serde(rename = "brandID")]
    id: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    website: Option<String>,
}

/// Reads the brand and a contact, and probes whether contacts may be written.
pub(super) async fn check<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
) -> Result<Account, PushError> {
    let mut notices = Vec::new();
    let mut name = "Omnisend".to_owned();
    if client.words.has_brand_and_segments {
        let url = client.url(&["brands", "current"]);
        match client.call(&Call::get(READ_BRAND, url, "brands.read"), session).await {
            Ok(answer) => {
                let brand: Brand = answer.read()?;
                name = brand.name.or(brand.website).unwrap_or(brand.id);
            }
            // Exports do without the brand's name.
            Err(error) if error.kind == ErrorKind::Permission => {
                notices.push(
                    "the API key may not read the brand (brands.read), so its name is not known".to_owned(),
                );
            }
            Err(error) => return Err(error),
        }
    }
    let mut url = client.url(&["contacts"]);
    url.query_pairs_mut().append_pair("limit", "1");
    let call = Call::get(READ_CONTACTS, url, contacts::READ_SCOPE);
    client.call(&call, session).await?.read::<Contacts>()?;
    probe_writing(client, session).await?;
    Ok(Account { name, notices })
}

/// A batch of nobody is refused for being empty where contacts may be written, and for the lack of the right where
/// they may not. Either way nothing is written.
async fn probe_writing<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
) -> Result<(), PushError> {
    let body = Bytes::from_static(br#"{"method":"POST","endpoint":"contacts","items":[]}"#);
    let call = Call {
        accepts: &[400, 422],
        ..Call::write(PROBE_WRITING, Method::POST, client.url(&["batches"]), body, WRITE_SCOPE)
    };
    client.call(&call, session).await.map(drop)
}
