//! Values that were adjusted to fit their fields.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Counts of rows whose values were adjusted to fit their fields, by field key. Every report lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warnings {
    /// Rows in which a text was shortened.
    pub shortened: BTreeMap<String, u64>,
    /// Rows in which a value that did not fit was left out.
    pub left_out: BTreeMap<String, u64>,
}
