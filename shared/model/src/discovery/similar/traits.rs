//! What members have in common, and others have not.

use super::super::sample::{Sample, ratio, to_count, to_float};
use super::fit::Model;
use super::{Feature, FeatureKind, UNKNOWN};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What fewer people of the sample have is not told.
const LEAST_PEOPLE: u64 = 10;
/// So many traits are told.
const MOST_TRAITS: usize = 20;

/// A value of a column that tells something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Trait {
    /// The column.
    pub column: String,
    /// The value, or the range.
    pub value: String,
    /// Of a hundred members, how many have it.
    pub members_percent: u64,
    /// Of a hundred others, how many.
    pub others_percent: u64,
    /// How often the odds of being a member are those of somebody who is average in this column and the same in all others.
    pub odds: f64,
}

/// What tells most: how much it counts, and how many have it on either side.
pub(super) fn traits(sample: &Sample, model: &Model) -> Vec<Trait> {
    let members = u64::try_from(sample.marks.iter().filter(|mark| **mark).count()).unwrap_or(u64::MAX);
    let others = u64::try_from(sample.rows()).unwrap_or(u64::MAX).saturating_sub(members);
    let mut found: Vec<(f64, Trait)> = Vec::new();
    for (feature, weights) in sample.features.iter().zip(&model.weights) {
        let mut having = vec![(0_u64, 0_u64); feature.bins_count()];
        for (bin, is_member) in feature.bins.iter().zip(&sample.marks) {
            if let Some((members, others)) = having.get_mut(usize::from(*bin)) {
                *if *is_member { members } else { others } += 1;
            }
        }
        let all = to_float(members + others);
        let average: f64 =
            weights.iter().zip(&having).map(|(weight, (m, o))| weight * to_float(m + o) / all).sum();
        for ((bin, weight), (with_members, with_others)) in weights.iter().enumerate().zip(&having) {
            // What a handful have is theirs.
            if with_members + with_others < LEAST_PEOPLE {
                continue;
            }
            let part_members = ratio(*with_members, members.max(1));
            let part_others = ratio(*with_others, others.max(1));
            let said = (weight - average).abs() * (part_members + part_others);
            found.push((
                said,
                Trait {
                    column: feature.column.clone(),
                    value: value_of(feature, bin),
                    members_percent: to_count(part_members * 100.0),
                    others_percent: to_count(part_others * 100.0),
                    odds: ((weight - average).exp() * 100.0).round() / 100.0,
                },
            ));
        }
    }
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    found.into_iter().map(|(_, told)| told).take(MOST_TRAITS).collect()
}

/// What a bin is, in words.
fn value_of(feature: &Feature, bin: usize) -> String {
    if bin == usize::from(UNKNOWN) {
        return "no value".to_owned();
    }
    let place = bin - 1;
    let range = |low: Option<String>, high: Option<String>, unit: &str| match (low, high) {
        (None, Some(high)) => format!("{unit}below {high}"),
        (Some(low), Some(high)) => format!("{unit}{low} to below {high}"),
        (Some(low), None) => format!("{unit}{low} or more"),
        (None, None) => "any".to_owned(),
    };
    match &feature.kind {
        FeatureKind::Texts(texts) => match texts.get(place).map(String::as_str) {
            Some("") => "an empty text".to_owned(),
            Some(text) => text.to_owned(),
            None => "anything else".to_owned(),
        },
        FeatureKind::Truths(_) => if place == 0 { "false" } else { "true" }.to_owned(),
        FeatureKind::Numbers(cuts) => {
            let at = |place: usize| cuts.get(place).map(f64::to_string);
            range(place.checked_sub(1).and_then(at), at(place), "")
        }
        FeatureKind::Days(cuts) => {
            let at = |place: usize| cuts.get(place).map(|days| (days + 1).to_string());
            range(place.checked_sub(1).and_then(at), at(place), "days before today: ")
        }
    }
}
