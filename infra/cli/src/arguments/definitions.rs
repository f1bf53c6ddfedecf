//! Arguments of the commands for sources, connections, policies and exports.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{AddSegmentArguments, ExportListing, ExportSegmentArguments, ScheduleArguments};

#[derive(Debug, Subcommand)]
pub(crate) enum DefinitionCommand {
    /// List all
    List,
    /// Show one, in the format of a definition file
    Show {
        /// The id
        id: String,
    },
}

/// List and show commands of the kinds that have labels.
#[derive(Debug, Subcommand)]
pub(crate) enum LabelledCommand {
    /// List all
    List {
        /// Only those with this label
        #[arg(long)]
        label: Option<String>,
    },
    /// Show one, in the format of a definition file
    Show {
        /// The id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    #[command(flatten)]
    Definition(DefinitionCommand),
    /// List the segments that read it
    Segments {
        /// The id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    #[command(flatten)]
    Definition(DefinitionCommand),
    /// Test the credentials and their permissions at the destination
    Test {
        /// The id
        id: String,
    },
    /// Store the destination's credentials; they can never be read back
    #[command(after_help = "Examples:
  segment-relay connections credentials campaign-monitor --file secret.json
  password-manager show campaign-monitor | segment-relay connections credentials campaign-monitor

JSON, such as {\"api_key\": \"…\"} for Campaign Monitor and Omnisend, {\"client_id\": \"…\", \"client_secret\": \"…\"} for
Marketo Engage and {\"client_secret\": \"…\"} for Dynamics 365 Sales. Read from standard input or a file, never from an
argument, which other users of the machine could see.")]
    Credentials {
        /// The id
        id: String,
        /// Read the credentials from this file instead of standard input
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Record your consent to data leaving for the connection; without it nothing is exported
    #[command(after_help = "Example:
  segment-relay connections consent campaign-monitor --text \"I agree that profiles leave for Campaign Monitor.\"")]
    Consent {
        /// The id
        id: String,
        /// The wording that you consent to
        #[arg(long, required_unless_present = "withdraw")]
        text: Option<String>,
        /// Withdraw the consent: nothing is exported from then on
        #[arg(long, conflicts_with = "text")]
        withdraw: bool,
    },
    /// Remove the connection
    Remove {
        /// The id
        id: String,
        /// What happens to the exports that use it
        #[arg(long, value_enum, default_value_t)]
        exports: Exporting,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    #[command(flatten)]
    Definition(DefinitionCommand),
    /// Remove the policy: what it forbids is allowed from then on
    Remove {
        /// The id
        id: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// What happens to the exports of a removed connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exporting {
    /// Refuse to remove the connection while exports use it
    #[default]
    Refuse,
    /// Remove the exports too
    Remove,
    /// Keep the exports without a connection; they do not run
    Detach,
}

impl Exporting {
    /// Returns the value of the API's query parameter.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Remove => "remove",
            Self::Detach => "detach",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// List all, with their last and next runs and your permissions
    List(ExportListing),
    /// Show one, in the format of a definition file
    Show {
        /// The id
        id: String,
    },
    /// Run it now
    #[command(after_help = "Examples:
  segment-relay exports run newsletter
  segment-relay exports run newsletter --follow

Exit status with --follow: 0 the run succeeded; 1 it failed or was canceled; 3 it is held for approval.")]
    Run {
        /// The id
        id: String,
        /// Watch the run until it ends or is held
        #[arg(long)]
        follow: bool,
    },
    /// Run every export that has a schedule now
    RunScheduled,
    /// Announce that the profiles were refreshed; every export scheduled for that runs
    RunRefreshed,
    /// Simulate a run: counts, calls, time, warnings and a masked sample; nothing is sent
    DryRun {
        /// The id
        id: String,
    },
    /// Show which data the export uses, its labels and the policies that apply
    DataUsage {
        /// The id
        id: String,
    },
    /// Set when one or several exports run automatically
    Schedule(ScheduleArguments),
    /// Add a segment to an export
    #[command(after_help = "Examples:
  segment-relay exports add-segment newsletter big-spenders
  segment-relay exports add-segment newsletter big-spenders --target-list 1027
  segment-relay exports add-segment newsletter advent --starts-at 2026-11-29T06:00:00+01:00 --ends-at 2026-12-24T12:00:00+01:00")]
    AddSegment(AddSegmentArguments),
    /// Remove a segment from an export; `when_segment_removed` decides what happens to the target list
    RemoveSegment(ExportSegmentArguments),
    /// Duplicate an export; the copy is disabled until it has target lists of its own
    Duplicate {
        /// The id
        id: String,
        /// The id of the copy
        #[arg(long = "as", value_name = "ID")]
        new_id: String,
        /// The display name of the copy
        #[arg(long)]
        name: String,
    },
    /// Detach the export from its connection; it is kept but does not run
    Detach {
        /// The id
        id: String,
    },
    /// Enable the export
    Enable {
        /// The id
        id: String,
        /// Save without checking the destination; the next run reports problems
        #[arg(long)]
        no_check: bool,
    },
    /// Disable the export
    Disable {
        /// The id
        id: String,
    },
    /// Remove the export; members already on the destination's lists stay there
    Remove {
        /// The id
        id: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// List the export's runs, the latest first
    History {
        /// The id
        id: String,
        /// The maximum number of runs
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: usize,
    },
}
