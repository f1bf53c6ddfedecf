//! Where a connector reads its credentials and stores renewed ones.

use secrecy::SecretString;

/// Why credentials cannot be read or stored. Never holds any part of them.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CredentialError {
    /// The secret does not exist or is empty.
    #[error("secret \"{name}\" does not exist or is empty")]
    Missing {
        /// The secret's name.
        name: String,
    },
    /// The function may not read or write the secret.
    #[error("secret \"{name}\" may not be used: its name must begin with the stack's prefix for connections")]
    Forbidden {
        /// The secret's name.
        name: String,
    },
    /// The secret is not JSON with the fields that this destination needs.
    #[error("secret \"{name}\" has the wrong form: {problem}")]
    Malformed {
        /// The secret's name.
        name: String,
        /// The form that it has to have.
        problem: &'static str,
    },
    /// The store is unavailable.
    #[error("secret \"{name}\" cannot be reached now")]
    Unavailable {
        /// The secret's name.
        name: String,
    },
}

/// Reads one connection's secret, and stores a renewed one.
pub trait CredentialStore: Send + Sync {
    /// Returns the secret's name, for messages.
    fn name(&self) -> &str;

    /// Reads the newest version of the secret.
    fn load(&self) -> impl Future<Output = Result<SecretString, CredentialError>> + Send;

    /// Stores a new version of the secret.
    fn save(&self, secret: SecretString) -> impl Future<Output = Result<(), CredentialError>> + Send;
}
