//! What the ledger knows of a segment that keeps its members: which ones, since when, and what is asked for.

use super::item::{Item, find_json, find_moment, find_number, find_text, key, needed, number, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use jiff::{SignedDuration, Timestamp};
use relay_model::SegmentId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The members that a segment keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMembers {
    /// Where they are, as Parquet: `member_key` and every column of the query that an export can map.
    pub object_key: String,
    /// How many there are.
    pub rows: u64,
    /// Rows of the query without a member key.
    pub rows_without_key: u64,
    /// Rows of the query beyond the first for their member key.
    pub duplicate_member_rows: u64,
    /// A hash of the query and its member key, so that nobody takes the members of another definition.
    pub definition: String,
    /// What asked for them.
    pub refresh_key: String,
    /// When they were evaluated.
    pub refreshed_at: Timestamp,
}

/// What members are kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptBy {
    /// They were evaluated.
    Refresh,
    /// Those that were there are written anew: whatever was wrong with the latest refresh still is.
    Rewriting,
}

/// Why a segment's members could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefreshFailure {
    /// A stable word.
    pub code: String,
    /// What is wrong and what would mend it.
    pub text: String,
    /// When it was tried.
    pub at: Timestamp,
}

/// What is known of a segment that keeps its members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SegmentMembers {
    /// Those that runs take; `None` until they were evaluated once.
    pub kept: Option<KeptMembers>,
    /// Where the members before them are, which a run may still be reading.
    pub replaced_object_key: Option<String>,
    /// The latest key for which a refresh was asked.
    pub asked_key: Option<String>,
    /// When it was asked for.
    pub asked_at: Option<Timestamp>,
    /// Why the latest refresh failed, if it did: the members are those of the one before.
    pub failure: Option<RefreshFailure>,
    /// Since when no export uses the segment, where none does.
    pub unused_since: Option<Timestamp>,
}

impl SegmentMembers {
    /// The refresh that was asked for and neither came nor failed.
    #[must_use]
    pub fn pending_refresh(&self) -> Option<&str> {
        let (asked_key, asked_at) = (self.asked_key.as_deref()?, self.asked_at?);
        let is_done = self.kept.as_ref().is_some_and(|kept| {
            // Whatever was evaluated after it was asked for is as good.
            kept.refresh_key == asked_key || kept.refreshed_at >= asked_at
        });
        let has_failed = self.failure.as_ref().is_some_and(|failure| failure.at >= asked_at);
        Some(asked_key).filter(|_| !is_done && !has_failed)
    }

    /// Whether it rests at `now`: no export has used it for so many days.
    #[must_use]
    pub fn rests(&self, unused_segment_days: Option<u16>, now: Timestamp) -> bool {
        match (self.unused_since, unused_segment_days) {
            (Some(since), Some(days)) => {
                now.duration_since(since) >= SignedDuration::from_hours(24 * i64::from(days))
            }
            _ => false,
        }
    }
}

fn members_key(segment: &SegmentId) -> Item {
    key(format!("segment#{segment}"), "members".to_owned())
}

impl Ledger {
    /// What is known of a segment that keeps its members.
    pub async fn members(&self, segment: &SegmentId) -> Result<SegmentMembers, LedgerError> {
        let item = self.item(members_key(segment)).await?.unwrap_or_default();
        let kept = match find_text(&item, "object_key") {
            Some(object_key) => Some(KeptMembers {
                object_key: object_key.to_owned(),
                rows: needed(find_number(&item, "rows"), "rows")?,
                rows_without_key: needed(find_number(&item, "rows_without_key"), "rows_without_key")?,
                duplicate_member_rows: needed(
                    find_number(&item, "duplicate_member_rows"),
                    "duplicate_member_rows",
                )?,
                definition: needed(find_text(&item, "definition"), "definition")?.to_owned(),
                refresh_key: needed(find_text(&item, "refresh_key"), "refresh_key")?.to_owned(),
                refreshed_at: needed(find_moment(&item, "refreshed_at_ms"), "refreshed_at_ms")?,
            }),
            None => None,
        };
        let owned = |attribute: &str| find_text(&item, attribute).map(str::to_owned);
        Ok(SegmentMembers {
            kept,
            replaced_object_key: owned("replaced_object_key"),
            asked_key: owned("asked_key"),
            asked_at: find_moment(&item, "asked_at_ms"),
            failure: find_json(&item, "failure"),
            unused_since: find_moment(&item, "unused_since_ms"),
        })
    }

