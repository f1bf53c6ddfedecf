//! The last barrier of data governance: what an export uses is held against the policies before anything is evaluated.

use crate::handler::{Snapshots, query_error, segment_query};
use relay_engine::{Engine, QueryError, columns_read};
use relay_model::catalog::{Connection, DataLabels, Export, Origin, Policy, Segment, Source};
use relay_model::governance::{Case, ColumnsRead, KnownReading, summary, withheld};
use relay_model::run::StopCode;
use relay_pipeline::StageError;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::timeout;

impl Snapshots {
    /// Stops a run whose export uses data in a way that is forbidden. Where no column is labelled, nothing is looked at.
    pub(crate) async fn require_allowed(
        &self,
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
        let connection: Connection = self.catalog.get(export.connection()?.as_str()).await?;
        // A rule that cannot be read may be the one that is broken.
        let policies = self.catalog.list::<Policy>().await?.into_iter();
        let policies: Vec<Policy> =
            policies.map(|saved| Ok(saved?.document)).collect::<Result<_, StageError>>()?;
        let case =
            Case { export, marketing_actions: &connection.marketing_actions, sources, policies: &policies };
        let mut violations = Vec::new();
        for segment in segments.iter().filter(|segment| !case.is_harmless(segment)) {
            let read = match case.read_of_upload(segment) {
                Some(read) => read,
                None => self
                    .reading(engine, segment, &export.attributes(), sources)
                    .await
                    .map_err(|error| query_error(segment, &error))?,
            };
            violations.extend(case.violations(segment, &read));
        }
        if violations.is_empty() {
            return Ok(());
        }
        Err(StageError::stop(StopCode::PolicyViolated, summary(&violations)))
    }

    /// The attributes of a segment that are shown to nobody, because data labelled C12 is in them.
    pub(crate) async fn withheld(
        &self,
        engine: &Engine,
        segment: &Segment,
        attributes: &[String],
        sources: &BTreeMap<String, Source>,
    ) -> Result<BTreeSet<String>, QueryError> {
        let mut labels = sources.values().map(|source| &source.data_labels);
        let of_upload = segment.upload().map(|upload| &upload.data_labels);
        if !labels.any(DataLabels::withhold_any) && !of_upload.is_some_and(DataLabels::withhold_any) {
            return Ok(BTreeSet::new());
        }
        Ok(withheld(segment, &self.reading(engine, segment, attributes, sources).await?, sources))
    }

    /// What a segment reads, found out by the engine, and kept for those who change a policy.
    pub(crate) async fn reading(
        &self,
        engine: &Engine,
        segment: &Segment,
        attributes: &[String],
        sources: &BTreeMap<String, Source>,
    ) -> Result<ColumnsRead, QueryError> {
        // It was compiled when it was saved.
        let origin =
            segment.origin().map_err(|_| QueryError::Internal { kind: "segment's rules".to_owned() })?;
        let query = match origin {
            Origin::Upload(upload) => return Ok(ColumnsRead::of_upload(upload, attributes)),
            Origin::Selection(selection) => segment_query(&selection, attributes.to_vec()),
        };
        let limit = engine.settings().time_limit;
        let too_slow = |_| QueryError::TimeLimit { seconds: limit.as_secs() };
        let read = timeout(limit, columns_read(engine, &query)).await.map_err(too_slow)??;
        let known = KnownReading { columns_read: read };
        let key = KnownReading::object_key(segment, attributes, sources);
        let bytes = serde_json::to_vec(&known)
            .map_err(|_| QueryError::Internal { kind: "columns that are read".to_owned() })?;
        if let Err(error) = self.objects.put(&key, bytes).await {
            tracing::warn!(%error, segment.id = %segment.id, "what a segment reads is not kept; it is found out again");
        }
        Ok(known.columns_read)
    }
}
