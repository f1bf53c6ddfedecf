//! Some of the people, by whom the others are judged.

use super::MAX_COLUMNS;
use super::error::DiscoveryError;
use super::feature::{Collector, Feature};
use crate::Scalar;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A column that is not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOutColumn {
    /// Its name.
    pub column: String,
    /// Why: words to stand behind the name.
    pub why: String,
}

/// Which share of people is in a sample, from nobody (0) to everybody (1). Who they are depends on their keys only, so
/// that the same people are taken each time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

impl Share {
    /// The share that takes about so many of all.
    #[must_use]
    pub fn of(most: u64, all: u64) -> Self {
        Self(ratio(most.min(all), all.max(1)))
    }

    /// Whether somebody is taken.
    #[must_use]
    pub fn takes(self, key: &str) -> bool {
        let hash = blake3::hash(key.as_bytes());
        let draw = draw(hash.as_bytes().iter().take(4));
        draw < self.0 * 4_294_967_296.0
    }
}

/// A number from 0 on, below 256 to the power of the bytes.
fn draw<'a>(bytes: impl Iterator<Item = &'a u8>) -> f64 {
    bytes.fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte))
}

/// One count in parts of another.
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    to_float(part) / to_float(whole)
}

/// A count as a number; counts of people are far below where that would be inexact.
pub(super) fn to_float(count: u64) -> f64 {
    let high = u32::try_from(count >> 32).unwrap_or(u32::MAX);
    let low = u32::try_from(count & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// A number as a count: no part of somebody, and nobody less than none.
pub(super) fn to_count(number: f64) -> u64 {
    format!("{:.0}", number.max(0.0)).parse().unwrap_or_default()
}

/// The people of a sample, column by column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// The columns that tell something.
    pub features: Vec<Feature>,
    /// Those that do not.
    pub left_out: Vec<LeftOutColumn>,
    /// The columns nearly all of whose values are days, whether they tell something or not.
    pub days: Vec<String>,
    /// Of each row, whether it is marked.
    pub marks: Vec<bool>,
    /// Of each row, which of ten parts of about the same size it belongs to. What is learned from some is tried with the
    /// others.
    pub parts: Vec<u8>,
}

/// Takes the rows of a sample one after the other.
#[derive(Debug)]
pub struct Sampler {
    collectors: Vec<Collector>,
    marks: Vec<bool>,
    parts: Vec<u8>,
}

impl Sampler {
    /// A sampler of these columns, of which texts are used where there are at the most so many different ones.
    #[must_use]
    pub fn new(columns: &[String], most_texts: usize, today: Date) -> Self {
        let collector = |column: &String| Collector::new(column.clone(), most_texts, today);
        Self { collectors: columns.iter().map(collector).collect(), marks: Vec::new(), parts: Vec::new() }
    }

    /// Adds a row: who it is, whether it is marked, and the values of the columns.
    pub fn add<'a>(&mut self, key: &str, mark: bool, values: impl Iterator<Item = &'a Scalar>) {
        for (collector, value) in self.collectors.iter_mut().zip(values) {
            collector.observe(value);
        }
        self.marks.push(mark);
        // Other bytes than those by which somebody is taken.
        let byte = blake3::hash(key.as_bytes()).as_bytes().get(8).copied().unwrap_or_default();
        self.parts.push(byte % 10);
    }

    /// The sample with what every column holds, whether it tells people apart or not.
    #[must_use]
    pub fn finish_all(self) -> Sample {
        let mut sample = Sample { marks: self.marks, parts: self.parts, ..Sample::default() };
        for collector in self.collectors {
            let column = collector.column().to_owned();
            if collector.holds_days() {
                sample.days.push(column.clone());
            }
            match collector.into_feature() {
                Ok(feature) => sample.features.push(feature),
                Err(why) => sample.left_out.push(LeftOutColumn { column, why }),
            }
        }
        sample
    }

    /// The sample.
    #[must_use]
    pub fn finish(self) -> Sample {
        let mut sample = Sample { marks: self.marks, parts: self.parts, ..Sample::default() };
        for collector in self.collectors {
            let column = collector.column().to_owned();
            match collector.finish() {
                Ok(feature) if sample.features.len() < MAX_COLUMNS => sample.features.push(feature),
                Ok(_) => {
                    let why = format!("is beyond the first {MAX_COLUMNS} that could be used");
                    sample.left_out.push(LeftOutColumn { column, why });
                }
                Err(why) => sample.left_out.push(LeftOutColumn { column, why }),
            }
        }
        sample
    }
}

impl Sample {
    /// How many rows there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.marks.len()
    }

    /// Refuses a sample without a column that tells something.
    pub fn require_features(&self) -> Result<(), DiscoveryError> {
        if !self.features.is_empty() {
            return Ok(());
        }
        let told = self.left_out.iter().map(|left| format!("{} {}", left.column, left.why));
        let why = told.take(10).collect::<Vec<_>>().join("; ");
        Err(DiscoveryError::NoColumns { why: if why.is_empty() { "there is none".to_owned() } else { why } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_takes_about_as_many_as_it_says_and_always_the_same() {
        let check = |most: u64, all: u64, low: usize, high: usize| {
            let share = Share::of(most, all);
            let taken = || (0..10_000).filter(|key| share.takes(&format!("P{key}"))).collect::<Vec<_>>();
            assert!((low..=high).contains(&taken().len()), "{most} of {all}: {}", taken().len());
            assert_eq!(taken(), taken());
        };
        check(0, 100, 0, 0);
        check(50, 100, 4_800, 5_200);
        check(1, 100, 60, 140);
        check(100, 100, 10_000, 10_000);
        check(200, 100, 10_000, 10_000);
        check(5, 0, 0, 0);
    }

    #[test]
    fn counts_and_numbers_are_the_same() {
        for count in [0, 1, 4_294_967_295, 4_294_967_296, 1_000_000_000_000] {
            assert_eq!(to_count(to_float(count)), count);
        }
        assert_eq!((to_count(-5.0), to_count(2.6), to_count(f64::NAN)), (0, 3, 0));
    }
}
