//! Conditions that groups are made of.

use super::{Feature, FeatureKind, UNKNOWN};
use crate::catalog::rules::{Condition, Number, Value};

/// The most days that a rule looks back.
const MAX_DAYS: u32 = 36_500;

/// A condition, and who of the sample fulfils it.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    feature: &'a Feature,
    test: Test,
}

/// What is asked of a row.
#[derive(Clone, Copy, Debug)]
enum Test {
    /// To be in a bin: a text, a truth, or no value.
    Bin(u8),
    AtLeast(f64),
    LessThan(f64),
    WithinLastDays(u32),
    BeforeLastDays(u32),
}

impl<'a> Candidate<'a> {
    /// What has at the least this number.
    pub(super) const fn at_least(feature: &'a Feature, number: f64) -> Self {
        Self { feature, test: Test::AtLeast(number) }
    }

    /// What has less than this number.
    pub(super) const fn less_than(feature: &'a Feature, number: f64) -> Self {
        Self { feature, test: Test::LessThan(number) }
    }

    /// Today or one of so many days before it.
    pub(super) const fn within_last(feature: &'a Feature, days: u32) -> Self {
        Self { feature, test: Test::WithinLastDays(days) }
    }

    /// Earlier than so many days before today.
    pub(super) const fn before_last(feature: &'a Feature, days: u32) -> Self {
        Self { feature, test: Test::BeforeLastDays(days) }
    }

    /// Without a value.
    pub(super) const fn unknown(feature: &'a Feature) -> Self {
        Self { feature, test: Test::Bin(UNKNOWN) }
    }

    /// The column that it is about.
    pub(super) fn column(&self) -> &'a str {
        &self.feature.column
    }

    /// Whether a row fulfils it.
    pub(super) fn has(&self, row: usize) -> bool {
        let number = || self.feature.numbers.get(row).copied().unwrap_or(f64::NAN);
        match self.test {
            Test::Bin(bin) => self.feature.bins.get(row) == Some(&bin),
            Test::AtLeast(least) => number() >= least,
            Test::LessThan(bound) => number() < bound,
            Test::WithinLastDays(days) => (0.0..=f64::from(days)).contains(&number()),
            Test::BeforeLastDays(days) => number() > f64::from(days),
        }
    }

    /// Of the sample, how many there are.
    pub(super) fn rows(&self) -> usize {
        self.feature.bins.len()
    }

    /// As people say it.
    pub(super) fn words(&self) -> String {
        let column = self.column();
        match self.test {
            Test::Bin(bin) => match self.value(bin) {
                None => format!("{column} without a value"),
                Some(Value::Text(text)) if text.is_empty() => format!("{column} is an empty text"),
                Some(Value::Text(text)) => format!("{column} is {text}"),
                Some(Value::Truth(truth)) => format!("{column} is {truth}"),
                Some(Value::Number(number)) => format!("{column} is {}", number.0),
            },
            Test::AtLeast(number) => format!("{column} at least {number}"),
            Test::LessThan(number) => format!("{column} less than {number}"),
            Test::WithinLastDays(days) => format!("{column} within the last {days} days"),
            Test::BeforeLastDays(days) => format!("{column} more than {days} days ago"),
        }
    }

    /// As rules have it.
    pub(super) fn condition(&self) -> Condition {
        let column = Some(self.column().to_owned());
        let condition = Condition { column, ..Condition::default() };
        match self.test {
            Test::Bin(bin) => match self.value(bin) {
                None => Condition { is_null: Some(true), ..condition },
                value => Condition { is: value, ..condition },
            },
            Test::AtLeast(number) => Condition { at_least: Some(written(number)), ..condition },
            Test::LessThan(number) => Condition { less_than: Some(written(number)), ..condition },
            Test::WithinLastDays(days) => Condition { within_last_days: Some(days), ..condition },
            Test::BeforeLastDays(days) => Condition { before_last_days: Some(days), ..condition },
        }
    }

    /// The value of a bin; nothing of the bin without one.
    fn value(&self, bin: u8) -> Option<Value> {
        let place = usize::from(bin).checked_sub(1)?;
        match &self.feature.kind {
            FeatureKind::Texts(texts) => texts.get(place).cloned().map(Value::Text),
            FeatureKind::Truths(truths) => truths.get(place).copied().map(Value::Truth),
            FeatureKind::Numbers(_) | FeatureKind::Days(_) => None,
        }
    }
}

/// All conditions of a column.
pub(super) fn candidates(feature: &Feature) -> Vec<Candidate<'_>> {
    let of = |test| Candidate { feature, test };
    let bins = |count: usize| (1..).take(count).map(|bin| of(Test::Bin(bin)));
    let mut found: Vec<Candidate<'_>> = match &feature.kind {
        FeatureKind::Texts(texts) => bins(texts.len()).collect(),
        FeatureKind::Truths(truths) => bins(truths.len()).collect(),
        FeatureKind::Numbers(cuts) => {
            cuts.iter().flat_map(|cut| [of(Test::AtLeast(*cut)), of(Test::LessThan(*cut))]).collect()
        }
        FeatureKind::Days(cuts) => {
            let days =
                cuts.iter().filter_map(|cut| u32::try_from(*cut).ok()).filter(|days| *days <= MAX_DAYS);
            days.flat_map(|days| [of(Test::WithinLastDays(days)), of(Test::BeforeLastDays(days))]).collect()
        }
    };
    if !feature.has_odd_values {
        found.push(Candidate::unknown(feature));
    }
    found
}

/// A number as rules have it: whole ones without a point.
fn written(number: f64) -> Number {
    let whole = format!("{number:.0}");
    let is_whole = whole.parse().is_ok_and(|whole: f64| whole.total_cmp(&number).is_eq());
    let whole = whole.parse::<i64>().ok().filter(|_| is_whole).map(serde_json::Number::from);
    // Values of samples are finite.
    Number(whole.or_else(|| serde_json::Number::from_f64(number)).unwrap_or_else(|| 0.into()))
}
