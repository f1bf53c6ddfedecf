//! The history of a segment's size, one entry per evaluation.

use super::item::{Item, expiry, find_moment, find_number, find_text, key, needed, number, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use jiff::Timestamp;
use relay_model::{RunId, SegmentId};
use serde::Serialize;
use utoipa::ToSchema;

const PREFIX: &str = "size#";

/// The size of a segment at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SegmentSize {
    /// The run that evaluated it.
    pub run_id: RunId,
    /// Its members then.
    pub members: u64,
    /// The time.
    pub at: Timestamp,
}

fn partition(segment: &SegmentId) -> String {
    format!("segment#{segment}")
}

impl Ledger {
    /// Records how many members a run found in a segment. Recording it again for the same run replaces the entry.
    pub async fn note_size(
        &self,
        segment: &SegmentId,
        run_id: RunId,
        members: u64,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(partition(segment), format!("{PREFIX}{run_id}"))))
            .update_expression("SET members = :members, at_ms = :at, expires_at = :expiry")
            .expression_attribute_values(":members", number(members))
            .expression_attribute_values(":at", number(at.as_millisecond()))
            .expression_attribute_values(":expiry", expiry(at));
        self.is_written("note size in", request.send().await).map(drop)
    }

    /// Returns the sizes of a segment, the newest first, at most `limit`.
    pub async fn sizes(&self, segment: &SegmentId, limit: i32) -> Result<Vec<SegmentSize>, LedgerError> {
        count_call();
        let page = self
            .client
            .query()
            .table_name(&self.table)
            .scan_index_forward(false)
            .limit(limit)
            .key_condition_expression("pk = :segment AND begins_with(sk, :prefix)")
            .expression_attribute_values(":segment", text(partition(segment)))
            .expression_attribute_values(":prefix", text(PREFIX))
            .send()
            .await
            .map_err(|error| self.cloud("list sizes in", &error))?;
        page.items().iter().map(read).collect()
    }
}

fn read(item: &Item) -> Result<SegmentSize, LedgerError> {
    let run_id = find_text(item, "sk").and_then(|sort| sort.strip_prefix(PREFIX)?.parse().ok());
    Ok(SegmentSize {
        run_id: needed(run_id, "sk")?,
        members: needed(find_number(item, "members"), "members")?,
        at: needed(find_moment(item, "at_ms"), "at_ms")?,
    })
}
