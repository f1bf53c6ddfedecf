//! The access token: asked for once, shared by everything that the connector does, renewed a little ahead of its end.
//!
//! A custom service has one token at a time: whoever asks before its end gets the same one again
//! (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/authentication>). So several processes
//! do not get in each other's way, and a renewal costs nothing: identity calls do not count.

use super::secret::Secret;
use super::{failure, identity};
use crate::{CallContext, Endpoint, ErrorKind, HttpClient, PushError, Retry};
use http::HeaderValue;
use identity::Granted;
use relay_model::{CredentialError, CredentialStore};
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A token is renewed so long before its end …
const RENEW_AHEAD: Duration = Duration::from_mins(1);
/// … but never before so much of its life has passed, for until its end the same one comes again.
const RENEW_AHEAD_SHARE: u32 = 10;
/// How often a token that has no time left is asked for again.
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

/// What lets a call in.
pub(super) struct Pass {
    /// The `Authorization` header. The token never goes into an address.
    pub(super) header: HeaderValue,
    generation: u64,
}

impl<S: CredentialStore> Auth<S> {
    pub(super) fn new(store: S, http: HttpClient, endpoint: Endpoint, pause: Duration) -> Self {
        Self { store, http, endpoint, pause, known: Mutex::default() }
    }

    /// What lets the next call in.
    pub(super) async fn pass(&self, context: &CallContext) -> Result<Pass, PushError> {
        let mut known = self.known.lock().await;
        if let Some(token) = &known.token
            && Instant::now() < token.renew_at
        {
            return Ok(Pass { header: token.header.clone(), generation: known.generation });
        }
        let token = self.ask(context).await?;
        let header = token.header.clone();
        known.generation += 1;
        known.token = Some(token);
        Ok(Pass { header, generation: known.generation })
    }

    /// Forgets a token that was refused, unless somebody else has replaced it already.
    pub(super) async fn forget(&self, refused: &Pass) {
        let mut known = self.known.lock().await;
        if known.generation == refused.generation {
            known.token = None;
        }
    }

    async fn ask(&self, context: &CallContext) -> Result<Token, PushError> {
        // Read each time, so that a secret that was exchanged is taken up with the next token.
        let text = self.store.load().await.map_err(|error| unusable(&error))?;
        let secret = Secret::parse(text.expose_secret()).map_err(|problem| self.malformed(problem))?;
        for _ in 0..LOOKS {
            let asked_at = Instant::now();
            let Granted { token, lifetime } =
                identity::ask(&self.http, &self.endpoint, &secret, context).await?;
            if lifetime.is_zero() {
                // The token is about to end: the next one comes after that.
                tokio::time::sleep(self.pause.min(context.left())).await;
                continue;
            }
            let mut header = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
                .map_err(|_| identity::unreadable())?;
            header.set_sensitive(true);
            let ahead = RENEW_AHEAD.min(lifetime / RENEW_AHEAD_SHARE);
            return Ok(Token { header, renew_at: asked_at + lifetime.saturating_sub(ahead) });
        }
        let message = "Marketo only gives access tokens that have no time left";
        let error = failure(identity::OPERATION, ErrorKind::Unavailable, message);
        Err(PushError { retry: Retry::Backoff, ..error })
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
