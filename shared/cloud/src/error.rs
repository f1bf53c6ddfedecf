//! Errors of AWS services, safe to log.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use std::fmt;

/// A failed call to an AWS service, after the SDK's own retries. Contains the service's error code, never
/// the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudError {
    /// The operation: "get object".
    pub operation: &'static str,
    /// The resource: a key, a table, a queue.
    pub resource: String,
    /// The service's error code, or the connection error.
    pub code: String,
}

impl CloudError {
    /// Extracts the safe parts of an SDK error.
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

    /// Creates an error that is not a response of a service.
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
