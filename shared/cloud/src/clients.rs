//! The SDK's clients, created once per function process.

use super::Settings;
use aws_config::{BehaviorVersion, SdkConfig};

/// The shared configuration. Each client is created on demand, so that a function initialises only those
/// that it needs.
#[derive(Clone, Debug)]
pub struct Clients {
    config: SdkConfig,
}

impl Clients {
    /// Reads region, credentials and endpoints from the function's environment.
    pub async fn from_environment() -> Self {
        Self { config: aws_config::load_defaults(BehaviorVersion::latest()).await }
    }

    /// Connects to a cloud at one endpoint, such as the local one, with the given key.
    pub async fn at(endpoint: &str, region: &str, access_key_id: &str, secret_access_key: &str) -> Self {
        let region = aws_sdk_s3::config::Region::new(region.to_owned());
        let credentials =
            aws_sdk_s3::config::Credentials::new(access_key_id, secret_access_key, None, None, "given");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(region)
            .credentials_provider(credentials);
        Self { config: config.load().await }
    }

    /// Amazon S3.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config)
            .force_path_style(self.config.endpoint_url().is_some() || Settings.is_local_cloud())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// Amazon DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// Amazon SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// AWS Secrets Manager.
    #[must_use]
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }

    /// Amazon EventBridge.
    #[must_use]
    pub fn event_bridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }
}
