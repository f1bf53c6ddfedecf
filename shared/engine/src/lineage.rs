//! Column lineage: the columns of the sources that an export of a query uses.

use crate::check::{Planned, SegmentQuery, plan};
use crate::engine::{Engine, Mode};
use crate::errors::QueryError;
use crate::evaluate::panicked;
use crate::explain::planning;
use crate::origins::{Columns, everything, origins};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use futures_util::FutureExt;
use relay_model::governance::ColumnsRead;
use relay_model::query::with_large_stack;
use std::panic::AssertUnwindSafe;

/// Optimizer rules that evaluate constant expressions. They are left out because lineage must not depend on the clock:
/// `CASE WHEN now() < '2030-01-01' THEN '' ELSE phone END` uses `phone` today.
const RULES_THAT_COMPUTE: [&str; 1] = ["simplify_expressions"];

/// Returns the columns that a query reads for its member key and its attributes, and the attributes whose values contain
/// them. Lists the sources of the query and reads their headers, footers or samples, but no row.
///
/// A column that the query mentions but the result does not depend on is not included. In case of doubt a column is
/// included.
pub async fn columns_read(engine: &Engine, query: &SegmentQuery) -> Result<ColumnsRead, QueryError> {
    // A panic of the engine over a hostile object must end this query and not the function.
    let read = AssertUnwindSafe(with_large_stack(lineage(engine, query))).catch_unwind();
    Box::pin(read).await.map_err(|_| panicked())?
}

async fn lineage(engine: &Engine, query: &SegmentQuery) -> Result<ColumnsRead, QueryError> {
    let Planned { session, plan, selection } = plan(engine, query, Mode::Fast).await?;
    let names: Vec<String> = selection.columns.into_iter().map(|column| column.name).collect();
    let plan = LogicalPlanBuilder::from(plan)
        .project(selection.expressions)
        .and_then(LogicalPlanBuilder::build)
        .and_then(|plan| narrowed(&session.context, &plan))
        .map_err(|error| planning(&error))?;
    let mut read = ColumnsRead::default();
    let Columns { sources, columns } = everything(&plan).map_err(|error| planning(&error))?;
    for source in &sources {
        read.add_source(source);
    }
    for (source, column) in &columns {
        read.add(source, column);
    }
    let origins = origins(&plan).map_err(|error| planning(&error))?;
    // The first column is the member key, which is not exported.
    for (name, origins) in names.iter().zip(&origins).skip(1) {
        for (source, column) in origins {
            read.add_leaving(source, column, name);
        }
    }
    Ok(read)
}

/// Removes the columns that the plan's result does not depend on.
fn narrowed(context: &SessionContext, plan: &LogicalPlan) -> datafusion::common::Result<LogicalPlan> {
    let state = context.state();
    let mut rules = state.optimizers().to_vec();
    rules.retain(|rule| !RULES_THAT_COMPUTE.contains(&rule.name()));
    let state: SessionState =
        SessionStateBuilder::new_from_existing(state).with_optimizer_rules(rules).build();
    state.optimize(plan)
}
