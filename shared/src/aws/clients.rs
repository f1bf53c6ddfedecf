//! The SDK's clients, made once per function process.

use super::Settings;
use aws_config::{BehaviorVersion, SdkConfig};

/// The configuration that every client is made from. Clients are made by those who use them, so that a function
/// starts only what it needs.
#[derive(Clone, Debug)]
pub struct Clients {
    config: SdkConfig,
}

impl Clients {
    /// Reads region, credentials and addresses from the function's environment.
    pub async fn from_environment() -> Self {
        Self { config: aws_config::load_defaults(BehaviorVersion::latest()).await }
    }

    /// Uses a configuration that was made elsewhere.
    #[must_use]
    pub const fn from_config(config: SdkConfig) -> Self {
        Self { config }
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
