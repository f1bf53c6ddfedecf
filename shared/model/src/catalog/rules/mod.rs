//! Segments by rules, without SQL: rules of conditions, combined as sets of members, that compile to one
//! SELECT, the same form as a query that a user writes. Pure: no I/O.
//!
//! - A **rule** is a group of conditions, `all` (AND) or `any` (OR), and a condition may be a group itself. A
//!   rule without conditions selects every row. With a `path` the conditions are about rows of another source
//!   that are related to the main source's row, which is selected if there are enough of them
//!   (`at_least_rows`).
//! - Rules are **combined** from top to bottom as sets of members, by the member key: `union`, `intersect`
//!   and `except` apply to the result of the rules above. A member that an `except` removes is removed with
//!   all of its rows.
//! - **NULL**, or a text that is not a number where a number is required, matches only negative operators:
//!   `is_not`, `none_of` and `not_contains` are exactly the opposites of `is`, `one_of` and `contains`.
//!   Members with an unknown city match `{ column: city, is_not: Wien }`.
//! - **Days** are UTC days, and so is today, which is constant during an evaluation.
//! - **Numbers** are compared exactly, to ten decimal places; numbers with more than 28 integer digits count
//!   as NULL.
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
    /// Compiles the rules to a query: one SELECT with `member_key` as a column. Returns the field's path
    /// and the problem if the rules are invalid.
    pub fn query(&self, member_key: &str) -> Result<String, (String, String)> {
        let read = reading::read(self).map_err(Refusal::into_parts)?;
        Ok(sql::compile(&read, member_key))
    }

    /// Checks constraints beyond the types; returns the field's path and the problem.
    pub(super) fn validate(&self, member_key: &str) -> Result<(), (String, String)> {
        let query = self.query(member_key)?;
        crate::query::sources_of(&query).map(drop).map_err(|error| ("rules".to_owned(), too_much(&error)))
    }

    /// Returns the rules up to the one at this index, with the member key alone: the members that remain
    /// after it.
    #[must_use]
    pub fn up_to(&self, place: usize) -> Self {
        let rules = self.rules.iter().take(place.saturating_add(1)).cloned().collect();
        Self { rules, columns: Vec::new(), ..self.clone() }
    }

    /// Returns only the rule at this index: the members that fulfil it.
    #[must_use]
    pub fn alone(&self, place: usize) -> Self {
        let alone = |rule: &Rule| Rule { combine: None, ..rule.clone() };
        let rules = self.rules.iter().skip(place).take(1).map(alone).collect();
        Self { rules, columns: Vec::new(), ..self.clone() }
    }

    /// Returns the referenced columns and their use; empty for invalid rules.
    #[must_use]
    pub fn column_uses(&self) -> Vec<ColumnUse> {
        reading::read(self).map(|read| uses::uses(&read)).unwrap_or_default()
    }

    /// Returns the referenced sources, each with the path of the field that references it.
    pub fn named_sources(&self) -> impl Iterator<Item = (String, &str)> {
        let main = std::iter::once(("source".to_owned(), self.source.as_str()));
        let related = self.rules.iter().enumerate().flat_map(|(rule, one)| {
            let place = move |hop| format!("rules[{rule}].path[{hop}].source");
            one.path.iter().enumerate().map(move |(hop, relation)| (place(hop), relation.source.as_str()))
        });
        main.chain(related)
    }
}

/// Describes an exceeded limit in terms of rules. The other errors of query texts cannot occur in compiled
/// rules.
fn too_much(error: &TextError) -> String {
    match error {
        TextError::TooLong { bytes, limit_bytes } => format!(
            "compile to a query of {bytes} bytes, and a query may have {limit_bytes}; shorten the lists of values"
        ),
        _ => "compile to a query that is too large to be planned; remove conditions or rules, or merge the values of \
              several conditions with one_of"
            .to_owned(),
    }
}

#[cfg(test)]
mod quoting_tests;
#[cfg(test)]
mod sql_tests;
#[cfg(test)]
mod tests;
