//! Errors of the query engine, in terms of the segment's query.

use relay_model::query::{TextError, listed, suggestion};
use relay_model::run::StopCode;
use thiserror::Error;

/// An error in a query, its sources or its evaluation.
///
/// Messages name columns, sources, buckets and objects. They never quote a value of a row, because values are personal
/// data.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// The text is not a query, or names an unknown source.
    #[error(transparent)]
    Text(#[from] TextError),
    /// No table in scope has the column.
    #[error("there is no column {name}{}; the columns are: {}", suggestion(.name, .columns), listed(.columns))]
    UnknownColumn {
        /// The name as written.
        name: String,
        /// The columns in scope.
        columns: Vec<String>,
    },
    /// Several tables have the column.
    #[error("column {name} is in several tables of the query; name the table too (table.{name})")]
    AmbiguousColumn {
        /// The name as written.
        name: String,
    },
    /// The query is valid SQL, but it cannot be planned.
    #[error("the query cannot be planned: {problem}")]
    Plan {
        /// The planner's message about the query's text.
        problem: String,
    },
    /// Two columns of the result have the same name.
    #[error(
        "the query's result has {count} columns named {name}; name each column once (SELECT a.{name}, b.{name} AS other)"
    )]
    DuplicateColumn {
        /// The name.
        name: String,
        /// Number of columns with this name.
        count: usize,
    },
    /// The column of the member key is not in the result.
    #[error("the member key {name} is not in the query's result{}; its columns are: {}", suggestion(.name, .columns), listed(.columns))]
    MissingMemberKey {
        /// The member key.
        name: String,
        /// The result's columns.
        columns: Vec<String>,
    },
    /// A mapped attribute is not in the result.
    #[error("the mapped attribute {name} is not in the query's result{}; its columns are: {}", suggestion(.name, .columns), listed(.columns))]
    MissingAttribute {
        /// The attribute.
        name: String,
        /// The result's columns.
        columns: Vec<String>,
    },
    /// A mapped attribute is named `member_key` and is not the member key.
    #[error(
        "column member_key of the query's result is mapped and is not the member key; give it another name with AS"
    )]
    ReservedColumn,
    /// The values of a column are not a single text or number.
    #[error("column {name} is {kind}; {advice}")]
    UnsupportedColumn {
        /// The column.
        name: String,
        /// Its kind: "a list", "a structure", "binary data".
        kind: &'static str,
        /// What to write instead.
        advice: String,
    },
    /// The name of a declared source is not an identifier.
    #[error(
        "source name {name:?} is not an identifier: a letter a-z, then letters, digits and _, 64 at most"
    )]
    SourceName {
        /// The name.
        name: String,
    },
    /// A source's bucket has no store, which is an error of the deployment and not of the query.
    #[error("source {source_name}: bucket {bucket} cannot be read by this deployment")]
    UnreachableBucket {
        /// The source.
        source_name: String,
        /// Its bucket.
        bucket: String,
    },
    /// The source has no objects.
    #[error("source {source_name}: there is no {suffixes} object under s3://{bucket}/{prefix}{}", others(*.other_objects))]
    MissingSource {
        /// The source.
        source_name: String,
        /// Its bucket.
        bucket: String,
        /// Its prefix.
        prefix: String,
        /// The suffixes of its objects' names.
        suffixes: String,
        /// Number of objects with other names.
        other_objects: usize,
    },
    /// The bucket does not exist.
    #[error("source {source_name}: bucket {bucket} does not exist")]
    MissingBucket {
        /// The source.
        source_name: String,
        /// Its bucket.
        bucket: String,
    },
    /// The function's role is not allowed to read the source.
    #[error(
        "source {source_name}: access to s3://{bucket}/{prefix} is denied; the roles of the snapshot and engine functions need s3:ListBucket and s3:GetObject there"
    )]
    AccessDenied {
        /// The source.
        source_name: String,
        /// Its bucket.
        bucket: String,
        /// Its prefix.
        prefix: String,
    },
    /// The prefix holds something other than plain objects of the format.
    #[error("source {source_name}: {problem}")]
    BadSource {
        /// The source.
        source_name: String,
        /// The problem of the source as a whole.
        problem: String,
    },
    /// An object does not have its source's format.
    #[error("source {source_name}: object {object} {problem}")]
    BadObject {
        /// The source.
        source_name: String,
        /// Bucket and key.
        object: String,
        /// The problem, without a value of the object.
        problem: String,
    },
    /// An operation does not accept one of its values.
    #[error("while evaluating the query, {problem}")]
    BadValue {
        /// The problem and what to write instead, without the value.
        problem: String,
    },
    /// The query exceeds its memory budget, even with spilling to disk.
    #[error("the query needs more memory than the {} MiB that it may use; narrow it before joining or sorting (filter earlier, select fewer columns, aggregate first)", .limit_bytes / 1_048_576)]
    OutOfMemory {
        /// The budget.
        limit_bytes: usize,
    },
    /// The query exceeds its disk budget.
    #[error("the query needs more temporary disk space than the {} MiB that it may use; narrow it before joining or sorting", .limit_bytes / 1_048_576)]
    OutOfDisk {
        /// The budget.
        limit_bytes: u64,
    },
    /// The query exceeds its time limit.
    #[error("the query was stopped after {seconds} s; check whether a join lacks its condition")]
    TimeLimit {
        /// The budget.
        seconds: u64,
    },
    /// An object was replaced during the query.
    #[error("source {source_name}: object {object} changed while it was read; try again")]
    Changed {
        /// The source.
        source_name: String,
        /// Bucket and key.
        object: String,
    },
    /// The bucket cannot be read at the moment.
    #[error("source {source_name}: s3://{bucket} could not be read just now; try again")]
    Unavailable {
        /// The source.
        source_name: String,
        /// Its bucket.
        bucket: String,
    },
    /// The snapshot could not be written to the local disk.
    #[error("the snapshot could not be written to the temporary disk ({kind})")]
    Output {
        /// The operating system's error kind.
        kind: String,
    },
    /// A defect of the engine or of this program.
    #[error("the query engine failed ({kind}); this is not the query's fault")]
    Internal {
        /// The kind of failure, without its text.
        kind: String,
    },
}

