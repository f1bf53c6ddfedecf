//! A segment's members at one moment: evaluated, sorted, deduplicated and written.

use crate::check::{Planned, SegmentQuery, plan};
use crate::columns::OutputColumn;
use crate::engine::{Engine, Joins};
use crate::errors::QueryError;
use crate::explain::{planning, running};
use crate::writer::{SnapshotWriter, Written};
use datafusion::common::Column;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, SortExpr};
use datafusion::physical_plan::execute_stream;
use futures_util::{FutureExt, StreamExt};
use serde::{Deserialize, Serialize};
use std::panic::AssertUnwindSafe;
use std::path::Path;

/// What became of one source in an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFigures {
    /// The source's name.
    pub name: String,
    /// How many objects it had.
    pub objects: usize,
    /// Their size together.
    pub bytes: u64,
}

/// A snapshot in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFigures {
    /// Members: rows in the file.
    pub rows: u64,
    /// The file's size.
    pub bytes: u64,
    /// The file's BLAKE3 hash, in hexadecimal.
    pub blake3: String,
    /// The file's columns: `member_key`, then the attributes in the order in which they were asked for.
    pub columns: Vec<OutputColumn>,
    /// Rows of the query whose member key is NULL or empty; they are not in the file.
    pub rows_without_key: u64,
    /// Rows of the query whose member key another row had; they are not in the file.
    pub duplicate_member_rows: u64,
    /// What was read.
    pub sources: Vec<SourceFigures>,
}

/// Evaluates a query into a Parquet file at `out`.
///
/// The file has the column `member_key` (text, never NULL or empty, each value once, bytewise ascending, which is
/// the order of Rust's `str`) and then each attribute, whose type is one of [`crate::ColumnType`]. Of several rows
/// with one member key the file has the least by all attributes, NULLs first, so that the same input always gives
/// the same snapshot. When anything fails, no file is left.
///
/// A query whose joins do not fit into memory is tried a second time with joins that can use the disk.
pub async fn evaluate(engine: &Engine, query: &SegmentQuery, out: &Path) -> Result<SnapshotFigures, QueryError> {
    let time_limit = engine.settings().time_limit;
    let attempts = async {
        match attempt(engine, query, out, Joins::Hash).await {
            Err(QueryError::OutOfMemory { .. }) => {
                tracing::info!("the query did not fit into memory; trying again with joins that can use the disk");
                attempt(engine, query, out, Joins::SortMerge).await
            }
            result => result,
        }
    };
    // A panic of the engine over a hostile object must end this query and not the function.
    let guarded = AssertUnwindSafe(attempts).catch_unwind();
    match tokio::time::timeout(time_limit, Box::pin(guarded)).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(QueryError::Internal { kind: "panic".to_owned() }),
        Err(_) => Err(QueryError::TimeLimit { seconds: time_limit.as_secs() }),
    }
}

async fn attempt(
    engine: &Engine,
    query: &SegmentQuery,
    out: &Path,
    joins: Joins,
) -> Result<SnapshotFigures, QueryError> {
    let Planned { session, plan, selection } = plan(engine, query, joins).await?;
    let sort: Vec<SortExpr> = selection
        .columns
        .iter()
        .map(|column| Expr::Column(Column::new_unqualified(&column.name)).sort(true, true))
        .collect();
    let schema = selection.schema();
    let plan = LogicalPlanBuilder::from(plan)
        .project(selection.expressions)
        .and_then(|plan| plan.sort(sort))
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| planning(&error))?;
    let state = session.context.state();
    let physical =
        DataFrame::new(state, plan).create_physical_plan().await.map_err(|error| planning(&error))?;
    let mut batches = execute_stream(physical, session.context.task_ctx()).map_err(|error| planning(&error))?;

    let mut writer = SnapshotWriter::create(out, schema)?;
    while let Some(batch) = batches.next().await {
        writer.write(batch.map_err(|error| running(&error, engine.budgets()))?).await?;
    }
    let Written { rows, bytes, blake3, rows_without_key, duplicate_member_rows } = writer.finish().await?;
    let sources = session
        .objects
        .iter()
        .map(|source| SourceFigures {
            name: source.spec().name.clone(),
            objects: source.objects().count(),
            bytes: source.objects().map(|object| object.size).sum(),
        })
        .collect();
    Ok(SnapshotFigures {
        rows,
        bytes,
        blake3,
        columns: selection.columns,
        rows_without_key,
        duplicate_member_rows,
        sources,
    })
}
