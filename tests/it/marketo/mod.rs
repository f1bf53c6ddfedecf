//! Marketo Engage, end to end. Stories share a cloud: each has an account of its own in it.

mod account;
mod api_limits;
mod delivery;
mod dry_run;
mod errors;
mod interruptions;
mod lists;
mod privacy;
mod row_outcomes;
mod user_errors;

pub(crate) use dry_run::a_dry_run_writes_nothing_and_reports_the_daily_quota;
pub(crate) use interruptions::{canceling_reports_an_accepted_import, doubled_messages, killed_workers};
pub(crate) use privacy::runs_with_errors;
