//! Evaluates a segment's query to a file of sorted, deduplicated members.

use crate::check::{Planned, SegmentQuery, plan};
use crate::columns::{MEMBER_KEY, OutputColumn, Selection};
use crate::engine::{Engine, Mode};
use crate::errors::QueryError;
use crate::explain::{Budgets, planning, running};
use crate::writer::{SnapshotWriter, Written};
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures_util::{FutureExt, StreamExt};
use relay_model::privacy::Exclusions;
use relay_model::query::with_large_stack;
use serde::{Deserialize, Serialize};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// The figures of a source in an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFigures {
    /// The source's name.
    pub name: String,
    /// Number of its objects.
    pub objects: usize,
    /// Total size of its objects, in bytes.
    pub bytes: u64,
}

/// The figures of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFigures {
    /// Members: rows in the file.
    pub rows: u64,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// The file's BLAKE3 hash, in hexadecimal.
    pub blake3: String,
    /// The file's columns: `member_key`, then the attributes in the requested order.
    pub columns: Vec<OutputColumn>,
    /// Rows of the query whose member key is NULL or empty, which are not in the file.
    pub rows_without_key: u64,
    /// Rows of the query beyond the first for their member key, which are not in the file.
    pub duplicate_member_rows: u64,
    /// Excluded members in the query's result. They are in no other figure and not in the file.
    pub excluded_members: u64,
    /// The sources that were read.
    pub sources: Vec<SourceFigures>,
}

/// Evaluates a query into a Parquet file at `out`.
///
/// The file has the column `member_key` (text, never NULL or empty, unique, bytewise ascending, which is the order of
/// Rust's `str`) and then each attribute, whose type is one of [`crate::ColumnType`]. Of several rows with one member key
/// the file has the least by all attributes, NULLs first, so that the same input always gives the same snapshot. An error
/// leaves no file.
///
/// A query that does not fit into memory is evaluated again with small batches and joins that can spill. The time limit
/// requires a multi-threaded runtime, because operators can run for long without yielding.
pub async fn evaluate(
    engine: &Engine,
    query: &SegmentQuery,
    out: &Path,
) -> Result<SnapshotFigures, QueryError> {
    evaluate_part(engine, query, out, Part::Whole).await
}

/// Evaluates the first `rows` rows by member key that have one. The figures are those of the file, not of the segment.
pub async fn evaluate_first(
    engine: &Engine,
    query: &SegmentQuery,
    out: &Path,
    rows: usize,
) -> Result<SnapshotFigures, QueryError> {
    evaluate_part(engine, query, out, Part::First(rows)).await
}

/// The part of a segment to evaluate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All rows.
    Whole,
    /// This many rows with a member key, the first by member key.
    First(usize),
}

async fn evaluate_part(
    engine: &Engine,
    query: &SegmentQuery,
    out: &Path,
    part: Part,
) -> Result<SnapshotFigures, QueryError> {
    let deadline = Instant::now() + engine.settings().time_limit;
    match attempt(engine, query, out, part, Mode::Fast, deadline).await {
        Err(QueryError::OutOfMemory { .. }) => {
            tracing::info!("the query did not fit into memory; trying again with what can use the disk");
            attempt(engine, query, out, part, Mode::Frugal, deadline).await
        }
        result => result,
    }
}

/// Writes a snapshot without members at `out`, for a segment whose custom upload has expired.
pub async fn without_members(attributes: &[String], out: &Path) -> Result<SnapshotFigures, QueryError> {
    let selection = Selection::without_rows(attributes);
    let writer = SnapshotWriter::create(out, selection.schema(), Exclusions::default())?;
    let written = writer.finish().await?;
    Ok(figures(written, selection.columns, Vec::new()))
}

