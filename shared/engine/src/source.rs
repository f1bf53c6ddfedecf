//! Sources: the objects under a prefix of a bucket, read as one table.

use crate::errors::QueryError;
use serde::{Deserialize, Serialize};

/// The format of a source's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header row. Every column is text.
    Csv,
    /// One JSON object in each line.
    NdJson,
}

impl SourceFormat {
    /// Returns the suffixes of the object names that are read, in lower case.
    #[must_use]
    pub const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Parquet => &[".parquet"],
            Self::Csv => &[".csv"],
            Self::NdJson => &[".ndjson", ".jsonl", ".json"],
        }
    }

    /// Returns the format's name for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Csv => "CSV",
            Self::NdJson => "newline-delimited JSON",
        }
    }
}

/// A declared source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The table's name in queries: `[a-z][a-z0-9_]*`, so that it never needs quotes.
    pub name: String,
    /// The bucket's name.
    pub bucket: String,
    /// The prefix of the objects' keys.
    pub prefix: String,
    /// The format of the objects.
    pub format: SourceFormat,
}

impl SourceSpec {
    /// Returns an error if the name needs quotes in a query.
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
