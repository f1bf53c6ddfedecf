//! Segments that keep their members: evaluated when their schedule says so, and taken as they are by the runs until then.

use crate::handler::{Made, Snapshots, TABLE_QUERY, query_error, segment_query};
use jiff::Timestamp;
use relay_cloud::LookupError;
use relay_cloud::ledger::{Evaluation, KeptBy, KeptMembers, RefreshFailure, SegmentMembers};
use relay_delivery::snapshot::MEMBER_KEY_COLUMN;
use relay_engine::{EngineSettings, SegmentQuery, SnapshotFigures, describe, evaluate};
use relay_model::SegmentId;
use relay_model::catalog::{CatalogError, Origin, Segment};
use relay_pipeline::{MembersAction, MembersTask, StageError, exclusions, members_definition};
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Others that keep members of the same segment at the same moment are let go first so often.
const TRIES: usize = 3;
/// How long a run waits for a refresh that somebody else works on, before it evaluates the segment itself.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Which members are wanted.
enum Wanted<'a> {
    /// Any that are of the definition.
    Any,
    /// Those of this refresh.
    Of(&'a str),
}

impl Snapshots {
    /// Carries out what was asked for about the members that a segment keeps.
    pub(crate) async fn members(&self, task: MembersTask) -> Result<(), StageError> {
        let MembersTask { segment_id, action, key, .. } = task;
        let segment = match self.catalog.get::<Segment>(segment_id.as_str()).await {
            Ok(segment) => Some(segment),
            Err(LookupError::Catalog(CatalogError::Missing { .. })) => None,
            Err(error) => return Err(error.into()),
        };
        let keeps = segment.as_ref().filter(|segment| members_definition(segment).is_some());
        match (keeps, action) {
            (Some(segment), MembersAction::Refresh) => self.refresh(segment, &key).await,
            (Some(segment), MembersAction::LeaveOut) => self.leave_out(segment).await,
            (Some(_), MembersAction::LetGo) => {
                let is_unused = self.ledger.members(&segment_id).await?.unused_since.is_some();
                if is_unused { self.let_go(&segment_id).await } else { Ok(()) }
            }
            (None, _) => {
                self.let_go(&segment_id).await?;
                Ok(self.ledger.forget_all_members(&segment_id).await?)
            }
        }
    }

