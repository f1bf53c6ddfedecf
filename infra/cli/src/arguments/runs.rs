//! Arguments of the commands about runs.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// List the runs of all exports, the latest first
    List(RunListing),
    /// Show a run's progress, its outcomes and why it stopped
    Show {
        /// The run's id, as `exports history` shows it
        id: String,
    },
    /// Watch a run until it ends or is held
    #[command(
        after_help = "Exit status: 0 the run succeeded; 1 it failed or was canceled; 3 it is held for approval."
    )]
    Follow {
        /// The run's id
        id: String,
    },
    /// Cancel a run; what was sent stays sent, and the next run sends the rest
    Cancel {
        /// The run's id
        id: String,
    },
    /// Approve a run that would remove more members than the export's guard allows
    Approve {
        /// The run's id
        id: String,
    },
    /// Reject such a run; nothing is sent
    Reject {
        /// The run's id
        id: String,
    },
    /// Send only the deferred and rejected rows again
    Retry {
        /// The run's id
        id: String,
    },
    /// Show why rows were not applied: each reason with its count, and the rows
    #[command(after_help = "Examples:
  segment-relay runs rejects RUN                     show the reasons and the first rows
  segment-relay runs rejects RUN --out rejected.csv  show the reasons, and write all rows to a file

The rows contain personal data.")]
    Rejects {
        /// The run's id
        id: String,
        /// The CSV file to write; it must not exist yet
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The number of rows to show
        #[arg(long, default_value_t = 10, value_name = "N")]
        rows: usize,
    },
    /// Show a run's report: counts, reasons, lists and times
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
Runs of a removed export are listed only with --export.")]
pub(crate) struct RunListing {
    /// Only runs of this export
    #[arg(long, value_name = "ID")]
    pub(crate) export: Option<String>,
    /// Only runs in these states
    #[arg(long, value_delimiter = ',', value_name = "STATE,…")]
    pub(crate) state: Vec<String>,
    /// Only runs requested at or after this time
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only runs requested before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// The maximum number of runs
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: usize,
}
