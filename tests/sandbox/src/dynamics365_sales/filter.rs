//! `$filter`: comparisons, `and`, `or`, `not`, parentheses and the query functions `In` and `NotIn`.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/filter-rows>. The standard's own `in` is
//! not among the operators there, so it is refused.

use super::errors::{self, ApiError};
use super::filter_words::{Word, words};
use super::ids::Guid;
use super::tables::{Cell, Kind, Row, Table};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap, HashSet};

const MOST_CONDITIONS: usize = 500;

/// A condition on a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    Compare(String, Comparison, Literal),
    InIds(String, BTreeSet<Guid>),
    InTexts(String, HashSet<String>),
    /// Of one of the two above only, by `NotIn`.
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Id(Guid),
    Text(String),
    Number(i64),
    Flag(bool),
}

impl Filter {
    /// Reads a filter; `aliases` are the query's `@…` parameters.
    pub(super) fn parse(
        text: &str,
        table: &Table,
        aliases: &HashMap<String, String>,
        most_in_values: usize,
    ) -> Result<Self, ApiError> {
        let mut words = words(text)?;
        words.reverse();
        let mut parser = Parser { words, table, aliases, most_in_values, conditions: 0, depth: 0 };
        let filter = parser.either()?;
        if parser.words.is_empty() { Ok(filter) } else { Err(syntax("something is left at the end")) }
    }

    pub(super) fn matches(&self, row: &impl Row) -> bool {
        match self {
            Self::Compare(column, comparison, literal) => compare(&row.cell(column), *comparison, literal),
            Self::InIds(column, ids) => matches!(row.cell(column), Cell::Id(id) if ids.contains(&id)),
            Self::InTexts(column, texts) => {
                let cell = row.cell(column);
                let text = match &cell {
                    Cell::Number(number) => Some(number.to_string()),
                    other => other.text().map(str::to_lowercase),
                };
                text.is_some_and(|text| texts.contains(&text))
            }
            Self::Not(inner) => !inner.matches(row),
            Self::And(left, right) => left.matches(row) && right.matches(row),
            Self::Or(left, right) => left.matches(row) || right.matches(row),
        }
    }

    /// The only ids that a matching row can have in this column, if the filter says so: spares a walk over the table.
    pub(super) fn ids_of(&self, column: &str) -> Option<BTreeSet<Guid>> {
        match self {
            Self::Compare(name, Comparison::Equal, Literal::Id(id)) if name == column => Some([*id].into()),
            Self::InIds(name, ids) if name == column => Some(ids.clone()),
            Self::And(left, right) => left.ids_of(column).or_else(|| right.ids_of(column)),
            _ => None,
        }
    }
}