    /// Notes that a refresh is asked for.
    pub async fn note_refresh_asked(
        &self,
        segment: &SegmentId,
        refresh_key: &str,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(members_key(segment)))
            .update_expression("SET asked_key = :key, asked_at_ms = :now")
            .expression_attribute_values(":key", text(refresh_key))
            .expression_attribute_values(":now", number(now.as_millisecond()));
        self.is_written("note refresh in", request.send().await).map(drop)
    }

    /// Makes these the members that runs take, instead of those in `replaced`, unless there are others or younger ones by
    /// now. Says whether they are.
    pub async fn keep_members(
        &self,
        segment: &SegmentId,
        kept: &KeptMembers,
        replaced: Option<&str>,
        by: KeptBy,
    ) -> Result<bool, LedgerError> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(members_key(segment)))
            .expression_attribute_names("#rows", "rows")
            .expression_attribute_names("#definition", "definition")
            .expression_attribute_values(":object_key", text(&kept.object_key))
            .expression_attribute_values(":rows", number(kept.rows))
            .expression_attribute_values(":rows_without_key", number(kept.rows_without_key))
            .expression_attribute_values(":duplicates", number(kept.duplicate_member_rows))
            .expression_attribute_values(":definition", text(&kept.definition))
            .expression_attribute_values(":refresh_key", text(&kept.refresh_key))
            .expression_attribute_values(":at", number(kept.refreshed_at.as_millisecond()));
        let set = "SET object_key = :object_key, #rows = :rows, rows_without_key = :rows_without_key, \
                   duplicate_member_rows = :duplicates, #definition = :definition, refresh_key = :refresh_key, \
                   refreshed_at_ms = :at";
        let ends = match by {
            KeptBy::Refresh => " REMOVE failure",
            KeptBy::Rewriting => "",
        };
        // Two that replace the same members at once must not both count, or one object would be nobody's to delete.
        request = match replaced {
            Some(replaced) => request
                .update_expression(format!("{set}, replaced_object_key = :replaced{ends}"))
                .condition_expression("object_key = :replaced AND refreshed_at_ms <= :at")
                .expression_attribute_values(":replaced", text(replaced)),
            None => request
                .update_expression(format!("{set}{ends}"))
                .condition_expression("attribute_not_exists(object_key)"),
        };
        count_call();
        self.is_written("keep members in", request.send().await)
    }

    /// Notes why a refresh failed, where there are no members that are younger.
    pub async fn note_refresh_failure(
        &self,
        segment: &SegmentId,
        failure: &RefreshFailure,
    ) -> Result<(), LedgerError> {
        let json =
            serde_json::to_string(failure).map_err(|_| LedgerError::Damaged { attribute: "failure" })?;
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(members_key(segment)))
            .update_expression("SET failure = :failure")
            .condition_expression("attribute_not_exists(refreshed_at_ms) OR refreshed_at_ms <= :at")
            .expression_attribute_values(":failure", text(json))
            .expression_attribute_values(":at", number(failure.at.as_millisecond()));
        self.is_written("note refresh's failure in", request.send().await).map(drop)
    }

    /// Notes since when no export uses the segment, or that one does.
    pub async fn note_use(
        &self,
        segment: &SegmentId,
        unused_since: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        let request = self.client.update_item().table_name(&self.table).set_key(Some(members_key(segment)));
        let request = match unused_since {
            Some(since) => request
                .update_expression("SET unused_since_ms = if_not_exists(unused_since_ms, :since)")
                .expression_attribute_values(":since", number(since.as_millisecond())),
            None => request.update_expression("REMOVE unused_since_ms"),
        };
        count_call();
        self.is_written("note use in", request.send().await).map(drop)
    }

    /// Forgets everything about the members of a segment that keeps none any more.
    pub async fn forget_all_members(&self, segment: &SegmentId) -> Result<(), LedgerError> {
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(members_key(segment)))
            .update_expression(
                "REMOVE object_key, #rows, rows_without_key, duplicate_member_rows, #definition, refresh_key, \
                 refreshed_at_ms, replaced_object_key, failure, unused_since_ms, asked_key, asked_at_ms",
            )
            .expression_attribute_names("#rows", "rows")
            .expression_attribute_names("#definition", "definition");
        self.is_written("forget members in", request.send().await).map(drop)
    }

    /// Forgets the members that a segment keeps, where they are still those in `object_key`: it keeps none any more, or
    /// not for now. Says whether they are forgotten.
    pub async fn forget_members(&self, segment: &SegmentId, object_key: &str) -> Result<bool, LedgerError> {
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(members_key(segment)))
            .update_expression(
                "REMOVE object_key, #rows, rows_without_key, duplicate_member_rows, #definition, refresh_key, \
                 refreshed_at_ms, replaced_object_key, failure",
            )
            .condition_expression("object_key = :object_key")
            .expression_attribute_names("#rows", "rows")
            .expression_attribute_names("#definition", "definition")
            .expression_attribute_values(":object_key", text(object_key));
        self.is_written("forget members in", request.send().await)
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
