//! Traces the columns of a plan to the columns of its sources.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::{Distinct, Expr, Join, LogicalPlan, TableScan};
use std::collections::BTreeSet;

/// A source and one of its columns.
pub(crate) type Origin = (String, String);

/// The sources and columns that a plan reads.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// The sources.
    pub(crate) sources: BTreeSet<String>,
    /// Their columns.
    pub(crate) columns: BTreeSet<Origin>,
}

/// Returns all sources and columns that a plan reads, for values or for conditions.
pub(crate) fn everything(plan: &LogicalPlan) -> Result<Columns> {
    let mut found = Columns::default();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            found.sources.insert(scan.table_name.table().to_owned());
            found.columns.extend(scanned(scan));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// Returns the columns that a scan returns, and those that its filters use.
fn scanned(scan: &TableScan) -> BTreeSet<Origin> {
    let source = scan.table_name.table();
    let returned = scan.projected_schema.fields().iter().map(|field| field.name().clone());
    let filtered = scan.filters.iter().flat_map(Expr::column_refs).map(|column| column.name.clone());
    returned.chain(filtered).map(|column| (source.to_owned(), column)).collect()
}

/// Returns, for each column of a plan's result, the source columns of its values. A step of unknown kind is assumed to make
/// every value from all of its input.
pub(crate) fn origins(plan: &LogicalPlan) -> Result<Vec<BTreeSet<Origin>>> {
    let found = match plan {
        LogicalPlan::TableScan(scan) => {
            let source = scan.table_name.table();
            let fields = scan.projected_schema.fields().iter();
            fields.map(|field| BTreeSet::from([(source.to_owned(), field.name().clone())])).collect()
        }
        LogicalPlan::Projection(step) => {
            let inputs = origins(&step.input)?;
            step.expr.iter().map(|value| of_value(value, &step.input, &inputs)).collect::<Result<_>>()?
        }
        LogicalPlan::Filter(step) => origins(&step.input)?,
        LogicalPlan::Sort(step) => origins(&step.input)?,
        LogicalPlan::Limit(step) => origins(&step.input)?,
        LogicalPlan::Repartition(step) => origins(&step.input)?,
        LogicalPlan::SubqueryAlias(step) => origins(&step.input)?,
        LogicalPlan::Distinct(Distinct::All(input)) => origins(input)?,
        LogicalPlan::Aggregate(step) => {
            let inputs = origins(&step.input)?;
            let values = step.group_expr.iter().chain(&step.aggr_expr);
            values.map(|value| of_value(value, &step.input, &inputs)).collect::<Result<_>>()?
        }
        LogicalPlan::Window(step) => {
            let mut inputs = origins(&step.input)?;
            let values = step.window_expr.iter().map(|value| of_value(value, &step.input, &inputs));
            let made: Vec<_> = values.collect::<Result<_>>()?;
            inputs.extend(made);
            inputs
        }
        LogicalPlan::Union(step) => {
            let mut found = vec![BTreeSet::new(); plan.schema().fields().len()];
            for input in &step.inputs {
                let input = origins(input)?;
                if input.len() != found.len() {
                    return of_everything(plan);
                }
                found.iter_mut().zip(input).for_each(|(all, more)| all.extend(more));
            }
            found
        }
        LogicalPlan::Join(join) => of_join(join)?,
        LogicalPlan::EmptyRelation(_) => vec![BTreeSet::new(); plan.schema().fields().len()],
        _ => return of_everything(plan),
    };
    // Grouping sets add a column, for example.
    if found.len() == plan.schema().fields().len() { Ok(found) } else { of_everything(plan) }
}

fn of_everything(plan: &LogicalPlan) -> Result<Vec<BTreeSet<Origin>>> {
    Ok(vec![everything(plan)?.columns; plan.schema().fields().len()])
}

fn of_join(join: &Join) -> Result<Vec<BTreeSet<Origin>>> {
    let (mut left, right) = (origins(&join.left)?, origins(&join.right)?);
    Ok(match join.join_type {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            left.extend(right);
            left
        }
        JoinType::LeftSemi | JoinType::LeftAnti => left,
        JoinType::RightSemi | JoinType::RightAnti => right,
        // The mark tells whether the other side has a matching row, which depends on all of its columns.
        JoinType::LeftMark | JoinType::RightMark => {
            let mut of_mark = everything(&join.left)?.columns;
            of_mark.extend(everything(&join.right)?.columns);
            let mut kept = if join.join_type == JoinType::LeftMark { left } else { right };
            kept.push(of_mark);
            kept
        }
    })
}

/// Returns the source columns of a value. `inputs` are the origins of the input's columns.
fn of_value(value: &Expr, input: &LogicalPlan, inputs: &[BTreeSet<Origin>]) -> Result<BTreeSet<Origin>> {
    let subqueries = subqueries(value)?;
    if subqueries.iter().any(|subquery| subquery.depends_on_outside) {
        let mut all = everything(input)?.columns;
        all.extend(subqueries.into_iter().flat_map(|subquery| subquery.columns));
        return Ok(all);
    }
    let mut found: BTreeSet<Origin> = subqueries.into_iter().flat_map(|subquery| subquery.columns).collect();
    for column in value.column_refs() {
        let position = input.schema().maybe_index_of_column(column);
        match position.and_then(|position| inputs.get(position)) {
            Some(origins) => found.extend(origins.iter().cloned()),
            None => return Ok(everything(input)?.columns),
        }
    }
    Ok(found)
}

/// Returns the source columns of a subquery in a value.
struct Subquery {
    columns: BTreeSet<Origin>,
    depends_on_outside: bool,
}

fn subqueries(value: &Expr) -> Result<Vec<Subquery>> {
    let mut found = Vec::new();
    value.apply(|part| {
        let subquery = match part {
            Expr::ScalarSubquery(subquery) => subquery,
            Expr::Exists(exists) => &exists.subquery,
            Expr::InSubquery(inside) => &inside.subquery,
            Expr::SetComparison(comparison) => &comparison.subquery,
            _ => return Ok(TreeNodeRecursion::Continue),
        };
        found.push(Subquery {
            columns: everything(&subquery.subquery)?.columns,
            depends_on_outside: !subquery.outer_ref_columns.is_empty(),
        });
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}
