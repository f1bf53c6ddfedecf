//! Why a segment could not be evaluated, in the words of the query's author.

use relay_model::query::{TextError, listed, suggestion};
use relay_model::run::StopCode;
use thiserror::Error;

/// What is wrong with a query, its sources or its evaluation.
///
/// Messages name columns, sources, buckets and objects, and never quote a value of a row: values are personal data.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// The text is no query, or names what is no source.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A column that none of the tables in reach has.
    #[error("there is no column {name}{}; the columns are: {}", suggestion(.name, .columns), listed(.columns))]
    UnknownColumn {
        /// The name as written.
        name: String,
        /// The columns in reach at that place.
        columns: Vec<String>,
    },
    /// A column that several tables have.
    #[error("column {name} is in several tables of the query; say which one is meant (table.{name})")]
    AmbiguousColumn {
        /// The name as written.
        name: String,
    },
    /// A query that has a meaning in SQL's grammar but none here.
    #[error("the query cannot be planned: {problem}")]
    Plan {
        /// What the planner says about the query's text.
        problem: String,
    },
    /// Two columns of the result have one name.
    #[error(
        "the query's result has {count} columns named {name}; name each column once (SELECT a.{name}, b.{name} AS other)"
    )]
    DuplicateColumn {
        /// The name.
        name: String,
        /// How often it is there.
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
    /// An attribute is called `member_key` and is not the member key.
    #[error(
        "column member_key of the query's result is mapped and is not the member key; give it another name with AS"
    )]
    ReservedColumn,
    /// A column whose values have no single text or number.
    #[error("column {name} is {kind}; {advice}")]
    UnsupportedColumn {
        /// The column.
        name: String,
        /// What it is: "a list", "a structure", "binary data".
        kind: &'static str,
        /// What to write instead.
        advice: String,
    },
    /// A declared source's name is no identifier.
    #[error(
        "source name {name:?} is not an identifier: a letter a-z, then letters, digits and _, 64 at most"
    )]
    SourceName {
        /// The name.
        name: String,
    },
    /// A source's bucket has no store: a mistake of the set-up, not of the author.
    #[error("source {source_name}: bucket {bucket} cannot be read by this deployment")]
    UnreachableBucket {
        /// The source.
        source_name: String,
        /// Its bucket.
        bucket: String,
    },
    /// No object is there.
    #[error("source {source_name}: there is no {suffixes} object under s3://{bucket}/{prefix}{}", others(*.other_objects))]
    MissingSource {
        /// The source.
        source_name: String,
        /// Its bucket.
        bucket: String,
        /// Its prefix.
        prefix: String,
        /// What its objects' names end with.
        suffixes: String,
        /// How many objects are there that are not read.
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
    /// The function's role may not read the source.
    #[error(
        "source {source_name}: access to s3://{bucket}/{prefix} is denied; the snapshot function's role needs s3:ListBucket and s3:GetObject there"
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
        /// What is wrong with it as a whole.
        problem: String,
    },
    /// An object is not what its source's format says.
    #[error("source {source_name}: object {object} {problem}")]
    BadObject {
        /// The source.
        source_name: String,
        /// Bucket and key.
        object: String,
        /// What is wrong with it, without a value of it.
        problem: String,
    },
    /// An operation met a value that it cannot take.
    #[error("while evaluating the query, {problem}")]
    BadValue {
        /// What happened and what to write instead, without the value.
        problem: String,
    },
    /// The query needs more memory than there is, and spilling to disk does not help.
    #[error("the query needs more memory than the {} MiB that it may use; narrow it before joining or sorting (filter earlier, select fewer columns, aggregate first)", .limit_bytes / 1_048_576)]
    OutOfMemory {
        /// The budget.
        limit_bytes: usize,
    },
    /// The query needs more temporary disk than there is.
    #[error("the query needs more temporary disk space than the {} MiB that it may use; narrow it before joining or sorting", .limit_bytes / 1_048_576)]
    OutOfDisk {
        /// The budget.
        limit_bytes: u64,
    },
    /// The query runs for too long.
    #[error("the query is not done after {seconds} s; does a join miss its condition?")]
    TimeLimit {
        /// The budget.
        seconds: u64,
    },
    /// An object was replaced while it was read.
    #[error("source {source_name}: object {object} changed while it was read; try again")]
    Changed {
        /// The source.
        source_name: String,
        /// Bucket and key.
        object: String,
    },
    /// The bucket does not answer.
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
        /// The operating system's kind of error.
        kind: String,
    },
    /// A fault of the engine or of this program.
    #[error("the query engine failed ({kind}); this is not the query's fault")]
    Internal {
        /// Which kind of failure, without its text.
        kind: String,
    },
}

fn others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => " (1 object with another name is there)".to_owned(),
        count => format!(" ({count} objects with other names are there)"),
    }
}

impl QueryError {
    /// The stable word for this error in runs, reports and the API.
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

    /// The field of the segment's definition that is wrong, as a JSON pointer; `None` where its author wrote nothing wrong,
    /// and where that shows in the rows only.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self {
            Self::Text(_)
            | Self::UnknownColumn { .. }
            | Self::AmbiguousColumn { .. }
            | Self::Plan { .. }
            | Self::DuplicateColumn { .. } => Some("/query"),
            // Whoever describes a query wants no attributes, so the column that is of no use is the member key.
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

    /// Whether the same query may succeed when it is tried again, with nobody changing anything.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Changed { .. } | Self::Unavailable { .. } | Self::Output { .. } | Self::Internal { .. }
        )
    }
}
