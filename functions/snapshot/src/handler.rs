//! One run's snapshots: evaluated, stored with their manifests, and the run sent on.

use jiff::Timestamp;
use object_store::ObjectStore;
use relay::aws::{CatalogStore, Objects, Queue};
use relay::catalog::{Document, Export, Segment, Source};
use relay::ledger::{Ledger, RunChange};
use relay::model::{RunId, SegmentId};
use relay::run::{Keys, Run, RunState, Stage};
use relay::snapshot::Manifest;
use relay::stages::{StageError, Step, freeze_export};
use snapshot::{
    Engine, EngineSettings, QueryError, S3Store, SegmentQuery, SourceFormat, SourceSpec, evaluate,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What making snapshots needs.
pub(crate) struct Snapshots {
    pub(crate) catalog: CatalogStore,
    pub(crate) ledger: Ledger,
    pub(crate) objects: Objects,
    pub(crate) lake: aws_sdk_s3::Client,
    pub(crate) chunk_queue: Queue,
    pub(crate) step: Step,
}

impl Snapshots {
    /// Makes the snapshots of a run. Asked again after a crash, those that have their manifest are kept.
    pub(crate) async fn run(&self, run_id: RunId) -> Result<(), StageError> {
        let run = self.ledger.run(run_id).await?;
        if run.state == RunState::Chunking {
            // The message to the next step may be what was lost.
            return self.step.send(&self.chunk_queue, run_id, "chunk", 0).await;
        }
        if run.state != RunState::Snapshotting {
            return Ok(());
        }
        let states = [RunState::Snapshotting];
        let began = RunChange { started: Some(Stage::Snapshot), ..RunChange::default() };
        self.ledger.advance(run_id, &states, RunState::Snapshotting, Timestamp::now(), &began).await?;
        let keys = Keys::new(run_id, run.export_id.clone());
        let export = freeze_export(&self.catalog, &self.objects, &run.export_id, &keys).await?;
        let engine = self.engine(EngineSettings::new(std::env::temp_dir())).await?;
        let segments: BTreeSet<&SegmentId> = export.segments.iter().map(|entry| &entry.segment).collect();
        for segment in segments {
            let segment: Segment = self.catalog.get(segment.as_str()).await?;
            self.snapshot(&engine, &run, &export, &segment, &keys).await?;
        }
        let done = RunChange { started: Some(Stage::Chunk), ..RunChange::default() };
        self.ledger.advance(run_id, &states, RunState::Chunking, Timestamp::now(), &done).await?;
        self.step.send(&self.chunk_queue, run_id, "chunk", 0).await
    }

    /// An engine over the sources of the catalog.
    pub(crate) async fn engine(&self, settings: EngineSettings) -> Result<Engine, StageError> {
        let mut sources = Vec::new();
        let mut stores: BTreeMap<String, Arc<dyn ObjectStore>> = BTreeMap::new();
        for source in self.catalog.list::<Source>().await? {
            // A source that cannot be read is only in the way of the segments that use it.
            let Ok(saved) = source else { continue };
            let Source { id, location, format } = saved.document;
            stores
                .entry(location.bucket.clone())
                .or_insert_with(|| Arc::new(S3Store::new(self.lake.clone(), location.bucket.clone())));
            sources.push(SourceSpec {
                name: id.as_str().to_owned(),
                bucket: location.bucket,
                prefix: location.prefix,
                format: source_format(format),
            });
        }
        Engine::new(settings, sources, stores)
            .map_err(|error| StageError::stop(error.code(), error.to_string()))
    }

    async fn snapshot(
        &self,
        engine: &Engine,
        run: &Run,
        export: &Export,
        segment: &Segment,
        keys: &Keys,
    ) -> Result<(), StageError> {
        let manifest_key = keys.manifest(&segment.id);
        if self.objects.find(&manifest_key).await?.is_some() {
            return Ok(());
        }
        let query = SegmentQuery {
            text: segment.query.clone(),
            member_key: segment.member_key.clone(),
            attributes: export.attributes(),
        };
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("snapshot.parquet");
        let figures = evaluate(engine, &query, &path).await.map_err(|error| query_error(segment, &error))?;
        let object_key = keys.snapshot(&segment.id);
        self.objects.upload(&object_key, &path).await?;
        let manifest = Manifest {
            run_id: run.run_id,
            segment: segment.id.clone(),
            query: query.text,
            attributes: query.attributes,
            object_key,
            rows: figures.rows,
            rows_without_key: figures.rows_without_key,
            duplicate_member_rows: figures.duplicate_member_rows,
            bytes: figures.bytes,
            hash: figures.blake3,
            made_at: Timestamp::now(),
        };
        let bytes = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| StageError::stop("manifest_unwritable", error.to_string()))?;
        // The manifest is what makes a snapshot one, so it comes last.
        self.objects.put(&manifest_key, bytes).await?;
        tracing::info!(run.id = %run.run_id, segment.id = segment.id(), rows = figures.rows, bytes = figures.bytes,
            "snapshot is made");
        Ok(())
    }
}

const fn source_format(format: relay::catalog::SourceFormat) -> SourceFormat {
    match format {
        relay::catalog::SourceFormat::Parquet => SourceFormat::Parquet,
        relay::catalog::SourceFormat::Csv => SourceFormat::Csv,
        relay::catalog::SourceFormat::NdJson => SourceFormat::NdJson,
    }
}

fn query_error(segment: &Segment, error: &QueryError) -> StageError {
    let text = format!("segment \"{}\": {error}", segment.id);
    if error.is_transient() {
        StageError::again(error.code(), text)
    } else {
        StageError::stop(error.code(), text)
    }
}
