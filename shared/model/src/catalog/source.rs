//! Tables of the lake that segments query.

use super::{CatalogError, DataLabels, Document, Kind};
use crate::SourceId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A table of the lake: every object under a prefix, in one format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Its identifier and the table's name in queries.
    pub id: SourceId,
    /// The location of its objects.
    #[schema(value_type = String, examples("s3://lake/profiles/"))]
    pub location: SourceLocation,
    /// The format of its objects.
    pub format: SourceFormat,
    /// The data labels of its columns. They apply to every use of a column.
    #[serde(default, skip_serializing_if = "DataLabels::is_empty")]
    pub data_labels: DataLabels,
}

/// The format of a source's objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceFormat {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header row. Every column is text: the query casts what it needs as a number, so
    /// that leading zeros and long ids are never damaged.
    Csv,
    /// One JSON object a line.
    NdJson,
}

/// A location `s3://bucket/prefix`, parsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceLocation {
    /// The bucket's name.
    pub bucket: String,
    /// The prefix of the objects' keys, with a slash at its end unless it is empty.
    pub prefix: String,
}

impl TryFrom<String> for SourceLocation {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let shape = || format!("location \"{text}\" must look like s3://bucket/prefix/");
        let rest = text.strip_prefix("s3://").ok_or_else(shape)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_bucket = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'));
        if !is_bucket || prefix.contains("..") || prefix.starts_with('/') {
            return Err(shape());
        }
        let mut prefix = prefix.to_owned();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }
}

impl From<SourceLocation> for String {
    fn from(location: SourceLocation) -> Self {
        format!("s3://{}/{}", location.bucket, location.prefix)
    }
}

impl Document for Source {
    const KIND: Kind = Kind::Source;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn validate(&self) -> Result<(), CatalogError> {
        self.data_labels.validate().map_err(|problem| CatalogError::Field {
            kind: Self::KIND.name(),
            id: self.id.to_string(),
            field: "data_labels".to_owned(),
            problem,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str)>) {
        let parsed = SourceLocation::try_from(text.to_owned());
        let found = parsed.as_ref().ok().map(|location| (location.bucket.as_str(), location.prefix.as_str()));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn locations_are_a_bucket_and_a_prefix() {
        check("s3://lake/profiles/", Some(("lake", "profiles/")));
        check("s3://lake/profiles", Some(("lake", "profiles/")));
        check("s3://lake", Some(("lake", "")));
        check("s3://lake/../other", None);
        check("https://lake/profiles", None);
        check("s3:///profiles", None);
        check("s3://La ke/profiles", None);
    }

    #[test]
    fn columns_may_be_labelled() {
        let parse = |labels: &str| {
            let head = r#""id":"people","location":"s3://lake/people/","format":"csv""#;
            Source::parse(&format!("{{{head},\"data_labels\":{labels}}}"))
        };
        let source = parse(r#"{"email":["I1","C2"]}"#).unwrap();
        let written = serde_json::to_value(&source).unwrap();
        assert_eq!(written["data_labels"], serde_json::json!({ "email": ["C2", "I1"] }));
        assert!(serde_json::to_value(parse("{}").unwrap()).unwrap().get("data_labels").is_none());
        let error = parse(r#"{"email":[]}"#).unwrap_err().to_string();
        assert_eq!(error, "source \"people\": data_labels: column \"email\" has no label; leave it out");
    }
}
