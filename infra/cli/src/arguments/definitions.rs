//! Arguments of the commands about sources, connections, policies and exports.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{AddSegmentArguments, ExportListing, ExportSegmentArguments, ScheduleArguments};

#[derive(Debug, Subcommand)]
pub(crate) enum DefinitionCommand {
    /// All of them
    List,
    /// One of them, as a file would have it
    Show {
        /// Its id
        id: String,
    },
}

/// The same for what has labels.
#[derive(Debug, Subcommand)]
pub(crate) enum LabelledCommand {
    /// All of them
    List {
        /// Only those with this label
        #[arg(long)]
        label: Option<String>,
    },
    /// One of them, as a file would have it
    Show {
        /// Its id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SourceCommand {
    #[command(flatten)]
    Definition(DefinitionCommand),
    /// The segments that read it
    Segments {
        /// Its id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    #[command(flatten)]
    Definition(DefinitionCommand),
    /// Ask the destination whether the credentials are good and allow what is needed
    Test {
        /// Its id
        id: String,
    },
    /// Store the destination's credentials; they never come out again
    #[command(after_help = "Examples:
  segment-relay connections credentials campaign-monitor --file secret.json
  password-manager show campaign-monitor | segment-relay connections credentials campaign-monitor

JSON, such as {\"api_key\": \"…\"} for Campaign Monitor and Omnisend, {\"client_id\": \"…\", \"client_secret\": \"…\"} for
Marketo Engage and {\"client_secret\": \"…\"} for Dynamics 365 Sales. It is read from the input or a file, never from an
argument, which others could see.")]
    Credentials {
        /// Its id
        id: String,
        /// The file to read them from, instead of the input
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Agree to data leaving for it, in your name; without it nothing is exported
    #[command(after_help = "Example:
  segment-relay connections consent campaign-monitor --text \"I agree that profiles leave for Campaign Monitor.\"")]
    Consent {
        /// Its id
        id: String,
        /// The words that you agree to
        #[arg(long, required_unless_present = "withdraw")]
        text: Option<String>,
        /// Take the consent back: nothing is exported from then on
        #[arg(long, conflicts_with = "text")]
        withdraw: bool,
    },
    /// Remove it
    Remove {
        /// Its id
        id: String,
        /// What becomes of the exports that use it
        #[arg(long, value_enum, default_value_t)]
        exports: Exporting,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    #[command(flatten)]
    Definition(DefinitionCommand),
    /// Remove it: what it has forbidden is allowed from then on
    Remove {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What becomes of the exports of a connection that is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Exporting {
    /// Nothing: while there are any, the connection stays
    #[default]
    Refuse,
    /// They are removed with it
    Remove,
    /// They stay without a connection, and do not run
    Detach,
}

impl Exporting {
    /// The word in the API's address.
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
    /// All of them: where they go, how their last runs went, when they run next, and what you may do
    List(ExportListing),
    /// One of them, as a file would have it
    Show {
        /// Its id
        id: String,
    },
    /// Run it now
    #[command(after_help = "Examples:
  segment-relay exports run newsletter
  segment-relay exports run newsletter --follow

With --follow it ends with 0 when the run succeeded, 1 when it failed or was canceled, 3 when it is held.")]
    Run {
        /// Its id
        id: String,
        /// Watch the run until it is over or held
        #[arg(long)]
        follow: bool,
    },
    /// Run every export that has a schedule, now
    RunScheduled,
    /// Say that the profiles were refreshed: every export that is scheduled for that runs
    RunRefreshed,
    /// Find out what a run would do: counts, calls, time, warnings and a masked sample; nothing is sent
    DryRun {
        /// Its id
        id: String,
    },
    /// Which data it uses, with its labels, and what the policies say of it
    DataUsage {
        /// Its id
        id: String,
    },
    /// Say when it runs by itself, or when several do
    Schedule(ScheduleArguments),
    /// Let another segment go with it
    #[command(after_help = "Examples:
  segment-relay exports add-segment newsletter big-spenders
  segment-relay exports add-segment newsletter big-spenders --target-list 1027
  segment-relay exports add-segment newsletter advent --starts-at 2026-11-29T06:00:00+01:00 --ends-at 2026-12-24T12:00:00+01:00")]
    AddSegment(AddSegmentArguments),
    /// Take a segment out of it; its `when_segment_removed` says what becomes of the list
    RemoveSegment(ExportSegmentArguments),
    /// Make another one like it, disabled until it has target lists of its own
    Duplicate {
        /// Its id
        id: String,
        /// The new one's id
        #[arg(long = "as", value_name = "ID")]
        new_id: String,
        /// What people call the new one
        #[arg(long)]
        name: String,
    },
    /// Take its connection away: it stays, and does not run
    Detach {
        /// Its id
        id: String,
    },
    /// Let it run
    Enable {
        /// Its id
        id: String,
        /// Save it even where the destination does not have what it needs; the next run tells
        #[arg(long)]
        no_check: bool,
    },
    /// Keep it from running
    Disable {
        /// Its id
        id: String,
    },
    /// Remove it; who is on the lists at the destination stays there
    Remove {
        /// Its id
        id: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Its runs, the latest first
    History {
        /// Its id
        id: String,
        /// Only so many
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: usize,
    },
}
