//! Each command against the contract of the HTTP API: what it asks, and what it says.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic, and are not recognised as tests"
)]

mod definitions;
mod export_edits;
mod files;
mod governance;
mod overview;
mod person;
mod runs;
mod segments;
mod signing;
mod support;
mod trouble;
mod writing;
