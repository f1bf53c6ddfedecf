//! The whole bundle on one machine: the local cloud of `cargo local`, the end-to-end tests, demo and
//! benchmark.
//!
//! [`cloud::Cloud`] starts an emulator of AWS on loopback, deploys `infra/template.yaml` with the real
//! functions, and ends all of its processes however its owner ends. [`venv`] installs its dependencies into
//! a folder of its own; [`binaries`] builds the functions.

pub mod archive;
pub mod background;
pub mod bench;
pub mod binaries;
pub mod cli;
pub mod cloud;
pub mod conform;
pub mod console;
pub mod demo;
pub mod docs;
mod error;
pub mod issuer;
pub mod processes;
pub mod race;
pub mod sizes;
pub mod venv;
pub mod workspace;
pub mod world;

pub use error::Error;
