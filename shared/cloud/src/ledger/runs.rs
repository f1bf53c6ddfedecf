//! Reads runs and changes their state.

use super::item::{
    Item, expiry, find_json, find_moment, find_number, find_text, needed, number, run_key, text,
};
use super::{Ledger, LedgerError};
use crate::count_call;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use relay_model::run::{Cancellation, Failure, Run, RunState, Stage};
use relay_model::{ConnectionId, Counts, ExportId, OutcomeKind, RunId};

/// The changes that accompany a run's state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunChange {
    /// The step that begins.
    pub started: Option<Stage>,
    /// The end of the run.
    pub is_ended: Option<Timestamp>,
    /// The plan's figures: input rows, rows settled without a call, batches, and calls so far.
    pub planned: Option<(u64, Counts, u64, u64)>,
    /// The final counts of all outcomes.
    pub counts: Option<Counts>,
    /// The approval of the removals that the guard held.
    pub approved: Option<()>,
    /// Notices.
    pub notices: Option<Vec<String>>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// The cancellation. The first one is kept.
    pub canceled: Option<Cancellation>,
    /// The key of its report.
    pub report_key: Option<String>,
}

impl Ledger {
    /// Returns a run.
    pub async fn run(&self, run_id: RunId) -> Result<Run, LedgerError> {
        let item = self.item(run_key(run_id)).await?.ok_or(LedgerError::RunMissing(run_id))?;
        read(run_id, &item)
    }

    /// Moves a run from one of the states `from` to `to`. Returns whether it did; nothing changes if the
    /// run is in another state.
    pub async fn advance(
        &self,
        run_id: RunId,
        from: &[RunState],
        to: RunState,
        now: Timestamp,
        change: &RunChange,
    ) -> Result<bool, LedgerError> {
        let (mut update, mut values) = describe(change)?;
        update.extend(["#state = :state", "updated_at_ms = :now", "expires_at = :expiry"].map(str::to_owned));
        values.insert(":state".to_owned(), text(to.name()));
        values.insert(":now".to_owned(), number(now.as_millisecond()));
        values.insert(":expiry".to_owned(), expiry(now));
        if let Some(stage) = change.started {
            let attribute = started_attribute(stage);
            // A step that is repeated after a crash keeps its first start time.
            update.push(format!("{attribute} = if_not_exists({attribute}, :now)"));
        }
        let mut names = Vec::new();
        for (index, state) in from.iter().enumerate() {
            names.push(format!(":from{index}"));
            values.insert(format!(":from{index}"), text(state.name()));
        }
        count_call();
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(run_key(run_id)))
            .update_expression(format!("SET {}", update.join(", ")))
            .condition_expression(format!("#state IN ({})", names.join(", ")))
            .expression_attribute_names("#state", "state")
            .set_expression_attribute_values(Some(values))
            .send()
            .await;
        self.is_written("advance run in", answer)
    }

    pub(super) async fn item(&self, key: Item) -> Result<Option<Item>, LedgerError> {
        count_call();
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        Ok(request.send().await.map_err(|error| self.cloud("read item of", &error))?.item)
    }
}

const fn started_attribute(stage: Stage) -> &'static str {
    match stage {
        Stage::Snapshot => "snapshot_started_ms",
        Stage::Chunk => "chunk_started_ms",
        Stage::Push => "push_started_ms",
        Stage::Finish => "finish_started_ms",
    }
}

pub(super) fn describe(change: &RunChange) -> Result<(Vec<String>, Item), LedgerError> {
    let mut update = Vec::new();
    let mut values = Item::new();
    let mut set = |attribute: &str, value: AttributeValue| {
        update.push(format!("{attribute} = :{attribute}"));
        values.insert(format!(":{attribute}"), value);
    };
    let mut set_counts = |counts: &Counts| {
        for kind in OutcomeKind::ALL {
            set(&format!("rows_{}", kind.name()), number(counts.of(kind)));
        }
    };
    if let Some((_, counts, _, _)) = &change.planned {
        set_counts(counts);
    }
    if let Some(counts) = &change.counts {
        set_counts(counts);
    }
    if let Some((rows_in, settled, batches, calls)) = change.planned {
        set("rows_settled", number(settled.total()));
        set("rows_in", number(rows_in));
        set("batches", number(batches));
        set("batches_open", number(batches));
        set("calls", number(calls));
    }
    if let Some(ended) = change.is_ended {
        set("ended_ms", number(ended.as_millisecond()));
    }
    if change.approved.is_some() {
        set("approved", AttributeValue::Bool(true));
    }
    if let Some(notices) = &change.notices {
        set("notices", text(json(notices, "notices")?));
    }
    if let Some(failure) = &change.failure {
        set("failure", text(json(failure, "failure")?));
    }
    if let Some(report_key) = &change.report_key {
        set("report_key", text(report_key));
    }
    if let Some(canceled) = &change.canceled {
        update.push("canceled = if_not_exists(canceled, :canceled)".to_owned());
        values.insert(":canceled".to_owned(), text(json(canceled, "canceled")?));
    }
    Ok((update, values))
}

fn json(value: &impl serde::Serialize, attribute: &'static str) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|_| LedgerError::Damaged { attribute })
}

fn read(run_id: RunId, item: &Item) -> Result<Run, LedgerError> {
    let mut counts = Counts::default();
    for kind in OutcomeKind::ALL {
        counts.count(kind, find_number(item, &format!("rows_{}", kind.name())).unwrap_or(0));
    }
    let export_id = find_text(item, "export_id").and_then(|id| ExportId::try_from(id.to_owned()).ok());
    let connection_id =
        find_text(item, "connection_id").and_then(|id| ConnectionId::try_from(id.to_owned()).ok());
    Ok(Run {
        run_id,
        export_id: needed(export_id, "export_id")?,
        connection_id: needed(connection_id, "connection_id")?,
        mode: needed(find_json(item, "mode"), "mode")?,
        state: needed(find_text(item, "state").and_then(RunState::from_name), "state")?,
        trigger: needed(find_json(item, "trigger"), "trigger")?,
        requested_at: needed(find_moment(item, "requested_at_ms"), "requested_at_ms")?,
        updated_at: needed(find_moment(item, "updated_at_ms"), "updated_at_ms")?,
        snapshot_started_at: find_moment(item, "snapshot_started_ms"),
        chunk_started_at: find_moment(item, "chunk_started_ms"),
        push_started_at: find_moment(item, "push_started_ms"),
        finish_started_at: find_moment(item, "finish_started_ms"),
        ended_at: find_moment(item, "ended_ms"),
        rows_in: find_number(item, "rows_in"),
        counts,
        rows_settled: find_number(item, "rows_settled").unwrap_or(0),
        batches: find_number(item, "batches").unwrap_or(0),
        batches_open: find_number(item, "batches_open").unwrap_or(0),
        calls: find_number(item, "calls").unwrap_or(0),
        throttled: find_number(item, "throttled").unwrap_or(0),
        pause: find_json(item, "pause"),
        members: super::progress::members(item),
        is_approved: item
            .get("approved")
            .and_then(|value| value.as_bool().ok())
            .is_some_and(|approved| *approved),
        notices: find_json(item, "notices").unwrap_or_default(),
        failure: find_json(item, "failure"),
        canceled: find_json(item, "canceled"),
        report_key: find_text(item, "report_key").map(str::to_owned),
    })
}
