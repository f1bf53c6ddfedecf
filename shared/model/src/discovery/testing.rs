//! People made up for tests: always the same ones.

use super::{Sample, Sampler};
use crate::Scalar;
use jiff::civil::{Date, date};

/// The day of all tests.
pub(super) const TODAY: Date = date(2026, 3, 1);

/// So many people, each made of three numbers from 0 to 99 that have nothing to do with each other: whether they are
/// marked, and their values.
pub(super) fn sample(
    people: u32,
    columns: &[&str],
    make: impl Fn([i64; 3]) -> (bool, Vec<Scalar>),
) -> Sample {
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    let mut sampler = Sampler::new(&columns, 30, TODAY);
    for number in 0..people {
        let hash = blake3::hash(&number.to_le_bytes());
        let draw = |place: usize| {
            let bytes = &hash.as_bytes()[place * 2..place * 2 + 2];
            i64::from(u16::from_le_bytes([bytes[0], bytes[1]])) % 100
        };
        let (mark, values) = make([draw(0), draw(1), draw(2)]);
        sampler.add(&format!("P{number:07}"), mark, values.iter());
    }
    sampler.finish()
}

/// A text.
pub(super) fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}
