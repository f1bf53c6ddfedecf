//! The access token: requested once, shared by all calls of the connector and renewed shortly before it expires.
//!
//! A custom service has one token at a time: a request before its expiry returns the same token
//! (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication>). So several processes do
//! not interfere, and a renewal costs nothing: identity calls do not count.

pub(super) mod identity;
pub(super) mod secret;

use super::failure;
use crate::http::Pass;
use crate::{CallContext, Endpoint, ErrorKind, HttpClient, PushError, Retry};
use http::HeaderValue;
use identity::Granted;
use relay_model::Destination;
use relay_model::{CredentialError, CredentialStore};
use secrecy::ExposeSecret;
use secret::Secret;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A token is renewed this long before it expires …
const RENEW_AHEAD: Duration = Duration::from_mins(1);
/// … or a tenth of its lifetime if that is shorter: until it expires, Marketo returns the same token.
const RENEW_AHEAD_SHARE: u32 = 10;
/// How often a token is requested if the last one has no time left.
const LOOKS: u32 = 4;

/// The credentials of one connection.
pub(super) struct Auth<S> {
    store: S,
    http: HttpClient,
    endpoint: Endpoint,
    /// The pause before a token that has no time left is asked for again.
    pause: Duration,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    token: Option<Token>,
    generation: u64,
}

struct Token {
    header: HeaderValue,
    renew_at: Instant,
}

impl<S: CredentialStore> Auth<S> {
    pub(super) fn new(store: S, http: HttpClient, endpoint: Endpoint, pause: Duration) -> Self {
        Self { store, http, endpoint, pause, known: Mutex::default() }
    }

    /// Returns the credentials of the next call. The token is never part of an address.
    pub(super) async fn pass(&self, context: &CallContext) -> Result<Pass, PushError> {
        let mut known = self.known.lock().await;
        if let Some(token) = &known.token
            && Instant::now() < token.renew_at
        {
            return Ok(Pass::authorization(token.header.clone(), known.generation));
        }
        let token = self.ask(context).await?;
        let header = token.header.clone();
        known.generation += 1;
        known.token = Some(token);
        Ok(Pass::authorization(header, known.generation))
    }

    /// Forgets a token that was refused, unless another call has replaced it already.
    pub(super) async fn forget(&self, refused: &Pass) {
        let mut known = self.known.lock().await;
        if known.generation == refused.generation {
            known.token = None;
        }
    }

    async fn ask(&self, context: &CallContext) -> Result<Token, PushError> {
        // The secret is read each time, so that a changed secret is used with the next token.
        let text = self.store.load().await.map_err(|error| unusable(&error))?;
        let secret = Secret::parse(text.expose_secret()).map_err(|problem| self.malformed(problem))?;
        for _ in 0..LOOKS {
            let asked_at = Instant::now();
            let Granted { token, lifetime } =
                identity::ask(&self.http, &self.endpoint, &secret, context).await?;
            if lifetime.is_zero() {
                // The token is about to expire: the next request after that returns another.
                tokio::time::sleep(self.pause.min(context.left())).await;
                continue;
            }
            let mut header = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
                .map_err(|_| identity::unreadable())?;
            header.set_sensitive(true);
            let ahead = RENEW_AHEAD.min(lifetime / RENEW_AHEAD_SHARE);
            return Ok(Token { header, renew_at: asked_at + lifetime.saturating_sub(ahead) });
        }
        let message = "Marketo only returns access tokens that have no time left";
        let error = failure(identity::OPERATION, ErrorKind::Unavailable, message);
        Err(PushError { retry: Retry::Backoff, ..error })
    }

    fn malformed(&self, problem: &'static str) -> PushError {
        unusable(&CredentialError::Malformed { name: self.store.name().to_owned(), problem })
    }
}

fn unusable(error: &CredentialError) -> PushError {
    PushError::credentials(Destination::Marketo, error)
}
