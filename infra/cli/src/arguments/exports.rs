//! Arguments of the commands about exports that are more than an id.

use clap::{Args, ValueEnum};
use jiff::Timestamp;

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
    /// Only those with this label
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Option<String>,
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

/// A segment that is to go with an export.
#[derive(Debug, Args)]
pub(crate) struct AddSegmentArguments {
    #[command(flatten)]
    pub(crate) segment: ExportSegmentArguments,
    /// From when on it goes, such as 2026-12-01T00:00:00+01:00; without it at once
    #[arg(long, value_name = "INSTANT")]
    pub(crate) starts_at: Option<Timestamp>,
    /// Until when it goes; `when_segment_removed` of the export says what becomes of its list then
    #[arg(long, value_name = "INSTANT")]
    pub(crate) ends_at: Option<Timestamp>,
}

/// Which exports run by themselves, and when.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay exports schedule newsletter --daily 06:30 --time-zone Europe/Rome
  segment-relay exports schedule newsletter --every-minutes 60
  segment-relay exports schedule newsletter --cron \"30 6 * * 1-5\" --time-zone Europe/Rome
  segment-relay exports schedule newsletter --every-refresh
  segment-relay exports schedule newsletter --off
  segment-relay exports schedule newsletter winback --daily 06:30 --time-zone Europe/Rome
  segment-relay exports schedule --all --every-refresh

Several exports get the same schedule, after a question; one that cannot be saved keeps no other from it.")]
pub(crate) struct ScheduleArguments {
    /// Their ids
    #[arg(required_unless_present = "all", value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Every export that you may edit
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) when: When,
    /// Do not ask where several would change
    #[arg(long)]
    pub(crate) yes: bool,
    /// Save it even where the destination does not have what it needs; the next run tells. --off never asks
    #[arg(long)]
    pub(crate) no_check: bool,
}

/// When an export runs by itself: exactly one way.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("way").required(true)))]
pub(crate) struct When {
    /// Only on demand
    #[arg(long, group = "way")]
    pub(crate) off: bool,
    /// Every so many minutes
    #[arg(long, group = "way", value_name = "N")]
    pub(crate) every_minutes: Option<u32>,
    /// Once a day at this time, such as 06:30
    #[arg(long, group = "way", value_name = "HH:MM", requires = "time_zone")]
    pub(crate) daily: Option<String>,
    /// Whenever the profiles were refreshed
    #[arg(long, group = "way")]
    pub(crate) every_refresh: bool,
    /// At the times of a cron expression
    #[arg(long, group = "way", value_name = "EXPRESSION", requires = "time_zone")]
    pub(crate) cron: Option<String>,
    /// The time zone of --daily and --cron, such as Europe/Rome
    #[arg(long, value_name = "ZONE", conflicts_with_all = ["off", "every_minutes", "every_refresh"])]
    pub(crate) time_zone: Option<String>,
}
