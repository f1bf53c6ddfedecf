//! From a segment's members to rows for a destination: snapshots, delivered state, delta, mapping and batches.
//!
//! Everything here works on files and sorted streams in bounded memory. It knows no network, no cloud and no
//! destination.

pub mod batch;
pub mod delimited;
pub mod delta;
pub mod mapping;
pub mod snapshot;
pub mod sorted;
mod usable_keys;

pub use usable_keys::usable_keys;
