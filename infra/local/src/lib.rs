//! The whole bundle on one machine: the local cloud behind `cargo local`, the end-to-end tests, demo and bench.
//!
//! [`cloud::Cloud`] starts an emulator of AWS on loopback, deploys `infra/template.yaml` to it with the real
//! functions behind it, and ends everything that it started however its owner ends. What it needs is
//! installed by [`venv`] in a place of its own; the functions are built by [`binaries`].

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