fn others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " (there is 1 object with another name)".to_owned(),
        count => format!(" (there are {count} objects with other names)"),
    }
}

impl QueryError {
    /// Returns the stable code of this error in runs, reports and the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.stop_code().as_str()
    }

    /// Returns the typed code for this error.
    #[must_use]
    pub const fn stop_code(&self) -> StopCode {
        match self {
            Self::Text(error) => error.stop_code(),
            Self::UnknownColumn { .. } => StopCode::QueryUnknownColumn,
            Self::AmbiguousColumn { .. } => StopCode::QueryAmbiguousColumn,
            Self::Plan { .. } => StopCode::QueryNotPlannable,
            Self::DuplicateColumn { .. } => StopCode::QueryDuplicateColumn,
            Self::MissingMemberKey { .. } => StopCode::QueryMemberKeyMissing,
            Self::MissingAttribute { .. } => StopCode::QueryAttributeMissing,
            Self::ReservedColumn => StopCode::QueryReservedColumn,
            Self::UnsupportedColumn { .. } => StopCode::QueryUnsupportedColumn,
            Self::SourceName { .. } => StopCode::SourceNameInvalid,
            Self::UnreachableBucket { .. } => StopCode::SourceBucketUnreachable,
            Self::MissingSource { .. } => StopCode::SourceMissing,
            Self::MissingBucket { .. } => StopCode::SourceBucketMissing,
            Self::AccessDenied { .. } => StopCode::SourceAccessDenied,
            Self::BadSource { .. } => StopCode::SourceInvalid,
            Self::BadObject { .. } => StopCode::SourceObjectInvalid,
            Self::BadValue { .. } => StopCode::QueryBadValue,
            Self::OutOfMemory { .. } => StopCode::QueryOutOfMemory,
            Self::OutOfDisk { .. } => StopCode::QueryOutOfDisk,
            Self::TimeLimit { .. } => StopCode::QueryTimeLimit,
            Self::Changed { .. } => StopCode::SourceChanged,
            Self::Unavailable { .. } => StopCode::SourceUnavailable,
            Self::Output { .. } => StopCode::SnapshotNotWritten,
            Self::Internal { .. } => StopCode::QueryEngineFailed,
        }
    }

    /// Returns the wrong field of the segment's definition as a JSON pointer. `None` if the definition is not wrong, or if the
    /// error depends on the rows.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Text(_)
            | Self::UnknownColumn { .. }
            | Self::AmbiguousColumn { .. }
            | Self::Plan { .. }
            | Self::DuplicateColumn { .. } => Some("/query"),
            // A description requests no attributes, so the unsupported column is the member key.
            Self::MissingMemberKey { .. } | Self::UnsupportedColumn { .. } => Some("/member_key"),
            Self::MissingAttribute { .. }
            | Self::ReservedColumn
            | Self::SourceName { .. }
            | Self::UnreachableBucket { .. }
            | Self::MissingSource { .. }
            | Self::MissingBucket { .. }
            | Self::AccessDenied { .. }
            | Self::BadSource { .. }
            | Self::BadObject { .. }
            | Self::BadValue { .. }
            | Self::OutOfMemory { .. }
            | Self::OutOfDisk { .. }
            | Self::TimeLimit { .. }
            | Self::Changed { .. }
            | Self::Unavailable { .. }
            | Self::Output { .. }
            | Self::Internal { .. } => None,
        }
    }

    /// Returns true if the same query may succeed on a retry without any change.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Changed { .. } | Self::Unavailable { .. } | Self::Output { .. } | Self::Internal { .. }
        )
    }
}
