//! Segments described in everyday words.
//!
//! A description is read with the words that the data has: names of columns and sources, and the texts that stand in the
//! columns. There is no model behind it: the same words always mean the same, each part of them is told with what it was
//! understood as, and what is not understood is told too and never guessed. So nothing of anybody's data leaves, and
//! nobody has to trust it.

mod phrases;
mod reader;
mod steps;
mod tokens;
mod vocabulary;

use super::DiscoveryError;
use crate::catalog::rules::{Combine, Condition, Relation, Rule, RuleSet};
use crate::catalog::{Document, Segment, SegmentKind};
use crate::model::{SegmentId, SourceId};
use reader::{Reading, Said};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

pub use vocabulary::{Vocabulary, is_spoken_of};

/// The longest description, in characters.
const MAX_CHARACTERS: usize = 1_000;
/// Texts are known where a column has at the most so many.
pub const MOST_TEXTS: usize = 250;
/// The most people of a sample.
pub const SAMPLE_PEOPLE: u64 = 50_000;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DescriptionRequest {
    /// The draft's id.
    pub id: SegmentId,
    /// Who is meant, in English.
    #[schema(
        min_length = 1,
        max_length = 1000,
        examples("customers in Wien with at least 100 points and no orders in the last 90 days")
    )]
    pub description: String,
    /// The source whose rows are the people.
    #[schema(value_type = String)]
    pub source: SourceId,
    /// Its column with the customer id. Sources that have a column of this name can be spoken of as well.
    pub member_key: String,
}

impl DescriptionRequest {
    /// Checks what the types cannot say: the field's path and the problem.
    pub fn validate(&self) -> Result<(), (String, String)> {
        let length = self.description.chars().count();
        if self.description.trim().is_empty() || length > MAX_CHARACTERS {
            return Err(("description".to_owned(), format!("must have 1 to {MAX_CHARACTERS} characters")));
        }
        if self.member_key.trim().is_empty() || self.member_key.contains(char::is_control) {
            return Err(("member_key".to_owned(), "must be a column's name".to_owned()));
        }
        Ok(())
    }
}

/// What was understood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DescriptionFound {
    /// The segment, which is not saved: rules of everything that was understood.
    pub draft: Segment,
    /// Each part of the description, and what it was understood as.
    pub understood: Vec<Understood>,
    /// The parts that were not understood: the draft is without them.
    pub not_understood: Vec<Misunderstood>,
}

/// A part of a description that was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Understood {
    /// The words.
    pub words: String,
    /// What they are taken for.
    pub meaning: String,
}

/// A part of a description that was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Misunderstood {
    /// The words.
    pub words: String,
    /// Why: words to stand behind them.
    pub why: String,
}

/// Reads a description.
pub fn find(
    request: &DescriptionRequest,
    vocabulary: &Vocabulary,
) -> Result<DescriptionFound, DiscoveryError> {
    let Reading { said, understood, not_understood } =
        reader::read(&tokens::tokens(&request.description), vocabulary);
    if said.is_empty() {
        let words = not_understood.iter().map(|one| format!("\"{}\" {}", one.words, one.why));
        return Err(DiscoveryError::NotUnderstood { why: words.collect::<Vec<_>>().join("; ") });
    }
    let rules = rules(said, &request.member_key);
    let set = RuleSet { source: request.source.clone(), columns: Vec::new(), rules };
    let name =
        request.description.trim().chars().filter(|character| !character.is_control()).take(120).collect();
    let draft = Segment {
        id: request.id.clone(),
        name,
        labels: Vec::new(),
        active: true,
        kind: SegmentKind::Rules { rules: set, member_key: request.member_key.clone() },
    };
    draft.validate().map_err(|error| DiscoveryError::TooLarge { why: error.to_string() })?;
    Ok(DescriptionFound { draft, understood, not_understood })
}

/// One rule of what is said of the people themselves, and one for each other source.
fn rules(said: Vec<Said>, member_key: &str) -> Vec<Rule> {
    let rule = |name: String| Rule {
        name,
        combine: None,
        path: Vec::new(),
        all: None,
        any: None,
        at_least_rows: None,
    };
    // Alternatives stand together.
    let mut groups: Vec<Vec<Condition>> = Vec::new();
    let mut others = Vec::new();
    for one in said {
        match one {
            Said::Own { condition, is_alternative, .. } => match groups.last_mut().filter(|_| is_alternative)
            {
                Some(group) => group.push(condition),
                None => groups.push(vec![condition]),
            },
            Said::Related { source, day, at_least_rows, is_taken_away } => {
                let place = others.len() + 2;
                let on = BTreeMap::from([(member_key.to_owned(), member_key.to_owned())]);
                others.push(Rule {
                    combine: Some(if is_taken_away { Combine::Except } else { Combine::Intersect }),
                    path: vec![Relation { source: source.source.clone(), on }],
                    all: day.map(|day| vec![day]),
                    at_least_rows: Some(at_least_rows).filter(|rows| *rows > 1),
                    ..rule(format!("{} ({place})", source.source))
                });
            }
        }
    }
    let together = |mut group: Vec<Condition>| match (group.len(), group.pop()) {
        (1, Some(only)) => only,
        (_, last) => Condition { any: Some(group.into_iter().chain(last).collect()), ..Condition::default() },
    };
    let all: Vec<Condition> = groups.into_iter().map(together).collect();
    let own = Rule { all: Some(all).filter(|all| !all.is_empty()), ..rule("people".to_owned()) };
    std::iter::once(own).chain(others).collect()
}

#[cfg(test)]
mod tests;
