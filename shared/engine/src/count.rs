//! Counts the members of a query, without sorting or writing them.

use crate::check::{Planned, SegmentQuery, plan};
use crate::columns::{MEMBER_KEY, Selection};
use crate::engine::{Engine, Mode};
use crate::errors::QueryError;
use crate::evaluate::{panicked, with_yields};
use crate::explain::{Budgets, planning, running};
use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::Column;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::functions_aggregate::expr_fn::count as count_of;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use futures_util::{FutureExt, TryStreamExt};
use relay_model::query::with_large_stack;
use std::panic::AssertUnwindSafe;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

/// Counts the members that [`crate::evaluate()`] would write, including excluded ones. Ends at the engine's time limit or at
/// the deadline, whichever is earlier.
pub async fn count_members(
    engine: &Engine,
    query: &SegmentQuery,
    deadline: Instant,
) -> Result<u64, QueryError> {
    let deadline = deadline.min(Instant::now() + engine.settings().time_limit);
    let too_slow = |_| QueryError::TimeLimit { seconds: engine.settings().time_limit.as_secs() };
    let counting = async {
        match attempt(engine, query, Mode::Fast).await {
            Err(QueryError::OutOfMemory { .. }) => attempt(engine, query, Mode::Frugal).await,
            result => result,
        }
    };
    timeout_at(deadline, Box::pin(counting)).await.map_err(too_slow)?
}

async fn attempt(engine: &Engine, query: &SegmentQuery, mode: Mode) -> Result<u64, QueryError> {
    // A panic of the engine over a hostile object must end this query and not the function.
    let started = AssertUnwindSafe(with_large_stack(async {
        let Planned { session, plan, selection } = plan(engine, query, mode).await?;
        start(&session.context, plan, selection).await
    }));
    let batches = Box::pin(started.catch_unwind()).await.map_err(|_| panicked())??;
    // The count runs on a task of its own, because an operator that does not yield would also block the timeout.
    let mut counting = JoinSet::new();
    counting.spawn(counted(batches, engine.budgets()));
    match counting.join_next().await {
        Some(Ok(counted)) => counted,
        _ => Err(panicked()),
    }
}

async fn start(
    context: &SessionContext,
    plan: LogicalPlan,
    selection: Selection,
) -> Result<SendableRecordBatchStream, QueryError> {
    let key = || Expr::Column(Column::new_unqualified(MEMBER_KEY));
    let plan = LogicalPlanBuilder::from(plan)
        .project(selection.expressions)
        .and_then(|plan| plan.filter(key().is_not_null().and(key().not_eq(lit("")))))
        .and_then(LogicalPlanBuilder::distinct)
        .and_then(|plan| plan.aggregate(Vec::<Expr>::new(), [count_of(lit(1))]))
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| planning(&error))?;
    let plan = DataFrame::new(context.state(), plan).create_physical_plan().await;
    let plan = plan.and_then(with_yields).map_err(|error| planning(&error))?;
    execute_stream(plan, context.task_ctx()).map_err(|error| planning(&error))
}

async fn counted(batches: SendableRecordBatchStream, budgets: Budgets) -> Result<u64, QueryError> {
    let batches: Vec<RecordBatch> = batches.try_collect().await.map_err(|error| running(&error, budgets))?;
    let none = || QueryError::Internal { kind: "count".to_owned() };
    let batch = batches.iter().find(|batch| batch.num_rows() == 1).ok_or_else(none)?;
    let counts = batch.columns().first().and_then(|column| column.as_primitive_opt::<Int64Type>());
    let count = counts.and_then(|counts| counts.values().first()).ok_or_else(none)?;
    u64::try_from(*count).map_err(|_| none())
}
