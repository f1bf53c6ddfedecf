//! Connections' credentials in AWS Secrets Manager. Secrets are read only here.

use super::count_call;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use relay_model::{CredentialError, CredentialStore};
use secrecy::{ExposeSecret, SecretString};

/// The secret of one connection.
#[derive(Clone)]
pub struct SecretStore {
    client: aws_sdk_secretsmanager::Client,
    name: String,
}

impl SecretStore {
    /// Creates the store of the secret `name`.
    #[must_use]
    pub const fn new(client: aws_sdk_secretsmanager::Client, name: String) -> Self {
        Self { client, name }
    }

    /// Stores the credentials, and creates the secret if it does not exist.
    pub async fn store(&self, secret: SecretString) -> Result<(), CredentialError> {
        match self.save(secret.clone()).await {
            Err(CredentialError::Missing { .. }) => {}
            saved => return saved,
        }
        count_call();
        let request = self.client.create_secret().name(&self.name).secret_string(secret.expose_secret());
        match request.send().await {
            Ok(_) => Ok(()),
            // The secret was created concurrently.
            Err(error) if error.code() == Some("ResourceExistsException") => self.save(secret).await,
            Err(error) => Err(self.error(error.code())),
        }
    }

    fn error(&self, code: Option<&str>) -> CredentialError {
        let name = self.name.clone();
        match code {
            Some("ResourceNotFoundException") => CredentialError::Missing { name },
            Some("AccessDeniedException" | "AccessDenied") => CredentialError::Forbidden { name },
            _ => CredentialError::Unavailable { name },
        }
    }
}

impl CredentialStore for SecretStore {
    fn name(&self) -> &str {
        &self.name
    }

    async fn load(&self) -> Result<SecretString, CredentialError> {
        count_call();
        let answer = self.client.get_secret_value().secret_id(&self.name).send().await;
        let answer = answer.map_err(|error| self.error(error.code()))?;
        let text = answer.secret_string.filter(|text| !text.trim().is_empty());
        text.map(SecretString::from).ok_or_else(|| self.error(Some("ResourceNotFoundException")))
    }

    async fn save(&self, secret: SecretString) -> Result<(), CredentialError> {
        count_call();
        let request =
            self.client.put_secret_value().secret_id(&self.name).secret_string(secret.expose_secret());
        request.send().await.map(drop).map_err(|error| self.error(error.code()))
    }
}
