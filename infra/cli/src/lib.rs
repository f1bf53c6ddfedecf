//! `segment-relay`, the command-line tool. It manages definitions as files, connections, exports and runs
//! through the HTTP API.
//!
//! [`run`] is the whole tool, with its input, output and environment passed in. [`files`] reads folders of
//! definitions.

mod api;
mod arguments;
mod commands;
mod console;
mod error;
pub mod files;
mod kinds;
mod plan;
mod settings;
mod table;
mod tokens;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use serde_json::json;

use arguments::Arguments;
use commands::Session;
use console::{Console, Form};

pub use console::Screen;
use error::Error;

/// The tool's input, output and environment.
pub struct Surroundings<'a> {
    /// Standard output, for results.
    pub output: &'a mut dyn Write,
    /// Standard error, for progress, questions and errors.
    pub errors: &'a mut dyn Write,
    /// Standard input, for answers and credentials.
    pub input: &'a mut dyn BufRead,
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
    /// The folder from which the local cloud is searched upwards.
    pub folder: PathBuf,
    /// The poll interval.
    pub poll: Duration,
    /// The capabilities of the terminal.
    pub screen: Screen,
}

/// The result of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It succeeded.
    Done,
    /// It failed, or the run that it watched failed.
    Failed,
    /// There are differences, and `--detailed-exitcode` was given.
    Differences,
    /// The run is held for approval.
    Held,
}

impl Ending {
    /// Returns the exit status.
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Differences => 2,
            Self::Held => 3,
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        ending.status().into()
    }
}

/// Returns the tree of commands, for the generated documentation.
#[must_use]
pub fn command_line() -> clap::Command {
    Arguments::command()
}

/// Runs a command line; the first argument is the tool's own name.
pub async fn run<I, T>(arguments: I, surroundings: Surroundings<'_>) -> Ending
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let Surroundings { output, errors, input, variables, folder, poll, screen } = surroundings;
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(message) => {
            // Help and version are results; usage errors are not.
            let (target, ending): (&mut dyn Write, _) =
                if message.use_stderr() { (errors, Ending::Failed) } else { (output, Ending::Done) };
            let text = message.render();
            let printed =
                if screen.has_colours { write!(target, "{}", text.ansi()) } else { write!(target, "{text}") };
            return printed.map_or(Ending::Failed, |()| ending);
        }
    };
    let form = if arguments.json { Form::Json } else { Form::Text };
    let mut console = Console { output, errors, input, form, screen, is_line_open: false };
    let ended = match settings::connect(&arguments.signing, &variables, &folder).await {
        Ok((api, values)) => {
            let mut session = Session { api, values, console: &mut console, poll };
            commands::carry_out(&arguments.command, &mut session).await
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(ending) => ending,
        Err(error) => tell(&error, &mut console),
    }
}

fn tell(error: &Error, console: &mut Console<'_>) -> Ending {
    // If standard error cannot be written, the error cannot be reported.
    let printed = console.note(&format!("error: {error}")).and_then(|()| match console.form {
        Form::Json => console.show(&json!({ "error": error.figures() }), |_| String::new()),
        Form::Text => Ok(()),
    });
    printed.map_or(Ending::Failed, |()| Ending::Failed)
}
