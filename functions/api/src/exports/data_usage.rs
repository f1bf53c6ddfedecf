//! Which data an export uses, where it goes, and what the policies say of it.

use crate::Api;
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

/// The data that an export uses, and what the policies say of it.
#[derive(Debug, Serialize, ToSchema)]
struct DataUsage {
    /// The export.
    export: ExportId,
    /// Where it sends the data; null for an export that is detached.
    connection: Option<ConnectionId>,
    /// What the connection uses data for.
    marketing_actions: BTreeSet<MarketingAction>,
    /// What each of its segments uses.
    segments: Vec<SegmentUsage>,
    /// What each policy says.
    policies: Vec<PolicyVerdict>,
    /// Whether what is labelled C12 stays here, which needs no policy.
    never_exported: Verdict,
    /// The rules that it breaks, and how.
    violations: Vec<ToldViolation>,
}

/// The columns that a segment uses in the export.
#[derive(Debug, Serialize, ToSchema)]
struct SegmentUsage {
    /// The segment.
    segment: SegmentId,
    /// By source and name.
    columns: Vec<UsedColumn>,
    /// Why the columns cannot be told now.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

/// What a policy says of the export.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyVerdict {
    /// The policy.
    policy: PolicyId,
    /// What people call it.
    name: String,
    /// What it says.
    verdict: Verdict,
}

/// A rule that the export breaks.
#[derive(Debug, Serialize, ToSchema)]
struct ToldViolation {
    #[serde(flatten)]
    violation: Violation,
    /// The way that the data would take, from the columns to the connection.
    lineage: String,
    /// What is forbidden, why, and what would mend it.
    text: String,
}

/// Which columns of the lake an export uses, with their labels, and what the policies say of it. It may take some
/// seconds: the query engine is asked what the segments read, where that is not known.
#[utoipa::path(get, path = "/exports/{id}/data-usage", tag = "exports", params(("id" = String, Path)),
    responses((status = 200, body = DataUsage), Problems))]
async fn data_usage(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<DataUsage>, Problem> {
    let id = ExportId::try_from(id)?;
    let export = api.saved::<Export>(id.as_str()).await?.document;
    let rules = api.rules_of(&export).await?;
    let mut readings = api.readings_of(&rules, &export).await;
    let case = rules.case(&export);
    let (mut segments, mut violations, mut possible) = (Vec::new(), Vec::new(), Vec::new());
    for segment in rules.segments_of(&export) {
        let missing = || Err("it is not known".to_owned());
        let usage = |columns, unknown| SegmentUsage { segment: segment.id.clone(), columns, unknown };
        match readings.remove(&segment.id).unwrap_or_else(missing) {
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
