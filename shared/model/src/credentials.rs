//! Credentials of connectors, and storage for renewed ones.

use secrecy::SecretString;

/// Why credentials are unavailable. Never contains any part of them.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CredentialError {
    /// The secret does not exist or is empty.
    #[error("secret \"{name}\" does not exist or is empty")]
    Missing {
        /// The secret's name.
        name: String,
    },
    /// The function lacks permission to read or write it.
    #[error(
        "access to secret \"{name}\" is denied: its name must begin with the stack's prefix for connections"
    )]
    Forbidden {
        /// The secret's name.
        name: String,
    },
    /// The secret is not JSON with the fields that this destination needs.
    #[error("secret \"{name}\" has the wrong form: {problem}")]
    Malformed {
        /// The secret's name.
        name: String,
        /// The expected content.
        problem: &'static str,
    },
    /// The secret store is temporarily unreachable.
    #[error("secret \"{name}\" is temporarily unavailable")]
    Unavailable {
        /// The secret's name.
        name: String,
    },
}

/// Loads one connection's secret, and saves renewed credentials.
pub trait CredentialStore: Send + Sync {
    /// Returns the secret's name, for messages.
    fn name(&self) -> &str;

    /// Loads the newest version of the secret.
    fn load(&self) -> impl Future<Output = Result<SecretString, CredentialError>> + Send;

    /// Stores a new version of the secret.
    fn save(&self, secret: SecretString) -> impl Future<Output = Result<(), CredentialError>> + Send;
}
