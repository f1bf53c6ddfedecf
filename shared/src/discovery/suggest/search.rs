//! The search for groups that stand out by a goal.

use super::candidates::{Candidate, candidates};
use super::{Feature, Found, MOST_EITHER_WAY, Target, to_float};
use std::collections::BTreeSet;

/// How many conditions a group has at the most.
const MOST_CONDITIONS: usize = 3;
/// How many groups are gone on with at each step.
const GONE_ON_WITH: usize = 20;
/// How many groups are held against the other half, either way.
const TRIED: usize = 40;
/// A group has at the least so many rows of a half, and this part of it.
const LEAST_ROWS: usize = 25;
const LEAST_PART: f64 = 0.01;
/// A group that is nearly everybody is none.
const MOST_PART: f64 = 0.8;
/// How far beyond chance a difference has to be in the half that was not searched, in standard errors: by chance alone, one
/// group of 370 would.
const LEAST_STRENGTH: f64 = 3.0;
/// Groups of which this part is the same people are one.
const SAME: f64 = 0.7;

/// Groups with a higher or lower average of the target, the strongest first.
pub(super) fn search<'a>(target: &Target, features: &[&'a Feature], parts: &[u8]) -> Vec<Found<'a>> {
    let known = |is_searched: bool| {
        let rows = target.numbers.iter().enumerate().zip(parts);
        let of_half = rows.filter(|((_, number), part)| (**part % 2 == 0) == is_searched && !number.is_nan());
        of_half.map(|((row, _), _)| row).collect::<Vec<usize>>()
    };
    let (searched, kept_back) = (Half::new(target, known(true)), Half::new(target, known(false)));
    let all: Vec<Candidate<'a>> = features.iter().flat_map(|feature| candidates(feature)).collect();
    let mut found = Vec::new();
    for way in [1.0, -1.0] {
        let groups = groups(&searched, &all, way);
        let mut held: Vec<(Found<'a>, BTreeSet<usize>)> = Vec::new();
        for group in groups {
            let Some((found, rows)) = confirmed(group, &kept_back, target, way) else { continue };
            if held.len() < MOST_EITHER_WAY && !held.iter().any(|(_, other)| is_same(&rows, other)) {
                held.push((found, rows));
            }
        }
        found.extend(held.into_iter().map(|(found, _)| found));
    }
    found
}

/// Rows of which the target is known.
struct Half<'a> {
    target: &'a Target,
    rows: Vec<usize>,
    average: f64,
    spread: f64,
}

/// A group of a half.
#[derive(Clone)]
struct Group<'a> {
    conditions: Vec<Candidate<'a>>,
    rows: Vec<usize>,
    strength: f64,
}

impl<'a> Half<'a> {
    fn new(target: &'a Target, rows: Vec<usize>) -> Self {
        let mut half = Self { target, rows, average: 0.0, spread: 0.0 };
        half.average = half.average_of(&half.rows);
        let square = |row: &usize| half.number(*row).map(|number| (number - half.average).powi(2));
        let squares: f64 = half.rows.iter().filter_map(square).sum();
        half.spread = (squares / size(&half.rows).max(1.0)).sqrt();
        half
    }

    fn number(&self, row: usize) -> Option<f64> {
        self.target.numbers.get(row).copied()
    }

    fn average_of(&self, rows: &[usize]) -> f64 {
        rows.iter().filter_map(|row| self.number(*row)).sum::<f64>() / size(rows).max(1.0)
    }

    /// By how many standard errors the average of these rows is above that of the half, as a draw of so many without
    /// putting back would be.
    fn strength(&self, rows: &[usize]) -> f64 {
        let (some, all) = (size(rows), size(&self.rows));
        let error = self.spread * ((1.0 - some / all) / some).sqrt();
        if error > 0.0 { (self.average_of(rows) - self.average) / error } else { 0.0 }
    }

    fn is_group(&self, rows: &[usize]) -> bool {
        let part = size(rows) / size(&self.rows).max(1.0);
        rows.len() >= LEAST_ROWS && (LEAST_PART..=MOST_PART).contains(&part)
    }
}

fn size(rows: &[usize]) -> f64 {
    to_float(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// The best groups of a half, one way: those of one condition, and those with one more that are better for it.
fn groups<'a>(half: &Half<'_>, all: &[Candidate<'a>], way: f64) -> Vec<Group<'a>> {
    let mut best: Vec<Group<'a>> = Vec::new();
    let everybody = Group { conditions: Vec::new(), rows: half.rows.clone(), strength: 0.0 };
    let mut gone_on_with = vec![everybody];
    for _ in 0..MOST_CONDITIONS {
        let mut next: Vec<Group<'a>> = Vec::new();
        for group in &gone_on_with {
            for candidate in all {
                if group.conditions.iter().any(|one| one.column() == candidate.column()) {
                    continue;
                }
                let rows: Vec<usize> = group.rows.iter().copied().filter(|row| candidate.has(*row)).collect();
                if !half.is_group(&rows) {
                    continue;
                }
                let strength = half.strength(&rows) * way;
                if strength > group.strength {
                    let conditions = [group.conditions.as_slice(), std::slice::from_ref(candidate)].concat();
                    next.push(Group { conditions, rows, strength });
                }
            }
            strongest(&mut next, GONE_ON_WITH);
        }
        best.extend(next.iter().cloned());
        gone_on_with = next;
    }
    strongest(&mut best, TRIED);
    best
}

/// Keeps so many of the strongest; of the same rows only one, the one with fewer conditions, which came first.
fn strongest(groups: &mut Vec<Group<'_>>, most: usize) {
    groups.sort_by(|one, other| {
        other.strength.total_cmp(&one.strength).then(one.conditions.len().cmp(&other.conditions.len()))
    });
    groups.dedup_by(|one, other| one.rows == other.rows);
    groups.truncate(most);
}

/// The group with the figures of the half that was not searched, where it stands out there as well.
fn confirmed<'a>(
    group: Group<'a>,
    half: &Half<'_>,
    target: &Target,
    way: f64,
) -> Option<(Found<'a>, BTreeSet<usize>)> {
    let has = |row: &usize| group.conditions.iter().all(|one| one.has(*row));
    let rows: Vec<usize> = half.rows.iter().copied().filter(has).collect();
    let strength = half.strength(&rows) * way;
    if !half.is_group(&rows) || strength < LEAST_STRENGTH {
        return None;
    }
    let figures = vec![target.figure(half.average_of(&rows), half.average)];
    Some((Found { conditions: group.conditions, figures, strength }, rows.into_iter().collect()))
}

fn is_same(one: &BTreeSet<usize>, other: &BTreeSet<usize>) -> bool {
    let both = one.intersection(other).count();
    let either = one.len() + other.len() - both;
    let count = |count| to_float(u64::try_from(count).unwrap_or(u64::MAX));
    count(both) > SAME * count(either)
}
