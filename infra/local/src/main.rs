//! `cargo local`: see `cargo local --help`.

use std::process::ExitCode;

use clap::Parser;
use local::cli::Cli;
use local::console::{self, Progress};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let progress = Progress::shown();
    match cli.run(&progress).await {
        Ok(report) => {
            if cli.json {
                console::print_figures(&report.figures);
            } else {
                console::print(&report.text);
            }
            if report.good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            console::problem(&problem);
            if cli.json {
                console::print_figures(&serde_json::json!({"error": problem.to_string()}));
            }
            ExitCode::FAILURE
        }
    }
}