    /// Evaluates a segment's members, and notes why that is not possible where it is not: nobody waits for the answer, and
    /// asking again would not change it.
    async fn refresh(&self, segment: &Segment, key: &str) -> Result<(), StageError> {
        match self.current(segment, &Wanted::Of(key)).await {
            Ok(kept) => {
                let rows = kept.rows;
                tracing::info!(segment.id = %segment.id, rows, "members are kept");
                Ok(())
            }
            Err(StageError::Stop { code, text }) => {
                tracing::warn!(segment.id = %segment.id, error.code = code, %text, "members could not be evaluated");
                let failure = RefreshFailure { code, text, at: Timestamp::now() };
                Ok(self.ledger.note_refresh_failure(&segment.id, &failure).await?)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the kept members anew, without whoever is kept out since. They are as old as they were, and nobody else
    /// comes or goes.
    async fn leave_out(&self, segment: &Segment) -> Result<(), StageError> {
        for _ in 0..TRIES {
            let Some(kept) = self.ledger.members(&segment.id).await?.kept else {
                return self.delete_kept(&segment.id, None).await;
            };
            if let Some(object_key) = self.rewrite(segment, &kept).await? {
                // A run that is reading the others begins its step again and takes these.
                return self.delete_kept(&segment.id, Some(&object_key)).await;
            }
        }
        Err(contended(segment))
    }

    /// Gives where the members are now; `None` where others have replaced them meanwhile.
    async fn rewrite(&self, segment: &Segment, kept: &KeptMembers) -> Result<Option<String>, StageError> {
        let engine = self.table_engine(&kept.object_key, EngineSettings::new(std::env::temp_dir())).await?;
        let described = describe(&engine, TABLE_QUERY, MEMBER_KEY_COLUMN)
            .await
            .map_err(|error| crate::stage_error::stage_error(&error))?;
        let query = SegmentQuery {
            text: TABLE_QUERY.to_owned(),
            member_key: MEMBER_KEY_COLUMN.to_owned(),
            attributes: described.columns.into_iter().map(|column| column.name).collect(),
        };
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("members.parquet");
        let rows = evaluate(&engine, &query, &path)
            .await
            .map_err(|error| crate::stage_error::stage_error(&error))?
            .rows;
        let object_key = format!("{}{}.parquet", prefix(&segment.id), Uuid::now_v7());
        self.objects.upload(&object_key, &path).await?;
        let without = KeptMembers { object_key, rows, ..kept.clone() };
        let by = KeptBy::Rewriting;
        if !self.ledger.keep_members(&segment.id, &without, Some(&kept.object_key), by).await? {
            self.objects.delete(&without.object_key).await?;
            return Ok(None);
        }
        tracing::info!(segment.id = %segment.id, rows, "kept members are written anew");
        Ok(Some(without.object_key))
    }

    /// Deletes what the segment keeps.
    async fn let_go(&self, segment: &SegmentId) -> Result<(), StageError> {
        if let Some(kept) = self.ledger.members(segment).await?.kept {
            // The ledger first, so that no run is sent to what is not there.
            self.ledger.forget_members(segment, &kept.object_key).await?;
        }
        self.delete_kept(segment, None).await?;
        tracing::info!(segment.id = %segment, "members are let go");
        Ok(())
    }

    /// Deletes the objects of a segment, those too that a function left which was killed: all of them, or those that are
    /// older than one. Their names are ordered by time.
    async fn delete_kept(&self, segment: &SegmentId, older_than: Option<&str>) -> Result<(), StageError> {
        for object in self.objects.list(&prefix(segment)).await? {
            if older_than.is_none_or(|bound| object.key.as_str() < bound) {
                self.objects.delete(&object.key).await?;
            }
        }
        Ok(())
    }

    /// The members that a run takes: those that are kept, or new ones where there are none, where they are of another
    /// definition, and where a refresh was asked for that has not come yet. Where the new ones cannot be had, the run takes
    /// the old ones, and why.
    pub(crate) async fn members_for_run(
        &self,
        segment: &Segment,
    ) -> Result<(KeptMembers, Option<String>), StageError> {
        let members = self.after_pending_refresh(segment).await?;
        let pending = members.pending_refresh();
        let wanted = pending.map_or(Wanted::Any, Wanted::Of);
        let (kept, stale) = match self.current(segment, &wanted).await {
            Ok(kept) => (kept, None),
            Err(StageError::Stop { code, text }) if is_of(members.kept.as_ref(), segment) => {
                let failure = RefreshFailure { code, text, at: Timestamp::now() };
                self.ledger.note_refresh_failure(&segment.id, &failure).await?;
                (self.current(segment, &Wanted::Any).await?, Some(failure.text))
            }
            Err(error) => return Err(error),
        };
        let earlier_failure = members.failure.filter(|failure| failure.at > kept.refreshed_at);
        let stale = stale.or(earlier_failure.map(|failure| failure.text));
        Ok((kept, stale))
    }

    /// What is kept, once a refresh that is asked for has come: it is worked on beside, and everybody who waits for it would
    /// read the lake once more. It is waited for for a while only.
    async fn after_pending_refresh(&self, segment: &Segment) -> Result<SegmentMembers, StageError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let members = self.ledger.members(&segment.id).await?;
            if members.pending_refresh().is_none() || Instant::now() > until {
                return Ok(members);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The snapshot of a segment that keeps its members.
    pub(crate) async fn snapshot_kept(
        &self,
        segment: &Segment,
        attributes: Vec<String>,
        path: &Path,
    ) -> Result<Made, StageError> {
        let (kept, stale) = self.members_for_run(segment).await?;
        let query = SegmentQuery {
            text: TABLE_QUERY.to_owned(),
            member_key: MEMBER_KEY_COLUMN.to_owned(),
            // Selected already, under this name.
            attributes: attributes.into_iter().filter(|name| name != MEMBER_KEY_COLUMN).collect(),
        };
        let settings = EngineSettings::new(std::env::temp_dir());
        let engine = self.table_engine(&kept.object_key, settings).await?;
        let figures = match evaluate(&engine, &query, path).await {
            Ok(figures) => figures,
            Err(error) => {
                let now_kept = self.ledger.members(&segment.id).await?.kept;
                if now_kept.is_none_or(|now_kept| now_kept.object_key != kept.object_key) {
                    let text =
                        format!("segment \"{}\": its members were replaced while they were read", segment.id);
                    return Err(StageError::again("members_replaced", text));
                }
                return Err(query_error(segment, error));
            }
        };
        let figures = SnapshotFigures {
            rows_without_key: kept.rows_without_key,
            duplicate_member_rows: kept.duplicate_member_rows,
            ..figures
        };
        Ok(Made { query, figures, upload: None, refreshed_at: Some(kept.refreshed_at), stale })
    }

    async fn current(&self, segment: &Segment, wanted: &Wanted<'_>) -> Result<KeptMembers, StageError> {
        let definition = members_definition(segment).unwrap_or_default();
        for _ in 0..TRIES {
            let before = self.ledger.members(&segment.id).await?;
            let usable = before.kept.as_ref().filter(|kept| {
                let is_wanted = match wanted {
                    Wanted::Any => true,
                    Wanted::Of(key) => kept.refresh_key == *key,
                };
                is_wanted && is_of(Some(kept), segment)
            });
            if let Some(kept) = usable {
                return Ok(kept.clone());
            }
            let key = match wanted {
                Wanted::Of(key) => *key,
                Wanted::Any => "first run",
            };
            if let Some(kept) = self.keep(segment, &definition, key, before).await? {
                return Ok(kept);
            }
        }
        Err(contended(segment))
    }

    /// Evaluates the members and makes them the kept ones; `None` where others were faster.
    async fn keep(
        &self,
        segment: &Segment,
        definition: &str,
        refresh_key: &str,
        before: SegmentMembers,
    ) -> Result<Option<KeptMembers>, StageError> {
        let refreshed_at = Timestamp::now();
        let excluded = exclusions(&self.ledger, &self.objects).await?;
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("members.parquet");
        let figures = self.evaluate_whole(segment, &path).await?;
        let refresh_id = Uuid::now_v7();
        let object_key = format!("{}{refresh_id}.parquet", prefix(&segment.id));
        self.objects.upload(&object_key, &path).await?;
        let kept = KeptMembers {
            object_key,
            rows: figures.rows,
            rows_without_key: figures.rows_without_key,
            duplicate_member_rows: figures.duplicate_member_rows,
            definition: definition.to_owned(),
            refresh_key: refresh_key.to_owned(),
            refreshed_at,
        };
        let replaced = before.kept.map(|kept| kept.object_key);
        // Whoever was kept out while this went on would stay in it.
        let is_out_of_date = !excluded.is_same(&exclusions(&self.ledger, &self.objects).await?);
        if is_out_of_date
            || !self.ledger.keep_members(&segment.id, &kept, replaced.as_deref(), KeptBy::Refresh).await?
        {
            self.objects.delete(&kept.object_key).await?;
            return Ok(None);
        }
        // A run may be reading those that were replaced just now, but none any more those before them.
        if let Some(object_key) = before.replaced_object_key {
            self.objects.delete(&object_key).await?;
        }
        let evaluation = Evaluation::Refresh(refresh_id);
        self.ledger.note_size(&segment.id, evaluation, kept.rows, refreshed_at).await?;
        Ok(Some(kept))
    }

    /// Everybody in the segment, with every column that an export can map.
    pub(crate) async fn evaluate_whole(
        &self,
        segment: &Segment,
        path: &Path,
    ) -> Result<SnapshotFigures, StageError> {
        let sources = self.sources().await?;
        let engine = self.engine(EngineSettings::new(std::env::temp_dir()), &sources).await?;
        let origin = segment.origin().map_err(|error| StageError::stop(error.code(), error.to_string()))?;
        let Origin::Selection(selection) = origin else {
            return Err(StageError::stop("segment_is_upload", "an upload keeps its own members"));
        };
        let described = describe(&engine, &selection.query, selection.member_key).await;
        let described = described.map_err(|error| query_error(segment, &error))?;
        let query =
            segment_query(&selection, described.columns.into_iter().map(|column| column.name).collect());
        evaluate(&engine, &query, path).await.map_err(|error| query_error(segment, &error))
    }
}

/// Whether the kept members are there and of the segment's definition.
fn is_of(kept: Option<&KeptMembers>, segment: &Segment) -> bool {
    kept.is_some_and(|kept| members_definition(segment).as_ref() == Some(&kept.definition))
}

/// What the names of a segment's kept objects begin with.
fn prefix(segment: &SegmentId) -> String {
    format!("members/{segment}/")
}

fn contended(segment: &Segment) -> StageError {
    let text = format!("segment \"{}\": its members are refreshed by several at once", segment.id);
    StageError::again("members_contended", text)
}
