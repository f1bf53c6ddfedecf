//! Converts errors of the query engine for runs and for requests.

use relay_cloud::LookupError;
use relay_engine::QueryError;
use relay_model::catalog::{CatalogError, Segment};
use relay_model::engine::EngineError;
use relay_pipeline::StageError;

/// Why a request has no response.
pub(crate) enum RequestError {
    /// The request or its sources are wrong. The error is the answer.
    User(EngineError),
    /// A dependency failed. The request is retried.
    Internal(StageError),
}

impl RequestError {
    fn user(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self::User(EngineError { code: code.into(), text: text.into(), field: None })
    }
}

impl From<EngineError> for RequestError {
    fn from(error: EngineError) -> Self {
        Self::User(error)
    }
}

impl From<QueryError> for RequestError {
    fn from(error: QueryError) -> Self {
        if error.is_transient() {
            return Self::Internal(stage_error(&error));
        }
        let field = error.field().map(str::to_owned);
        Self::User(EngineError { code: error.code().to_owned(), text: error.to_string(), field })
    }
}

impl From<StageError> for RequestError {
    fn from(error: StageError) -> Self {
        match error {
            // The user has to act, and a retry cannot help.
            StageError::Stop { code, text } => Self::user(code.as_str(), text),
            other => Self::Internal(other),
        }
    }
}

impl From<CatalogError> for RequestError {
    fn from(error: CatalogError) -> Self {
        Self::user(error.code(), error.to_string())
    }
}

impl From<LookupError> for RequestError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Catalog(error) => error.into(),
            LookupError::Cloud(error) => StageError::from(error).into(),
        }
    }
}

/// Converts the query engine's error: a transient one is retried, any other stops the run.
pub(crate) fn stage_error(error: &QueryError) -> StageError {
    if error.is_transient() {
        StageError::again(error.stop_code(), error.to_string())
    } else {
        StageError::stop(error.stop_code(), error.to_string())
    }
}

/// Converts the query engine's error, and names the segment in its text.
pub(crate) fn segment_error(segment: &Segment, error: &QueryError) -> StageError {
    let named = |text: String| format!("segment \"{}\": {text}", segment.id);
    match stage_error(error) {
        StageError::Stop { code, text } => StageError::Stop { code, text: named(text) },
        StageError::Again { code, text } => StageError::Again { code, text: named(text) },
        pause @ StageError::Pause { .. } => pause,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::run::StopCode;

    fn unavailable() -> QueryError {
        QueryError::Unavailable { source_name: "people".to_owned(), bucket: "lake".to_owned() }
    }

    fn unreachable_bucket() -> QueryError {
        QueryError::UnreachableBucket { source_name: "people".to_owned(), bucket: "lake".to_owned() }
    }

    #[test]
    fn only_transient_errors_are_retried() {
        let text = "source people: s3://lake could not be read just now; try again";
        assert_eq!(stage_error(&unavailable()), StageError::again(StopCode::SourceUnavailable, text));
        let text = "source people: bucket lake cannot be read by this deployment";
        assert_eq!(
            stage_error(&unreachable_bucket()),
            StageError::stop(StopCode::SourceBucketUnreachable, text)
        );
    }

    #[test]
    fn a_request_is_answered_with_the_errors_that_a_user_can_correct() {
        #[track_caller]
        fn check(error: impl Into<RequestError>, expected: Result<(&str, Option<&str>), &str>) {
            match (error.into(), expected) {
                (RequestError::User(error), Ok(expected)) => {
                    assert_eq!((error.code.as_str(), error.field.as_deref()), expected);
                }
                (RequestError::Internal(error), Err(code)) => assert_eq!(error.code().as_str(), code),
                (RequestError::User(error), Err(_)) => panic!("{error:?} is answered"),
                (RequestError::Internal(error), Ok(_)) => panic!("{error:?} is retried"),
            }
        }
        check(unavailable(), Err("source_unavailable"));
        check(unreachable_bucket(), Ok(("source_bucket_unreachable", None)));
        let ambiguous = QueryError::AmbiguousColumn { name: "id".to_owned() };
        check(ambiguous, Ok(("query_ambiguous_column", Some("/query"))));
        check(StageError::again(StopCode::Disk, "full"), Err("disk"));
        check(StageError::stop(StopCode::UploadExpired, "expired"), Ok(("upload_expired", None)));
    }
}
