//! Where the values of a plan's columns come from.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result};
use datafusion::logical_expr::{Distinct, Expr, Join, LogicalPlan, TableScan};
use std::collections::BTreeSet;

/// A source and a column of it.
pub(crate) type Origin = (String, String);

/// Everything that a plan reads.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// The sources.
    pub(crate) sources: BTreeSet<String>,
    /// Their columns.
    pub(crate) columns: BTreeSet<Origin>,
}

/// Everything that a plan reads, for its result or for deciding what is in it.
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

/// The columns that a scan reads: those that it gives, and those that it looks at while it reads.
fn scanned(scan: &TableScan) -> BTreeSet<Origin> {
    let source = scan.table_name.table();
    let given = scan.projected_schema.fields().iter().map(|field| field.name().clone());
    let looked_at = scan.filters.iter().flat_map(Expr::column_refs).map(|column| column.name.clone());
    given.chain(looked_at).map(|column| (source.to_owned(), column)).collect()
}

/// Of each column of a plan's result, the columns that its values are made of. Where a step is not understood, it is taken
/// to make every value of everything.
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
    // Such as the extra column of grouping sets.
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
        // The mark says whether there is such a row on the other side, and for that everything counts.
        JoinType::LeftMark | JoinType::RightMark => {
            let mut of_mark = everything(&join.left)?.columns;
            of_mark.extend(everything(&join.right)?.columns);
            let mut kept = if join.join_type == JoinType::LeftMark { left } else { right };
            kept.push(of_mark);
            kept
        }
    })
}

/// The columns that a value is made of; `inputs` are the origins of the input's columns.
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

/// A query within a value.
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
