//! The data usage of an export: columns, labels, marketing actions and the verdicts of the policies.

use crate::Api;
use crate::governance::{lineage_of, rules_of};
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Path, State};
use relay_model::catalog::{Export, Policy};
use relay_model::governance::{UsedColumn, Verdict, Violation};
use relay_model::{ConnectionId, ExportId, MarketingAction, PolicyId, SegmentId};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(data_usage))
}

/// The data that an export uses, with the verdicts of the policies.
#[derive(Debug, Serialize, ToSchema)]
struct DataUsage {
    /// The export.
    export: ExportId,
    /// The connection that receives the data; null if the export is detached.
    connection: Option<ConnectionId>,
    /// The marketing actions of the connection.
    marketing_actions: BTreeSet<MarketingAction>,
    /// The columns that each segment uses.
    segments: Vec<SegmentUsage>,
    /// The verdict of each policy.
    policies: Vec<PolicyVerdict>,
    /// The verdict on columns labelled C12, which are never exported. This rule needs no policy.
    never_exported: Verdict,
    /// The rules that the export breaks.
    violations: Vec<ToldViolation>,
}

/// The columns that a segment uses in the export.
#[derive(Debug, Serialize, ToSchema)]
struct SegmentUsage {
    /// The segment.
    segment: SegmentId,
    /// The columns, sorted by source and name.
    columns: Vec<UsedColumn>,
    /// Why the columns are not known now.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

/// A policy's verdict on the export.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyVerdict {
    /// The policy.
    policy: PolicyId,
    /// The policy's display name.
    name: String,
    /// The verdict.
    verdict: Verdict,
}

/// A rule that the export breaks.
#[derive(Debug, Serialize, ToSchema)]
struct ToldViolation {
    #[serde(flatten)]
    violation: Violation,
    /// The path of the data, from the columns to the connection.
    lineage: String,
    /// What is forbidden, why, and how to fix it.
    text: String,
}

/// Returns the columns that an export uses, with their labels, and the verdicts of the policies. The request may take some
/// seconds, because the query engine is asked for column lineage that is not stored yet.
#[utoipa::path(get, path = "/exports/{id}/data-usage", tag = "exports", params(("id" = String, Path)),
    responses((status = 200, body = DataUsage), Problems))]
async fn data_usage(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<DataUsage>, Problem> {
    let id = ExportId::try_from(id)?;
    let export = api.saved::<Export>(id.as_str()).await?.document;
    let rules = rules_of(&api, &export).await?;
    let mut lineage = lineage_of(&api, &rules, &export).await;
    let case = rules.case(&export);
    let (mut segments, mut violations, mut possible) = (Vec::new(), Vec::new(), Vec::new());
    for segment in rules.segments_of(&export) {
        let missing = || Err("it is not known".to_owned());
        let usage = |columns, unknown| SegmentUsage { segment: segment.id.clone(), columns, unknown };
        match lineage.remove(&segment.id).unwrap_or_else(missing) {
            Ok(read) => {
                segments.push(usage(case.used_columns(segment, &read), None));
                violations.extend(case.violations(segment, &read));
            }
            Err(why) => {
                segments.push(usage(Vec::new(), Some(why)));
                possible.extend(case.possible_violations(segment));
            }
        }
    }
    let verdict = |policy: Option<&PolicyId>| {
        let is_among =
            |all: &[Violation]| all.iter().any(|violation| violation.violated.policy_id() == policy);
        if is_among(&violations) {
            Verdict::Violated
        } else if is_among(&possible) {
            Verdict::Unknown
        } else {
            Verdict::Allowed
        }
    };
    let never_exported = verdict(None);
    let of_policy = |policy: &Policy| {
        if policy.enabled { verdict(Some(&policy.id)) } else { Verdict::Disabled }
    };
    let policies = rules
        .policies
        .iter()
        .map(|policy| PolicyVerdict {
            policy: policy.id.clone(),
            name: policy.name.clone(),
            verdict: of_policy(policy),
        })
        .collect();
    let told = |violation: Violation| {
        let (lineage, text) = (violation.lineage(), violation.to_string());
        ToldViolation { violation, lineage, text }
    };
    Ok(Json(DataUsage {
        marketing_actions: case.marketing_actions.clone(),
        segments,
        policies,
        never_exported,
        violations: violations.into_iter().map(told).collect(),
        connection: export.connection,
        export: export.id,
    }))
}
