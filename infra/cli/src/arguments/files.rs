//! Arguments of the commands about files.

use std::path::PathBuf;

use clap::Args;

/// A folder of definitions.
#[derive(Debug, Args)]
pub(crate) struct FolderArguments {
    /// The folder, with settings/, sources/, segments/, connections/, policies/ and exports/ in it
    pub(crate) folder: PathBuf,
}

/// A folder of definitions and what stands for `${NAME}` in it.
#[derive(Debug, Args)]
pub(crate) struct FilledFolder {
    /// The folder, with settings/, sources/, segments/, connections/, policies/ and exports/ in it, one YAML document a
    /// file
    pub(crate) folder: PathBuf,
    /// What stands for ${NAME} in the files; may be given more than once
    #[arg(long = "value", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay plan catalog
  segment-relay plan catalog --value newsletter_list=1027 --delete
  segment-relay plan catalog --detailed-exitcode || echo \"not as the files say\"

`+` is created, `~` changed (each field: what is there -> what the file says), `-` removed.")]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) folder: FilledFolder,
    /// Remove what is there and not in the folder; a kind without a folder of its own is left alone
    #[arg(long)]
    pub(crate) delete: bool,
    /// End with 2 where something differs
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay apply catalog
  segment-relay apply catalog --value newsletter_list=1027 --yes

It shows the plan and asks. What somebody else changes in between is never overwritten: it stops and says so. It stops
at the first step that fails; what was done stays done, and applying again goes on. Saving an export does not run it.")]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    pub(crate) folder: FilledFolder,
    /// Remove what is there and not in the folder; a kind without a folder of its own is left alone
    #[arg(long)]
    pub(crate) delete: bool,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    /// Save segments and exports even where the sources or the destination do not have what they need; the next run tells
    #[arg(long)]
    pub(crate) no_check: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay export catalog
  segment-relay export catalog --value newsletter_list=1027 --overwrite

A file that says the same already is not touched, whatever its words. Credentials are not in it: definitions have none.")]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) folder: FilledFolder,
    /// Write files anew that say something else; their comments are lost
    #[arg(long)]
    pub(crate) overwrite: bool,
}
