//! Segments by rules, for whoever does not write SQL: rules of conditions, combined as sets of members, that compile to
//! the one SELECT which everything else understands. Pure: no I/O.
//!
//! - A **rule** is a group of conditions, `all` (AND) or `any` (OR) of them, and a condition may be a group itself. A rule
//!   without conditions takes every row. With a `path` the conditions are about rows of another source that are related
//!   to the main source's row, and the row is taken where there are enough of them (`at_least_rows`).
//! - Rules are **combined** top down as sets of members, by the member key: `union`, `intersect` and `except` take the set
//!   that the rules above have given. So a member whom an `except` takes out is out with all of their rows.
//! - A **value that is not known** (NULL, or a text that is no number where a number is asked for) fulfils no condition but
//!   the negative ones: `is_not`, `none_of` and `not_contains` are exactly the opposites of `is`, `one_of` and `contains`,
//!   so whose city is not known is found by `{ column: city, is_not: Wien }`.
//! - **Days** are days of UTC, and so is today, which is the same day for the whole of an evaluation.
//! - **Numbers** are compared exactly, to ten places behind the point; numbers beyond 28 places before it are not known.
//! - Columns of a path are compared as texts, as member keys are.

mod condition;
mod form;
mod reading;
mod refusal;
mod sql;
mod uses;
mod values;

pub use condition::ValueKind;
pub use form::{Case, Combine, Condition, Day, Number, Relation, Rule, RuleSet, Value};
pub use uses::ColumnUse;

use crate::query::TextError;
use refusal::Refusal;

impl RuleSet {
    /// The query that the rules compile to: one SELECT, of which `member_key` is a column. What is wrong, where they are no
    /// rules, is the field's path from here and the problem.
    pub fn query(&self, member_key: &str) -> Result<String, (String, String)> {
        let read = reading::read(self).map_err(Refusal::into_parts)?;
        Ok(sql::compile(&read, member_key))
    }

    /// Checks what the types cannot say: the field's path from here and the problem.
    pub(super) fn validate(&self, member_key: &str) -> Result<(), (String, String)> {
        let query = self.query(member_key)?;
        crate::query::sources_of(&query).map(drop).map_err(|error| ("rules".to_owned(), too_much(&error)))
    }

    /// The rules up to the one at this place, and with the member key alone: who is left after it.
    #[must_use]
    pub fn up_to(&self, place: usize) -> Self {
        let rules = self.rules.iter().take(place.saturating_add(1)).cloned().collect();
        Self { rules, columns: Vec::new(), ..self.clone() }
    }

    /// The rule at this place without those above it: who fulfils it.
    #[must_use]
    pub fn alone(&self, place: usize) -> Self {
        let alone = |rule: &Rule| Rule { combine: None, ..rule.clone() };
        let rules = self.rules.iter().skip(place).take(1).map(alone).collect();
        Self { rules, columns: Vec::new(), ..self.clone() }
    }

    /// The columns that are named, and what for; nothing of rules that cannot be.
    #[must_use]
    pub fn column_uses(&self) -> Vec<ColumnUse> {
        reading::read(self).map(|read| uses::uses(&read)).unwrap_or_default()
    }

    /// The sources that are named, each with the path of the field that names it.
    pub fn named_sources(&self) -> impl Iterator<Item = (String, &str)> {
        let main = std::iter::once(("source".to_owned(), self.source.as_str()));
        let related = self.rules.iter().enumerate().flat_map(|(rule, one)| {
            let place = move |hop| format!("rules[{rule}].path[{hop}].source");
            one.path.iter().enumerate().map(move |(hop, relation)| (place(hop), relation.source.as_str()))
        });
        main.chain(related)
    }
}

/// The bounds of queries in the words of whoever wrote rules: all else that a query's text can be refused for cannot be.
fn too_much(error: &TextError) -> String {
    match error {
        TextError::TooLong { bytes, limit_bytes } => format!(
            "compile to a query of {bytes} bytes, and a query may have {limit_bytes}; shorten the lists of values"
        ),
        _ => "compile to a query that is too large to be planned; take conditions or rules out, or put values that stand \
              in many conditions into one with one_of"
            .to_owned(),
    }
}

#[cfg(test)]
mod quoting_tests;
#[cfg(test)]
mod sql_tests;
#[cfg(test)]
mod tests;
