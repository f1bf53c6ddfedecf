//! Omnisend, end to end. Most tests share a cloud: each has a brand of its own in it.

mod brand;
mod interruptions;
mod main_job;
mod privacy;
mod trouble;
