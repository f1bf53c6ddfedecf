//! How much of the account's day is spent, by everybody who uses it.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/usage>; no right is needed.

use super::call::Call;
use super::client::{Client, Session};
use crate::{PushError, Retry};
use relay_model::CredentialStore;
use serde::Deserialize;

const OPERATION: &str = "read the account's usage";

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    total: u64,
}

/// How many calls of today are spent; nothing where that cannot be told, for nothing depends on it.
pub(super) async fn read<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
) -> Result<Option<u64>, PushError> {
    let url = client.url(&["rest", "v1", "stats", "usage.json"]);
    let read = async {
        let answer = client.call(&Call::get(OPERATION, url, "Read-Only Person"), session).await?;
        Ok::<_, PushError>(answer.results::<Usage>()?.result.into_iter().next())
    };
    match read.await {
        Ok(usage) => Ok(usage.map(|usage| usage.total)),
        // The account's day is spent: whatever comes next would only find that out again.
        Err(error) if matches!(error.retry, Retry::Pause(_)) => Err(error),
        Err(error) => {
            tracing::warn!(
                kind = error.kind.code(),
                code = error.code,
                "the account's usage could not be read"
            );
            Ok(None)
        }
    }
}

/// The same, for people.
pub(super) fn notice(used_today: u64) -> String {
    format!("{used_today} of the account's calls of today are used so far, by all integrations together")
}
