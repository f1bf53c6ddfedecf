//! What a segment that could not be evaluated means for the step.

use relay_engine::QueryError;
use relay_model::run::StopCode;
use relay_pipeline::StageError;

/// Converts the query engine's error: a transient one is retried, any other stops the run.
pub(crate) fn stage_error(error: &QueryError) -> StageError {
    if error.is_transient() {
        StageError::again(error.stop_code(), error.to_string())
    } else {
        StageError::stop(error.stop_code(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_transient_errors_are_retried() {
        let bucket = || "lake".to_owned();
        let unavailable = QueryError::Unavailable { source_name: "people".to_owned(), bucket: bucket() };
        let text = "source people: s3://lake could not be read just now; try again";
        assert_eq!(stage_error(&unavailable), StageError::again(StopCode::SourceUnavailable, text));
        let wrong = QueryError::UnreachableBucket { source_name: "people".to_owned(), bucket: bucket() };
        let text = "source people: bucket lake cannot be read by this deployment";
        assert_eq!(stage_error(&wrong), StageError::stop(StopCode::SourceBucketUnreachable, text));
    }
}
