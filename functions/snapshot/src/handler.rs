//! One run's snapshots: evaluated, stored with their manifests, and the run sent on.

use crate::stage_error::stage_error;
use jiff::Timestamp;
use object_store::ObjectStore;
use relay_cloud::ledger::{Ledger, RunChange};
use relay_cloud::{CatalogStore, Objects, Queue};
use relay_delivery::snapshot::{Manifest, SnapshotUpload};
use relay_engine::{
    Engine, EngineSettings, OneObject, QueryError, S3Store, SegmentQuery, SnapshotFigures, SourceFormat,
    SourceSpec, evaluate,
};
use relay_model::catalog::{Document, Export, Origin, Segment, Selection, Source};
use relay_model::run::{Keys, Run, RunState, Stage, StopCode};
use relay_model::{RunId, SegmentId};
use relay_pipeline::{StageError, Step, exclusions, freeze_definitions, require_results};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What making snapshots needs.
pub(crate) struct Snapshots {
    pub(crate) catalog: CatalogStore,
    pub(crate) ledger: Ledger,
    pub(crate) objects: Objects,
    pub(crate) data_bucket: String,
    pub(crate) s3: aws_sdk_s3::Client,
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
        require_results(&self.objects, &run).await?;
        let keys = Keys::new(run_id, run.export_id.clone());
        let now = Timestamp::now();
        let definitions =
            freeze_definitions(&self.catalog, &self.objects, &run.export_id, &keys, now).await?;
        let export = definitions.export;
        let sources = self.sources().await?;
        let engine = self.engine(EngineSettings::new(std::env::temp_dir()), &sources).await?;
        let ids: BTreeSet<&SegmentId> = export.segments.iter().map(|entry| &entry.segment).collect();
        let mut segments: Vec<Segment> = Vec::with_capacity(ids.len());
        for id in ids {
            segments.push(self.catalog.get(id.as_str()).await?);
        }
        self.require_allowed(&engine, &export, &segments, &sources).await?;
        for segment in &segments {
            self.snapshot(&engine, &run, &export, segment, &keys).await?;
        }
        let done = RunChange { started: Some(Stage::Chunk), ..RunChange::default() };
        self.ledger.advance(run_id, &states, RunState::Chunking, Timestamp::now(), &done).await?;
        self.step.send(&self.chunk_queue, run_id, "chunk", 0).await
    }

    /// The sources of the catalog, by their ids.
    pub(crate) async fn sources(&self) -> Result<BTreeMap<String, Source>, StageError> {
        // A source that cannot be read is only in the way of the segments that use it.
        let readable = self.catalog.list::<Source>().await?.into_iter().flatten();
        Ok(readable.map(|saved| (saved.document.id.to_string(), saved.document)).collect())
    }

    /// An engine over the sources of the catalog, which lets nobody in who is kept out.
    pub(crate) async fn engine(
        &self,
        settings: EngineSettings,
        sources: &BTreeMap<String, Source>,
    ) -> Result<Engine, StageError> {
        let settings = self.without_excluded(settings).await?;
        let mut specs = Vec::new();
        let mut stores: BTreeMap<String, Arc<dyn ObjectStore>> = BTreeMap::new();
        for Source { id, location, format, .. } in sources.values() {
            stores
                .entry(location.bucket.clone())
                .or_insert_with(|| Arc::new(S3Store::new(self.s3.clone(), location.bucket.clone())));
            specs.push(SourceSpec {
                name: id.as_str().to_owned(),
                bucket: location.bucket.clone(),
                prefix: location.prefix.clone(),
                format: source_format(*format),
            });
        }
        Engine::new(settings, specs, stores).map_err(|error| stage_error(&error))
    }

    /// The same settings, with everybody who is kept out now.
    async fn without_excluded(&self, settings: EngineSettings) -> Result<EngineSettings, StageError> {
        Ok(EngineSettings { excluded: exclusions(&self.ledger, &self.objects).await?, ..settings })
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
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("snapshot.parquet");
        let attributes = export.attributes();
        let origin =
            segment.origin().map_err(|error| StageError::stop(error.stop_code(), error.to_string()))?;
        let Made { query, figures, upload } = match origin {
            Origin::Selection(selection) => {
                let query = segment_query(&selection, attributes);
                let figures = evaluate(engine, &query, &path).await;
                let figures = figures.map_err(|error| query_error(segment, &error))?;
                Made { query, figures, upload: None }
            }
            Origin::Upload(upload) => self.members_of_upload(segment, upload, attributes, &path).await?,
        };
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
            excluded_members: figures.excluded_members,
            bytes: figures.bytes,
            hash: figures.blake3,
            made_at: Timestamp::now(),
            upload,
        };
        let bytes = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| StageError::stop(StopCode::ManifestUnwritable, error.to_string()))?;
        // The manifest is what makes a snapshot one, so it comes last.
        self.objects.put(&manifest_key, bytes).await?;
        self.ledger.note_size(&segment.id, run.run_id, figures.rows, Timestamp::now()).await?;
        tracing::info!(run.id = %run.run_id, segment.id = segment.id(), rows = figures.rows, bytes = figures.bytes,
            "snapshot is made");
        Ok(())
    }
}

