//! Errors in a segment's query, worded for its author.

use super::words::{listed, one_line, suggestion};
use crate::run::StopCode;
use sqlparser::parser::ParserError;
use thiserror::Error;

/// The maximum length of the parser's message, in characters.
const PROBLEM_CHARACTERS: usize = 400;

/// An error in a query's text or in its sources.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TextError {
    /// The query is empty.
    #[error("the query is empty; a segment's query is one SELECT")]
    Empty,
    /// The query is too long.
    #[error("the query is {bytes} bytes long; at most {limit_bytes} are allowed")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The maximum length in bytes.
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
        /// The number of statements.
        count: usize,
    },
    /// The statement is not a SELECT.
    #[error("the query begins with {keyword}; a segment's query is one SELECT (WITH and UNION are allowed)")]
    NotASelect {
        /// Its first word.
        keyword: String,
    },
    /// Parentheses, subqueries or operators are nested too deeply to be planned.
    #[error("the query is nested too deeply; split it into named parts (WITH part AS (SELECT …) SELECT …)")]
    TooDeep,
    /// A table is not a declared source.
    #[error("there is no source {name}{}; the sources are: {}", suggestion(.name, .sources), listed(.sources))]
    UnknownSource {
        /// The name as written.
        name: String,
        /// The declared sources.
        sources: Vec<String>,
    },
}

impl TextError {
    /// Returns the stable code of this error in runs, reports and the API.
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

/// Separates the position from the parser's message.
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
