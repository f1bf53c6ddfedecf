//! The command line.

mod definitions;
mod exports;
mod files;
mod person;
mod runs;
mod segments;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use definitions::{
    ConnectionCommand, DefinitionCommand, ExportCommand, LabelledCommand, PolicyCommand, SourceCommand,
};
pub(crate) use exports::{
    AddSegmentArguments, ExportListing, ExportOrder, ExportSegmentArguments, ScheduleArguments, When,
};
pub(crate) use files::{ApplyArguments, ExportArguments, FilledFolder, FolderArguments, PlanArguments};
pub(crate) use person::{ExclusionCommand, PersonCommand, Who};
pub(crate) use runs::{RunCommand, RunListing};
pub(crate) use segments::{QuickArguments, SegmentCommand};

/// Segment Relay from the command line: definitions as files, connections, exports and runs
#[derive(Debug, Parser)]
#[command(
    name = "segment-relay",
    version,
    long_about = "Segment Relay from the command line: definitions as files, connections, exports and runs.

It speaks to the HTTP API, so it can do what your role allows and nothing else. The address stands in
SEGMENT_RELAY_URL (or --url), the token in SEGMENT_RELAY_TOKEN, or a command that prints one in
SEGMENT_RELAY_TOKEN_COMMAND. With --local it finds what `cargo local up` runs on this machine.",
    after_help = "Examples:
  segment-relay --local whoami
  segment-relay export catalog                      what is there, as files
  segment-relay plan catalog --value list=1027      what applying would change
  segment-relay apply catalog --value list=1027
  segment-relay exports dry-run newsletter          what a run would do, and nothing is sent
  segment-relay exports run newsletter --follow
  segment-relay runs rejects RUN --out rejected.csv

Exit status: 0 done; 1 it failed; 2 differences (plan --detailed-exitcode); 3 the run is held until somebody approves."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) signing: Signing,
    /// Print JSON for programs: one object, on the last line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Where the API is, and who asks.
#[derive(Debug, clap::Args)]
pub(crate) struct Signing {
    #[arg(
        long,
        global = true,
        value_name = "ADDRESS",
        help = "The API's address [environment: SEGMENT_RELAY_URL]"
    )]
    pub(crate) url: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "TOKEN",
        help = "Who you are; better in SEGMENT_RELAY_TOKEN, where other users of the machine cannot see it"
    )]
    pub(crate) token: Option<String>,
    /// Speak to what `cargo local up` runs on this machine
    #[arg(long, global = true)]
    pub(crate) local: bool,
    /// In which role, with --local
    #[arg(long, global = true, value_enum, default_value_t, value_name = "ROLE")]
    pub(crate) local_role: LocalRole,
}

/// A role at the local issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LocalRole {
    /// Everything
    #[default]
    Administrator,
    /// Segments, exports and runs
    Contributor,
    /// Looking only
    Viewer,
}

impl LocalRole {
    /// The role's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Contributor => "contributor",
            Self::Viewer => "viewer",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what `apply` would change, and change nothing
    Plan(PlanArguments),
    /// Make what is there as the folder says
    Apply(ApplyArguments),
    /// Write what is there into a folder
    Export(ExportArguments),
    /// Write JSON Schemas into a folder, so that editors know the files' fields
    Schema(FolderArguments),
    /// Settings of the whole deployment: when the profiles are refreshed
    #[command(subcommand)]
    Settings(DefinitionCommand),
    /// Tables of the lake
    #[command(subcommand)]
    Sources(SourceCommand),
    /// Named sets of profiles
    #[command(subcommand)]
    Segments(SegmentCommand),
    /// Accounts of destinations
    #[command(subcommand)]
    Connections(ConnectionCommand),
    /// What data must not be used for
    #[command(subcommand)]
    Policies(PolicyCommand),
    /// What goes where
    #[command(subcommand)]
    Exports(ExportCommand),
    /// Executions of exports
    #[command(subcommand)]
    Runs(RunCommand),
    /// The rights of one person: what is kept about them, and forgetting them
    #[command(subcommand)]
    Person(PersonCommand),
    /// Who changed what, the latest first
    Audit {
        /// Only so many
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: usize,
    },
    /// Who you are to the API, and what you may do
    Whoami,
}
