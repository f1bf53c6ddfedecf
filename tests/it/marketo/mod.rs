//! Marketo Engage, end to end. Most tests share a cloud: each has an account of its own in it.

mod account;
mod interruptions;
mod lists;
mod main_job;
mod outcomes;
mod privacy;
