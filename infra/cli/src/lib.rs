//! `segment-relay`, the command-line tool: definitions as files, connections, exports and runs, over the HTTP API and
//! nothing else.
//!
//! [`run`] is the whole tool, with everything that it reads and writes handed in. [`files`] reads folders of
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

/// What the tool reads, writes and finds around it.
pub struct Surroundings<'a> {
    /// Where results go.
    pub output: &'a mut dyn Write,
    /// Where progress, questions and errors go.
    pub errors: &'a mut dyn Write,
    /// Where answers and credentials come from.
    pub input: &'a mut dyn BufRead,
    /// The environment's variables.
    pub variables: BTreeMap<String, String>,
    /// The folder that the local cloud is looked for in, and upwards.
    pub folder: PathBuf,
    /// How often something that takes its time is looked after.
    pub poll: Duration,
    /// What the terminal can do.
    pub screen: Screen,
}

/// How the tool ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It did what was asked.
    Done,
    /// It did not, or what it watched failed.
    Failed,
    /// There are differences, and the arguments ask for a status that says so.
    Differences,
    /// The run waits until somebody approves it.
    Held,
}

impl Ending {
    /// The exit status.
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

/// Carries a command line out; the first argument is the tool's own name.
pub async fn run<I, T>(arguments: I, surroundings: Surroundings<'_>) -> Ending
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let Surroundings { output, errors, input, variables, folder, poll, screen } = surroundings;
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(message) => {
            // Help and the version are results; what is wrong with the arguments is none.
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
    // Where nothing can be printed there is nobody to tell so.
    let told = console.note(&format!("error: {error}")).and_then(|()| match console.form {
        Form::Json => console.show(&json!({ "error": error.figures() }), |_| String::new()),
        Form::Text => Ok(()),
    });
    told.map_or(Ending::Failed, |()| Ending::Failed)
}
