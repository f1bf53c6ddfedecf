//! Omnisend, end to end. Stories share a cloud: each has a brand of its own in it.

mod brand;
mod delivery;
mod errors;
mod interruptions;
mod privacy;

pub(crate) use interruptions::{doubled_messages, killed_workers};
pub(crate) use privacy::runs_with_errors;
