//! The search for groups that stand out by a goal.

use super::candidates::{Candidate, candidates};
use super::{Feature, FigureUnit, Found, MOST_EITHER_WAY, Target, to_float};
use std::collections::BTreeSet;

/// How many conditions a group has at the most.
const MOST_CONDITIONS: usize = 3;
/// How many groups are gone on with at each step.
const GONE_ON_WITH: usize = 12;
/// How many groups are held against the other half, either way.
const TRIED: usize = 40;
/// A group has at the least so many rows of a half, and this part of it.
const LEAST_ROWS: usize = 25;
const LEAST_PART: f64 = 0.01;
/// A group that is nearly everybody is none.
const MOST_PART: f64 = 0.8;
/// Another condition has to make a group so many standard errors stronger, in the half that was not searched.
const LEAST_GAIN: f64 = 3.0;
/// Of a share, so many have to have the value and so many not, for the standard error to mean anything.
const LEAST_OF_SHARE: f64 = 10.0;
/// The part of numbers at either end that count as no more than where that end begins, so that a few do not decide.
const END: f64 = 0.01;
/// Groups of which this part is the same people are one.
const SAME: f64 = 0.7;

/// Groups with a higher or lower average of the target, the strongest first.
pub(super) fn search<'a>(
    target: &Target,
    features: &[&'a Feature],
    parts: &[u8],
    targets: usize,
) -> Vec<Found<'a>> {
    let held = held(target);
    let known = |is_searched: bool| {
        let rows = target.numbers.iter().enumerate().zip(parts);
        let of_half = rows.filter(|((_, number), part)| (**part < 5) == is_searched && !number.is_nan());
        of_half.map(|((row, _), _)| row).collect::<Vec<usize>>()
    };
    let (searched, kept_back) =
        (Half::new(target, &held, known(true)), Half::new(target, &held, known(false)));
    let all: Vec<Candidate<'a>> = features.iter().flat_map(|feature| candidates(feature)).collect();
    let all: Vec<Candidate<'a>> = all.into_iter().filter(|one| searched.is_group_of(one)).collect();
    let least = least_strength(2 * TRIED * targets);
    let mut found = Vec::new();
    for way in [1.0, -1.0] {
        let groups = groups(&searched, &all, way);
        let mut held: Vec<(Found<'a>, BTreeSet<usize>)> = Vec::new();
        for group in groups {
            let Some((found, rows)) = confirmed(group, &kept_back, way, least) else { continue };
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
    /// The target's numbers, held in at both ends.
    numbers: &'a [f64],
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
    fn new(target: &'a Target, numbers: &'a [f64], rows: Vec<usize>) -> Self {
        let mut half = Self { target, numbers, rows, average: 0.0, spread: 0.0 };
        half.average = half.average_of(&half.rows);
        half.spread = half.spread_of(&half.rows);
        half
    }

    fn number(&self, row: usize) -> Option<f64> {
        self.numbers.get(row).copied()
    }

    fn spread_of(&self, rows: &[usize]) -> f64 {
        let average = self.average_of(rows);
        let squares =
            rows.iter().filter_map(|row| self.number(*row)).map(|number| (number - average).powi(2));
        (squares.sum::<f64>() / size(rows).max(1.0)).sqrt()
    }

    /// The average as people know it, with both ends as they are.
    fn plain_average(&self, rows: &[usize]) -> f64 {
        let numbers = rows.iter().filter_map(|row| self.target.numbers.get(*row));
        numbers.sum::<f64>() / size(rows).max(1.0)
    }

    fn average_of(&self, rows: &[usize]) -> f64 {
        rows.iter().filter_map(|row| self.number(*row)).sum::<f64>() / size(rows).max(1.0)
    }

    /// By how many standard errors the average of these rows is above that of the half.
    fn strength(&self, rows: &[usize]) -> f64 {
        beyond(self.average_of(rows) - self.average, self.spread, size(rows), size(&self.rows))
    }

    /// The same of these rows among others that they are some of.
    fn strength_among(&self, rows: &[usize], others: &[usize]) -> f64 {
        let difference = self.average_of(rows) - self.average_of(others);
        beyond(difference, self.spread_of(others), size(rows), size(others))
    }

    fn with(&self, conditions: &[Candidate<'_>]) -> Vec<usize> {
        let has = |row: &usize| conditions.iter().all(|one| one.has(*row));
        self.rows.iter().copied().filter(has).collect()
    }

    fn is_group_of(&self, candidate: &Candidate<'_>) -> bool {
        self.is_group(&self.with(std::slice::from_ref(candidate)))
    }

    /// Whether an average of these rows can be held against that of the others.
    fn can_tell(&self, rows: &[usize]) -> bool {
        if self.target.unit != FigureUnit::Percent {
            return true;
        }
        let all = size(rows);
        let having = self.average / 100.0 * all;
        having >= LEAST_OF_SHARE && all - having >= LEAST_OF_SHARE
    }

    fn is_group(&self, rows: &[usize]) -> bool {
        let part = size(rows) / size(&self.rows).max(1.0);
        rows.len() >= LEAST_ROWS && self.can_tell(rows) && (LEAST_PART..=MOST_PART).contains(&part)
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

/// The group with the figures of the half that was not searched, where it stands out there as well, and without the
/// conditions that make no difference there.
fn confirmed<'a>(
    group: Group<'a>,
    half: &Half<'_>,
    way: f64,
    least: f64,
) -> Option<(Found<'a>, BTreeSet<usize>)> {
    let mut conditions = group.conditions;
    let mut rows = half.with(&conditions);
    while conditions.len() > 1 {
        let without = |place: usize| {
            let kept = conditions.iter().enumerate().filter(|(other, _)| *other != place);
            kept.map(|(_, one)| one.clone()).collect::<Vec<_>>()
        };
        let gain = |place: usize| half.strength_among(&rows, &half.with(&without(place))) * way;
        let least_gain = (0..conditions.len())
            .map(|place| (place, gain(place)))
            .min_by(|(_, one), (_, other)| one.total_cmp(other))?;
        if least_gain.1 >= LEAST_GAIN {
            break;
        }
        conditions = without(least_gain.0);
        rows = half.with(&conditions);
    }
    let strength = half.strength(&rows) * way;
    let (here, overall) = (half.plain_average(&rows), half.plain_average(&half.rows));
    if !half.is_group(&rows) || strength < least || !here.is_finite() || !overall.is_finite() {
        return None;
    }
    let figures = vec![half.target.figure(here, overall)];
    Some((Found { conditions, figures, strength }, rows.into_iter().collect()))
}

/// How many standard errors a difference is: as of a draw of so many out of so many, without putting back.
fn beyond(difference: f64, spread: f64, some: f64, all: f64) -> f64 {
    let error = spread * ((1.0 - some / all) / some).sqrt();
    if error > 0.0 { difference / error } else { 0.0 }
}

/// How many standard errors a difference has to be that is the largest of so many: of a hundred searches in which nothing
/// is to be found, about one finds something. (The tail of a normal distribution is at the most exp(-z²/2) / 2.)
fn least_strength(tried: usize) -> f64 {
    let tried = to_float(u64::try_from(tried).unwrap_or(u64::MAX));
    (2.0 * (50.0 * tried).ln()).sqrt()
}

/// The target's numbers, where those at the ends count as the ends do. A percent has none.
fn held(target: &Target) -> Vec<f64> {
    if target.unit == FigureUnit::Percent {
        return target.numbers.clone();
    }
    let mut known: Vec<f64> = target.numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    let at = |part: f64| known.get(whole(to_float(u64::try_from(known.len()).unwrap_or(u64::MAX)) * part));
    match (at(END), at(1.0 - END)) {
        (Some(low), Some(high)) => target.numbers.iter().map(|number| number.clamp(*low, *high)).collect(),
        _ => target.numbers.clone(),
    }
}

fn whole(number: f64) -> usize {
    format!("{:.0}", number.floor()).parse().unwrap_or_default()
}

fn is_same(one: &BTreeSet<usize>, other: &BTreeSet<usize>) -> bool {
    let both = one.intersection(other).count();
    let either = one.len() + other.len() - both;
    let count = |count| to_float(u64::try_from(count).unwrap_or(u64::MAX));
    count(both) > SAME * count(either)
}
