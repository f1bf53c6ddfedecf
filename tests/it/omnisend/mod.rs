//! Omnisend, end to end. Most tests share a cloud: each has a brand of its own in it.

mod brand;
mod main_job;
