//! Why a text is not a segment's query, in the words of its author.

use super::words::{listed, one_line, suggestion};
use crate::run::StopCode;
use sqlparser::parser::ParserError;
use thiserror::Error;

/// How much of the parser's text a message keeps.
const PROBLEM_CHARACTERS: usize = 400;

/// What is wrong with a query's text, or with the sources that it names.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TextError {
    /// There is no query.
    #[error("the query is empty; a segment's query is one SELECT")]
    Empty,
    /// The query's text is longer than anything a person writes.
    #[error("the query is {bytes} bytes long; at most {limit_bytes} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest that is taken.
        limit_bytes: usize,
    },
    /// The text is not SQL.
    #[error("the query has a syntax error{}: {problem}", .position.map(|(line, column)| format!(" at line {line}, column {column}")).unwrap_or_default())]
    Syntax {
        /// What the parser expected and found.
        problem: String,
        /// Line and column, from 1.
        position: Option<(u64, u64)>,
    },
    /// More than one statement.
    #[error("the query has {count} statements; a segment's query is one SELECT")]
    SeveralStatements {
        /// How many there are.
        count: usize,
    },
    /// Something other than a SELECT.
    #[error("the query begins with {keyword}; a segment's query is one SELECT (WITH and UNION are allowed)")]
    NotASelect {
        /// Its first word.
        keyword: String,
    },
    /// Parentheses, subqueries or operators inside one another beyond what is planned.
    #[error("the query is nested too deeply; split it into named parts (WITH part AS (SELECT …) SELECT …)")]
    TooDeep,
    /// A table that is not a declared source.
    #[error("there is no source {name}{}; the sources are: {}", suggestion(.name, .sources), listed(.sources))]
    UnknownSource {
        /// The name as written.
        name: String,
        /// The declared sources.
        sources: Vec<String>,
    },
}

impl TextError {
    /// The stable word for this error in runs, reports and the API.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.stop_code().as_str()
    }

    /// Returns the typed code for this error.
    #[must_use]
    pub const fn stop_code(&self) -> StopCode {
        match self {
            Self::Empty => StopCode::QueryEmpty,
            Self::TooLong { .. } => StopCode::QueryTooLong,
            Self::Syntax { .. } => StopCode::QuerySyntax,
            Self::SeveralStatements { .. } => StopCode::QuerySeveralStatements,
            Self::NotASelect { .. } => StopCode::QueryNotASelect,
            Self::TooDeep => StopCode::QueryTooDeep,
            Self::UnknownSource { .. } => StopCode::QueryUnknownSource,
        }
    }
}

/// The parser's error with its position taken out of its text.
impl From<&ParserError> for TextError {
    fn from(error: &ParserError) -> Self {
        let text = match error {
            ParserError::RecursionLimitExceeded => return Self::TooDeep,
            ParserError::ParserError(text) | ParserError::TokenizerError(text) => text,
        };
        let (problem, position) = match text.rsplit_once(" at Line: ") {
            Some((problem, place)) => (problem, position(place)),
            None => (text.as_str(), None),
        };
        Self::Syntax { problem: one_line(problem, PROBLEM_CHARACTERS), position }
    }
}

fn position(place: &str) -> Option<(u64, u64)> {
    let (line, column) = place.split_once(", Column: ")?;
    Some((line.trim().parse().ok()?, column.trim().parse().ok()?))
}
