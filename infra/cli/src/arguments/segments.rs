//! Arguments of the commands for segments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::LabelledCommand;

#[derive(Debug, Subcommand)]
pub(crate) enum SegmentCommand {
    #[command(flatten)]
    Definition(LabelledCommand),
    /// Show the current number of members, the number that each rule selects, and the first members
    Preview {
        /// The id
        id: String,
    },
    /// Show the query, or the query that the rules compile to
    Query {
        /// The id
        id: String,
    },
    /// Create a segment from a few conditions that all have to hold; its size is shown first
    #[command(after_help = "Examples:
  segment-relay segments quick viennese --name Viennese --source customers --member-key customer_id --where city=Wien
  segment-relay segments quick loyal --name Loyal --source customers --member-key customer_id \\
      --where 'points>=100' --where newsletter=true --column email --column first_name
  segment-relay segments quick young --name Young --source customers --member-key customer_id \\
      --where 'born>=2000-01-01' --where email --estimate

A condition is a column, an operator and a value: = != < <= > >= and ~ (contains). Values that look like numbers,
days (2026-01-31), true and false are typed; in double quotes they are text: --where 'zip=\"1010\"'. A column alone
must not be null (--where email); with an exclamation mark it must be null (--where '!email').

The result is a segment by rules. `segments show` prints it in file format, for everything else that rules can express.")]
    Quick(QuickArguments),
    /// Show the number of members in each run, and the upload
    Sizes {
        /// The id
        id: String,
    },
    /// Download all members as CSV, with every column that an export can map
    #[command(after_help = "Example:
  segment-relay segments download big-spenders --out big-spenders.csv

The file contains personal data: handle it accordingly. The audit records who downloaded it.")]
    Download {
        /// The id
        id: String,
        /// The file to write; it must not exist yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Activate the segment, so that exports send it again
    Activate {
        /// The id
        id: String,
    },
    /// Deactivate the segment; exports leave its target lists unchanged
    Deactivate {
        /// The id
        id: String,
    },
    /// List the exports, and whether each uses the segment
    Exports {
        /// The id
        id: String,
    },
    /// Duplicate a segment; the content of an upload is not copied
    Duplicate {
        /// The id
        id: String,
        /// The id of the copy
        #[arg(long = "as", value_name = "ID")]
        new_id: String,
        /// The display name of the copy
        #[arg(long)]
        name: String,
        /// Save without checking the query against the sources; the next run reports problems
        #[arg(long)]
        no_check: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct QuickArguments {
    /// The id
    pub(crate) id: String,
    /// The display name
    #[arg(long)]
    pub(crate) name: String,
    /// The source that the members are rows of
    #[arg(long)]
    pub(crate) source: String,
    /// The column that holds the customer id
    #[arg(long, value_name = "COLUMN")]
    pub(crate) member_key: String,
    /// A condition that members have to fulfil; may be repeated
    #[arg(long = "where", value_name = "CONDITION", required = true)]
    pub(crate) conditions: Vec<String>,
    /// A column that exports can map; all columns if omitted
    #[arg(long = "column", value_name = "COLUMN")]
    pub(crate) columns: Vec<String>,
    /// Only show the size, without creating the segment
    #[arg(long)]
    pub(crate) estimate: bool,
}
