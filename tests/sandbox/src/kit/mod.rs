//! What the four sandboxes share: one server, faults, and the inspection of their state over HTTP.
//!
//! A destination implements [`Service`] for its state and adds methods to its [`Sandbox`] that prepare and
//! inspect that state.

pub(crate) mod email;
pub mod faults;
pub(crate) mod random;
mod sandbox;
mod serve;
mod service;
pub(crate) mod throttle;

pub(crate) use sandbox::Sandbox;
pub(crate) use serve::Cutter;

pub(crate) use service::{Faulty, Service, Shared, lock, run};
