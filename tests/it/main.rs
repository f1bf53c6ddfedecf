//! The main job, end to end: the real functions behind the real template, against a destination that behaves as its
//! vendor's documents say.
//!
//! Each test has a local cloud of its own; no more than two run at a time.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it must be"
)]

mod activation;
mod canceling;
mod control_plane;
mod dry_run;
mod dynamics365_sales;
mod edits;
mod governance;
mod guard;
mod interruptions;
mod killed_steps;
mod limits;
mod main_job;
mod marketo;
mod mistakes;
mod newcomer;
mod oauth;
mod omnisend;
mod overview;
mod person;
mod preview;
mod privacy;
mod retrying;
mod roles;
mod rules;
mod samples;
mod schedules;
mod segments;
mod stopping;
mod support;
mod sweeping;
mod triggers;
mod trouble;
mod upload_ends;
mod uploads;
