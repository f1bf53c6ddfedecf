//! A rule that an export does not keep, and how that is told.

use crate::catalog::Policy;
use crate::{ConnectionId, DataLabel, ExportId, MarketingAction, PolicyId, SegmentId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use utoipa::ToSchema;

/// So many violations are told in full; of the others, how many there are.
const TOLD: usize = 3;
/// So many columns of a violation are named.
const NAMED_COLUMNS: usize = 5;

/// A column that a segment uses in an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsedColumn {
    /// The source, or `upload` for the table of a custom upload.
    pub source: String,
    /// The column.
    pub column: String,
    /// What it must not be used for.
    pub data_labels: BTreeSet<DataLabel>,
    /// The attributes that it leaves in; without any it only decides who is a member.
    pub leaves_as: BTreeSet<String>,
}

/// A rule that is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Violated {
    /// A policy.
    Policy {
        /// The policy.
        id: PolicyId,
        /// What people call it.
        name: String,
        /// Why there is such a rule.
        summary: String,
        /// What it is about, of what the connection does.
        marketing_actions: BTreeSet<MarketingAction>,
    },
    /// What is labelled C12 leaves for no destination.
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

    /// The policy's id.
    #[must_use]
    pub const fn policy_id(&self) -> Option<&PolicyId> {
        match self {
            Self::Policy { id, .. } => Some(id),
            Self::NeverExported => None,
        }
    }
}

/// What a rule says of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The export keeps it, or it is about something else.
    Allowed,
    /// The export does not keep it: its runs fail before anything is sent.
    Violated,
    /// It is not enabled.
    Disabled,
    /// What the segments read could not be found out now, and it may be something that is forbidden.
    Unknown,
}

/// A rule that an export does not keep, and the way that the data would take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Violation {
    /// The rule.
    pub violated: Violated,
    /// The labels that it forbids.
    pub data_labels: BTreeSet<DataLabel>,
    /// The columns that have them.
    pub columns: Vec<UsedColumn>,
    /// The segment that uses the columns.
    pub segment: SegmentId,
    /// The export.
    pub export: ExportId,
    /// Where the export sends it.
    pub connection: Option<ConnectionId>,
}

impl Violation {
    /// What makes it the same violation, whatever there is to be said of it.
    #[must_use]
    pub fn key(&self) -> (Option<&PolicyId>, &SegmentId, &ExportId) {
        (self.violated.policy_id(), &self.segment, &self.export)
    }

    /// The way that the data would take, from the columns to the destination.
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
                    format!(" It says why: {}", summary.trim())
                };
                write!(
                    formatter,
                    "policy \"{id}\" ({name}) forbids {actions} with data labelled {labels}: {lineage}.{why} Take the \
                     columns out of the segment's query and the export's mapping, or have an administrator change \
                     their data_labels, the connection's marketing_actions or the policy."
                )
            }
            Violated::NeverExported => write!(
                formatter,
                "data labelled {labels} leaves for no destination: {lineage}. Take the attribute out of the export's \
                 mapping and match key, or make it of other columns."
            ),
        }
    }
}

/// Violations in words, the first few in full.
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
