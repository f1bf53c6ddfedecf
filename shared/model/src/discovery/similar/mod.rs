//! People who are like the members of a segment.
//!
//! A logistic regression over the bins of the columns learns what tells members from others, from a sample with as much
//! weight on one side as on the other. How well that does is told by people whom it had not seen. What was learned is
//! written as SQL: a sum of what each value of each column counts for, turned into a similarity from 0 to 1, which is a
//! column that exports can map.

mod draft;
mod fit;
mod score;
mod traits;

use super::error::DiscoveryError;
use super::feature::{Feature, FeatureKind, UNKNOWN};
use super::population::{PeopleQuery, Population};
use super::sample::{LeftOutColumn, Sample, to_count, to_float};
use crate::SegmentId;
use crate::catalog::Segment;
use fit::fit;
use score::Separation;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use draft::{IS_MEMBER, sample_query};
pub use traits::Trait;

/// Whoever has a smaller score is not similar, however many are wanted.
/// <https://learn.microsoft.com/dynamics365/customer-insights/data/find-similar-customer-segments#about-similarity-scores>
pub const LEAST_SIMILARITY: f64 = 0.4;
/// From where on somebody is somewhat similar, similar, and very similar: as in the page above.
const BANDS: [f64; 5] = [LEAST_SIMILARITY, 0.55, 0.7, 0.85, 1.0];
/// Texts are used where a column has at the most so many: as in the page above.
pub const MOST_TEXTS: usize = 30;
/// The most people of a sample on either side.
pub const SAMPLE_PEOPLE: u64 = 25_000;
/// The fewest on either side.
const LEAST_PEOPLE: u64 = 50;
/// What tells less is no better than a coin.
const LEAST_SEPARATION: f64 = 0.55;
/// So far beyond what chance gives, in standard errors, the members and others have to be told apart.
const BEYOND_CHANCE: f64 = 3.0;

/// Into so many folds the sample is cut, of which each is scored by what was learned from the others.
const FOLDS: u8 = 5;
/// Of a sample with so many rows one fold is enough to tell how well it works.
const MANY_ROWS: usize = 20_000;

/// The fold of a part of the sample.
const fn fold(part: u8) -> u8 {
    part % FOLDS
}

/// What each row scores with a model that has not seen it; nothing for rows of a fold that is not tried.
fn unseen_scores(sample: &Sample) -> Vec<Option<f64>> {
    let mut scores = vec![None; sample.rows()];
    let folds = if sample.rows() < MANY_ROWS { FOLDS } else { 1 };
    for kept_back in 0..folds {
        let model = fit(sample, Some(kept_back));
        for (row, (score, part)) in scores.iter_mut().zip(&sample.parts).enumerate() {
            if fold(*part) == kept_back {
                *score = Some(model.similarity(sample, row));
            }
        }
    }
    scores
}

