//! Batches: the rows of a delta in one message, within the destination's limits.

mod frame;
mod results;
mod writer;

pub use frame::{Frame, FrameError, MAX_FRAME_BYTES};
pub use results::{RowResult, decode_results, encode_results};
pub use writer::DeltaWriter;
