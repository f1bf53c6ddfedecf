//! How much of the account's daily quota is spent, by all of its users.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/usage>; no right is needed.

use super::client::{Client, Session, get_call};
use super::wire::responses::Results;
use crate::{PushError, Retry};
use relay_model::CredentialStore;
use serde::Deserialize;

const OPERATION: &str = "read the account's usage";

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    total: u64,
}

/// Returns how many calls of today are spent; `None` if it cannot be read, because no decision depends on it.
pub(super) async fn read<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
) -> Result<Option<u64>, PushError> {
    let url = client.url(&["rest", "v1", "stats", "usage.json"]);
    let read = async {
        let answer = client.call(&get_call(OPERATION, url, "Read-Only Person"), session).await?;
        Ok::<_, PushError>(answer.read::<Results<Usage>>()?.result.into_iter().next())
    };
    match read.await {
        Ok(usage) => Ok(usage.map(|usage| usage.total)),
        // The account's quota is spent: every further call would fail as well.
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

/// Returns the notice about it.
pub(super) fn notice(used_today: u64) -> String {
    format!("{used_today} of the account's calls of today are used so far, by all integrations together")
}
