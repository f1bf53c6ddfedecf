//! Groups of people that stand out.
//!
//! With a **goal**, a number or a text of a few values, groups are searched whose average of it is higher or lower than
//! everybody's, or in which a value is more or less frequent: conditions are put together, three at the most, and the best
//! at each step are gone on with. Half of the sample is searched and the other half asked whether it is true: only what
//! holds there as well is suggested, with that half's figures, so that nobody is told of an accident.
//!
//! Without one, people are grouped by how much they have of each number and how long ago each day is: the fifth with the
//! most and with the least.

mod candidates;
mod draft;
mod extents;
mod search;

use super::error::DiscoveryError;
use super::feature::{Feature, FeatureKind, UNKNOWN};
use super::population::{PeopleQuery, Population};
use super::sample::{LeftOutColumn, Sample, to_count, to_float};
use crate::SegmentId;
use crate::catalog::Segment;
use candidates::Candidate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Texts are used where a column has at the most so many.
/// <https://learn.microsoft.com/dynamics365/customer-insights/data/suggested-segments>
pub const MOST_TEXTS: usize = 100;
/// A goal of texts has at the most so many: as in the page above.
const MOST_GOALS: usize = 10;
/// The most people of a sample.
pub const SAMPLE_PEOPLE: u64 = 30_000;
/// The fewest people among whom anything is searched.
const LEAST_PEOPLE: u64 = 200;
/// The longest id, of which 64 characters are left with a number.
const MAX_ID_CHARACTERS: usize = 60;
/// The most suggestions of a goal, half of them either way.
const MOST_EITHER_WAY: usize = 5;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestionRequest {
    /// What the drafts' ids begin with: a number is put behind it.
    pub id: SegmentId,
    /// Among whom to look.
    pub among: Population,
    /// The column or the measure that should be higher or lower, or have one of its values more or less often; without it,
    /// people are grouped by how much they have of each number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// The columns and measures that groups are made by; left out, all that can be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 25)]
    pub columns: Vec<String>,
}

impl SuggestionRequest {
    /// Checks what the types cannot say: the field's path and the problem.
    pub fn validate(&self) -> Result<(), (String, String)> {
        if self.columns.len() > super::MAX_COLUMNS {
            return Err(("columns".to_owned(), format!("must not be more than {}", super::MAX_COLUMNS)));
        }
        let id = self.id.as_str().len();
        if id > MAX_ID_CHARACTERS {
            return Err((
                "id".to_owned(),
                format!("must not be longer than {MAX_ID_CHARACTERS}: a number comes behind it"),
            ));
        }
        if self.goal.as_ref().is_some_and(|goal| self.columns.contains(goal)) {
            return Err(("columns".to_owned(), "must not have the goal among them".to_owned()));
        }
        self.among.validate().map_err(|(field, problem)| (format!("among.{field}"), problem))
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuggestionsFound {
    /// How many people there are.
    pub people: u64,
    /// How many of them the sample had.
    pub sampled: u64,
    /// The groups, those that stand out most before the others.
    pub suggestions: Vec<Suggestion>,
    /// Rows beyond the first of somebody. The sample has the first only, and the drafts ask each.
    pub further_rows: u64,
    /// The columns that are used.
    pub columns: Vec<String>,
    /// The columns that are not, and why.
    pub left_out: Vec<LeftOutColumn>,
}

/// A group that stands out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Suggestion {
    /// The segment, which is not saved.
    pub draft: Segment,
    /// What its members have in common: all of these.
    pub conditions: Vec<String>,
    /// How many they are, by the sample; a preview counts them.
    pub members_expected: u64,
    /// Of a hundred people, how many are in it.
    pub percent: u64,
    /// By what it stands out: the goal, or every number and day.
    pub figures: Vec<SuggestedFigure>,
}

/// A figure of a group beside that of everybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SuggestedFigure {
    /// The column or the measure.
    pub column: String,
    /// What the two figures are.
    pub unit: FigureUnit,
    /// The value whose share is meant, where they are percents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// In the group.
    pub here: f64,
    /// Of everybody.
    pub overall: f64,
}

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FigureUnit {
    /// The average of those who have a number.
    Average,
    /// How many days ago on average.
    DaysAgo,
    /// Of a hundred people, how many have the value.
    Percent,
}

/// The people, and the segment that they are members of where it is one.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// What is asked for.
    pub request: &'a SuggestionRequest,
    /// The people, with measures.
    pub people: &'a PeopleQuery,
    /// The segment, where the people are one's members.
    pub segment: Option<&'a Segment>,
    /// How many people there are.
    pub people_count: u64,
    /// Rows beyond the first of somebody.
    pub further_rows: u64,
}

