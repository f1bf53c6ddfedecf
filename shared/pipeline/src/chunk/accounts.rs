//! The delta of one target list, and the sums that the caps and the guard are about.

use super::limits::{cap_error, declared_removals, held_text};
use super::sink::DeltaSink;
use super::{Chunk, StageError};
use relay_cloud::ledger::DeliveredPointer;
use relay_connectors::{CapScope, Connector, DeltaSize, Gathering, LaneScope, Limits, Prepared};
use relay_delivery::delta::{DeliveredReader, Differ, DifferError, DifferFigures, Sink};
use relay_delivery::mapping::{Mapper, MappingError};
use relay_delivery::snapshot::{Manifest, SnapshotReader, Union};
use relay_model::ListId;
use relay_model::batch::{BatchEntry, Kind, gather};
use relay_model::catalog::{Export, OverCap};
use relay_model::run::{Delta, DeltaLocals, Keys, ListUploads, Run, RunMode, RunSegment, StopCode};
use relay_model::uploads::UploadId;
use std::collections::HashSet;
use std::fs::File;
use std::io;

/// One target list's work.
pub(super) struct TargetWork<'a> {
    pub(super) target: usize,
    pub(super) list: &'a ListId,
    pub(super) export: &'a Export,
    pub(super) keys: &'a Keys,
    pub(super) segments: &'a [RunSegment],
    pub(super) lanes: u16,
    /// The members that the delta is about, by digest; all where there are none given.
    pub(super) only: Option<HashSet<u128>>,
}

/// Sums over the target lists of a run.
pub(super) struct Accounts {
    cap_rows: u64,
    scope: CapScope,
    over: OverCap,
    guard: relay_model::catalog::Guard,
    deliverable: u64,
    /// The most of one target list.
    largest: u64,
    delivered_before: u64,
    removals: u64,
    resting: u64,
}

impl Accounts {
    /// `resting` profiles are on lists that the run leaves alone: they count as well.
    pub(super) fn new(limits: Limits, export: &Export, resting: u64) -> Self {
        Self {
            resting,
            cap_rows: export.cap.rows.map_or(limits.cap_rows, |rows| rows.min(limits.cap_rows)),
            scope: limits.cap_scope,
            over: export.cap.over,
            guard: export.guard,
            deliverable: 0,
            largest: 0,
            delivered_before: 0,
            removals: 0,
        }
    }

    fn cap_left(&self) -> u64 {
        match self.scope {
            CapScope::Export => self.cap_rows.saturating_sub(self.deliverable + self.resting),
            CapScope::Segment => self.cap_rows,
        }
    }

    /// Adds one target list, whose members are `segments`'.
    pub(super) fn add<'a>(
        &mut self,
        figures: &DifferFigures,
        segments: impl Iterator<Item = &'a RunSegment>,
        ending: &[UploadId],
    ) {
        let declared = declared_removals(figures.removals, segments, ending);
        self.deliverable += figures.deliverable;
        self.largest = self.largest.max(figures.deliverable);
        self.delivered_before += figures.delivered_before.saturating_sub(declared);
        self.removals += figures.removals - declared;
    }

    /// Over the cap nothing is sent at all, unless the export says that the rest may be left out.
    pub(super) fn check_cap(&self) -> Result<(), StageError> {
        self.within_cap(self.deliverable, self.largest)
    }

    /// Refuses so many profiles in all, of which one target list has `largest`, where they are over the cap.
    pub(super) fn within_cap(&self, all: u64, largest: u64) -> Result<(), StageError> {
        let counted = match self.scope {
            CapScope::Export => all + self.resting,
            CapScope::Segment => largest,
        };
        if self.over == OverCap::Fail && counted > self.cap_rows {
            return Err(cap_error(counted, self.cap_rows));
        }
        Ok(())
    }

    /// Why the guard holds the run, if it does.
    pub(super) fn held(&self, segments: &[RunSegment]) -> Option<String> {
        held_text(self.guard, self.removals, self.delivered_before, segments)
    }
}

/// What a delta is made of: files, and how they are read.
pub(super) struct DeltaInputs {
    pub(super) mapper: Mapper,
    snapshots: Vec<File>,
    delivered: Option<File>,
    cap_left: u64,
    over: OverCap,
    only: Option<HashSet<u128>>,
}

impl DeltaInputs {
    /// Makes the delta, into a sink of this kind.
    pub(super) async fn differ<S: Sink + 'static, R: Send + 'static>(
        self,
        begin: impl FnOnce() -> io::Result<S> + Send + 'static,
        finish: impl FnOnce(S) -> io::Result<R> + Send + 'static,
    ) -> Result<(DifferFigures, R), StageError> {
        let Self { mapper, snapshots, delivered, cap_left, over, only } = self;
        // The differ computes and writes files for as long as the rows last: not on a thread that serves others.
        let made = tokio::task::spawn_blocking(move || {
            let mut sink = begin()?;
            let rejoinable = Differ::<S>::rejoinable(open(delivered.as_ref())?)?;
            let readers: Result<Vec<_>, _> = snapshots.into_iter().map(SnapshotReader::open).collect();
            let members = Union::new(readers?);
            let differ = Differ::new(&mapper, &mut sink, cap_left, over, rejoinable)?.only(only);
            let figures = differ.run(members, open(delivered.as_ref())?)?;
            Ok::<_, DifferError>((figures, finish(sink)?))
        });
        made.await
            .map_err(|error| StageError::stop(StopCode::DeltaPanicked, error.to_string()))?
            .map_err(differ_error)
    }
}

