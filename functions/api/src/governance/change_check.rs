//! The policy check of other definitions that are saved: a change is refused if it makes an enabled export break a rule.
//!
//! Only violations that the change causes are refused. A violation that already exists does not block other changes.

use super::refusal::{Place, refuse};
use super::{Rules, find_violations, policies, readable_sources};
use crate::Api;
use crate::exports::exports_where;
use crate::problem::Problem;
use relay_model::MarketingAction;
use relay_model::catalog::{Connection, Export, Policy, Segment, Source};
use relay_model::governance::{UsedColumn, Violation, may_read};
use std::collections::BTreeSet;

/// A change of a definition that exports depend on.
#[derive(Clone, Copy)]
pub(crate) enum Change<'a> {
    /// A source, whose columns may get labels.
    Source { after: &'a Source, before: Option<&'a Source> },
    /// A connection, which may use data for more marketing actions.
    Connection { after: &'a Connection, before: Option<&'a Connection> },
    /// A policy, which may be enabled or forbid something else.
    Policy { after: &'a Policy, before: Option<&'a Policy> },
    /// A segment, whose query, rules or upload may use other columns.
    Segment(&'a Segment),
}

/// Refuses a change that makes an enabled export break a rule. Returns warnings for segments that cannot be checked now.
pub(crate) async fn check_change(api: &Api, change: Change<'_>) -> Result<Vec<String>, Problem> {
    if !change.can_break_rules() {
        return Ok(Vec::new());
    }
    let data = change.applied_to(data_of_all_exports(api).await?);
    if !data.has_labels() {
        return Ok(Vec::new());
    }
    let is_running = |export: &Export| export.enabled && export.connection.is_some();
    let affected = exports_where(api, |export| is_running(export) && change.affects(&data, export)).await?;
    if affected.is_empty() {
        return Ok(Vec::new());
    }
    let exports: Vec<Export> = affected.into_iter().map(|saved| saved.document).collect();
    let rules = Rules { policies: change.policies_of(policies(api).await?), ..data };
    let mut findings = find_violations(api, &rules, &exports).await;
    findings.violations.retain(|violation| change.causes(violation));
    refuse(&findings.violations, Place::Field(change.field()))?;
    Ok(findings.warnings())
}

/// Reads the sources, segments and connections of all exports. The policies are left out.
async fn data_of_all_exports(api: &Api) -> Result<Rules, Problem> {
    let catalog = &api.requests.catalog;
    let segments = catalog.list::<Segment>().await?.into_iter().flatten();
    let connections = catalog.list::<Connection>().await?.into_iter().flatten();
    Ok(Rules {
        sources: readable_sources(api).await?,
        segments: segments.map(|saved| (saved.document.id.clone(), saved.document)).collect(),
        connections: connections.map(|saved| (saved.document.id.clone(), saved.document)).collect(),
        policies: Vec::new(),
    })
}

impl Change<'_> {
    /// Returns false if no rule can be broken after the change that was kept before.
    fn can_break_rules(self) -> bool {
        match self {
            Self::Source { after, before } => {
                let labels_before = before.map(|before| before.data_labels.clone()).unwrap_or_default();
                after.data_labels.adds_to(&labels_before)
            }
            Self::Connection { after, before } => !added_actions(after, before).is_empty(),
            Self::Policy { after, before } => {
                let is_same = |before: &Policy| {
                    before.enabled
                        && before.marketing_actions == after.marketing_actions
                        && before.forbids == after.forbids
                };
                after.enabled && !before.is_some_and(is_same)
            }
            Self::Segment(_) => true,
        }
    }

    /// Replaces the changed definition among those that are stored.
    fn applied_to(self, mut data: Rules) -> Rules {
        match self {
            Self::Source { after, .. } => {
                data.sources.insert(after.id.to_string(), after.clone());
            }
            Self::Connection { after, .. } => {
                data.connections.insert(after.id.clone(), after.clone());
            }
            Self::Policy { .. } => {}
            // The exports' other segments do not change, so they are left out.
            Self::Segment(segment) => data.segments = [(segment.id.clone(), segment.clone())].into(),
        }
        data
    }

    /// Returns whether the change can make an export break a rule.
    fn affects(self, data: &Rules, export: &Export) -> bool {
        match self {
            Self::Source { after, .. } => {
                data.segments_of(export).any(|segment| may_read(segment, &after.id))
            }
            Self::Connection { after, .. } => export.connection.as_ref() == Some(&after.id),
            Self::Policy { .. } => true,
            Self::Segment(segment) => export.uses(&segment.id),
        }
    }

    /// Selects the policies to check, out of all that are stored.
    fn policies_of(self, mut all: Vec<Policy>) -> Vec<Policy> {
        match self {
            Self::Connection { after, before } => {
                let added = added_actions(after, before);
                all.retain(|policy| policy.is_about(&added));
                all
            }
            Self::Policy { after, .. } => vec![after.clone()],
            Self::Source { .. } | Self::Segment(_) => all,
        }
    }

    /// Returns whether the violation comes from the change.
    fn causes(self, violation: &Violation) -> bool {
        match self {
            Self::Source { after, before } => {
                violation.columns.iter().any(|column| has_new_label(column, violation, after, before))
            }
            Self::Connection { .. } | Self::Policy { .. } => violation.violated.policy_id().is_some(),
            Self::Segment(_) => true,
        }
    }

    /// Returns the JSON pointer of the field to blame.
    fn field(self) -> &'static str {
        match self {
            Self::Source { .. } => "/data_labels",
            Self::Connection { .. } => "/marketing_actions",
            Self::Policy { .. } => "/enabled",
            Self::Segment(segment) => match (segment.upload(), segment.rules()) {
                (Some(_), _) => "/upload",
                (None, Some(_)) => "/rules",
                (None, None) => "/query",
            },
        }
    }
}

