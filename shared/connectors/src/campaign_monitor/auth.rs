//! The credentials in use: read once, renewed before they expire or when the destination refuses them.
//!
//! Several processes share one secret. A process whose credentials are refused first reads the stored secret again: if
//! another process has renewed the token, or an administrator has connected the account again, it uses that one. Within
//! a process a lock allows one renewal at a time. Renewed tokens are stored before they are used.

mod renewal;
mod secret;

use super::errors::TOKEN_EXPIRED;
use super::failure;
use crate::http::{Pass, RefusedPass};
use crate::{CallContext, Endpoint, ErrorKind, HttpClient, PushError};
use http::HeaderValue;
use jiff::Timestamp;
use relay_model::Destination;
use relay_model::{CredentialError, CredentialStore};
use renewal::{OPERATION, Renewal};
use secret::Secret;
use std::time::Duration;
use tokio::sync::Mutex;

/// A token that expires sooner is renewed before it is used.
const RENEW_AHEAD_SECONDS: i64 = 300;
/// How often the stored secret is read again after the refresh token was refused: another process that has just used
/// it stores its new tokens within this.
const READS_AFTER_REFUSAL: u32 = 3;

/// The credentials of one connection.
pub(super) struct Auth<S> {
    store: S,
    http: HttpClient,
    endpoint: Endpoint,
    read_pause: Duration,
    known: Mutex<Option<Known>>,
}

struct Known {
    secret: Secret,
    header: HeaderValue,
    /// Grows with each change, so that a refused call can tell whether it used the newest.
    generation: u64,
    /// Whether the tokens were renewed and are not stored yet.
    is_unsaved: bool,
}

/// How the credentials changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// There are no others.
    None,
    /// Those of another process are used; they may have expired too.
    Adopted,
    /// The token was renewed.
    Renewed,
}

impl<S: CredentialStore> Auth<S> {
    pub(super) fn new(store: S, http: HttpClient, endpoint: Endpoint, read_pause: Duration) -> Self {
        Self { store, http, endpoint, read_pause, known: Mutex::new(None) }
    }

    /// Returns the credentials of the next call.
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
            let has_expired = tokens.ends_within(now, 1);
            match self.change(slot, true, context).await {
                Ok(_) => {}
                // The old token is valid for some minutes yet, and by then a renewal may succeed.
                Err(error) if !has_expired && !slot.is_unsaved => {
                    tracing::warn!(
                        kind = error.kind.code(),
                        "access token could not be renewed ahead of its expiry"
                    );
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Pass::authorization(slot.header.clone(), slot.generation))
    }

    /// Returns other credentials than those that were refused, or the refusal if there are none. Renews the token only
    /// if the destination said that it has expired.
    pub(super) async fn replace(
        &self,
        refused: &RefusedPass,
        context: &CallContext,
    ) -> Result<Pass, PushError> {
        let may_refresh = refused.error.code == Some(TOKEN_EXPIRED);
        match self.renew(refused.pass.generation, may_refresh, context).await? {
            Change::None => Err(refused.error.clone()),
            Change::Adopted => self.pass(context).await,
            Change::Renewed => Ok(Pass { is_last: true, ..self.pass(context).await? }),
        }
    }

    async fn renew(
        &self,
        refused_generation: u64,
        may_refresh: bool,
        context: &CallContext,
    ) -> Result<Change, PushError> {
        let mut known = self.known.lock().await;
        match known.as_mut() {
            Some(slot) if slot.generation == refused_generation => {
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
                for _ in 0..READS_AFTER_REFUSAL {
                    tokio::time::sleep(self.read_pause.min(context.left())).await;
                    if self.adopt(slot).await? {
                        return Ok(Change::Adopted);
                    }
                }
                let message = "the refresh token is not accepted any more: connect the account again";
                Err(failure(OPERATION, ErrorKind::Authentication, message))
            }
        }
    }

    /// Uses the stored secret if it differs from the one in use.
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
    PushError::credentials(Destination::CampaignMonitor, error)
}
