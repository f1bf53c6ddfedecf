//! Arguments of the commands for exports that take more than an id.

use clap::{Args, ValueEnum};
use jiff::Timestamp;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay exports list --sort state      failed exports first
  segment-relay exports list --search news")]
pub(crate) struct ExportListing {
    /// The sort order
    #[arg(long, value_enum, value_name = "BY")]
    pub(crate) sort: Option<ExportOrder>,
    /// Only exports with this text in their id or name, ignoring case
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Only those with this label
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Option<String>,
}

/// The sort order of a list of exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportOrder {
    /// By name
    Name,
    /// By the state of the last run: failed, held, canceled, in progress, succeeded, none yet
    State,
    /// By the last delivery, the latest first
    Delivered,
    /// By the next run, the earliest first
    Next,
    /// By the last change, the latest first
    Saved,
}

#[derive(Debug, Args)]
pub(crate) struct ExportSegmentArguments {
    /// The export's id
    pub(crate) export: String,
    /// The segment's id
    pub(crate) segment: String,
    /// The destination's id of the target list. If omitted, `add-segment` uses a list of the segment's own
    /// and `remove-segment` removes the segment from every list
    #[arg(long, value_name = "ID")]
    pub(crate) target_list: Option<String>,
    /// Save without checking the destination; the next run reports problems
    #[arg(long)]
    pub(crate) no_check: bool,
}

/// A segment to add to an export.
#[derive(Debug, Args)]
pub(crate) struct AddSegmentArguments {
    #[command(flatten)]
    pub(crate) segment: ExportSegmentArguments,
    /// When the segment's export starts, such as 2026-12-01T00:00:00+01:00; immediately if omitted
    #[arg(long, value_name = "INSTANT")]
    pub(crate) starts_at: Option<Timestamp>,
    /// When the segment's export ends; the export's `when_segment_removed` then decides what happens to its
    /// list
    #[arg(long, value_name = "INSTANT")]
    pub(crate) ends_at: Option<Timestamp>,
}

/// Which exports to schedule, and when.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay exports schedule newsletter --daily 06:30 --time-zone Europe/Rome
  segment-relay exports schedule newsletter --every-minutes 60
  segment-relay exports schedule newsletter --cron \"30 6 * * 1-5\" --time-zone Europe/Rome
  segment-relay exports schedule newsletter --every-refresh
  segment-relay exports schedule newsletter --off
  segment-relay exports schedule newsletter winback --daily 06:30 --time-zone Europe/Rome
  segment-relay exports schedule --all --every-refresh

Several exports get the same schedule, after confirmation. An export that cannot be saved does not affect the others.")]
pub(crate) struct ScheduleArguments {
    /// The ids of the exports
    #[arg(required_unless_present = "all", value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Schedule every export that you may edit
    #[arg(long, conflicts_with = "ids")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) when: When,
    /// Do not ask for confirmation when several exports would change
    #[arg(long)]
    pub(crate) yes: bool,
    /// Save without checking the destination; the next run reports problems. Implied by --off
    #[arg(long)]
    pub(crate) no_check: bool,
}

/// The schedule: exactly one of these.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("way").required(true)))]
pub(crate) struct When {
    /// Run only on demand
    #[arg(long, group = "way")]
    pub(crate) off: bool,
    /// Run every so many minutes
    #[arg(long, group = "way", value_name = "N")]
    pub(crate) every_minutes: Option<u32>,
    /// Run once a day at this time, such as 06:30
    #[arg(long, group = "way", value_name = "HH:MM", requires = "time_zone")]
    pub(crate) daily: Option<String>,
    /// Run whenever the profiles were refreshed
    #[arg(long, group = "way")]
    pub(crate) every_refresh: bool,
    /// Run at the times of a cron expression
    #[arg(long, group = "way", value_name = "EXPRESSION", requires = "time_zone")]
    pub(crate) cron: Option<String>,
    /// The time zone of --daily and --cron, such as Europe/Rome
    #[arg(long, value_name = "ZONE", conflicts_with_all = ["off", "every_minutes", "every_refresh"])]
    pub(crate) time_zone: Option<String>,
}
