//! Arguments of the commands for files.

use std::path::PathBuf;

use clap::Args;

/// A folder of definitions.
#[derive(Debug, Args)]
pub(crate) struct FolderArguments {
    /// The folder, containing settings/, sources/, segments/, connections/, policies/ and exports/
    pub(crate) folder: PathBuf,
}

/// A folder of definitions and the values for `${NAME}` in it.
#[derive(Debug, Args)]
pub(crate) struct FilledFolder {
    /// The folder, containing settings/, sources/, segments/, connections/, policies/ and exports/, with
    /// one YAML document per file
    pub(crate) folder: PathBuf,
    /// The value of a ${NAME} in the files, as NAME=VALUE; may be repeated
    #[arg(long = "value", value_name = "NAME=VALUE")]
    pub(crate) values: Vec<String>,
}

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay plan catalog
  segment-relay plan catalog --value newsletter_list=1027 --delete
  segment-relay plan catalog --detailed-exitcode || echo \"differs from the files\"

`+` is created, `~` changed (each field: deployed value -> value in the file), `-` removed.")]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) folder: FilledFolder,
    /// Remove definitions that are not in the folder; kinds without a folder of their own are left alone
    #[arg(long)]
    pub(crate) delete: bool,
    /// Exit with status 2 if there are differences
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay apply catalog
  segment-relay apply catalog --value newsletter_list=1027 --yes

Shows the plan and asks for confirmation. Changes made in the meantime are never overwritten: `apply` stops and reports
them. It stops at the first failure; apply again to continue. Saving an export does not run it.")]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    pub(crate) folder: FilledFolder,
    /// Remove definitions that are not in the folder; kinds without a folder of their own are left alone
    #[arg(long)]
    pub(crate) delete: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    pub(crate) yes: bool,
    /// Save segments and exports without checking the sources and the destination; the next run reports
    /// problems
    #[arg(long)]
    pub(crate) no_check: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segment-relay export catalog
  segment-relay export catalog --value newsletter_list=1027 --overwrite

A file whose content is equivalent is not touched. Definitions never contain credentials.")]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) folder: FilledFolder,
    /// Overwrite files that differ; their comments are lost
    #[arg(long)]
    pub(crate) overwrite: bool,
}
