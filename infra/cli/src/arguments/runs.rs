//! Arguments of the commands about runs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// The runs of all exports, the latest first
    List(RunListing),
    /// Where a run is, what became of its rows, and why it stopped
    Show {
        /// The run's id, as `exports history` shows it
        id: String,
    },
    /// Watch a run until it is over or held
    #[command(
        after_help = "Ends with 0 when it succeeded, 1 when it failed or was canceled, 3 when it is held."
    )]
    Follow {
        /// The run's id
        id: String,
    },
    /// Stop a run; what was sent stays sent, and the next run brings the rest
    Cancel {
        /// The run's id
        id: String,
    },
    /// Let a run go on that would remove more people than the export's guard allows
    Approve {
        /// The run's id
        id: String,
    },
    /// End such a run, and nothing of it is sent
    Reject {
        /// The run's id
        id: String,
    },
    /// Bring once more only what was deferred or rejected
    Retry {
        /// The run's id
        id: String,
    },
    /// Why rows were not applied: each reason with its count, and the rows themselves
    #[command(after_help = "Examples:
  segment-relay runs rejects RUN                     the reasons, and the first rows
  segment-relay runs rejects RUN --out rejected.csv  the reasons, and all rows into a file

The rows hold personal data.")]
    Rejects {
        /// The run's id
        id: String,
        /// Where to write the CSV; nothing that is there is overwritten
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// How many rows to show
        #[arg(long, default_value_t = 10, value_name = "N")]
        rows: usize,
    },
    /// What a run did: counts, reasons, lists, times
    Report {
        /// The run's id
        id: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay runs list --state failed,held
  segment-relay runs list --export newsletter --since 2026-11-21T00:00:00Z

States: waiting, snapshotting, chunking, held, pushing, finishing, succeeded, failed, canceled.
The runs of an export that has been removed are there with --export only.")]
pub(crate) struct RunListing {
    /// Only those of this export
    #[arg(long, value_name = "ID")]
    pub(crate) export: Option<String>,
    /// Only those in these states
    #[arg(long, value_delimiter = ',', value_name = "STATE,…")]
    pub(crate) state: Vec<String>,
    /// Only those that were asked for then or later
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only those that were asked for before
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only so many
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: usize,
}
