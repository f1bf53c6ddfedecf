//! From an author's text to a plan, or to what is wrong with it: one SELECT, over declared sources only.

use crate::columns::{MEMBER_KEY, OutputColumn, Selection, column_type};
use crate::engine::{Engine, Mode, Session};
use crate::errors::QueryError;
use crate::explain::{planning, syntax};
use crate::stack::with_large_stack;
use crate::words::one_line;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// The longest query that is taken.
pub const MAX_QUERY_BYTES: usize = 64 * 1024;
/// How deep parentheses and cases may be inside one another.
const MAX_DEPTH: usize = 50;
/// How deep subqueries may be inside one another. Planning takes twice as long for each one further in.
const MAX_SUBQUERY_DEPTH: usize = 10;
/// The same for the parser, which counts several steps for each, and whose message about it is easily lost.
const MAX_PARSER_DEPTH: usize = 500;
/// The most operators of a query: a chain of them is as deep as it is long once it is a plan.
const MAX_OPERATORS: usize = 500;
/// The most joins, unions and subqueries of a query, which also take their time.
const MAX_RELATIONS: usize = 100;

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
/// is, or where two of its columns have one name.
pub async fn describe(engine: &Engine, text: &str, member_key: &str) -> Result<Description, QueryError> {
    let query =
        SegmentQuery { text: text.to_owned(), member_key: member_key.to_owned(), attributes: Vec::new() };
    let planned = Box::pin(with_large_stack(plan(engine, &query, Mode::Fast))).await?;
    let mut description = Description::default();
    for field in planned.plan.schema().fields() {
        let name = field.name();
        if name == MEMBER_KEY && name != member_key {
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

/// One SELECT, or why the text is none.
fn parse(text: &str) -> Result<Statement, QueryError> {
    if text.len() > MAX_QUERY_BYTES {
        return Err(QueryError::TooLong { bytes: text.len(), limit_bytes: MAX_QUERY_BYTES });
    }
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize_with_location()
        .map_err(|error| syntax(&error.into()))?;
    let mut significant =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).peekable();
    let first = significant.find(|token| token.token != Token::LParen).map(|token| &token.token);
    match first {
        None | Some(Token::EOF) => return Err(QueryError::Empty),
        Some(Token::SemiColon) if significant.peek().is_none() => return Err(QueryError::Empty),
        Some(Token::Word(word)) if is_select(&word.value) => {}
        Some(other) => {
            return Err(QueryError::NotASelect { keyword: one_line(&other.to_string(), 30) });
        }
    }
    if !is_moderate(&tokens) {
        return Err(QueryError::TooDeep);
    }
    let mut statements = Parser::new(&GenericDialect {})
        .with_recursion_limit(MAX_PARSER_DEPTH)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|error| syntax(&error))?;
    match (statements.len(), statements.pop()) {
        (1, Some(statement @ Statement::Query(_))) => Ok(statement),
        (1, Some(other)) => {
            let text = other.to_string();
            Err(QueryError::NotASelect { keyword: one_line(text.split(' ').next().unwrap_or_default(), 30) })
        }
        (0, _) | (_, None) => Err(QueryError::Empty),
        (count, _) => Err(QueryError::SeveralStatements { count }),
    }
}

/// Whether the query is nested and chained no more than can be planned in a moment.
fn is_moderate(tokens: &[TokenWithSpan]) -> bool {
    // For each open parenthesis or case, whether a subquery begins in it.
    let mut open: Vec<bool> = Vec::new();
    let (mut operators, mut relations) = (0, 0);
    for token in tokens {
        match &token.token {
            Token::LParen => open.push(false),
            Token::RParen => drop(open.pop()),
            Token::Word(word) => match word.keyword {
                Keyword::CASE => open.push(false),
                Keyword::END => drop(open.pop()),
                Keyword::AND | Keyword::OR | Keyword::NOT | Keyword::IS => operators += 1,
                Keyword::SELECT | Keyword::JOIN | Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT => {
                    relations += 1;
                    if let Some(is_subquery) = open.last_mut() {
                        *is_subquery |= word.keyword == Keyword::SELECT;
                    }
                }
                _ => {}
            },
            Token::Whitespace(_)
            | Token::Comma
            | Token::Period
            | Token::Number(..)
            | Token::SingleQuotedString(_) => {}
            _ => operators += 1,
        }
        let subqueries = open.iter().filter(|is_subquery| **is_subquery).count();
        if open.len() > MAX_DEPTH || subqueries > MAX_SUBQUERY_DEPTH {
            return false;
        }
    }
    operators <= MAX_OPERATORS && relations <= MAX_RELATIONS
}

fn is_select(word: &str) -> bool {
    word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("with")
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
            return Err(QueryError::UnknownSource {
                name: one_line(&table.to_string(), 120),
                sources: declared,
            });
        }
        names.push(name);
    }
    Ok(names)
}
