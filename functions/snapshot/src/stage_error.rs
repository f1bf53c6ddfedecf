//! What a segment that could not be evaluated means for the step.

use crate::QueryError;
use relay::stages::StageError;

/// What may succeed by itself is tried again; everything else stops.
impl From<QueryError> for StageError {
    fn from(error: QueryError) -> Self {
        if error.is_transient() {
            Self::again(error.code(), error.to_string())
        } else {
            Self::stop(error.code(), error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_succeed_by_itself_is_tried_again() {
        let bucket = || "lake".to_owned();
        let unavailable = QueryError::Unavailable { source_name: "people".to_owned(), bucket: bucket() };
        let text = "source people: s3://lake could not be read just now; try again";
        assert_eq!(StageError::from(unavailable), StageError::again("source_unavailable", text));
        let wrong = QueryError::UnreachableBucket { source_name: "people".to_owned(), bucket: bucket() };
        let text = "source people: bucket lake cannot be read by this deployment";
        assert_eq!(StageError::from(wrong), StageError::stop("source_bucket_unreachable", text));
    }
}
