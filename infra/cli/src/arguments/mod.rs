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
  segment-relay plan catalog --value list=1027      show what `apply` would change
  segment-relay apply catalog --value list=1027
  segment-relay exports dry-run newsletter          simulate a run; nothing is sent
  segment-relay exports run newsletter --follow
  segment-relay runs rejects RUN --out rejected.csv

Exit status: 0 success; 1 failure; 2 differences (plan --detailed-exitcode); 3 the run is held for approval."
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

/// The API's address and the caller's credentials.
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
        help = "The access token; safer in SEGMENT_RELAY_TOKEN, where other users of the machine cannot see it"
    )]
    pub(crate) token: Option<String>,
    /// Use the deployment that `cargo local up` runs on this machine
    #[arg(long, global = true)]
    pub(crate) local: bool,
    /// The role to sign in with, for --local
    #[arg(long, global = true, value_enum, default_value_t, value_name = "ROLE")]
    pub(crate) local_role: LocalRole,
}

/// A role at the local issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LocalRole {
    /// All permissions
    #[default]
    Administrator,
    /// Segments, exports and runs
    Contributor,
    /// Read-only access
    Viewer,
}

impl LocalRole {
    /// Returns the role's name.
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
    /// Show what `apply` would change, without changing anything
    Plan(PlanArguments),
    /// Apply the definitions in a folder to the deployment
    Apply(ApplyArguments),
    /// Write the deployment's definitions into a folder
    Export(ExportArguments),
    /// Write JSON Schemas into a folder, for editors to validate and complete the files
    Schema(FolderArguments),
    /// Deployment-wide settings, such as when the profiles are refreshed
    #[command(subcommand)]
    Settings(DefinitionCommand),
    /// Tables of the data lake
    #[command(subcommand)]
    Sources(SourceCommand),
    /// Named sets of profiles
    #[command(subcommand)]
    Segments(SegmentCommand),
    /// Accounts at destinations
    #[command(subcommand)]
    Connections(ConnectionCommand),
    /// Rules on which data must not be used for which marketing actions
    #[command(subcommand)]
    Policies(PolicyCommand),
    /// Which segments are sent to which connection, and when
    #[command(subcommand)]
    Exports(ExportCommand),
    /// Executions of exports
    #[command(subcommand)]
    Runs(RunCommand),
    /// Requests of data subjects: access and erasure
    #[command(subcommand)]
    Person(PersonCommand),
    /// List changes and their authors, the latest first
    Audit {
        /// The maximum number of entries
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: usize,
    },
    /// Show your identity and your permissions
    Whoami,
}
