//! What a source is: a prefix of a bucket whose objects are one table.

use crate::errors::QueryError;
use serde::{Deserialize, Serialize};

/// How the objects of a source are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header row; every column is text.
    Csv,
    /// One JSON object a line.
    NdJson,
}

impl SourceFormat {
    /// The ends of the names of objects that are read, in lower case.
    #[must_use]
    pub const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Parquet => &[".parquet"],
            Self::Csv => &[".csv"],
            Self::NdJson => &[".ndjson", ".jsonl", ".json"],
        }
    }

    /// The format's name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Csv => "CSV",
            Self::NdJson => "newline-delimited JSON",
        }
    }
}

/// A declared source: the table's name in queries and where its objects are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The table's name in queries: `[a-z][a-z0-9_]*`, so that it never needs quotes.
    pub name: String,
    /// The bucket's name.
    pub bucket: String,
    /// The prefix of the objects' keys.
    pub prefix: String,
    /// How the objects are written.
    pub format: SourceFormat,
}

impl SourceSpec {
    /// Refuses a name that could not stand in a query without quotes.
    pub(crate) fn validate(&self) -> Result<(), QueryError> {
        let is_identifier = self.name.len() <= 64
            && self.name.starts_with(|first: char| first.is_ascii_lowercase())
            && self
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if is_identifier {
            Ok(())
        } else {
            Err(QueryError::SourceName { name: relay_model::query::one_line(&self.name, 80) })
        }
    }
}
