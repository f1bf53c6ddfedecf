//! Computes the delta of one target list: its snapshots against its delivered state.

use super::StageError;
use super::accounts::Accounts;
use super::context::Context;
use relay_cloud::Objects;
use relay_cloud::ledger::DeliveredPointer;
use relay_connectors::{Connector, DeltaSize, Gathering, Prepared};
use relay_delivery::delta::{DeliveredReader, Differ, DifferError, DifferFigures, Sink};
use relay_delivery::mapping::{Mapper, MappingError};
use relay_delivery::snapshot::{Manifest, SnapshotReader, Union};
use relay_model::batch::{BatchEntry, BatchLimits, Kind, gather};
use relay_model::catalog::{Export, OverCap};
use relay_model::run::{Keys, ListUploads, Run, RunMode, RunSegment, StopCode};
use relay_model::{ListId, Row};
use std::collections::HashSet;
use std::fs::File;
use std::io;

/// One target list whose delta is to be computed.
pub(super) struct TargetWork<'a, T> {
    pub(super) list: &'a ListId,
    /// The name of the list in notices.
    pub(super) label: &'a str,
    pub(super) prepared: &'a Prepared<T>,
    /// The delivered state; `None` if nothing was delivered.
    pub(super) pointer: Option<DeliveredPointer>,
    /// The members that the delta is restricted to, by digest; `None` if it covers all of them.
    pub(super) only: Option<HashSet<u128>>,
}

/// The delta of one target list, computed and neither stored nor rendered.
pub(super) struct TargetDelta<T, M> {
    pub(super) list: ListId,
    pub(super) label: String,
    pub(super) prepared: Prepared<T>,
    /// The prepared target, with the push mode that fits the size of the delta.
    pub(super) target: T,
    pub(super) pointer: Option<DeliveredPointer>,
    pub(super) uploads: ListUploads,
    pub(super) field_keys: Vec<String>,
    pub(super) figures: DifferFigures,
    pub(super) batches: Vec<BatchEntry>,
    pub(super) size: DeltaSize,
    /// What the sink made of the rows.
    pub(super) made: M,
    /// The notices about the push mode.
    pub(super) notices: Vec<String>,
}

/// A sink that turns a delta into batches and an additional result.
pub(super) trait Output: Sink + Sized + 'static {
    /// The result besides the batches.
    type Made: Send + 'static;

    /// Starts an empty output.
    fn begin(
        list: ListId,
        field_keys: Vec<String>,
        lanes: u16,
        limits: BatchLimits,
        measure: fn(&Row, &[String]) -> u64,
    ) -> io::Result<Self>;

    /// Ends the output.
    fn finish(self) -> io::Result<(Vec<BatchEntry>, Self::Made)>;
}

/// The files that a delta is computed from, and how they are read.
struct DeltaInputs {
    mapper: Mapper,
    snapshots: Vec<File>,
    delivered: Option<File>,
    cap_left: u64,
    over: OverCap,
    only: Option<HashSet<u128>>,
}

impl DeltaInputs {
    /// Computes the delta and writes its rows to a sink.
    async fn differ<O: Output>(
        self,
        begin: impl FnOnce() -> io::Result<O> + Send + 'static,
    ) -> Result<(DifferFigures, Vec<BatchEntry>, O::Made), StageError> {
        let Self { mapper, snapshots, delivered, cap_left, over, only } = self;
        // The differ computes and writes files for minutes, so it must not block a thread of the async runtime.
        let made = tokio::task::spawn_blocking(move || {
            let mut sink = begin()?;
            let rejoinable = Differ::<O>::rejoinable(open(delivered.as_ref())?)?;
            let readers: Result<Vec<_>, _> = snapshots.into_iter().map(SnapshotReader::open).collect();
            let members = Union::new(readers?);
            let differ = Differ::new(&mapper, &mut sink, cap_left, over, rejoinable)?.only(only);
            let figures = differ.run(members, open(delivered.as_ref())?)?;
            let (batches, made) = sink.finish()?;
            Ok::<_, DifferError>((figures, batches, made))
        });
        made.await
            .map_err(|error| StageError::stop(StopCode::DeltaPanicked, error.to_string()))?
            .map_err(differ_error)
    }
}

/// Computes the delta of one target list and adds its figures to the accounts.
pub(super) async fn compute_delta<C: Connector, O: Output>(
    context: &Context<'_, C>,
    work: TargetWork<'_, C::Target>,
    accounts: &mut Accounts,
) -> Result<TargetDelta<C::Target, O::Made>, StageError> {
    let TargetWork { list, label, prepared, pointer, only } = work;
    let (segments, lanes) = (context.segments, context.connector.lanes());
    let inputs = fetch_inputs(context, list, prepared, pointer.as_ref(), only, accounts).await?;
    let field_keys = inputs.mapper.field_keys().to_vec();
    let (sink_list, sink_keys) = (list.clone(), field_keys.clone());
    let begin = move || O::begin(sink_list, sink_keys, lanes, C::LIMITS.batch, C::row_bytes);
    let (figures, batches, made) = inputs.differ(begin).await?;
    let uploads = uploads_of(segments, list, pointer.as_ref());
    accounts.add(&figures, of_list(segments, list), &uploads.ending);
    let mut target = prepared.target.clone();
    let size = delta_size(&batches, field_keys.len(), lanes);
    let Gathering { limits, notices } = context.connector.gather(&mut target, size);
    let batches = match limits {
        Some(limits) => gather(batches, limits),
        None => batches,
    };
    Ok(TargetDelta {
        list: list.clone(),
        label: label.to_owned(),
        prepared: prepared.clone(),
        target,
        pointer,
        uploads,
        field_keys,
        figures,
        batches,
        size,
        made,
        notices,
    })
}