impl Chunk {
    /// The segments of the export with their snapshots' figures.
    pub(super) async fn run_segments(
        &self,
        run: &Run,
        export: &Export,
        keys: &Keys,
    ) -> Result<Vec<RunSegment>, StageError> {
        let mut counted = HashSet::new();
        let mut segments = Vec::with_capacity(export.segments.len());
        for entry in &export.segments {
            let bytes = self.objects.get(&keys.manifest(&entry.segment)).await?;
            let manifest: Manifest = serde_json::from_slice(&bytes)
                .map_err(|error| StageError::stop(StopCode::ManifestDamaged, error.to_string()))?;
            // A segment that goes to two lists is evaluated once, so its unusable rows came in once.
            // A retry is about members only, and those rows are nobody's.
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

    /// What the delta of one target list is made of.
    pub(super) async fn delta_inputs<T>(
        &self,
        work: TargetWork<'_>,
        prepared: &Prepared<T>,
        pointer: Option<&DeliveredPointer>,
        accounts: &Accounts,
    ) -> Result<DeltaInputs, StageError> {
        let TargetWork { list, export, keys, segments, only, .. } = work;
        let mut snapshots = Vec::new();
        for entry in of_list(segments, list) {
            snapshots.push(self.objects.download(&keys.snapshot(&entry.segment)).await?);
        }
        let delivered = match pointer {
            Some(pointer) => Some(self.objects.download(&pointer.object_key).await?),
            None => None,
        };
        let columns = match snapshots.first() {
            Some(first) => SnapshotReader::open(first.try_clone()?)?.attributes().to_vec(),
            None => export.attributes(),
        };
        let mapper = Mapper::bind(export, prepared.match_key, &columns, &prepared.fields, &prepared.terms)
            .map_err(|error| mapping_error(&error))?;
        let (cap_left, over) = (accounts.cap_left(), accounts.over);
        Ok(DeltaInputs { mapper, snapshots, delivered, cap_left, over, only })
    }

    /// Makes and stores the delta of one target list.
    pub(super) async fn make_delta<C: Connector>(
        &self,
        work: TargetWork<'_>,
        connector: &C,
        prepared: &Prepared<C::Target>,
        accounts: &mut Accounts,
    ) -> Result<Delta, StageError> {
        let TargetWork { target, list, export, keys, segments, lanes, .. } = work;
        let pointer = self.ledger.delivered(&export.id, list).await?;
        let inputs = self.delta_inputs(work, prepared, pointer.as_ref(), accounts).await?;
        let field_keys = inputs.mapper.field_keys().to_vec();
        let sink_keys = field_keys.clone();
        let made = inputs.differ(
            move || DeltaSink::new(&sink_keys, lanes, C::LIMITS.batch, C::row_bytes),
            DeltaSink::finish,
        );
        let (figures, files) = made.await?;
        let uploads = uploads_of(segments, list, pointer.as_ref());
        accounts.add(&figures, of_list(segments, list), &uploads.ending);
        let mut prepared_target = prepared.target.clone();
        let size = delta_size(&files.batches, field_keys.len(), lanes);
        let Gathering { limits, notices } = connector.gather(&mut prepared_target, size);
        let batches = match limits {
            Some(limits) => gather(files.batches, limits),
            None => files.batches,
        };
        let object_key = keys.delta(target);
        let settled = DeltaLocals {
            members_key: keys.settled(target, "members"),
            removals_key: keys.settled(target, "removals"),
        };
        self.objects.upload(&object_key, files.frames.path()).await?;
        self.objects.upload(&settled.members_key, files.members.path()).await?;
        self.objects.upload(&settled.removals_key, files.removals.path()).await?;
        Ok(Delta {
            target_list: list.clone(),
            uploads,
            prepared: serde_json::to_value(&prepared_target)
                .map_err(|error| StageError::stop(StopCode::TargetUnwritable, error.to_string()))?,
            field_keys,
            terms: prepared.terms.clone(),
            object_key,
            batches,
            settled,
            delivered_before: pointer.map(|pointer| pointer.object_key),
            rows_in: figures.members + figures.removals,
            counts: figures.settled,
            warnings: figures.warnings,
            notices,
            lanes_of: match C::LIMITS.lane_scope {
                LaneScope::Connection => None,
                LaneScope::List => Some(prepared.list_id.clone()),
            },
        })
    }
}

/// The segments of one target list.
pub(super) fn of_list<'a>(
    segments: &'a [RunSegment],
    list: &'a ListId,
) -> impl Iterator<Item = &'a RunSegment> {
    segments.iter().filter(move |entry| entry.target_list == *list)
}

/// The custom uploads behind one target list, given what is delivered to it.
pub(super) fn uploads_of(
    segments: &[RunSegment],
    list: &ListId,
    pointer: Option<&DeliveredPointer>,
) -> ListUploads {
    ListUploads::of(of_list(segments, list), pointer.map_or(&[][..], |pointer| &pointer.uploads))
}

pub(super) fn delta_size(batches: &[BatchEntry], fields: usize, lanes: u16) -> DeltaSize {
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
