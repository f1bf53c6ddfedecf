//! Named sets of profiles.

use super::rules::RuleSet;
use super::{CatalogError, CustomUpload, Document, Kind, labels};
use crate::SegmentId;
use crate::query::{TextError, sources_of};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// A named set of profiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SegmentForm", into = "SegmentForm")]
pub struct Segment {
    /// Its identifier.
    pub id: SegmentId,
    /// The display name.
    pub name: String,
    /// Labels for sorting.
    pub labels: Vec<String>,
    /// Whether exports send it. While it is inactive, exports leave its target lists unchanged.
    pub active: bool,
    /// Where its members come from.
    pub kind: SegmentKind,
}

/// The origin of a segment's members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// The rows of a query over the sources.
    Query {
        /// One SELECT over the declared sources.
        query: String,
        /// The column of the query that holds the customer id.
        member_key: String,
    },
    /// The rows of a main source that fulfil rules.
    Rules {
        /// The rules, which compile to a query.
        rules: RuleSet,
        /// The column of the main source that holds the customer id.
        member_key: String,
    },
    /// The lines of a CSV that is uploaded under `uploads/{segment}/`.
    Upload(CustomUpload),
}

/// The origin of a segment's members, with rules compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The rows of a query.
    Selection(Selection<'a>),
    /// The lines of a CSV.
    Upload(&'a CustomUpload),
}

/// The query of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<'a> {
    /// One SELECT over the declared sources: the author's, or the one that the rules compile to.
    pub query: Cow<'a, str>,
    /// The column of the query that holds the customer id.
    pub member_key: &'a str,
}

impl Segment {
    /// Returns the origin of the members. Fails only if [`Document::validate`] does.
    pub fn origin(&self) -> Result<Origin<'_>, CatalogError> {
        Ok(match &self.kind {
            SegmentKind::Query { query, member_key } => {
                Origin::Selection(Selection { query: Cow::Borrowed(query), member_key })
            }
            SegmentKind::Rules { rules, member_key } => {
                let query = rules.query(member_key).map_err(|parts| self.refuse_rules(parts))?;
                Origin::Selection(Selection { query: Cow::Owned(query), member_key })
            }
            SegmentKind::Upload(upload) => Origin::Upload(upload),
        })
    }

    /// Returns the rules, if the segment is defined by rules.
    #[must_use]
    pub const fn rules(&self) -> Option<&RuleSet> {
        match &self.kind {
            SegmentKind::Rules { rules, .. } => Some(rules),
            SegmentKind::Query { .. } | SegmentKind::Upload(_) => None,
        }
    }

    /// Returns the path of the field that references a source.
    #[must_use]
    pub fn place_of_source(&self, name: &str) -> String {
        let place = |rules: &RuleSet| {
            let named = rules.named_sources().find(|(_, source)| *source == name);
            named.map_or_else(|| "rules".to_owned(), |(place, _)| format!("rules.{place}"))
        };
        self.rules().map_or_else(|| "query".to_owned(), place)
    }

    fn refuse_rules(&self, (field, problem): (String, String)) -> CatalogError {
        self.refuse(&format!("rules.{field}"), problem)
    }

    fn refuse(&self, field: &str, problem: String) -> CatalogError {
        CatalogError::Field {
            kind: Self::KIND.name(),
            id: self.id.to_string(),
            field: field.to_owned(),
            problem,
        }
    }

    /// Returns the column that holds the customer id.
    #[must_use]
    pub fn member_key(&self) -> &str {
        match &self.kind {
            SegmentKind::Query { member_key, .. } | SegmentKind::Rules { member_key, .. } => member_key,
            SegmentKind::Upload(upload) => upload.member_key_column(),
        }
    }

    /// Returns the form of the CSV, if the segment is a custom upload.
    #[must_use]
    pub const fn upload(&self) -> Option<&CustomUpload> {
        match &self.kind {
            SegmentKind::Upload(upload) => Some(upload),
            SegmentKind::Query { .. } | SegmentKind::Rules { .. } => None,
        }
    }

    /// Returns the ids of the sources that the query or the rules read, or the error in the query. An
    /// upload reads no source.
    pub fn sources(&self) -> Result<BTreeSet<String>, TextError> {
        match &self.kind {
            SegmentKind::Query { query, .. } => sources_of(query),
            SegmentKind::Rules { rules, .. } => {
                Ok(rules.named_sources().map(|(_, source)| source.to_owned()).collect())
            }
            SegmentKind::Upload(_) => Ok(BTreeSet::new()),
        }
    }
}

