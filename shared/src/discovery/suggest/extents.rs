//! Groups by how much people have of each number, and how long ago each day is.

use super::candidates::Candidate;
use super::{DiscoveryError, Feature, FeatureKind, FigureUnit, Found, SuggestedFigure, short, to_float};

/// The part of people at either end.
const END: f64 = 0.2;
/// A group that is more than this of everybody is no end: where half of all have bought nothing, it is not the few.
const MOST_PART: f64 = 0.6;
/// A group that is less is not worth a suggestion.
const LEAST_PART: f64 = 0.01;

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
        let part = part(&end);
        (LEAST_PART..=MOST_PART).contains(&part).then(|| Found {
            conditions: vec![end],
            figures,
            strength: 0.0,
        })
    });
    Ok(found.collect())
}

fn part(end: &Candidate<'_>) -> f64 {
    let rows = end.rows();
    let with = (0..rows).filter(|row| end.has(*row)).count();
    count(with) / count(rows).max(1.0)
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
        return vec![
            Candidate::within_last(feature, days(low)),
            Candidate::before_last(feature, days(high)),
            Candidate::unknown(feature),
        ];
    }
    vec![Candidate::at_least(feature, short(high)), Candidate::at_most(feature, short(low))]
}

/// A column's average in the group and of everybody.
fn figure(feature: &Feature, end: &Candidate<'_>) -> Option<SuggestedFigure> {
    let average = |has: &dyn Fn(usize) -> bool| {
        let rows = feature.numbers.iter().enumerate().filter(|(row, number)| !number.is_nan() && has(*row));
        let (sum, rows) = rows.fold((0.0, 0), |(sum, rows), (_, number)| (sum + number, rows + 1));
        (rows > 0).then(|| short(sum / count(rows)))
    };
    let unit = match feature.kind {
        FeatureKind::Days(_) => FigureUnit::DaysAgo,
        _ => FigureUnit::Average,
    };
    let (here, overall) = (average(&|row| end.has(row))?, average(&|_| true)?);
    Some(SuggestedFigure { column: feature.column.clone(), unit, value: None, here, overall })
}
