//! `cargo local demo`: the main job from profiles in the lake to people on a list, told as it goes.

use crate::Error;
use crate::console::Progress;

/// What the demo can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {}

/// Runs the demo and gives its figures.
pub async fn run(_arguments: &Arguments, _progress: &Progress) -> Result<crate::cli::Report, Error> {
    std::future::ready(Err(Error::Missing("the demo is not there yet".to_owned()))).await
}