/// A segment in its document form: flat, with `query` or `rules` and `member_key`, or with `upload`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SegmentForm {
    /// Its identifier.
    id: SegmentId,
    /// The display name.
    name: String,
    /// Labels for sorting: at most 20, with 50 characters each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    labels: Vec<String>,
    /// Whether exports send it. While it is inactive, exports leave its target lists unchanged.
    #[serde(default = "active", skip_serializing_if = "is_active")]
    active: bool,
    /// One SELECT over the declared sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    /// The column of the query, or of the rules' main source, that holds the customer id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member_key: Option<String>,
    /// Rules instead of a query; they compile to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rules: Option<RuleSet>,
    /// A CSV uploaded under `uploads/{segment}/`, instead of a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload: Option<CustomUpload>,
}

const fn active() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_active(active: &bool) -> bool {
    *active
}

/// Why a form is not a valid segment.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum FormError {
    #[error("a segment has exactly one of `query`, `rules` and `upload`; this one has none")]
    Neither,
    #[error("a segment has exactly one of `query`, `rules` and `upload`; this one has more")]
    Several,
    #[error(
        "missing field `member_key`: the column of the query, or of the rules' source, that holds the customer id"
    )]
    NoMemberKey,
    #[error("`member_key` belongs to a query or to rules; an upload has `upload.member_key_column`")]
    MemberKeyOfUpload,
}

impl TryFrom<SegmentForm> for Segment {
    type Error = FormError;

    fn try_from(form: SegmentForm) -> Result<Self, FormError> {
        let SegmentForm { id, name, labels, active, query, member_key, rules, upload } = form;
        let key = || member_key.clone().ok_or(FormError::NoMemberKey);
        let kind = match (query, rules, upload) {
            (Some(query), None, None) => SegmentKind::Query { query, member_key: key()? },
            (None, Some(rules), None) => SegmentKind::Rules { rules, member_key: key()? },
            (None, None, Some(_)) if member_key.is_some() => return Err(FormError::MemberKeyOfUpload),
            (None, None, Some(upload)) => SegmentKind::Upload(upload),
            (None, None, None) => return Err(FormError::Neither),
            _ => return Err(FormError::Several),
        };
        Ok(Self { id, name, labels, active, kind })
    }
}

impl From<Segment> for SegmentForm {
    fn from(segment: Segment) -> Self {
        let Segment { id, name, labels, active, kind } = segment;
        let (query, member_key, rules, upload) = match kind {
            SegmentKind::Query { query, member_key } => (Some(query), Some(member_key), None, None),
            SegmentKind::Rules { rules, member_key } => (None, Some(member_key), Some(rules), None),
            SegmentKind::Upload(upload) => (None, None, None, Some(upload)),
        };
        Self { id, name, labels, active, query, member_key, rules, upload }
    }
}

impl PartialSchema for Segment {
    fn schema() -> RefOr<Schema> {
        SegmentForm::schema()
    }
}

impl ToSchema for Segment {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        SegmentForm::schemas(schemas);
    }
}

impl Document for Segment {
    const KIND: Kind = Kind::Segment;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn validate(&self) -> Result<(), CatalogError> {
        labels::validate(&self.labels).map_err(|(field, problem)| self.refuse(&field, problem))?;
        match &self.kind {
            SegmentKind::Query { query, .. } if query.trim().is_empty() => {
                Err(self.refuse("query", "must not be empty".to_owned()))
            }
            SegmentKind::Query { member_key, .. } | SegmentKind::Rules { member_key, .. }
                if member_key.trim().is_empty() =>
            {
                Err(self.refuse("member_key", "must not be empty".to_owned()))
            }
            SegmentKind::Query { .. } => Ok(()),
            SegmentKind::Rules { rules, member_key } => {
                rules.validate(member_key).map_err(|parts| self.refuse_rules(parts))
            }
            SegmentKind::Upload(upload) => {
                upload.validate().map_err(|(field, problem)| self.refuse(&format!("upload.{field}"), problem))
            }
        }
    }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
