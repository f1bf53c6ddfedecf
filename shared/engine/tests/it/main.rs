//! Whole evaluations over stores in memory, and the text of every error that an author can meet.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    reason = "helpers of tests may panic, and are not recognised as tests"
)]

mod bounds;
mod hostile;
mod lake;
mod messages;
mod preview;
mod reading;
mod refusals;
mod rows;
mod rule_sets;
mod rules;
mod s3;
mod sources;
mod unused_columns;
