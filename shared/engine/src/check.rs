//! Plans a segment's query: one SELECT over declared sources.

use crate::columns::{MEMBER_KEY, OutputColumn, Selection, column_type};
use crate::engine::{Engine, Mode, Session};
use crate::errors::QueryError;
use crate::evaluate::{Part, panicked, work};
use crate::explain::planning;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::resolve::resolve_table_references;
use futures_util::FutureExt;
use relay_model::query::{TextError, one_line, parse, with_large_stack};
use std::panic::AssertUnwindSafe;

/// A segment's query and the attributes that an export maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentQuery {
    /// One SELECT.
    pub text: String,
    /// The column of its result that holds the customer id.
    pub member_key: String,
    /// The columns of its result that the export maps.
    pub attributes: Vec<String>,
}

/// A planned query.
pub(crate) struct Planned {
    pub(crate) session: Session,
    pub(crate) plan: LogicalPlan,
    pub(crate) selection: Selection,
}

/// Returns the columns of the query's snapshot. Lists the sources of the query and reads their headers, footers or samples,
/// but no row.
pub async fn check(engine: &Engine, query: &SegmentQuery) -> Result<Vec<OutputColumn>, QueryError> {
    let planned = Box::pin(with_large_stack(plan(engine, query, Mode::Fast))).await?;
    Ok(planned.selection.columns)
}

/// The columns of a query's result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The columns that an export can map, in the order of the query.
    pub columns: Vec<OutputColumn>,
    /// The other columns.
    pub unusable_columns: Vec<UnusableColumn>,
}

/// A column of a query's result that cannot be mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableColumn {
    /// Its name.
    pub name: String,
    /// The reason, and what to write instead.
    pub problem: QueryError,
}

/// Returns the columns of a query's result without reading a row. Returns an error if the member key is missing or
/// unsupported, if two columns have the same name, or if the engine cannot plan the query.
pub async fn describe(engine: &Engine, text: &str, member_key: &str) -> Result<Description, QueryError> {
    let query =
        SegmentQuery { text: text.to_owned(), member_key: member_key.to_owned(), attributes: Vec::new() };
    // A panic of the engine over a hostile object must end this query and not the function.
    let described = AssertUnwindSafe(with_large_stack(described(engine, &query))).catch_unwind();
    Box::pin(described).await.map_err(|_| panicked())?
}

async fn described(engine: &Engine, query: &SegmentQuery) -> Result<Description, QueryError> {
    let Planned { session, plan, selection } = plan(engine, query, Mode::Fast).await?;
    let mut description = Description::default();
    for field in plan.schema().fields() {
        let name = field.name();
        if *name == MEMBER_KEY && *name != query.member_key {
            let problem = QueryError::ReservedColumn;
            description.unusable_columns.push(UnusableColumn { name: name.clone(), problem });
            continue;
        }
        match column_type(field) {
            Ok(column_type) => {
                description.columns.push(OutputColumn { name: name.clone(), column_type });
            }
            Err(problem) => {
                description.unusable_columns.push(UnusableColumn { name: name.clone(), problem });
            }
        }
    }
    // Some errors appear only in the physical plan.
    work(&session.context, plan, selection, Part::Whole).await?;
    Ok(description)
}

pub(crate) async fn plan(engine: &Engine, query: &SegmentQuery, mode: Mode) -> Result<Planned, QueryError> {
    let statement = parse(&query.text)?;
    let statement = EngineStatement::Statement(Box::new(statement));
    let names = sources(engine, &statement)?;
    let session = engine.session(&names, mode).await?;
    let plan =
        session.context.state().statement_to_plan(statement).await.map_err(|error| planning(&error))?;
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)
        .map_err(|error| planning(&error))?;
    let selection = Selection::new(plan.schema(), query)?;
    Ok(Planned { session, plan, selection })
}

/// Returns the declared sources of the query. A file's address, a table of another catalog or a table function is an unknown
/// source.
fn sources(engine: &Engine, statement: &EngineStatement) -> Result<Vec<String>, QueryError> {
    let (tables, _) = resolve_table_references(statement, false).map_err(|error| planning(&error))?;
    let declared = engine.source_names();
    let mut names = Vec::with_capacity(tables.len());
    for table in tables {
        let name = table.table().to_owned();
        if table.schema().is_some() || !declared.contains(&name) {
            let name = one_line(&table.to_string(), 120);
            return Err(TextError::UnknownSource { name, sources: declared }.into());
        }
        names.push(name);
    }
    Ok(names)
}
