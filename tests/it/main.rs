//! End-to-end tests: the functions and the template in an emulated cloud, against sandboxes that behave as the
//! documents of the vendors say.
//!
//! Each test starts its own cloud and tells one or several stories in it; two tests run at a time. A test belongs here
//! only if it shows something that needs the emulated cloud, such as conditional writes, queues or killed functions.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails at the first unexpected value"
)]

mod canceling;
mod caps;
mod control_plane;
mod delivery;
mod doubled_messages;
mod dry_run;
mod dynamics365_sales;
mod edits;
mod errors;
mod governance;
mod guard;
mod killed_steps;
mod killed_workers;
mod marketo;
mod newcomer;
mod oauth;
mod omnisend;
mod overview;
mod person_requests;
mod preview;
mod privacy;
mod removed_connections;
mod retrying;
mod roles;
mod rules;
mod samples;
mod schedules;
mod segment_periods;
mod segments;
mod stalled_runs;
mod support;
mod triggers;
mod upload_expiry;
mod uploads;
mod user_errors;
