//! Where a connector's credentials come from, and where renewed ones go.

use secrecy::SecretString;

/// Why credentials cannot be had. Never holds any part of them.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CredentialError {
    /// There is no such secret, or it is empty.
    #[error("secret \"{name}\" does not exist or is empty")]
    Missing {
        /// The secret's name.
        name: String,
    },
    /// The function may not read or write it.
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
        /// What it should hold.
        problem: &'static str,
    },
    /// The store cannot be reached now.
    #[error("secret \"{name}\" cannot be reached now")]
    Unavailable {
        /// The secret's name.
        name: String,
    },
}

/// Reads one connection's secret, and stores a renewed one.
pub trait CredentialStore: Send + Sync {
    /// The secret's name, for messages.
    fn name(&self) -> &str;

    /// The newest version of the secret.
    fn load(&self) -> impl Future<Output = Result<SecretString, CredentialError>> + Send;

    /// Stores a new version of the secret.
    fn save(&self, secret: SecretString) -> impl Future<Output = Result<(), CredentialError>> + Send;
}
