//! The HTTP API: who calls, what they may do, and what is answered.
//!
//! [`caller`] reads who calls out of the token that the gateway has checked, [`access`] holds the table of who may use
//! which route and the one place where it is enforced, `routes` has the handlers, and [`problem`] the form of errors.

pub mod access;
pub mod caller;
pub mod problem;
mod routes;

pub use routes::router;
