//! What the tool says: results on the output, everything else on the errors.

use std::io::{self, BufRead, ErrorKind, Write};

use serde_json::Value;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs: one line of JSON.
    Json,
}

/// A colour, where the output has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// What comes, and what went well.
    Green,
    /// What changes, and what waits.
    Yellow,
    /// What goes, and what failed.
    Red,
    /// What matters less.
    Dim,
}

/// Puts colours into texts, or leaves them as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    is_coloured: bool,
}

impl Paint {
    /// What the screen can show.
    pub(crate) const fn of(screen: Screen) -> Self {
        Self { is_coloured: screen.has_colours }
    }

    /// The text in this colour.
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

/// What the terminal can do; nothing, where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// Results may have colours.
    pub has_colours: bool,
    /// Somebody is there to answer questions.
    pub is_interactive: bool,
    /// Progress may be written over itself.
    pub has_progress: bool,
}

/// Whoever read has had enough of it. That is nobody's mistake, and what is under way goes on.
fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Where the tool reads and writes. Where nobody reads any more, what is said is lost, and that is no error.
pub(crate) struct Console<'a> {
    pub(crate) output: &'a mut dyn Write,
    pub(crate) errors: &'a mut dyn Write,
    pub(crate) input: &'a mut dyn BufRead,
    pub(crate) form: Form,
    pub(crate) screen: Screen,
    pub(crate) is_line_open: bool,
}

impl Console<'_> {
    /// The colours of the output.
    pub(crate) const fn paint(&self) -> Paint {
        Paint::of(self.screen)
    }

    /// The result: the figures for programs, the text for people.
    pub(crate) fn show(&mut self, figures: &Value, text: impl FnOnce(Paint) -> String) -> io::Result<()> {
        self.close_line()?;
        let text = match self.form {
            Form::Json => figures.to_string(),
            Form::Text => text(self.paint()),
        };
        self.print(text.trim_end_matches('\n'))
    }

    /// Part of a result for people; programs get it with the figures.
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

    /// What people should know and is no result.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        self.close_line()?;
        unless_closed(writeln!(self.errors, "{text}"))
    }

    /// Where something is. On a terminal each line takes the place of the one before.
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

    /// Asks for a yes. Where nobody can see the question, that is an error.
    pub(crate) fn asks(&mut self, question: &str) -> io::Result<bool> {
        self.close_line()?;
        write!(self.errors, "{question} [y/N] ")?;
        self.errors.flush()?;
        let mut answer = String::new();
        self.input.read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}
