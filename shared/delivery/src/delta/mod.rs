//! Computes the delta between snapshots and the delivered state of a target list.

mod delivered;
mod differ;
mod found;
#[cfg(test)]
pub(crate) mod testing;

pub use delivered::{DeliveredReader, DeliveredWriter, Holding, Record};
pub use differ::Differ;
pub use found::{DifferError, DifferFigures, Phase, Settled, Sink};
