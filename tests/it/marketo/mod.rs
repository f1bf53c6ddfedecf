//! Marketo Engage, end to end. Most tests share a cloud: each has an account of its own in it.

mod account;
mod main_job;
mod lists;
