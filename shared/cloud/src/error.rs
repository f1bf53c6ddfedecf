//! What went wrong in the cloud, in words that are safe to log.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use std::fmt;

/// A call to an AWS service that did not do what it should, after the SDK's own retries. Holds the service's code,
/// never what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudError {
    /// Doing what: "get object".
    pub operation: &'static str,
    /// Which thing: a key, a table, a queue.
    pub resource: String,
    /// The service's error code, or what happened to the connection.
    pub code: String,
}

impl CloudError {
    /// Takes the safe parts out of an SDK error.
    pub(crate) fn new<E, R>(
        operation: &'static str,
        resource: impl Into<String>,
        error: &SdkError<E, R>,
    ) -> Self
    where
        E: ProvideErrorMetadata,
    {
        let code = match error {
            SdkError::TimeoutError(_) => "timeout",
            SdkError::DispatchFailure(_) => "connection_failed",
            SdkError::ResponseError(_) => "answer_unreadable",
            SdkError::ConstructionFailure(_) => "request_impossible",
            _ => error.code().unwrap_or("unknown"),
        };
        Self { operation, resource: resource.into(), code: code.to_owned() }
    }

    /// An error that no service answered with.
    pub(crate) fn local(
        operation: &'static str,
        resource: impl Into<String>,
        code: impl Into<String>,
    ) -> Self {
        Self { operation, resource: resource.into(), code: code.into() }
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "could not {} {}: {}", self.operation, self.resource, self.code)
    }
}

impl std::error::Error for CloudError {}
