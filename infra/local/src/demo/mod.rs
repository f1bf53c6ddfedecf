//! `cargo local demo`: from profiles in the lake to people at four destinations, with progress.
//!
//! `story` runs the steps, `places` holds the destinations, and one module per destination simulates
//! changes by others and verifies its lists.

mod campaign_monitor;
mod dynamics365_sales;
mod files;
mod findings;
mod marketo;
mod omnisend;
mod people;
mod places;
mod story;
mod table;

pub use campaign_monitor::Lists;
pub use files::{write_orders, write_profiles};
pub use people::{Order, People, Person};
pub use story::{Beginning, furnish};

use crate::Error;
use crate::console::Progress;

/// The arguments of the demo.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The number of customers to generate
    #[arg(long, default_value_t = 10_000)]
    pub customers: u32,
    /// The seed: the same seed generates the same people
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
}

impl Default for Arguments {
    fn default() -> Self {
        Self { customers: 10_000, seed: 42 }
    }
}

/// Runs the demo and returns its figures.
pub async fn run(arguments: &Arguments, progress: &Progress) -> Result<crate::cli::Report, Error> {
    let began = progress.seconds();
    let chapters = story::tell(arguments, progress).await?;
    Ok(table::report(&chapters, progress.seconds() - began))
}
