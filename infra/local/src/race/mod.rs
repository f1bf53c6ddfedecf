//! `cargo local race`: compares the speed of an export with a destination's documented limits.
//!
//! The destination's sandbox enforces the limits; its time is accelerated, and its limits are scaled
//! accordingly. The floor is computed: the time that the limits allow if nothing else took any time.

mod dynamics365_sales;
mod marketo;
mod omnisend;
mod outcome;

use std::time::Duration;

use relay_model::run::{Report, RunState};

use crate::Error;
use crate::binaries::{self, Profile};
use crate::cloud::Options;
use crate::console::Progress;
use crate::venv;
use crate::world::{Bundle, Tool, Values, describe};
use outcome::{Lap, Outcome};

const EXPORT: &str = "everybody";
const RUN_LIMIT: Duration = Duration::from_hours(3);

/// The arguments of the race.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The destination
    #[arg(value_enum)]
    pub destination: Destination,
    /// The number of profiles to export into an empty list; by default the destination's cap
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    pub rows: u64,
    /// The acceleration of the destination's time and limits
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub scale: u32,
    /// The way for Marketo; auto uses the export's own choice
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
    /// Omnisend
    Omnisend,
    /// Dynamics 365 Sales
    #[value(name = "dynamics365-sales")]
    Dynamics365Sales,
}

/// The way to export to Marketo Engage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// The export's own choice
    Auto,
    /// Sync leads, then list membership
    Sync,
    /// Bulk import
    BulkImport,
}

/// Runs the race: everyone into an empty list, and then after one person in a hundred has changed or left.
pub async fn run(arguments: &Arguments, progress: &Progress) -> Result<crate::cli::Report, Error> {
    let arguments = &Arguments { rows: arguments.rows(), ..arguments.clone() };
    let profile = if arguments.dev { Profile::Dev } else { Profile::Release };
    let venv = venv::ensure(progress)?;
    let functions = binaries::build(profile, progress)?;
    let bundle = Bundle::start(Options::new(venv, functions), progress).await?;
    let raced = match arguments.destination {
        Destination::Marketo => marketo::race(arguments, &bundle, progress).await,
        Destination::Omnisend => omnisend::race(arguments, &bundle, progress).await,
        Destination::Dynamics365Sales => dynamics365_sales::race(arguments, &bundle, progress).await,
    };
    bundle.cloud.stop().await?;
    raced.map(|outcome| outcome.report())
}

impl Arguments {
    fn rows(&self) -> u64 {
        match self.destination {
            _ if self.rows > 0 => self.rows,
            Destination::Marketo | Destination::Omnisend => 1_000_000,
            Destination::Dynamics365Sales => 100_000,
        }
    }
}

/// Applies the catalog of some folders.
async fn prepare(bundle: &Bundle, folders: &[&str], values: &Values) -> Result<(), Error> {
    let root = crate::workspace::package().join("bench-catalog");
    let tool = Tool::of(&bundle.cloud, "race")?;
    for folder in folders {
        tool.apply(&root.join(folder), values).await?;
    }
    Ok(())
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts are far below 2^52")]
const fn real(count: u64) -> f64 {
    count as f64
}

/// Runs the export once, from its start to its report.
async fn lap(bundle: &Bundle, progress: &Progress) -> Result<Report, Error> {
    let started = bundle.start_run(EXPORT).await?;
    let run = bundle.follow(started.run_id, RUN_LIMIT, progress).await?;
    if run.state != RunState::Succeeded {
        let log = bundle.cloud.log_path().display();
        return Err(Error::Missing(format!("the run failed: {}; see {log}", describe(&run))));
    }
    bundle.report(&run).await
}
