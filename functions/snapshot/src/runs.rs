//! Evaluates the segments of a run and stores their snapshots.

use crate::context::{Context, segment_query};
use crate::errors::segment_error;
use crate::governance::require_allowed;
use crate::uploads::write_upload;
use jiff::Timestamp;
use relay_cloud::Queue;
use relay_cloud::ledger::RunChange;
use relay_delivery::snapshot::{Manifest, SnapshotUpload};
use relay_engine::{Engine, EngineSettings, SegmentQuery, SnapshotFigures, evaluate};
use relay_model::catalog::{Document, Export, Origin, Segment};
use relay_model::run::StopCode;
use relay_model::run::{Keys, Run, RunState, Stage};
use relay_model::{RunId, SegmentId};
use relay_pipeline::{StageError, Step, freeze_definitions, require_results};
use std::collections::BTreeSet;

/// The snapshot step of runs.
pub(crate) struct Snapshots {
    pub(crate) chunk_queue: Queue,
    pub(crate) step: Step,
}

/// Evaluates the segments of a run, stores their snapshots, and sends the run on to the next step. Snapshots of an earlier
/// attempt are kept if they have a manifest.
pub(crate) async fn run_snapshots(
    context: &Context,
    snapshots: &Snapshots,
    run_id: RunId,
) -> Result<(), StageError> {
    let Snapshots { chunk_queue, step } = snapshots;
    let run = context.ledger.run(run_id).await?;
    if run.state == RunState::Chunking {
        // An earlier attempt may have ended before it sent the message to the next step.
        return step.send(chunk_queue, run_id, "chunk", 0).await;
    }
    if run.state != RunState::Snapshotting {
        return Ok(());
    }
    let states = [RunState::Snapshotting];
    let began = RunChange { started: Some(Stage::Snapshot), ..RunChange::default() };
    context.ledger.advance(run_id, &states, RunState::Snapshotting, Timestamp::now(), &began).await?;
    require_results(&context.objects, &run).await?;
    let keys = Keys::new(run_id, run.export_id.clone());
    let now = Timestamp::now();
    let definitions =
        freeze_definitions(&context.catalog, &context.objects, &run.export_id, &keys, now).await?;
    let export = definitions.export;
    let sources = context.sources().await?;
    let engine = context.engine(EngineSettings::new(std::env::temp_dir()), &sources).await?;
    let ids: BTreeSet<&SegmentId> = export.segments.iter().map(|entry| &entry.segment).collect();
    let mut segments: Vec<Segment> = Vec::with_capacity(ids.len());
    for id in ids {
        segments.push(context.catalog.get(id.as_str()).await?);
    }
    require_allowed(context, &engine, &export, &segments, &sources).await?;
    for segment in &segments {
        store_snapshot(context, &engine, &run, &export, segment, &keys).await?;
    }
    let done = RunChange { started: Some(Stage::Chunk), ..RunChange::default() };
    context.ledger.advance(run_id, &states, RunState::Chunking, Timestamp::now(), &done).await?;
    step.send(chunk_queue, run_id, "chunk", 0).await
}

async fn store_snapshot(
    context: &Context,
    engine: &Engine,
    run: &Run,
    export: &Export,
    segment: &Segment,
    keys: &Keys,
) -> Result<(), StageError> {
    let manifest_key = keys.manifest(&segment.id);
    if context.objects.find(&manifest_key).await?.is_some() {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("snapshot.parquet");
    let attributes = export.attributes();
    let origin = segment.origin().map_err(|error| StageError::stop(error.stop_code(), error.to_string()))?;
    let WrittenSnapshot { query, figures, upload } = match origin {
        Origin::Selection(selection) => {
            let query = segment_query(&selection, attributes);
            let figures = evaluate(engine, &query, &path).await;
            let figures = figures.map_err(|error| segment_error(segment, &error))?;
            WrittenSnapshot { query, figures, upload: None }
        }
        Origin::Upload(upload) => write_upload(context, segment, upload, attributes, &path).await?,
    };
    let object_key = keys.snapshot(&segment.id);
    context.objects.upload(&object_key, &path).await?;
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
    // A snapshot exists once its manifest does, so the manifest is written last.
    context.objects.put(&manifest_key, bytes).await?;
    context.ledger.note_size(&segment.id, run.run_id, figures.rows, Timestamp::now()).await?;
    tracing::info!(run.id = %run.run_id, segment.id = segment.id(), rows = figures.rows, bytes = figures.bytes,
        "snapshot stored");
    Ok(())
}

/// A snapshot that is written to disk, and what it was made from.
pub(crate) struct WrittenSnapshot {
    pub(crate) query: SegmentQuery,
    pub(crate) figures: SnapshotFigures,
    pub(crate) upload: Option<SnapshotUpload>,
}