/// Finds groups that stand out. The sample's features have the goal among them.
pub fn find(setting: &Setting<'_>, sample: &Sample) -> Result<SuggestionsFound, DiscoveryError> {
    let people = setting.people_count;
    if people < LEAST_PEOPLE {
        let who = "people there are";
        return Err(DiscoveryError::TooFew { who, people, least: LEAST_PEOPLE });
    }
    sample.require_features()?;
    let goal = setting.request.goal.as_deref();
    let features: Vec<&Feature> =
        sample.features.iter().filter(|feature| Some(feature.column.as_str()) != goal).collect();
    let found = match goal {
        Some(goal) => {
            let mut found = Vec::new();
            let targets = targets(sample, goal)?;
            for target in &targets {
                found.extend(search::search(target, &features, &sample.parts, targets.len()));
            }
            found.sort_by(|one, other| other.strength.total_cmp(&one.strength));
            found
        }
        None => extents::extents(&features)?,
    };
    let rows = sample.rows();
    let all = to_float(u64::try_from(rows).unwrap_or(u64::MAX));
    let mut suggestions = Vec::new();
    for found in found {
        let with = (0..rows).filter(|row| found.conditions.iter().all(|one| one.has(*row))).count();
        let part = to_float(u64::try_from(with).unwrap_or(u64::MAX)) / all;
        // What could not be written as a segment is none.
        let Some(draft) = draft::draft(setting, suggestions.len() + 1, &found.conditions) else { continue };
        suggestions.push(Suggestion {
            draft,
            conditions: found.conditions.iter().map(Candidate::words).collect(),
            members_expected: to_count(part * to_float(people)),
            percent: to_count(part * 100.0),
            figures: found.figures,
        });
    }
    Ok(SuggestionsFound {
        people,
        sampled: u64::try_from(rows).unwrap_or(u64::MAX),
        suggestions,
        further_rows: setting.further_rows,
        columns: features.iter().map(|feature| feature.column.clone()).collect(),
        left_out: sample.left_out.clone(),
    })
}

/// A group, and what it stands out by.
#[derive(Debug)]
struct Found<'a> {
    conditions: Vec<Candidate<'a>>,
    figures: Vec<SuggestedFigure>,
    strength: f64,
}

/// What should be higher or lower.
#[derive(Debug)]
struct Target {
    column: String,
    unit: FigureUnit,
    value: Option<String>,
    /// Of each row; NaN where it is not known. A percent is 100 for who has the value and 0 for who has not.
    numbers: Vec<f64>,
}

impl Target {
    fn figure(&self, here: f64, overall: f64) -> SuggestedFigure {
        let (column, unit, value) = (self.column.clone(), self.unit, self.value.clone());
        SuggestedFigure { column, unit, value, here: short(here), overall: short(overall) }
    }
}

/// To two places, which is what people read.
fn short(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

/// The goal as numbers: one target, or one for each of its values.
fn targets(sample: &Sample, goal: &str) -> Result<Vec<Target>, DiscoveryError> {
    let refuse = |why: String| DiscoveryError::Goal { goal: goal.to_owned(), why };
    let Some(feature) = sample.features.iter().find(|feature| feature.column == goal) else {
        let left = sample.left_out.iter().find(|left| left.column == goal);
        return Err(refuse(left.map_or_else(|| "is not there".to_owned(), |left| left.why.clone())));
    };
    let column = || goal.to_owned();
    let of_numbers =
        |unit| Ok(vec![Target { column: column(), unit, value: None, numbers: feature.numbers.clone() }]);
    let of_values = |values: Vec<String>| {
        let target = |(place, value): (usize, String)| {
            let number = |bin: &u8| match *bin {
                UNKNOWN => f64::NAN,
                bin if usize::from(bin) == place + 1 => 100.0,
                _ => 0.0,
            };
            let numbers = feature.bins.iter().map(number).collect();
            Target { column: column(), unit: FigureUnit::Percent, value: Some(value), numbers }
        };
        values.into_iter().enumerate().map(target).collect::<Vec<Target>>()
    };
    match &feature.kind {
        FeatureKind::Numbers(_) => of_numbers(FigureUnit::Average),
        FeatureKind::Days(_) => of_numbers(FigureUnit::DaysAgo),
        // What is more often true is less often false.
        FeatureKind::Truths(_) => Ok(of_values(vec!["false".to_owned(), "true".to_owned()]).split_off(1)),
        FeatureKind::Texts(texts) if texts.len() > MOST_GOALS => {
            let texts = texts.len();
            Err(refuse(format!(
                "has {texts} different values, and a goal has {MOST_GOALS} at the most; group them"
            )))
        }
        FeatureKind::Texts(texts) => Ok(of_values(texts.clone())),
    }
}

#[cfg(test)]
mod tests;
