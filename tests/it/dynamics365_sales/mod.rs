//! Dynamics 365 Sales, end to end. Stories share a cloud: each has an organisation of its own in it.

mod caps;
mod delivery;
mod errors;
mod interruptions;
mod organisation;
mod privacy;

pub(crate) use caps::a_segment_over_the_cap_fails_before_the_first_call;
pub(crate) use interruptions::{a_chunk_killed_while_it_creates_a_list, doubled_messages, killed_workers};
pub(crate) use privacy::runs_with_errors;
