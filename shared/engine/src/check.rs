//! From an author's text to a plan, or to what is wrong with it: one SELECT, over declared sources only.

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

/// A segment's query and what an export wants of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentQuery {
    /// One SELECT.
    pub text: String,
    /// The column of its result that holds the customer id.
    pub member_key: String,
    /// The columns of its result that the export maps.
    pub attributes: Vec<String>,
}

/// A query that can be evaluated.
pub(crate) struct Planned {
    pub(crate) session: Session,
    pub(crate) plan: LogicalPlan,
    pub(crate) selection: Selection,
}

/// Says what the query would give, or what is wrong with it, without reading rows. Lists the sources that it names
/// and reads their headers, footers or samples.
pub async fn check(engine: &Engine, query: &SegmentQuery) -> Result<Vec<OutputColumn>, QueryError> {
    let planned = Box::pin(with_large_stack(plan(engine, query, Mode::Fast))).await?;
    Ok(planned.selection.columns)
}

/// What a query would give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The columns of its result that an export can map, in their order.
    pub columns: Vec<OutputColumn>,
    /// The others.
    pub unusable_columns: Vec<UnusableColumn>,
}

/// A column of a query's result that no export can map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableColumn {
    /// Its name.
    pub name: String,
    /// Why, and what to write instead.
    pub problem: QueryError,
}

/// Says what a query would give, whatever an export wants of it, without reading rows. It is wrong where its member key
/// is, where two of its columns have one name, or where the engine cannot carry it out.
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
    // Some of what cannot be shows only where the work itself is planned.
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

/// The declared sources that the query names. Anything else that it reads from, a file's address, a catalog's table
/// or a table function, is an unknown source.
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
