//! Named sets of profiles.

use super::{CatalogError, Document, Kind};
use crate::model::SegmentId;
use serde::{Deserialize, Serialize};

/// A query segment: the members are the rows of a query over the sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its identifier.
    pub id: SegmentId,
    /// What people call it.
    pub name: String,
    /// One SELECT over the declared sources.
    pub query: String,
    /// The column of the query that holds the customer id.
    pub member_key: String,
}

impl Document for Segment {
    const KIND: Kind = Kind::Segment;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn validate(&self) -> Result<(), CatalogError> {
        let empty = |field: &str| CatalogError::Field {
            kind: Self::KIND.name(),
            id: self.id.to_string(),
            field: field.to_owned(),
            problem: "must not be empty".to_owned(),
        };
        if self.query.trim().is_empty() {
            return Err(empty("query"));
        }
        if self.member_key.trim().is_empty() {
            return Err(empty("member_key"));
        }
        Ok(())
    }
}