/// Whether the members of the segment itself are in the one that is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SimilarMembers)]
pub enum Members {
    /// They are not: it holds only others.
    #[default]
    LeftOut,
    /// They are as well.
    Included,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimilarRequest {
    /// The draft's id; `like-` and the segment's where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<SegmentId>,
    /// What people call the draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Among whom to look; where it is left out, among the rows of the source that the segment's member key comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub among: Option<Population>,
    /// The columns by which people are alike; left out, all that can be used but those that decide who is a member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 25)]
    pub columns: Vec<String>,
    /// How many of a hundred others are wanted. More of them are less alike; whoever has the same score comes in together,
    /// so that they may be some more.
    #[serde(default = "usual_share")]
    #[schema(minimum = 1, maximum = 100)]
    pub share_percent: u8,
    /// Whether the members of the segment are in the draft too.
    #[serde(default)]
    pub members: Members,
}

const fn usual_share() -> u8 {
    20
}

impl SimilarRequest {
    /// Checks what the types cannot say: the field's path and the problem.
    pub fn validate(&self) -> Result<(), (String, String)> {
        if !(1..=100).contains(&self.share_percent) {
            return Err(("share_percent".to_owned(), "must be 1 to 100".to_owned()));
        }
        if self.columns.len() > super::MAX_COLUMNS {
            return Err(("columns".to_owned(), format!("must not be more than {}", super::MAX_COLUMNS)));
        }
        match &self.among {
            Some(among) => among.validate().map_err(|(field, problem)| (format!("among.{field}"), problem)),
            None => Ok(()),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimilarFound {
    /// The segment, which is not saved: a query with the column `similarity`.
    pub draft: Segment,
    /// Members of the segment among the people.
    pub members: u64,
    /// All others among them.
    pub others: u64,
    /// How many of both the sample had.
    pub sampled: u64,
    /// Of a member and somebody else whom the model had not seen, in how many of a hundred cases the member scores higher: 50
    /// is a coin, 100 is perfect.
    pub told_apart_percent: u64,
    /// The least similarity of whoever is in the draft.
    pub least_similarity: f64,
    /// How many others the draft has, by the sample; a preview counts them.
    pub others_expected: u64,
    /// How alike the others are, by the sample.
    pub scores: Vec<ScoreBand>,
    /// What tells members from others most, whichever way.
    pub traits: Vec<Trait>,
    /// Rows beyond the first of somebody. The sample has the first only, and the draft asks each.
    pub further_rows: u64,
    /// The columns that are used.
    pub columns: Vec<String>,
    /// The columns that are not, and why.
    pub left_out: Vec<LeftOutColumn>,
}

/// Others with a similarity in some range.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoreBand {
    /// From this similarity on.
    pub from: f64,
    /// Below this one, or 1.
    pub below: f64,
    /// How many, by the sample.
    pub others: u64,
}

/// The people, and the segment whose members are wanted among them.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// What is asked for.
    pub request: &'a SimilarRequest,
    /// The segment.
    pub segment: &'a Segment,
    /// Its members.
    pub members: &'a PeopleQuery,
    /// The people.
    pub people: &'a PeopleQuery,
    /// Members among the people.
    pub members_count: u64,
    /// Others among them.
    pub others_count: u64,
    /// Rows beyond the first of somebody.
    pub further_rows: u64,
    /// Every column of the people, so that another name can be taken.
    pub names: &'a [String],
}

/// Finds what tells the marked rows of the sample from the others, and makes a draft of it.
pub fn find(search: &Search<'_>, sample: &Sample) -> Result<SimilarFound, DiscoveryError> {
    for (who, people) in [
        ("members of the segment are among the people", search.members_count),
        ("others are among the people", search.others_count),
    ] {
        if people < LEAST_PEOPLE {
            return Err(DiscoveryError::TooFew { who, people, least: LEAST_PEOPLE });
        }
    }
    sample.require_features()?;
    let Separation { separation, error } = Separation::of(sample, &unseen_scores(sample));
    if separation < LEAST_SEPARATION.max(0.5 + BEYOND_CHANCE * error) {
        return Err(DiscoveryError::Indistinct { percent: to_count(separation * 100.0) });
    }
    let model = fit(sample, None);
    let scores: Vec<f64> = (0..sample.rows()).map(|row| model.similarity(sample, row)).collect();
    let mut of_others: Vec<f64> = scores
        .iter()
        .zip(&sample.marks)
        .filter(|(_, is_member)| !**is_member)
        .map(|(score, _)| *score)
        .collect();
    of_others.sort_by(|one, other| other.total_cmp(one));
    let least = least_similarity(&of_others, search.request.share_percent)?;
    // The sample has others of its own share.
    let weight = to_float(search.others_count) / count(&of_others);
    let counted = |from: f64, below: f64| {
        let inside = |score: &&f64| **score >= from && (**score < below || (below >= 1.0 && **score <= 1.0));
        to_count(count(of_others.iter().filter(inside)) * weight)
    };
    let lowest = ScoreBand { from: 0.0, below: LEAST_SIMILARITY, others: counted(0.0, LEAST_SIMILARITY) };
    let bands = BANDS.windows(2).filter_map(|band| match band {
        [from, below] => Some(ScoreBand { from: *from, below: *below, others: counted(*from, *below) }),
        _ => None,
    });
    Ok(SimilarFound {
        draft: draft::draft(search, sample, &model, least)?,
        members: search.members_count,
        others: search.others_count,
        sampled: u64::try_from(sample.rows()).unwrap_or(u64::MAX),
        told_apart_percent: to_count(separation * 100.0),
        least_similarity: least,
        others_expected: counted(least, 1.0),
        scores: std::iter::once(lowest).chain(bands).collect(),
        traits: traits::traits(sample, &model),
        further_rows: search.further_rows,
        columns: sample.features.iter().map(|feature| feature.column.clone()).collect(),
        left_out: sample.left_out.clone(),
    })
}

fn count<T>(items: impl IntoIterator<Item = T>) -> f64 {
    to_float(u64::try_from(items.into_iter().count()).unwrap_or(u64::MAX))
}

/// The score that so many of a hundred others have at the least, whose scores come highest first.
fn least_similarity(of_others: &[f64], share_percent: u8) -> Result<f64, DiscoveryError> {
    let wanted = of_others.len() * usize::from(share_percent) / 100;
    let at_share = of_others.get(wanted.saturating_sub(1)).copied().unwrap_or_default();
    // Whoever has just this score comes in together, so where that would be far too many it is the next higher one.
    let with_ties = of_others.iter().filter(|score| **score >= at_share).count();
    let is_too_many = with_ties > wanted.max(1) * 3 / 2;
    let higher = of_others.iter().copied().rfind(|score| *score > at_share);
    let least = if is_too_many { higher.unwrap_or(at_share) } else { at_share }.max(LEAST_SIMILARITY);
    let best = of_others.first().copied().unwrap_or_default();
    if best < least {
        return Err(DiscoveryError::NobodySimilar { best, least });
    }
    Ok(least)
}

#[cfg(test)]
mod tests;
