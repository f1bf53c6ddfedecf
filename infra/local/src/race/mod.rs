//! `cargo local race`: how close an export comes to what a destination's documented limits allow.
//!
//! The destination's sandbox enforces the limits; its time runs faster, and its limits are scaled with it. The floor
//! is arithmetic: what the limits would let through if nothing else took any time.

mod marketo;
mod outcome;

use std::time::Duration;

use relay::run::{Report, RunState};

use crate::Error;
use crate::bench::lake;
use crate::binaries::{self, Profile};
use crate::cloud::Options;
use crate::console::Progress;
use crate::venv;
use crate::world::{Bundle, Catalog, Values, describe};
use outcome::{Lap, Outcome};

const EXPORT: &str = "everybody";
const RUN_LIMIT: Duration = Duration::from_hours(3);

/// What the race can be told.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The destination
    #[arg(value_enum)]
    pub destination: Destination,
    /// Profiles to export into an empty list
    #[arg(long, default_value_t = 1_000_000)]
    pub rows: u64,
    /// How many times faster than real the destination's time runs, its limits scaled with it
    #[arg(long, default_value_t = 5)]
    pub scale: u32,
    /// Which way Marketo's people go: auto leaves it to the export's arithmetic
    #[arg(long, value_enum, default_value_t = Way::Auto)]
    pub way: Way,
    /// Use unoptimised builds
    #[arg(long)]
    pub dev: bool,
}

/// A destination with a sandbox that enforces its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Destination {
    /// Marketo Engage
    Marketo,
}

/// How people get into Marketo Engage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// What the arithmetic says
    Auto,
    /// Sync leads, then list membership
    Sync,
    /// Bulk import
    BulkImport,
}

/// Runs the race: everybody into an empty list, then once more after one person in a hundred has changed.
pub async fn run(arguments: &Arguments, progress: &Progress) -> Result<crate::cli::Report, Error> {
    let profile = if arguments.dev { Profile::Dev } else { Profile::Release };
    let venv = venv::ensure(progress)?;
    let functions = binaries::build(profile, progress)?;
    let bundle = Bundle::start(Options::new(venv, functions), progress).await?;
    let raced = match arguments.destination {
        Destination::Marketo => marketo::race(arguments, &bundle, progress).await,
    };
    bundle.cloud.stop().await?;
    raced.map(|outcome| outcome.report())
}

/// Writes the lake and the catalog.
async fn prepare(
    bundle: &Bundle,
    rows: u64,
    folder: &str,
    values: &Values,
    progress: &Progress,
) -> Result<(), Error> {
    progress.step(&format!("writing {rows} profiles into the lake"));
    lake::fill(bundle, rows, 0).await?;
    let root = crate::workspace::package().join("bench-catalog");
    Catalog::read(&root, values)?.save(&bundle.catalog()).await?;
    Catalog::read(&root.join(folder), values)?.save(&bundle.catalog()).await
}

/// One run, from its start to its report.
async fn lap(bundle: &Bundle, progress: &Progress) -> Result<Report, Error> {
    let started = bundle.start_run(EXPORT).await?;
    let run = bundle.follow(started.run_id, RUN_LIMIT, progress).await?;
    if run.state != RunState::Succeeded {
        let log = bundle.cloud.log_path().display();
        return Err(Error::Missing(format!("the run failed: {}; see {log}", describe(&run))));
    }
    bundle.report(&run).await
}
