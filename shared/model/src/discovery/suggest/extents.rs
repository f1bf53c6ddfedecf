//! Groups by how much people have of each number, and how long ago each day is.

use super::super::feature::cut_before;
use super::candidates::Candidate;
use super::{DiscoveryError, Feature, FeatureKind, FigureUnit, Found, SuggestedFigure, short, to_float};

/// The part of people at either end.
const END: f64 = 0.2;
/// A group that is more than this of everybody is no end: where half of all have bought nothing, it is not the few.
const MOST_PART: f64 = 0.6;
/// A group that is less is not worth a suggestion.
const LEAST_PART: f64 = 0.01;
/// What fewer people have is theirs.
const LEAST_PEOPLE: usize = 10;

/// Both ends of each number and day, and whoever has no day.
pub(super) fn extents<'a>(features: &[&'a Feature]) -> Result<Vec<Found<'a>>, DiscoveryError> {
    let measured: Vec<&'a Feature> =
        features.iter().copied().filter(|feature| !feature.numbers.is_empty()).collect();
    if measured.is_empty() {
        let why = "without a goal people are grouped by numbers and days, and there are none; add measures, or say a goal";
        return Err(DiscoveryError::NoColumns { why: why.to_owned() });
    }
    let ends = measured.iter().flat_map(|feature| ends(feature));
    let found = ends.filter_map(|end| {
        let figures = measured.iter().filter_map(|feature| figure(feature, &end)).collect();
        let rows = (0..end.rows()).filter(|row| end.has(*row)).count();
        let is_group =
            rows >= LEAST_PEOPLE && (LEAST_PART..=MOST_PART).contains(&(count(rows) / count(end.rows())));
        is_group.then(|| Found { conditions: vec![end], figures, strength: 0.0 })
    });
    Ok(found.collect())
}

fn count(count: usize) -> f64 {
    to_float(u64::try_from(count).unwrap_or(u64::MAX))
}

/// The ends of one column.
fn ends(feature: &Feature) -> Vec<Candidate<'_>> {
    let mut known: Vec<f64> = feature.numbers.iter().copied().filter(|number| !number.is_nan()).collect();
    known.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let place =
            format!("{:.0}", (count(known.len()) * part).floor()).parse::<usize>().unwrap_or_default();
        known.get(place.min(known.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    let (low, high) = (at(END), at(1.0 - END));
    if let FeatureKind::Days(_) = feature.kind {
        let days = |ago: f64| format!("{:.0}", ago.max(0.0)).parse().unwrap_or_default();
        let mut found =
            vec![Candidate::within_last(feature, days(low)), Candidate::before_last(feature, days(high))];
        if !feature.has_odd_values {
            found.push(Candidate::unknown(feature));
        }
        return found;
    }
    let is_whole = known.iter().all(|number| number.fract().abs() < f64::EPSILON);
    let next = |number: f64| known.iter().copied().find(|other| *other > number);
    let above = cut_before(&known, high, is_whole).map(|cut| Candidate::at_least(feature, cut));
    let below = next(low).and_then(|next| cut_before(&known, next, is_whole));
    above.into_iter().chain(below.map(|cut| Candidate::less_than(feature, cut))).collect()
}

/// A column's average in the group and of everybody.
fn figure(feature: &Feature, end: &Candidate<'_>) -> Option<SuggestedFigure> {
    let average = |has: &dyn Fn(usize) -> bool| {
        let rows = feature.numbers.iter().enumerate().filter(|(row, number)| !number.is_nan() && has(*row));
        let (sum, rows) = rows.fold((0.0, 0), |(sum, rows), (_, number)| (sum + number, rows + 1));
        (rows >= LEAST_PEOPLE).then(|| short(sum / count(rows))).filter(|average| average.is_finite())
    };
    let unit = match feature.kind {
        FeatureKind::Days(_) => FigureUnit::DaysAgo,
        _ => FigureUnit::Average,
    };
    let (here, overall) = (average(&|row| end.has(row))?, average(&|_| true)?);
    Some(SuggestedFigure { column: feature.column.clone(), unit, value: None, here, overall })
}
