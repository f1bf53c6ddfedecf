//! Turns a segment's members into rows for a destination: snapshots, delivered state, delta, mapping and
//! batches.
//!
//! The crate works on files and sorted streams in bounded memory. It has no dependency on the network, the
//! cloud or a destination.

pub mod batch;
pub mod delimited;
pub mod delta;
pub mod mapping;
pub mod snapshot;
pub mod sorted;
mod usable_keys;

pub use usable_keys::usable_keys;
