//! Servers that behave as the destinations' public documents say, for tests, benchmarks and the local cloud.
//!
//! They are written from the vendors' documentation alone and share no code with this project's clients.
//! They refuse what the vendor refuses. Where the documents are silent, the default is the strictest
//! interpretation, so that a client that works only by luck fails. Each server keeps everything in memory and
//! listens on the loopback interface only. A test prepares it, inspects it and injects faults by the methods of
//! its `Sandbox`; a few parts of its state are also shown under `/_sandbox/`.

pub mod campaign_monitor;
pub mod dynamics365_sales;
mod kit;
pub mod marketo;
pub mod omnisend;

pub use kit::faults;
pub use kit::throttle::Throttle;
