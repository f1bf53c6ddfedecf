//! Terminal output: results on standard output, everything else on standard error.

use std::io::{self, BufRead, ErrorKind, Write};

use serde_json::Value;

/// The output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text for people.
    Text,
    /// One line of JSON for programs.
    Json,
}

/// A colour, if the output supports any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Additions and success.
    Green,
    /// Changes and waiting.
    Yellow,
    /// Removals and failures.
    Red,
    /// Secondary information.
    Dim,
}

/// Colours texts, or leaves them unchanged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    is_coloured: bool,
}

impl Paint {
    /// Returns the paint that the screen supports.
    pub(crate) const fn of(screen: Screen) -> Self {
        Self { is_coloured: screen.has_colours }
    }

    /// Returns the text in this colour.
    pub(crate) fn colour(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Red => 31,
            Colour::Dim => 2,
        };
        if self.is_coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The capabilities of the terminal; all false if there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// Results may be coloured.
    pub has_colours: bool,
    /// Questions can be answered.
    pub is_interactive: bool,
    /// Progress lines may overwrite each other.
    pub has_progress: bool,
}

/// Ignores a closed pipe (as with `| head`), so that the command continues.
fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// The tool's input and output. A closed output is not an error; further output is discarded.
pub(crate) struct Console<'a> {
    pub(crate) output: &'a mut dyn Write,
    pub(crate) errors: &'a mut dyn Write,
    pub(crate) input: &'a mut dyn BufRead,
    pub(crate) form: Form,
    pub(crate) screen: Screen,
    pub(crate) is_line_open: bool,
}

impl Console<'_> {
    /// Returns the paint of the output.
    pub(crate) const fn paint(&self) -> Paint {
        Paint::of(self.screen)
    }

    /// Prints the result: JSON for programs, the text for people.
    pub(crate) fn show(&mut self, figures: &Value, text: impl FnOnce(Paint) -> String) -> io::Result<()> {
        self.close_line()?;
        let text = match self.form {
            Form::Json => figures.to_string(),
            Form::Text => text(self.paint()),
        };
        self.print(text.trim_end_matches('\n'))
    }

    /// Prints part of a result for people; programs get it in the JSON.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        if self.form == Form::Json {
            return Ok(());
        }
        self.close_line()?;
        self.print(text)
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        unless_closed(writeln!(self.output, "{text}").and_then(|()| self.output.flush()))
    }

    /// Prints a note that is not part of the result.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        self.close_line()?;
        unless_closed(writeln!(self.errors, "{text}"))
    }

    /// Prints a progress line. On a terminal each line overwrites the one before.
    pub(crate) fn progress(&mut self, line: &str) -> io::Result<()> {
        if !self.screen.has_progress {
            return unless_closed(writeln!(self.errors, "{line}"));
        }
        self.is_line_open = true;
        unless_closed(write!(self.errors, "\r\u{1b}[2K{line}").and_then(|()| self.errors.flush()))
    }

    fn close_line(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_line_open) {
            return Ok(());
        }
        unless_closed(writeln!(self.errors))
    }

    /// Asks for confirmation. Returns an error if the question cannot be shown.
    pub(crate) fn asks(&mut self, question: &str) -> io::Result<bool> {
        self.close_line()?;
        write!(self.errors, "{question} [y/N] ")?;
        self.errors.flush()?;
        let mut answer = String::new();
        self.input.read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}
