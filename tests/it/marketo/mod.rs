//! Marketo Engage, end to end. Most tests share a cloud: each has an account of its own in it.

mod account;
mod dry_run;
mod interruptions;
mod limits;
mod lists;
mod main_job;
mod mistakes;
mod outcomes;
mod privacy;
mod trouble;
