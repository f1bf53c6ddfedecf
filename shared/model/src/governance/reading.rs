//! Column lineage: the columns of the lake that a segment uses in an export.

use crate::catalog::{CustomUpload, Segment, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The table name of a custom upload, which its segment reads instead of a source.
pub const UPLOAD_TABLE: &str = "upload";

/// The columns that a segment's query reads once it is reduced to its member key and an export's
/// attributes. Maps source and column to the attributes that derive from the column. A column without
/// attributes only decides membership, or which row of a member counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct ColumnsRead(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl ColumnsRead {
    /// Records that a source is read, even if only for its number of rows.
    pub fn add_source(&mut self, source: &str) {
        self.0.entry(source.to_owned()).or_default();
    }

    /// Records that a column is read.
    pub fn add(&mut self, source: &str, column: &str) {
        self.0.entry(source.to_owned()).or_default().entry(column.to_owned()).or_default();
    }

    /// Records that a column is exported in an attribute.
    pub fn add_leaving(&mut self, source: &str, column: &str, attribute: &str) {
        let columns = self.0.entry(source.to_owned()).or_default();
        columns.entry(column.to_owned()).or_default().insert(attribute.to_owned());
    }

    /// Returns the columns that an export uses of a custom upload: the identity and the mapped ones. This
    /// needs no query engine.
    #[must_use]
    pub fn of_upload(upload: &CustomUpload, attributes: &[String]) -> Self {
        let mut read = Self::default();
        read.add(UPLOAD_TABLE, &upload.identity_column);
        read.add(UPLOAD_TABLE, upload.member_key_column());
        for attribute in attributes {
            read.add_leaving(UPLOAD_TABLE, attribute, attribute);
        }
        read
    }

    /// Returns the sources that are read.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns every column that is read: its source, its name, and the attributes that derive from it.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str, &BTreeSet<String>)> {
        self.0.iter().flat_map(|(source, columns)| {
            columns.iter().map(|(column, attributes)| (source.as_str(), column.as_str(), attributes))
        })
    }
}

/// The column lineage that the query engine found, cached so that a change of a policy does not need the
/// engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownReading {
    /// The column lineage.
    pub columns_read: ColumnsRead,
}

impl KnownReading {
    /// Returns the key of the cached object. It hashes everything that the result depends on: the segment's
    /// query, the attributes, and the locations of the sources. So a changed definition needs no
    /// invalidation. Only a change of the objects' own columns makes it stale, and the next run updates it.
    #[must_use]
    pub fn object_key(
        segment: &Segment,
        attributes: &[String],
        sources: &BTreeMap<String, Source>,
    ) -> String {
        let mut definition = serde_json::to_value(segment).unwrap_or_default();
        if let Some(fields) = definition.as_object_mut() {
            // These fields do not change the lineage.
            for name in ["name", "labels", "active"] {
                fields.remove(name);
            }
        }
        let attributes: BTreeSet<&String> = attributes.iter().collect();
        let named = segment.sources();
        let is_read = |source: &&Source| named.as_ref().is_ok_and(|named| named.contains(source.id.as_str()));
        let read: Vec<Value> = sources
            .values()
            .filter(is_read)
            .map(|source| serde_json::json!([source.id, source.location, source.format]))
            .collect();
        let text = serde_json::json!([definition, attributes, read]).to_string();
        format!("data-usage/{}.json", blake3::hash(text.as_bytes()).to_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Document;
    use serde_json::json;

    fn segment(fields: &Value) -> Segment {
        let mut document = json!({ "id": "vips", "name": "VIPs" });
        for (field, value) in fields.as_object().unwrap() {
            document[field] = value.clone();
        }
        Segment::parse(&document.to_string()).unwrap()
    }

    fn texts(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn an_upload_uses_its_keys_and_what_is_mapped() {
        let upload = segment(&json!({ "upload": { "identity_column": "email", "member_key_column": "id" } }));
        let read = ColumnsRead::of_upload(upload.upload().unwrap(), &texts(&["email", "city"]));
        assert_eq!(
            serde_json::to_value(&read).unwrap(),
            json!({ "upload": { "city": ["city"], "email": ["email"], "id": [] } })
        );
    }

    #[test]
    fn what_is_known_holds_until_something_changes_that_it_depends_on() {
        let source = |id: &str, prefix: &str, labels: Value| {
            let document = json!({
                "id": id, "location": format!("s3://lake/{prefix}/"), "format": "csv", "data_labels": labels,
            });
            (id.to_owned(), Source::parse(&document.to_string()).unwrap())
        };
        let query = json!({ "query": "SELECT id, email FROM people", "member_key": "id" });
        let attributes = texts(&["email", "id"]);
        let sources = |people: &str, others: &str, labels| {
            BTreeMap::from([source("people", people, labels), source("orders", others, json!({}))])
        };
        let first = KnownReading::object_key(&segment(&query), &attributes, &sources("a", "b", json!({})));
        let check =
            |fields: Value, attributes: &[&str], sources: &BTreeMap<String, Source>, is_same: bool| {
                let mut document = query.clone();
                for (field, value) in fields.as_object().unwrap() {
                    document[field] = value.clone();
                }
                let found = KnownReading::object_key(&segment(&document), &texts(attributes), sources);
                assert_eq!(found == first, is_same, "{fields} {attributes:?}");
            };
        let same = sources("a", "b", json!({}));
        check(json!({ "name": "Others", "labels": ["a"] }), &["id", "email"], &same, true);
        check(json!({}), &["email", "id"], &sources("a", "c", json!({ "email": ["C2"] })), true);
        check(json!({}), &["email"], &same, false);
        check(
            json!({ "query": "SELECT id, email FROM people WHERE id > 1" }),
            &["email", "id"],
            &same,
            false,
        );
        check(json!({ "member_key": "email" }), &["email", "id"], &same, false);
        check(json!({}), &["email", "id"], &sources("c", "b", json!({})), false);
    }
}
