//! Snapshot against delivered state: what has to be done so that a target list holds what a segment says.

mod delivered;
mod differ;
mod found;
#[cfg(test)]
pub(crate) mod testing;

pub use delivered::{DeliveredReader, DeliveredWriter, Holding, Record};
pub use differ::Differ;
pub use found::{DifferError, DifferFigures, Phase, Settled, Sink};
