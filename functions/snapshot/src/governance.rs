//! Data governance during an evaluation: checks an export against the policies, and withholds columns.

use crate::context::{Context, segment_query};
use crate::errors::segment_error;
use relay_engine::{Engine, QueryError, columns_read};
use relay_model::catalog::{Connection, DataLabels, Export, Origin, Policy, Segment, Source};
use relay_model::governance::{Case, ColumnsRead, KnownReading, summary, withheld};
use relay_model::run::StopCode;
use relay_pipeline::StageError;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::timeout;

/// Stops a run whose export uses data against a policy. Does nothing if no column is labelled.
pub(crate) async fn require_allowed(
    context: &Context,
    engine: &Engine,
    export: &Export,
    segments: &[Segment],
    sources: &BTreeMap<String, Source>,
) -> Result<(), StageError> {
    let has_labels =
        |segment: &Segment| segment.upload().is_some_and(|upload| !upload.data_labels.is_empty());
    if sources.values().all(|source| source.data_labels.is_empty()) && !segments.iter().any(has_labels) {
        return Ok(());
    }
    let connection: Connection = context.catalog.get(export.connection()?.as_str()).await?;
    // An unreadable policy stops the run, because it may be the one that the export violates.
    let policies = context.catalog.list::<Policy>().await?.into_iter();
    let policies: Vec<Policy> =
        policies.map(|saved| Ok(saved?.document)).collect::<Result<_, StageError>>()?;
    let case =
        Case { export, marketing_actions: &connection.marketing_actions, sources, policies: &policies };
    let mut violations = Vec::new();
    for segment in segments.iter().filter(|segment| !case.is_harmless(segment)) {
        let columns = match case.read_of_upload(segment) {
            Some(columns) => columns,
            None => lineage(context, engine, segment, &export.attributes(), sources)
                .await
                .map_err(|error| segment_error(segment, &error))?,
        };
        violations.extend(case.violations(segment, &columns));
    }
    if violations.is_empty() {
        return Ok(());
    }
    Err(StageError::stop(StopCode::PolicyViolated, summary(&violations)))
}

/// Returns the attributes of a segment that must not be shown, because they contain data labelled C12.
pub(crate) async fn withheld_attributes(
    context: &Context,
    engine: &Engine,
    segment: &Segment,
    attributes: &[String],
    sources: &BTreeMap<String, Source>,
) -> Result<BTreeSet<String>, QueryError> {
    let mut labels = sources.values().map(|source| &source.data_labels);
    let upload_labels = segment.upload().map(|upload| &upload.data_labels);
    if !labels.any(DataLabels::withhold_any) && !upload_labels.is_some_and(DataLabels::withhold_any) {
        return Ok(BTreeSet::new());
    }
    let columns = lineage(context, engine, segment, attributes, sources).await?;
    Ok(withheld(segment, &columns, sources))
}

/// Returns the columns of sources that these attributes of a segment use, and stores them for later policy checks.
pub(crate) async fn lineage(
    context: &Context,
    engine: &Engine,
    segment: &Segment,
    attributes: &[String],
    sources: &BTreeMap<String, Source>,
) -> Result<ColumnsRead, QueryError> {
    // Rules that do not compile are refused when the segment is saved.
    let origin = segment.origin().map_err(|_| QueryError::Internal { kind: "segment's rules".to_owned() })?;
    let query = match origin {
        Origin::Upload(upload) => return Ok(ColumnsRead::of_upload(upload, attributes)),
        Origin::Selection(selection) => segment_query(&selection, attributes.to_vec()),
    };
    let limit = engine.settings().time_limit;
    let too_slow = |_| QueryError::TimeLimit { seconds: limit.as_secs() };
    let read = timeout(limit, columns_read(engine, &query)).await.map_err(too_slow)??;
    let known = KnownReading { columns_read: read };
    let key = KnownReading::object_key(segment, attributes, sources);
    let bytes =
        serde_json::to_vec(&known).map_err(|_| QueryError::Internal { kind: "column lineage".to_owned() })?;
    if let Err(error) = context.objects.put(&key, bytes).await {
        tracing::warn!(%error, segment.id = %segment.id, "column lineage could not be stored and is computed again when needed");
    }
    Ok(known.columns_read)
}
