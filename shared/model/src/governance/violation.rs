//! Policy violations and their description.

use crate::catalog::Policy;
use crate::{ConnectionId, DataLabel, ExportId, MarketingAction, PolicyId, SegmentId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use utoipa::ToSchema;

/// The number of violations that are described in full; the others are only counted.
const TOLD: usize = 3;
/// The maximum number of columns named per violation.
const NAMED_COLUMNS: usize = 5;

/// A column that a segment uses in an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsedColumn {
    /// The source, or `upload` for the table of a custom upload.
    pub source: String,
    /// The column.
    pub column: String,
    /// The column's labels.
    pub data_labels: BTreeSet<DataLabel>,
    /// The attributes in which it is exported; if empty, it only decides membership.
    pub leaves_as: BTreeSet<String>,
}

/// The violated rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Violated {
    /// A policy.
    Policy {
        /// The policy.
        id: PolicyId,
        /// The display name.
        name: String,
        /// The reason for the policy.
        summary: String,
        /// The marketing actions of the connection that it forbids.
        marketing_actions: BTreeSet<MarketingAction>,
    },
    /// Data labelled C12 must never be exported.
    NeverExported,
}

impl Violated {
    pub(super) fn policy(policy: &Policy, actions: &BTreeSet<MarketingAction>) -> Self {
        Self::Policy {
            id: policy.id.clone(),
            name: policy.name.clone(),
            summary: policy.summary.clone(),
            marketing_actions: policy.marketing_actions.intersection(actions).cloned().collect(),
        }
    }

    /// Returns the policy's id.
    #[must_use]
    pub const fn policy_id(&self) -> Option<&PolicyId> {
        match self {
            Self::Policy { id, .. } => Some(id),
            Self::NeverExported => None,
        }
    }
}

/// The result of checking a policy against an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The export complies, or the policy does not apply.
    Allowed,
    /// The export violates the policy: its runs fail before anything is sent.
    Violated,
    /// The policy is not enabled.
    Disabled,
    /// The column lineage is unavailable at the moment, and the export may violate the policy.
    Unknown,
}

/// A violation of a policy by an export, with the data's path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Violation {
    /// The violated rule.
    pub violated: Violated,
    /// The labels that it forbids.
    pub data_labels: BTreeSet<DataLabel>,
    /// The columns with these labels.
    pub columns: Vec<UsedColumn>,
    /// The segment that uses the columns.
    pub segment: SegmentId,
    /// The export.
    pub export: ExportId,
    /// The connection that the export sends it to.
    pub connection: Option<ConnectionId>,
}

impl Violation {
    /// Returns the identity of the violation, independent of its details.
    #[must_use]
    pub fn key(&self) -> (Option<&PolicyId>, &SegmentId, &ExportId) {
        (self.violated.policy_id(), &self.segment, &self.export)
    }

    /// Describes the data's path from the columns to the destination.
    #[must_use]
    pub fn lineage(&self) -> String {
        let column = |used: &UsedColumn| {
            let labels = joined(&used.data_labels);
            let UsedColumn { source, column, .. } = used;
            match joined(&used.leaves_as).as_str() {
                "" => format!("{source}.{column} ({labels})"),
                attributes => format!("{source}.{column} ({labels}, leaves as {attributes})"),
            }
        };
        let mut columns: Vec<String> = self.columns.iter().take(NAMED_COLUMNS).map(column).collect();
        if self.columns.len() > NAMED_COLUMNS {
            columns.push(format!("{} more", self.columns.len() - NAMED_COLUMNS));
        }
        let Self { segment, export, connection, .. } = self;
        let to = connection.as_ref().map(|id| format!(" → connection \"{id}\"")).unwrap_or_default();
        format!("{} → segment \"{segment}\" → export \"{export}\"{to}", columns.join(", "))
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (labels, lineage) = (joined(&self.data_labels), self.lineage());
        match &self.violated {
            Violated::Policy { id, name, summary, marketing_actions } => {
                let actions = joined(marketing_actions);
                let why = if summary.is_empty() {
                    String::new()
                } else {
                    format!(" Reason given: {}", summary.trim())
                };
                write!(
                    formatter,
                    "policy \"{id}\" ({name}) forbids {actions} with data labelled {labels}: {lineage}.{why} Remove the \
                     columns from the segment's query and the export's mapping, or have an administrator change \
                     their data_labels, the connection's marketing_actions or the policy."
                )
            }
            Violated::NeverExported => write!(
                formatter,
                "data labelled {labels} must not be exported: {lineage}. Remove the attribute from the export's \
                 mapping and match key, or derive it from other columns."
            ),
        }
    }
}

/// Describes violations, the first few in full.
#[must_use]
pub fn summary(violations: &[Violation]) -> String {
    let mut told: Vec<String> = violations.iter().take(TOLD).map(ToString::to_string).collect();
    if violations.len() > TOLD {
        told.push(format!("And {} more.", violations.len() - TOLD));
    }
    told.join(" ")
}

fn joined<T: fmt::Display>(words: &BTreeSet<T>) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
