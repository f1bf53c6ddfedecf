//! Output: results on standard output, progress on standard error.

use std::time::Instant;

/// Prints a line of the result.
#[expect(clippy::print_stdout, reason = "this is the one place where the command prints its results")]
pub fn print(text: &str) {
    println!("{text}");
}

/// Prints the figures as one line of JSON, which must be the last line of a command with `--json`.
pub fn print_figures(figures: &serde_json::Value) {
    print(&figures.to_string());
}

/// Prints the error that ended a command.
#[expect(clippy::print_stderr, reason = "this is the one place where the command tells its errors")]
pub fn problem(problem: &crate::Error) {
    eprintln!("error: {problem}");
}

/// Prints the steps of a command, one per line, with the elapsed time.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    started: Instant,
    quiet: bool,
}

impl Progress {
    /// Prints progress on standard error.
    #[must_use]
    pub fn shown() -> Self {
        Self { started: Instant::now(), quiet: false }
    }

    /// Prints no progress, for tests.
    #[must_use]
    pub fn quiet() -> Self {
        Self { started: Instant::now(), quiet: true }
    }

    /// Prints one step.
    #[expect(clippy::print_stderr, reason = "this is the one place where the command tells its progress")]
    pub fn step(&self, text: &str) {
        if !self.quiet {
            eprintln!("[{:7.1} s] {text}", self.seconds());
        }
    }

    /// Returns the elapsed time in seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}
