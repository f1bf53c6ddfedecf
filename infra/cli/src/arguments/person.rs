//! Arguments of the commands about one person.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Find everything that Segment Relay keeps about one person
    #[command(after_help = "Examples:
  segment-relay person export --match-key-file address.txt --out found.json
  pass show request-4711 | segment-relay person export --member-key-file -

The key comes from a file or from what is typed, so that it stands in no history of commands. The file that --out writes
holds personal data.")]
    Export {
        #[command(flatten)]
        who: Who,
        /// Where to write what is kept, as JSON; nothing that is there is overwritten
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Take one person off every list, keep them out from then on, and forget them
    #[command(after_help = "Examples:
  segment-relay person erase --match-key-file address.txt         what there is of them; nothing is changed
  segment-relay person erase --match-key-file address.txt --yes

Ends with 0 when they are off every list, 1 when something failed or somebody has to act, 3 when a run is held.")]
    Erase {
        #[command(flatten)]
        who: Who,
        /// Do it; without, it is only shown what there is of them
        #[arg(long)]
        yes: bool,
    },
    /// Who is kept out because they were erased
    #[command(subcommand)]
    Exclusions(ExclusionCommand),
}

/// Who is meant: exactly one of the two.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Who {
    /// A file with the member key, the customer id in the lake; - reads it from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) member_key_file: Option<PathBuf>,
    /// A file with an e-mail address or another match key: everybody is meant who has it; - reads it from standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) match_key_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExclusionCommand {
    /// What stands for those who are kept out, since when, and who asked for it
    List {
        /// Only so many
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: usize,
    },
    /// Let somebody in again, who is a customer once more
    Lift {
        /// What stands for them, as an erasure or `list` shows it
        id: String,
    },
}
