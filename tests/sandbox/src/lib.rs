//! Servers that behave as the destinations' public documents say, for tests, benchmarks and the local cloud.
//!
//! They are written from the vendors' documentation alone and know nothing of this project's clients: what
//! a vendor refuses is refused here, and where the documents are silent the default is the strictest reading,
//! so that a client which only works by luck fails. Each server keeps everything in memory, listens on
//! the loopback interface only, and can be looked into and misled (states, faults, throttling), both from
//! the same process and over HTTP under `/_sandbox/`.

pub mod campaign_monitor;
pub mod dynamics365_sales;
mod email;
pub mod faults;
pub mod marketo;
pub mod omnisend;
mod random;
mod serve;
mod throttle;

pub use throttle::Throttle;
