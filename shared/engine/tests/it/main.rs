//! Complete evaluations over in-memory stores, and the text of every query error.

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
mod lineage;
mod messages;
mod preview;
mod refusals;
mod rows;
mod rule_sets;
mod rules;
mod s3;
mod sources;
mod unused_columns;
