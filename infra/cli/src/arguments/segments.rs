//! Arguments of the commands about segments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::LabelledCommand;

#[derive(Debug, Subcommand)]
pub(crate) enum SegmentCommand {
    #[command(flatten)]
    Definition(LabelledCommand),
    /// How many members it has now, what each of its rules gives, and the first of them
    Preview {
        /// Its id
        id: String,
    },
    /// Its query, or the one that its rules compile to
    Query {
        /// Its id
        id: String,
    },
    /// Make one of a few conditions, all of which a member fulfils; its size is shown first
    #[command(after_help = "Examples:
  segment-relay segments quick viennese --name Viennese --source customers --member-key customer_id --where city=Wien
  segment-relay segments quick loyal --name Loyal --source customers --member-key customer_id \\
      --where 'points>=100' --where newsletter=true --column email --column first_name
  segment-relay segments quick young --name Young --source customers --member-key customer_id \\
      --where 'born>=2000-01-01' --where email --estimate

A condition is a column, an operator and a value: = != < <= > >= and ~ (has the text in it). Values that look like numbers,
days (2026-01-31), true and false are taken as such; in double quotes they are texts: --where 'zip=\"1010\"'. A column alone
has to have a value (--where email), and with an exclamation mark it must not (--where '!email').

What is made is a segment by rules, and `segments show` gives it as a file has it, for everything else that rules can.")]
    Quick(QuickArguments),
    /// Show how many members it had in each run, and its upload
    Sizes {
        /// Its id
        id: String,
    },
    /// All its members as a CSV, with every column that an export can map
    #[command(after_help = "Example:
  segment-relay segments download big-spenders --out big-spenders.csv

It holds profiles: whoever has the file answers for it. Who asked for it stands in the audit.")]
    Download {
        /// Its id
        id: String,
        /// The file to write, which must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Let exports bring it again
    Activate {
        /// Its id
        id: String,
    },
    /// Switch it off: exports leave its target lists as they are
    Deactivate {
        /// Its id
        id: String,
    },
    /// Which exports use it, and which do not
    Exports {
        /// Its id
        id: String,
    },
    /// Make another one like it; of an upload's, without what was uploaded
    Duplicate {
        /// Its id
        id: String,
        /// The new one's id
        #[arg(long = "as", value_name = "ID")]
        new_id: String,
        /// What people call the new one
        #[arg(long)]
        name: String,
        /// Save it even where the sources do not have what its query needs; the next run tells
        #[arg(long)]
        no_check: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct QuickArguments {
    /// Its id
    pub(crate) id: String,
    /// What people call it
    #[arg(long)]
    pub(crate) name: String,
    /// The source that members are rows of
    #[arg(long)]
    pub(crate) source: String,
    /// The column that holds the customer id
    #[arg(long, value_name = "COLUMN")]
    pub(crate) member_key: String,
    /// What has to hold for a member; may be given several times
    #[arg(long = "where", value_name = "CONDITION", required = true)]
    pub(crate) conditions: Vec<String>,
    /// A column that exports can map; without any, all of them
    #[arg(long = "column", value_name = "COLUMN")]
    pub(crate) columns: Vec<String>,
    /// Only show its size, and make nothing
    #[arg(long)]
    pub(crate) estimate: bool,
}