fn added_actions(after: &Connection, before: Option<&Connection>) -> BTreeSet<MarketingAction> {
    let mut added = after.marketing_actions.clone();
    if let Some(before) = before {
        added.retain(|action| !before.marketing_actions.contains(action));
    }
    added
}

/// Returns whether the change gives a column one of the labels that the violation forbids.
fn has_new_label(
    column: &UsedColumn,
    violation: &Violation,
    after: &Source,
    before: Option<&Source>,
) -> bool {
    let before = before.map(|source| source.data_labels.of(&column.column)).unwrap_or_default();
    let forbidden = column.data_labels.intersection(&violation.data_labels);
    column.source == after.id.as_str() && forbidden.into_iter().any(|label| !before.contains(label))
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::catalog::Document;
    use serde_json::{Value, json};

    fn source(data_labels: &Value) -> Source {
        let document = json!({
            "id": "people", "location": "s3://lake/people/", "format": "parquet",
            "data_labels": data_labels,
        });
        Source::parse(&document.to_string()).unwrap()
    }

    fn connection(marketing_actions: &Value) -> Connection {
        let document = json!({
            "id": "mail", "name": "Mail", "destination": "omnisend", "secret": "s",
            "marketing_actions": marketing_actions,
        });
        Connection::parse(&document.to_string()).unwrap()
    }

    fn policy(is_enabled: bool, label: &str) -> Policy {
        let document = json!({
            "id": "no", "name": "No", "summary": "", "marketing_actions": ["analytics"],
            "forbids": [{ "all_of": [label] }], "enabled": is_enabled,
        });
        Policy::parse(&document.to_string()).unwrap()
    }

    #[test]
    fn only_new_labels_can_break_rules() {
        let check = |after: &Value, before: Option<&Value>, expected: bool| {
            let (after, before) = (source(after), before.map(source));
            let change = Change::Source { after: &after, before: before.as_ref() };
            assert_eq!(change.can_break_rules(), expected, "{after:?} {before:?}");
        };
        check(&json!({}), None, false);
        check(&json!({ "city": ["C2"] }), None, true);
        check(&json!({ "city": ["C2"] }), Some(&json!({ "city": ["C2", "I1"] })), false);
        check(&json!({ "city": ["C2"] }), Some(&json!({ "town": ["C2"] })), true);
    }

    #[test]
    fn only_added_actions_can_break_rules() {
        let check = |after: &Value, before: Option<&Value>, expected: bool| {
            let (after, before) = (connection(after), before.map(connection));
            let change = Change::Connection { after: &after, before: before.as_ref() };
            assert_eq!(change.can_break_rules(), expected, "{after:?} {before:?}");
        };
        check(&json!([]), None, false);
        check(&json!(["analytics"]), None, true);
        check(&json!(["analytics"]), Some(&json!(["analytics", "email_targeting"])), false);
        check(&json!(["analytics", "email_targeting"]), Some(&json!(["analytics"])), true);
    }

    #[test]
    fn only_a_stricter_policy_can_break_rules() {
        let check = |after: Policy, before: Option<Policy>, expected: bool| {
            let change = Change::Policy { after: &after, before: before.as_ref() };
            assert_eq!(change.can_break_rules(), expected, "{after:?} {before:?}");
        };
        check(policy(false, "C2"), None, false);
        check(policy(true, "C2"), None, true);
        check(policy(true, "C2"), Some(policy(true, "C2")), false);
        check(policy(true, "C2"), Some(policy(false, "C2")), true);
        check(policy(true, "C2"), Some(policy(true, "C9")), true);
    }
}
