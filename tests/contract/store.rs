//! A connection's secret in memory.

use relay_model::{CredentialError, CredentialStore};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, Mutex};

/// The name of the secret in messages.
pub(crate) const SECRET_NAME: &str = "stack/connections/contract";

/// What several processes share.
#[derive(Clone)]
pub(crate) struct MemoryStore(Arc<Mutex<Result<String, CredentialError>>>);

impl MemoryStore {
    /// A store with this secret.
    pub(crate) fn new(secret: impl Into<String>) -> Self {
        Self(Arc::new(Mutex::new(Ok(secret.into()))))
    }

    /// A store that gives no secret away.
    pub(crate) fn failing(error: CredentialError) -> Self {
        Self(Arc::new(Mutex::new(Err(error))))
    }
}

impl CredentialStore for MemoryStore {
    fn name(&self) -> &'static str {
        SECRET_NAME
    }

    async fn load(&self) -> Result<SecretString, CredentialError> {
        self.0.lock().unwrap().clone().map(SecretString::from)
    }

    async fn save(&self, secret: SecretString) -> Result<(), CredentialError> {
        *self.0.lock().unwrap() = Ok(secret.expose_secret().to_owned());
        Ok(())
    }
}
