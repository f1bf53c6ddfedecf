//! Batches: the rows of a delta that one message carries, within the destination's limits.

mod entry;
mod frame;
mod results;
mod writer;

pub use entry::{BatchEntry, BatchLimits, FramePlace, Kind, gather};
pub use frame::{Frame, FrameError, MAX_FRAME_BYTES};
pub use results::{RowResult, decode_results, encode_results};
pub use writer::DeltaWriter;
