//! What a change is held against: the exports that depend on it, and only for what it adds. What breaks a rule already does
//! not keep anybody from changing something else.

use super::refusal::{Place, refuse};
use super::{Findings, Rules};
use crate::Api;
use crate::problem::Problem;
use relay_model::catalog::{Connection, Export, Policy, Segment, Source};
use relay_model::governance::{UsedColumn, Violation, may_read};

impl Api {
    /// An export that breaks a rule is refused; while it is disabled, it is told.
    pub(crate) async fn hold_export(&self, export: &Export) -> Result<Vec<String>, Problem> {
        let data = self.data_of(export).await?;
        if !data.has_labels() {
            return Ok(Vec::new());
        }
        let rules = self.with_policies(data, [export]).await?;
        let findings = self.hold(&rules, std::slice::from_ref(export)).await;
        let mut warnings = findings.warnings();
        if export.enabled {
            refuse(&findings.violations, Place::Export(export))?;
        } else {
            let told = |violation: &Violation| format!("it cannot be enabled like this: {violation}");
            warnings.extend(findings.violations.iter().map(told));
        }
        Ok(warnings)
    }

    /// A source's new labels.
    pub(crate) async fn hold_source(
        &self,
        source: &Source,
        before: Option<&Source>,
    ) -> Result<Vec<String>, Problem> {
        let labels_before = before.map(|before| before.data_labels.clone()).unwrap_or_default();
        if !source.data_labels.adds_to(&labels_before) {
            return Ok(Vec::new());
        }
        let id = source.id.as_str();
        let mut rules = self.all_rules().await?;
        rules.sources.insert(id.to_owned(), source.clone());
        let is_new = |violation: &Violation| {
            let is_new = |column: &UsedColumn| {
                let before = labels_before.of(&column.column);
                let forbidden = column.data_labels.intersection(&violation.data_labels);
                column.source == id && forbidden.into_iter().any(|label| !before.contains(label))
            };
            violation.columns.iter().any(is_new)
        };
        let reads = |segment: &Segment| may_read(segment, &source.id);
        let exports = self.running_exports(|export| rules.segments_of(export).any(&reads)).await?;
        let mut findings = self.hold(&rules, &exports).await;
        findings.violations.retain(is_new);
        settled(&findings, "/data_labels")
    }

    /// A connection's new marketing actions.
    pub(crate) async fn hold_connection(
        &self,
        connection: &Connection,
        before: Option<&Connection>,
    ) -> Result<Vec<String>, Problem> {
        let mut added = connection.marketing_actions.clone();
        if let Some(before) = before {
            added.retain(|action| !before.marketing_actions.contains(action));
        }
        if added.is_empty() {
            return Ok(Vec::new());
        }
        let mut rules = self.all_rules().await?;
        rules.policies.retain(|policy| policy.is_about(&added));
        rules.connections.insert(connection.id.clone(), connection.clone());
        let exports =
            self.running_exports(|export| export.connection.as_ref() == Some(&connection.id)).await?;
        let mut findings = self.hold(&rules, &exports).await;
        findings.violations.retain(is_of_policy);
        settled(&findings, "/marketing_actions")
    }

    /// A policy that is enabled, or forbids something else than before.
    pub(crate) async fn hold_policy(
        &self,
        policy: &Policy,
        before: Option<&Policy>,
    ) -> Result<Vec<String>, Problem> {
        let is_same = |before: &Policy| {
            before.enabled
                && before.marketing_actions == policy.marketing_actions
                && before.forbids == policy.forbids
        };
        if !policy.enabled || before.is_some_and(is_same) {
            return Ok(Vec::new());
        }
        let rules = Rules { policies: vec![policy.clone()], ..self.all_rules().await? };
        let exports = self.running_exports(|_| true).await?;
        let mut findings = self.hold(&rules, &exports).await;
        findings.violations.retain(is_of_policy);
        settled(&findings, "/enabled")
    }

    /// A segment that exports use: its query, its rules, or its upload's labels.
    pub(crate) async fn hold_segment(&self, segment: &Segment) -> Result<Vec<String>, Problem> {
        // Of the exports' other segments nothing changes.
        let segments = [(segment.id.clone(), segment.clone())].into();
        let data = Rules { sources: self.sources_by_id().await?, segments, ..Rules::default() };
        if !data.has_labels() {
            return Ok(Vec::new());
        }
        let exports = self.running_exports(|export| export.uses(&segment.id)).await?;
        if exports.is_empty() {
            return Ok(Vec::new());
        }
        let rules = self.with_policies(data, &exports).await?;
        let findings = self.hold(&rules, &exports).await;
        let field = match (segment.upload(), segment.rules()) {
            (Some(_), _) => "/upload",
            (None, Some(_)) => "/rules",
            (None, None) => "/query",
        };
        settled(&findings, field)
    }

    /// The exports that may run, for which `wanted` holds.
    async fn running_exports(&self, wanted: impl Fn(&Export) -> bool) -> Result<Vec<Export>, Problem> {
        let is_running = |export: &Export| export.enabled && export.connection.is_some();
        let found = self.exports_where(|export| is_running(export) && wanted(export)).await?;
        Ok(found.into_iter().map(|saved| saved.document).collect())
    }
}

const fn is_of_policy(violation: &Violation) -> bool {
    violation.violated.policy_id().is_some()
}

fn settled(findings: &Findings, field: &str) -> Result<Vec<String>, Problem> {
    refuse(&findings.violations, Place::Field(field))?;
    Ok(findings.warnings())
}
