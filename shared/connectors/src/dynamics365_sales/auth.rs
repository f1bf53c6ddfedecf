//! The access token in use: got when it is first needed, shared by all calls, got anew ahead of its end or when it is
//! refused.
//!
//! The secret is read anew with each token, so whoever stores a new one is heard within an hour, and at once where
//! the old one is refused.

use super::entra::{self, OPERATION, Token};
use super::failure;
use super::settings::Settings;
use crate::{CallContext, ErrorKind, HttpClient, PushError, Retry};
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use relay_model::{CredentialError, CredentialStore};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

/// A token with less left than this, or than a tenth of its life, is not used any more where another is to be had.
const RENEW_AHEAD: SignedDuration = SignedDuration::from_mins(5);
const FORM: &str =
    "it has to be JSON: {\"client_secret\": …}, with the value of the application's client secret";
const TOKEN_FORM: &str = "the access token has a character that cannot stand in a header";

/// The credentials of one connection.
pub(super) struct Auth<S> {
    store: S,
    known: Mutex<Option<Known>>,
}

struct Known {
    header: HeaderValue,
    renew_at: Timestamp,
    ends_at: Timestamp,
    /// Grows with each token, so that a refused call can tell whether it used the newest.
    generation: u64,
}

/// What lets a call in.
pub(super) struct Pass {
    /// The `Authorization` header.
    pub(super) header: HeaderValue,
    generation: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSecret {
    client_secret: String,
}

impl<S: CredentialStore> Auth<S> {
    pub(super) fn new(store: S) -> Self {
        Self { store, known: Mutex::new(None) }
    }

    /// What lets the next call in, other than what was just refused.
    pub(super) async fn pass(
        &self,
        http: &HttpClient,
        settings: &Settings,
        refused: Option<&Pass>,
        context: &CallContext,
    ) -> Result<Pass, PushError> {
        let mut known = self.known.lock().await;
        let now = Timestamp::now();
        let is_refused = |slot: &Known| refused.is_some_and(|refused| refused.generation == slot.generation);
        if let Some(slot) = known.as_ref()
            && slot.renew_at > now
            && !is_refused(slot)
        {
            return Ok(slot.pass());
        }
        let generation = known.as_ref().map_or(0, |slot| slot.generation + 1);
        match self.token(http, settings, context).await {
            Ok(token) => Ok(known.insert(Known::new(&token, generation)?).pass()),
            // The old token is good for some minutes yet, and by then the trouble may be over.
            Err(error) => match known.as_ref() {
                Some(slot) if slot.ends_at > now && !is_refused(slot) && error.retry != Retry::Never => {
                    tracing::warn!(kind = error.kind.code(), "no access token could be got ahead of the end");
                    Ok(slot.pass())
                }
                _ => Err(error),
            },
        }
    }

    async fn token(
        &self,
        http: &HttpClient,
        settings: &Settings,
        context: &CallContext,
    ) -> Result<Token, PushError> {
        let secret = self.store.load().await.map_err(|error| unusable(&error))?;
        let secret = parse(&secret).ok_or_else(|| {
            let name = self.store.name().to_owned();
            unusable(&CredentialError::Malformed { name, problem: FORM })
        })?;
        entra::token(http, settings, &secret, context).await
    }
}

impl Known {
    fn new(token: &Token, generation: u64) -> Result<Self, PushError> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", token.text.expose_secret()))
            .map_err(|_| failure(OPERATION, ErrorKind::Protocol, TOKEN_FORM))?;
        header.set_sensitive(true);
        let at = |life: SignedDuration| token.issued_at.checked_add(life).unwrap_or(Timestamp::MAX);
        let ahead = RENEW_AHEAD.min(token.lifetime / 10);
        Ok(Self { header, renew_at: at(token.lifetime - ahead), ends_at: at(token.lifetime), generation })
    }

    fn pass(&self) -> Pass {
        Pass { header: self.header.clone(), generation: self.generation }
    }
}

/// The client secret. None where the form is another: nothing of it is said.
fn parse(secret: &SecretString) -> Option<SecretString> {
    let raw: RawSecret = serde_json::from_str(secret.expose_secret()).ok()?;
    let text = raw.client_secret.trim();
    (!text.is_empty()).then(|| text.into())
}

fn unusable(error: &CredentialError) -> PushError {
    let (kind, retry) = match error {
        CredentialError::Unavailable { .. } => (ErrorKind::Unavailable, Retry::Backoff),
        CredentialError::Missing { .. }
        | CredentialError::Forbidden { .. }
        | CredentialError::Malformed { .. } => (ErrorKind::Authentication, Retry::Never),
    };
    PushError { retry, ..failure("read the connection's secret", kind, error.to_string()) }
}
