//! How many members a segment has had, each time that it was evaluated.

use super::item::{Item, expiry, find_moment, find_number, find_text, key, needed, number, text};
use super::{Ledger, LedgerError};
use crate::count_call;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use relay_model::{RunId, SegmentId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

const PREFIX: &str = "size#";

/// How many members a segment had once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SegmentSize {
    /// The run that evaluated it; none where the segment keeps its members, which are evaluated beside runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Its members then.
    pub members: u64,
    /// When.
    pub at: Timestamp,
}

/// What evaluated a segment. Both ids are ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evaluation {
    /// A run.
    Run(RunId),
    /// A refresh of the members that the segment keeps.
    Refresh(Uuid),
}

fn partition(segment: &SegmentId) -> String {
    format!("segment#{segment}")
}

impl Ledger {
    /// Notes how many members a segment has. Noted again for the same evaluation, it is one.
    pub async fn note_size(
        &self,
        segment: &SegmentId,
        evaluation: Evaluation,
        members: u64,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let (id, of_run) = match evaluation {
            Evaluation::Run(run_id) => (run_id.0, true),
            Evaluation::Refresh(refresh_id) => (refresh_id, false),
        };
        count_call();
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(partition(segment), format!("{PREFIX}{id}"))))
            .update_expression("SET members = :members, at_ms = :at, expires_at = :expiry, of_run = :of_run")
            .expression_attribute_values(":members", number(members))
            .expression_attribute_values(":at", number(at.as_millisecond()))
            .expression_attribute_values(":expiry", expiry(at))
            .expression_attribute_values(":of_run", AttributeValue::Bool(of_run));
        self.is_written("note size in", request.send().await).map(drop)
    }

    /// The sizes of a segment, the newest first, at most `limit`.
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
    let run_id: RunId = needed(run_id, "sk")?;
    // What was noted before there were refreshes is of a run.
    let is_refresh = matches!(item.get("of_run"), Some(AttributeValue::Bool(false)));
    Ok(SegmentSize {
        run_id: Some(run_id).filter(|_| !is_refresh),
        members: needed(find_number(item, "members"), "members")?,
        at: needed(find_moment(item, "at_ms"), "at_ms")?,
    })
}