fn compare(cell: &Cell<'_>, comparison: Comparison, literal: &Literal) -> bool {
    let ordering = match (cell, literal) {
        (Cell::Null, Literal::Null) => Some(Ordering::Equal),
        (Cell::Id(left), Literal::Id(right)) => Some(left.cmp(right)),
        (Cell::Number(left), Literal::Number(right)) => Some(left.cmp(right)),
        (Cell::Flag(left), Literal::Flag(right)) => Some(left.cmp(right)),
        // The database compares without case.
        (cell, Literal::Text(right)) => {
            cell.text().map(|left| left.to_lowercase().cmp(&right.to_lowercase()))
        }
        _ => None,
    };
    match comparison {
        Comparison::Equal => ordering == Some(Ordering::Equal),
        Comparison::NotEqual => ordering != Some(Ordering::Equal),
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn syntax(what: &str) -> ApiError {
    errors::invalid_query(format!("The query filter cannot be read: {what}."))
}

struct Parser<'a> {
    /// The next one is the last.
    words: Vec<Word>,
    table: &'a Table,
    aliases: &'a HashMap<String, String>,
    most_in_values: usize,
    conditions: usize,
    depth: usize,
}

impl Parser<'_> {
    fn is_next(&mut self, name: &str) -> bool {
        let is_next = matches!(self.words.last(), Some(Word::Name(next)) if next == name);
        if is_next {
            self.words.pop();
        }
        is_next
    }

    fn expect(&mut self, word: &Word) -> Result<(), ApiError> {
        match self.words.pop() {
            Some(next) if next == *word => Ok(()),
            other => Err(syntax(&format!("{word:?} is missing before {other:?}"))),
        }
    }

    fn either(&mut self) -> Result<Filter, ApiError> {
        let mut filter = self.both()?;
        while self.is_next("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.both()?));
        }
        Ok(filter)
    }

    fn both(&mut self) -> Result<Filter, ApiError> {
        let mut filter = self.one()?;
        while self.is_next("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, ApiError> {
        self.conditions += 1;
        self.depth += 1;
        if self.conditions > MOST_CONDITIONS || self.depth > 50 {
            return Err(errors::too_many_conditions());
        }
        let filter = self.condition();
        self.depth -= 1;
        filter
    }

    fn condition(&mut self) -> Result<Filter, ApiError> {
        match self.words.pop() {
            Some(Word::Open) => {
                let filter = self.either()?;
                self.expect(&Word::Close)?;
                Ok(filter)
            }
            Some(Word::Name(name)) if name == "not" => match self.one()? {
                // The vendor's own way to say so is the other function.
                Filter::InIds(..) | Filter::InTexts(..) => {
                    Err(syntax("not cannot stand before a query function"))
                }
                filter => Ok(Filter::Not(Box::new(filter))),
            },
            Some(Word::Name(name)) => match name.strip_prefix("Microsoft.Dynamics.CRM.") {
                Some("In") => self.in_values(),
                Some("NotIn") => Ok(Filter::Not(Box::new(self.in_values()?))),
                Some(_) => Err(errors::not_built("this query function")),
                None => self.comparison(name),
            },
            other => Err(syntax(&format!("a condition cannot begin with {other:?}"))),
        }
    }

    fn comparison(&mut self, column: String) -> Result<Filter, ApiError> {
        let kind = self.kind(&column)?;
        let Some(Word::Name(operator)) = self.words.pop() else {
            return Err(syntax("an operator is missing"));
        };
        let comparison = match operator.as_str() {
            "eq" => Comparison::Equal,
            "ne" => Comparison::NotEqual,
            "lt" => Comparison::Less,
            "le" => Comparison::LessOrEqual,
            "gt" => Comparison::Greater,
            "ge" => Comparison::GreaterOrEqual,
            _ => return Err(syntax(&format!("the operator {operator} is not supported"))),
        };
        let literal = match self.value()? {
            Word::Name(word) if word == "null" => Some(Literal::Null),
            Word::Name(word) | Word::Text(word) if kind == Kind::Id => Guid::parse(&word).map(Literal::Id),
            Word::Name(word) => match (kind, word.as_str()) {
                (Kind::Flag, "true" | "false") => Some(Literal::Flag(word == "true")),
                (Kind::Number, _) => word.parse().ok().map(Literal::Number),
                (Kind::Moment, _) => Some(Literal::Text(word)),
                _ => None,
            },
            Word::Text(word) if kind == Kind::Text => Some(Literal::Text(word)),
            _ => None,
        };
        let literal = literal.ok_or_else(|| syntax(&format!("a value is not of {column}'s type")))?;
        Ok(Filter::Compare(column, comparison, literal))
    }

    fn in_values(&mut self) -> Result<Filter, ApiError> {
        self.expect(&Word::Open)?;
        let (mut column, mut values) = (None, None);
        loop {
            let Some(Word::Name(parameter)) = self.words.pop() else {
                return Err(syntax("a parameter's name is missing"));
            };
            self.expect(&Word::Is)?;
            match (parameter.as_str(), self.value()?) {
                ("PropertyName", Word::Text(name)) => column = Some(name),
                ("PropertyValues", Word::Texts(texts)) => values = Some(texts),
                _ => return Err(syntax(&format!("{parameter} is not what the function takes"))),
            }
            match self.words.pop() {
                Some(Word::Comma) => {}
                Some(Word::Close) => break,
                _ => return Err(syntax("the function's end is missing")),
            }
        }
        let (Some(column), Some(values)) = (column, values) else {
            return Err(syntax("the function needs PropertyName and PropertyValues"));
        };
        if values.is_empty() {
            return Err(errors::invalid_argument("PropertyValues must have a value"));
        }
        if values.len() > self.most_in_values {
            return Err(errors::too_many_conditions());
        }
        if self.kind(&column)? == Kind::Id {
            let ids: Option<BTreeSet<Guid>> =
                values.iter().map(|value| Guid::parse_in_braces(value)).collect();
            let ids = ids.ok_or_else(|| errors::invalid_argument("A value is not a valid GUID"))?;
            return Ok(Filter::InIds(column, ids));
        }
        Ok(Filter::InTexts(column, values.iter().map(|value| value.to_lowercase()).collect()))
    }

    /// The next value, an alias's own if it is one.
    fn value(&mut self) -> Result<Word, ApiError> {
        match self.words.pop() {
            Some(Word::Name(name)) if name.starts_with('@') => {
                let text = self.aliases.get(&name).ok_or_else(|| syntax(&format!("{name} has no value")))?;
                let mut words = words(text)?;
                let value = words.pop().filter(|_| words.is_empty());
                value.ok_or_else(|| syntax(&format!("{name} has no single value")))
            }
            Some(word) => Ok(word),
            None => Err(syntax("a value is missing")),
        }
    }

    fn kind(&self, column: &str) -> Result<Kind, ApiError> {
        self.table.kind(column).ok_or_else(|| no_column(column, self.table))
    }
}

/// A query names a column that the table does not have.
pub(super) fn no_column(column: &str, table: &Table) -> ApiError {
    errors::invalid_query(format!(
        "Could not find a property named '{column}' on type 'Microsoft.Dynamics.CRM.{}'.",
        table.name
    ))
}
