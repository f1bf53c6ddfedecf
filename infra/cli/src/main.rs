//! `segment-relay`: see `segment-relay --help`.

use std::io::{BufReader, IsTerminal, stderr, stdin, stdout};
use std::process::ExitCode;
use std::time::Duration;

use relay_cli::{Screen, Surroundings};

/// The poll interval.
const POLL: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let has_colours =
        stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let surroundings = Surroundings {
        output: &mut stdout(),
        errors: &mut stderr(),
        input: &mut BufReader::new(stdin()),
        // The tool uses no variables that are not Unicode.
        variables: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        folder: std::env::current_dir().unwrap_or_default(),
        poll: POLL,
        screen: Screen {
            has_colours,
            is_interactive: stdin().is_terminal() && stderr().is_terminal(),
            has_progress: stderr().is_terminal(),
        },
    };
    Box::pin(relay_cli::run(std::env::args_os(), surroundings)).await.into()
}
