//! Arguments of the commands about runs.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
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
