//! `cargo local bench`: many profiles through snapshot, chunk and push, and what each stage costs.

use crate::Error;
use crate::console::Progress;

/// What the benchmark can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// Profiles to take through all stages
    #[arg(long, default_value_t = 1_000_000)]
    pub rows: u64,
}

/// Runs the benchmark and gives its figures.
pub async fn run(_arguments: &Arguments, _progress: &Progress) -> Result<crate::cli::Report, Error> {
    std::future::ready(Err(Error::Missing("the benchmark is not there yet".to_owned()))).await
}
