//! Arguments of the commands about exports that are more than an id.

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay exports list --sort state      what failed comes first
  segment-relay exports list --search news")]
pub(crate) struct ExportListing {
    /// What comes first
    #[arg(long, value_enum, value_name = "BY")]
    pub(crate) sort: Option<ExportOrder>,
    /// Only those whose id or name has this in it, in capitals or not
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
}

/// The order of a list of exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportOrder {
    /// By name
    Name,
    /// By the last run's state: failed, held, canceled, under way, succeeded, none yet
    State,
    /// What was delivered last comes first
    Delivered,
    /// What runs next comes first
    Next,
    /// What was saved last comes first
    Saved,
}

#[derive(Debug, Args)]
pub(crate) struct ExportSegmentArguments {
    /// The export's id
    pub(crate) export: String,
    /// The segment's id
    pub(crate) segment: String,
    /// The destination's id of the list; without it a list of the segment's own to add it, every list to remove it
    #[arg(long, value_name = "ID")]
    pub(crate) target_list: Option<String>,
    /// Save it even where the destination does not have what it needs; the next run tells
    #[arg(long)]
    pub(crate) no_check: bool,
}
