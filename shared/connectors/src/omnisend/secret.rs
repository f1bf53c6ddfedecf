//! What a connection's secret holds, and the key in use: read once, and again when it is refused.

use super::dialect::Words;
use super::failure;
use crate::{ErrorKind, PushError, Retry};
use http::HeaderValue;
use relay_model::{CredentialError, CredentialStore};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

const FORM: &str = "it has to be JSON: {\"api_key\": …}";
const KEY_FORM: &str = "the key has a character that cannot stand in a header";
const OPERATION: &str = "read the connection's secret";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    api_key: String,
}

/// The credentials of one connection.
pub(super) struct Auth<S> {
    store: S,
    key_prefix: &'static str,
    known: Mutex<Option<HeaderValue>>,
}

impl<S: CredentialStore> Auth<S> {
    pub(super) fn new(store: S, words: &Words) -> Self {
        Self { store, key_prefix: words.key_prefix, known: Mutex::new(None) }
    }

    /// What lets the next call in.
    pub(super) async fn pass(&self) -> Result<HeaderValue, PushError> {
        let mut known = self.known.lock().await;
        if let Some(header) = known.as_ref() {
            return Ok(header.clone());
        }
        let header = self.load().await?;
        *known = Some(header.clone());
        Ok(header)
    }

    /// Another key than the one that was refused, where somebody has stored one.
    pub(super) async fn other_than(&self, refused: &HeaderValue) -> Result<Option<HeaderValue>, PushError> {
        let mut known = self.known.lock().await;
        if let Some(header) = known.as_ref()
            && header != refused
        {
            return Ok(Some(header.clone()));
        }
        let header = self.load().await?;
        *known = Some(header.clone());
        Ok((header != *refused).then_some(header))
    }

    async fn load(&self) -> Result<HeaderValue, PushError> {
        let secret = self.store.load().await.map_err(|error| unusable(&error))?;
        header(&secret, self.key_prefix).map_err(|problem| {
            unusable(&CredentialError::Malformed { name: self.store.name().to_owned(), problem })
        })
    }
}

/// The header of a secret, marked as sensitive. An error says what form a secret has to have, and nothing of it.
fn header(secret: &SecretString, key_prefix: &str) -> Result<HeaderValue, &'static str> {
    let raw: Raw = serde_json::from_str(secret.expose_secret()).map_err(|_| FORM)?;
    let key = raw.api_key.trim();
    if key.is_empty() {
        return Err(FORM);
    }
    let mut header = HeaderValue::try_from(format!("{key_prefix}{key}")).map_err(|_| KEY_FORM)?;
    header.set_sensitive(true);
    Ok(header)
}

fn unusable(error: &CredentialError) -> PushError {
    let (kind, retry) = match error {
        CredentialError::Unavailable { .. } => (ErrorKind::Unavailable, Retry::Backoff),
        CredentialError::Missing { .. }
        | CredentialError::Forbidden { .. }
        | CredentialError::Malformed { .. } => (ErrorKind::Authentication, Retry::Never),
    };
    PushError { retry, ..failure(OPERATION, kind, error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = header(&text.into(), "Omnisend-API-Key ").ok();
        assert_eq!(found.as_ref().map(|header| header.to_str().unwrap()), expected, "{text}");
        assert!(found.is_none_or(|header| header.is_sensitive()));
    }

    #[test]
    fn one_form_is_taken_and_no_other() {
        check(r#"{"api_key": "abc-def"}"#, Some("Omnisend-API-Key abc-def"));
        check(r#"{"api_key": " abc\n"}"#, Some("Omnisend-API-Key abc"));
        check(r#"{"api_key": ""}"#, None);
        check(r#"{"api_key": "a\nb"}"#, None);
        check(r#"{"api_key": "abc", "other": "x"}"#, None);
        check("{}", None);
        check("abc", None);
    }
}
