//! Credentials in use: read once, renewed ahead of their end or when they are refused.
//!
//! Several processes use one secret. Whoever is refused first looks whether the stored secret is another one by now:
//! then somebody else has renewed it, or an administrator has connected the account again, and that one is used.
//! Within a process one lock makes one renewal. Renewed tokens are stored before they are used.

use super::failure;
use super::renewal::{self, OPERATION, Renewal};
use super::secret::Secret;
use crate::{CallContext, Endpoint, ErrorKind, HttpClient, PushError, Retry};
use http::HeaderValue;
use jiff::Timestamp;
use relay_model::{CredentialError, CredentialStore};
use std::time::Duration;
use tokio::sync::Mutex;

/// A token with less left than this is renewed before it is used.
const RENEW_AHEAD_SECONDS: i64 = 300;
/// When another process has just used up the refresh token, its new tokens are stored within this: three looks.
const LOOKS: u32 = 3;

/// The credentials of one connection.
pub(super) struct Auth<S> {
    store: S,
    http: HttpClient,
    endpoint: Endpoint,
    look_pause: Duration,
    known: Mutex<Option<Known>>,
}

struct Known {
    secret: Secret,
    header: HeaderValue,
    /// Grows with each change, so that a refused call can tell whether it used the newest.
    generation: u64,
    /// Renewed, but the store did not take it yet.
    is_unsaved: bool,
}

/// What lets a call in.
pub(super) struct Pass {
    /// The `Authorization` header.
    pub(super) header: HeaderValue,
    generation: u64,
}

/// What came of looking for other credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// There are no others.
    None,
    /// Somebody else's were taken up; they may have run their time too.
    Adopted,
    /// The token was renewed.
    Renewed,
}

impl<S: CredentialStore> Auth<S> {
    pub(super) fn new(store: S, http: HttpClient, endpoint: Endpoint, look_pause: Duration) -> Self {
        Self { store, http, endpoint, look_pause, known: Mutex::new(None) }
    }

    /// What lets the next call in.
    pub(super) async fn pass(&self, context: &CallContext) -> Result<Pass, PushError> {
        let mut known = self.known.lock().await;
        let slot = match known.as_mut() {
            Some(slot) => slot,
            None => known.insert(self.load(0).await?),
        };
        self.save(slot).await?;
        let now = Timestamp::now();
        if let Secret::OAuth(tokens) = &slot.secret
            && tokens.ends_within(now, RENEW_AHEAD_SECONDS)
        {
            let has_ended = tokens.ends_within(now, 1);
            match self.change(slot, true, context).await {
                Ok(_) => {}
                // The old token is good for some minutes yet, and by then the trouble may be over.
                Err(error) if !has_ended && !slot.is_unsaved => {
                    tracing::warn!(
                        kind = error.kind.code(),
                        "access token could not be renewed ahead of its end"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Pass { header: slot.header.clone(), generation: slot.generation })
    }

    /// Gets other credentials than those that were just refused. Renews only where `may_refresh`.
    pub(super) async fn renew(
        &self,
        refused: &Pass,
        may_refresh: bool,
        context: &CallContext,
    ) -> Result<Change, PushError> {
        let mut known = self.known.lock().await;
        match known.as_mut() {
            Some(slot) if slot.generation == refused.generation => {
                self.change(slot, may_refresh, context).await
            }
            _ => Ok(Change::Adopted),
        }
    }

    async fn change(
        &self,
        slot: &mut Known,
        may_refresh: bool,
        context: &CallContext,
    ) -> Result<Change, PushError> {
        if self.adopt(slot).await? {
            return Ok(Change::Adopted);
        }
        let Secret::OAuth(tokens) = &slot.secret else {
            return Ok(Change::None);
        };
        if !may_refresh {
            return Ok(Change::None);
        }
        match renewal::renew(&self.http, &self.endpoint, tokens, context).await? {
            Renewal::Renewed(tokens) => {
                let secret = Secret::OAuth(tokens);
                let header = secret.header().map_err(|problem| self.malformed(problem))?;
                *slot = Known { secret, header, generation: slot.generation + 1, is_unsaved: true };
                self.save(slot).await?;
                tracing::info!("access token renewed");
                Ok(Change::Renewed)
            }
            Renewal::Refused => {
                for _ in 0..LOOKS {
                    tokio::time::sleep(self.look_pause.min(context.left())).await;
                    if self.adopt(slot).await? {
                        return Ok(Change::Adopted);
                    }
                }
                let message = "the refresh token is not accepted any more: connect the account again";
                Err(failure(OPERATION, ErrorKind::Authentication, message))
            }
        }
    }

    /// Takes the stored secret if it is another one than ours.
    async fn adopt(&self, slot: &mut Known) -> Result<bool, PushError> {
        let stored = self.load(slot.generation + 1).await?;
        if stored.secret.equals(&slot.secret) {
            return Ok(false);
        }
        *slot = stored;
        Ok(true)
    }

    async fn load(&self, generation: u64) -> Result<Known, PushError> {
        let secret = self.store.load().await.map_err(|error| unusable(&error))?;
        let secret = Secret::parse(&secret).map_err(|problem| self.malformed(problem))?;
        let header = secret.header().map_err(|problem| self.malformed(problem))?;
        Ok(Known { secret, header, generation, is_unsaved: false })
    }

    async fn save(&self, slot: &mut Known) -> Result<(), PushError> {
        if slot.is_unsaved
            && let Secret::OAuth(tokens) = &slot.secret
        {
            self.store.save(tokens.to_secret()).await.map_err(|error| unusable(&error))?;
            slot.is_unsaved = false;
        }
        Ok(())
    }

    fn malformed(&self, problem: &'static str) -> PushError {
        unusable(&CredentialError::Malformed { name: self.store.name().to_owned(), problem })
    }
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
