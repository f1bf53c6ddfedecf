//! Arguments of the commands about one person.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Export everything that Segment Relay stores about one person
    #[command(after_help = "Examples:
  segment-relay person export --match-key-file address.txt --out found.json
  pass show request-4711 | segment-relay person export --member-key-file -

The key is read from a file or the terminal, so that it is not in the shell's history. The file that --out writes
contains personal data.")]
    Export {
        #[command(flatten)]
        who: Who,
        /// The JSON file to write; it must not exist yet
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Remove one person from every list, exclude them from future runs and erase their data
    #[command(after_help = "Examples:
  segment-relay person erase --match-key-file address.txt         show what would be erased; nothing is changed
  segment-relay person erase --match-key-file address.txt --yes

Exit status: 0 removed from every list; 1 failed, or an operator has to act; 3 a run is held for approval.")]
    Erase {
        #[command(flatten)]
        who: Who,
        /// Erase; without this flag, only show what would be erased
        #[arg(long)]
        yes: bool,
    },
    /// Persons that are excluded because they were erased
    #[command(subcommand)]
    Exclusions(ExclusionCommand),
}

/// The person: exactly one of the two.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Who {
    /// A file with the member key, the customer id in the lake; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) member_key_file: Option<PathBuf>,
    /// A file with an e-mail address or another match key, which selects every person that has it; - reads
    /// standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) match_key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExclusionCommand {
    /// List the exclusions, with their time and who requested them
    List {
        /// The maximum number of exclusions
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
    },
    /// Remove an exclusion, for a person who is a customer again
    Lift {
        /// The id of the exclusion, as the erasure or `list` shows it
        id: String,
    },
}