async fn attempt(
    engine: &Engine,
    query: &SegmentQuery,
    out: &Path,
    part: Part,
    mode: Mode,
    deadline: Instant,
) -> Result<SnapshotFigures, QueryError> {
    let too_slow = |_| QueryError::TimeLimit { seconds: engine.settings().time_limit.as_secs() };
    // A panic of the engine over a hostile object must end this query and not the function.
    let planned = AssertUnwindSafe(with_large_stack(plan(engine, query, mode))).catch_unwind();
    let planned = timeout_at(deadline, Box::pin(planned)).await.map_err(too_slow)?;
    let Planned { session, plan, selection } = planned.map_err(|_| panicked())??;
    let schema = selection.schema();
    let columns = selection.columns.clone();
    let batches =
        AssertUnwindSafe(with_large_stack(start(&session.context, plan, selection, part))).catch_unwind();
    let batches = timeout_at(deadline, Box::pin(batches)).await.map_err(too_slow)?;
    let batches = batches.map_err(|_| panicked())??;

    let mut writer = SnapshotWriter::create(out, schema, engine.settings().excluded.clone())?;
    let written = timeout_at(deadline, Box::pin(pump(batches, engine.budgets(), &mut writer))).await;
    if let Err(error) = written.map_err(too_slow).flatten() {
        writer.abandon().await;
        return Err(error);
    }
    let written = writer.finish().await?;
    let sources = session
        .objects
        .iter()
        .map(|source| SourceFigures {
            name: source.spec().name.clone(),
            objects: source.objects().count(),
            bytes: source.objects().map(|object| object.size).sum(),
        })
        .collect();
    Ok(figures(written, columns, sources))
}

fn figures(written: Written, columns: Vec<OutputColumn>, sources: Vec<SourceFigures>) -> SnapshotFigures {
    let Written { rows, bytes, blake3, rows_without_key, duplicate_member_rows, excluded_members } = written;
    SnapshotFigures {
        rows,
        bytes,
        blake3,
        columns,
        rows_without_key,
        duplicate_member_rows,
        excluded_members,
        sources,
    }
}

/// Starts the query, reduced to the selected columns and sorted.
async fn start(
    context: &SessionContext,
    plan: LogicalPlan,
    selection: Selection,
    part: Part,
) -> Result<SendableRecordBatchStream, QueryError> {
    let plan = work(context, plan, selection, part).await?;
    let plan = with_yields(plan).map_err(|error| planning(&error))?;
    execute_stream(plan, context.task_ctx()).map_err(|error| planning(&error))
}

/// Plans the query, reduced to the selected columns and sorted.
pub(crate) async fn work(
    context: &SessionContext,
    plan: LogicalPlan,
    selection: Selection,
    part: Part,
) -> Result<Arc<dyn ExecutionPlan>, QueryError> {
    let key = || Expr::Column(Column::new_unqualified(MEMBER_KEY));
    let sort = [key().sort(true, true)];
    let plan = LogicalPlanBuilder::from(plan).project(selection.expressions);
    let plan = match part {
        Part::Whole => plan.and_then(|plan| plan.sort(sort)),
        // NULLs and empty texts sort first and would take the place of members.
        Part::First(rows) => plan
            .and_then(|plan| plan.filter(key().is_not_null().and(key().not_eq(lit("")))))
            .and_then(|plan| plan.sort_with_limit(sort, Some(rows))),
    };
    let plan = plan.and_then(LogicalPlanBuilder::build).map_err(|error| planning(&error))?;
    let plan = DataFrame::new(context.state(), plan).create_physical_plan().await;
    plan.map_err(|error| planning(&error))
}

/// Makes joins yield, so that an abandoned query ends. A join can produce rows for hours from a few input rows, and the
/// engine itself yields only where it reads.
pub(crate) fn with_yields(
    plan: Arc<dyn ExecutionPlan>,
) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
    let with_yields = plan.transform_up(|plan| {
        if plan.children().len() < 2 {
            return Ok(Transformed::no(plan));
        }
        let pausing: Arc<dyn ExecutionPlan> = Arc::new(CooperativeExec::new(plan));
        Ok(Transformed::yes(pausing))
    })?;
    Ok(with_yields.data)
}

/// Writes the engine's batches to the file. The engine runs on a task of its own, because an operator that does not yield
/// would also block the timeout.
async fn pump(
    mut batches: SendableRecordBatchStream,
    budgets: Budgets,
    writer: &mut SnapshotWriter,
) -> Result<(), QueryError> {
    let (sender, mut receiver) = mpsc::channel(1);
    let mut engine = JoinSet::new();
    engine.spawn(async move {
        while let Some(batch) = batches.next().await {
            if sender.send(batch).await.is_err() {
                return;
            }
        }
    });
    while let Some(batch) = receiver.recv().await {
        writer.write(&batch.map_err(|error| running(&error, budgets))?).await?;
    }
    match engine.join_next().await {
        Some(Err(_)) => Err(panicked()),
        _ => Ok(()),
    }
}

pub(crate) fn panicked() -> QueryError {
    QueryError::Internal { kind: "panic".to_owned() }
}