/// A selection and what is wanted of it.
pub(crate) fn segment_query(selection: &Selection<'_>, attributes: Vec<String>) -> SegmentQuery {
    let (text, member_key) = (selection.query.to_string(), selection.member_key.to_owned());
    SegmentQuery { text, member_key, attributes }
}

/// A snapshot that is written, and what it was made from.
pub(crate) struct Made {
    pub(crate) query: SegmentQuery,
    pub(crate) figures: SnapshotFigures,
    pub(crate) upload: Option<SnapshotUpload>,
}

/// The name of an upload's table in the query that selects its lines.
const TABLE: &str = "members";
/// The query that selects them.
pub(crate) const TABLE_QUERY: &str = "SELECT * FROM members";

impl Snapshots {
    /// Returns an engine whose only source is an upload's table. Its results leave out excluded members.
    pub(crate) async fn table_engine(
        &self,
        object_key: &str,
        settings: EngineSettings,
    ) -> Result<Engine, StageError> {
        let settings = self.without_excluded(settings).await?;
        let bucket = self.data_bucket.clone();
        let store = Arc::new(S3Store::new(self.s3.clone(), bucket.clone()));
        let store = OneObject::new(store, object_key)
            .map_err(|_| stage_error(&QueryError::Internal { kind: "table's key".to_owned() }))?;
        let (prefix, _) = object_key.rsplit_once('/').unwrap_or_default();
        let source = SourceSpec {
            name: TABLE.to_owned(),
            bucket: bucket.clone(),
            prefix: prefix.to_owned(),
            format: SourceFormat::Parquet,
        };
        let store: Arc<dyn ObjectStore> = Arc::new(store);
        Engine::new(settings, [source], [(bucket, store)]).map_err(|error| stage_error(&error))
    }
}

const fn source_format(format: relay_model::catalog::SourceFormat) -> SourceFormat {
    match format {
        relay_model::catalog::SourceFormat::Parquet => SourceFormat::Parquet,
        relay_model::catalog::SourceFormat::Csv => SourceFormat::Csv,
        relay_model::catalog::SourceFormat::NdJson => SourceFormat::NdJson,
    }
}

pub(crate) fn query_error(segment: &Segment, error: &QueryError) -> StageError {
    let named = |text: String| format!("segment \"{}\": {text}", segment.id);
    match stage_error(error) {
        StageError::Stop { code, text } => StageError::Stop { code, text: named(text) },
        StageError::Again { code, text } => StageError::Again { code, text: named(text) },
        pause @ StageError::Pause { .. } => pause,
    }
}
