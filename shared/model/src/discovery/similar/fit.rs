//! The logistic regression.

use super::super::sample::{Sample, to_float};

/// How much a weight is held near nothing: so that a value which few have counts for little.
const HELD_BACK: f64 = 5.0;
/// The most times that the rows are gone through.
const MOST_SWEEPS: usize = 100;
/// Where no weight changes more than this, it is found.
const SMALL: f64 = 1e-4;
/// Weights and similarities have so many places behind the point, here and in the query.
const PLACES: f64 = 1e4;

/// What was learned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model {
    /// What everybody begins with.
    pub(super) intercept: f64,
    /// What each bin of each column counts for. The least of a column is 0, so that the query needs no signs.
    pub(super) weights: Vec<Vec<f64>>,
}

impl Model {
    /// How similar somebody of the sample is to the members, from 0 to 1: the query gives the same.
    pub(super) fn similarity(&self, sample: &Sample, row: usize) -> f64 {
        let weight = |(feature, weights): (&super::Feature, &Vec<f64>)| {
            let bin = feature.bins.get(row).copied().unwrap_or_default();
            weights.get(usize::from(bin)).copied().unwrap_or_default()
        };
        let sum: f64 = sample.features.iter().zip(&self.weights).map(weight).sum();
        rounded(logistic(self.intercept + sum))
    }
}

/// To the places that everything here has.
pub(super) fn rounded(value: f64) -> f64 {
    (value * PLACES).round() / PLACES
}

fn logistic(sum: f64) -> f64 {
    1.0 / (1.0 + (-sum).exp())
}

/// Finds the weights by which the rows that are not of the fold which is kept back are told apart best.
///
/// Each step takes one column and moves all its weights at once, which do not disturb each other because every row is in
/// one bin. A step is at the most as large as the curvature, which is a quarter, allows: so each makes it better.
pub(super) fn fit(sample: &Sample, kept_back: Option<u8>) -> Model {
    let is_used: Vec<bool> = sample.parts.iter().map(|part| Some(super::fold(*part)) != kept_back).collect();
    let used = |mark: bool| {
        let rows =
            is_used.iter().zip(&sample.marks).filter(|(used, is_member)| **used && **is_member == mark);
        to_float(u64::try_from(rows.count()).unwrap_or(u64::MAX)).max(1.0)
    };
    let (members, others) = (used(true), used(false));
    let half = f64::midpoint(members, others);
    // Members count as much as others, however many more others there are.
    let weight_of = |place: usize| match (is_used.get(place), sample.marks.get(place)) {
        (Some(true), Some(true)) => half / members,
        (Some(true), Some(false)) => half / others,
        _ => 0.0,
    };
    let row_weights: Vec<f64> = (0..sample.rows()).map(weight_of).collect();
    let mut sums = vec![0.0; sample.rows()];
    let mut intercept = 0.0;
    let mut weights: Vec<Vec<f64>> =
        sample.features.iter().map(|feature| vec![0.0; feature.bins_count()]).collect();
    let everybody = vec![0_u8; sample.rows()];
    for _ in 0..MOST_SWEEPS {
        let step = steps(&everybody, 1, &sample.marks, &row_weights, &sums, &[0.0], 0.0);
        let mut largest = move_by(&step, &everybody, &mut sums);
        intercept += step.first().copied().unwrap_or_default();
        for (feature, weights) in sample.features.iter().zip(&mut weights) {
            let count = feature.bins_count();
            let step = steps(&feature.bins, count, &sample.marks, &row_weights, &sums, weights, HELD_BACK);
            largest = largest.max(move_by(&step, &feature.bins, &mut sums));
            weights.iter_mut().zip(&step).for_each(|(weight, step)| *weight += step);
        }
        if largest < SMALL {
            break;
        }
    }
    for weights in &mut weights {
        let least = weights.iter().copied().fold(f64::INFINITY, f64::min);
        intercept += least;
        for weight in weights {
            *weight = rounded(*weight - least);
        }
    }
    Model { intercept: rounded(intercept), weights }
}

/// How far each bin's weight is to go.
fn steps(
    bins: &[u8],
    count: usize,
    marks: &[bool],
    row_weights: &[f64],
    sums: &[f64],
    weights: &[f64],
    held_back: f64,
) -> Vec<f64> {
    let mut slopes = vec![(0.0, 0.0); count];
    for (((bin, is_member), row_weight), sum) in bins.iter().zip(marks).zip(row_weights).zip(sums) {
        if let Some((slope, curvature)) = slopes.get_mut(usize::from(*bin)) {
            let wanted = if *is_member { 1.0 } else { 0.0 };
            *slope += row_weight * (wanted - logistic(*sum));
            *curvature += row_weight * 0.25;
        }
    }
    let step = |((slope, curvature), weight): (&(f64, f64), &f64)| {
        let curvature = curvature + held_back;
        if curvature > 0.0 { (slope - held_back * weight) / curvature } else { 0.0 }
    };
    slopes.iter().zip(weights).map(step).collect()
}

/// Moves every row's sum by its bin's step. Gives the largest.
fn move_by(steps: &[f64], bins: &[u8], sums: &mut [f64]) -> f64 {
    for (sum, bin) in sums.iter_mut().zip(bins) {
        *sum += steps.get(usize::from(*bin)).copied().unwrap_or_default();
    }
    steps.iter().map(|step| step.abs()).fold(0.0, f64::max)
}
