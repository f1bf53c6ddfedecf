//! The page of commands, from clap's command trees.

use clap::{Arg, Command, CommandFactory};

use super::markdown::{append, code, sentence, table};
use crate::cli::Cli;

const INTRODUCTION: &str = "# Command line

`segment-relay` works over the HTTP API. In a checkout of this repository, `cargo relay` runs it. `cargo local` runs the
whole bundle on one machine; see [Getting started](../getting-started.md).
";

pub(super) fn render() -> String {
    let mut text = INTRODUCTION.to_owned();
    for mut root in [relay_cli::command_line(), Cli::command().bin_name("cargo local")] {
        root.build();
        describe(&root, 2, &mut text);
    }
    text
}

fn describe(command: &Command, depth: usize, text: &mut String) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim().strip_prefix("Usage: ").unwrap_or(usage.trim()).to_owned();
    let marks = "#".repeat(depth.min(4));
    append(text, &format!("\n{marks} {name}\n\n{}\n\n```text\n{usage}\n```\n", sentence(&about)));
    let is_root = depth == 2;
    let shown = |argument: &&Arg| {
        let is_own = is_root || !argument.is_global_set();
        is_own && !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
    };
    let rows: Vec<[String; 2]> = command.get_arguments().filter(shown).map(row).collect();
    if !rows.is_empty() {
        append(text, &format!("\n{}", table(["argument", "meaning"], rows)));
    }
    if is_root && let Some(examples) = command.get_after_help() {
        append(text, &format!("\n```text\n{examples}\n```\n"));
    }
    let commands = command.get_subcommands();
    for each in commands.filter(|each| !each.is_hide_set() && each.get_name() != "help") {
        describe(each, depth + 1, text);
    }
}

fn row(argument: &Arg) -> [String; 2] {
    let mut meaning = sentence(&argument.get_help().map(ToString::to_string).unwrap_or_default());
    let takes_values = argument.get_action().takes_values();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|value| takes_values && !value.is_hide_set())
        .map(|value| code(value.get_name()))
        .collect();
    if !values.is_empty() {
        append(&mut meaning, &format!(" One of {}.", values.join(", ")));
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| code(&value.to_string_lossy())).collect();
    if takes_values && !defaults.is_empty() {
        append(&mut meaning, &format!(" Default: {}.", defaults.join(", ")));
    }
    if argument.is_required_set() && !argument.is_positional() {
        meaning.push_str(" Required.");
    }
    [code(&argument.to_string()), meaning]
}