/// Downloads the files that the delta of one target list is computed from.
async fn fetch_inputs<C: Connector>(
    context: &Context<'_, C>,
    list: &ListId,
    prepared: &Prepared<C::Target>,
    pointer: Option<&DeliveredPointer>,
    only: Option<HashSet<u128>>,
    accounts: &Accounts,
) -> Result<DeltaInputs, StageError> {
    let (objects, export) = (&context.chunk.objects, context.export());
    let mut snapshots = Vec::new();
    for entry in of_list(context.segments, list) {
        snapshots.push(objects.download(&context.keys.snapshot(&entry.segment)).await?);
    }
    let delivered = match pointer {
        Some(pointer) => Some(objects.download(&pointer.object_key).await?),
        None => None,
    };
    let columns = match snapshots.first() {
        Some(first) => SnapshotReader::open(first.try_clone()?)?.attributes().to_vec(),
        None => export.attributes(),
    };
    let mapper = Mapper::bind(export, prepared.match_key, &columns, &prepared.fields, &prepared.terms)
        .map_err(|error| mapping_error(&error))?;
    Ok(DeltaInputs {
        mapper,
        snapshots,
        delivered,
        cap_left: accounts.cap_left(),
        over: accounts.over(),
        only,
    })
}

/// Reads the segments of the export with their snapshots' figures.
pub(super) async fn run_segments(
    objects: &Objects,
    run: &Run,
    export: &Export,
    keys: &Keys,
) -> Result<Vec<RunSegment>, StageError> {
    let mut counted = HashSet::new();
    let mut segments = Vec::with_capacity(export.segments.len());
    for entry in &export.segments {
        let bytes = objects.get(&keys.manifest(&entry.segment)).await?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| StageError::stop(StopCode::ManifestDamaged, error.to_string()))?;
        // A segment with two target lists is evaluated once, so its unusable rows are counted once.
        // A retry covers members only, and those rows have no member.
        let is_first = counted.insert(&entry.segment) && !matches!(run.mode, RunMode::Retry { .. });
        segments.push(RunSegment {
            segment: entry.segment.clone(),
            target_list: entry.list(),
            members: manifest.rows,
            rows_without_key: if is_first { manifest.rows_without_key } else { 0 },
            duplicate_member_rows: if is_first { manifest.duplicate_member_rows } else { 0 },
            upload: manifest.upload.as_ref().map(|upload| upload.upload_id.clone()),
            expired_members: manifest.upload.filter(|upload| upload.is_expired).map(|upload| upload.rows),
        });
    }
    Ok(segments)
}

/// Returns the segments of one target list.
fn of_list<'a>(segments: &'a [RunSegment], list: &'a ListId) -> impl Iterator<Item = &'a RunSegment> {
    segments.iter().filter(move |entry| entry.target_list == *list)
}

/// Returns the custom uploads behind one target list, given what is delivered to it.
fn uploads_of(segments: &[RunSegment], list: &ListId, pointer: Option<&DeliveredPointer>) -> ListUploads {
    ListUploads::of(of_list(segments, list), pointer.map_or(&[][..], |pointer| &pointer.uploads))
}

/// Returns the size of the additions and changes of a delta.
fn delta_size(batches: &[BatchEntry], fields: usize, lanes: u16) -> DeltaSize {
    let upserts = batches.iter().filter(|batch| batch.kind == Kind::Upsert);
    let mut size =
        DeltaSize { fields: u64::try_from(fields).unwrap_or(u64::MAX), lanes, ..DeltaSize::default() };
    for batch in upserts {
        size.upsert_rows += u64::from(batch.rows);
        size.upsert_bytes += batch.request_bytes;
    }
    size
}

fn open(delivered: Option<&File>) -> Result<DeliveredReader, DifferError> {
    match delivered {
        Some(file) => Ok(DeliveredReader::open(file.try_clone()?)?),
        None => Ok(DeliveredReader::empty()),
    }
}

/// Converts a mapping error to one that stops the run.
pub(crate) fn mapping_error(error: &MappingError) -> StageError {
    let code = match error {
        MappingError::UnknownField { .. } => StopCode::MappingUnknownField,
        MappingError::UnknownAttribute { .. } => StopCode::MappingUnknownAttribute,
        MappingError::SameField { .. } => StopCode::MappingSameField,
    };
    StageError::stop(code, error.to_string())
}

fn differ_error(error: DifferError) -> StageError {
    match error {
        DifferError::Input(error) => error.into(),
        DifferError::OutOfOrder(error) => StageError::stop(StopCode::SnapshotDamaged, error.to_string()),
        DifferError::Output(error) => error.into(),
        DifferError::Spool(error) => StageError::stop(StopCode::SpoolDamaged, error.to_string()),
    }
}
