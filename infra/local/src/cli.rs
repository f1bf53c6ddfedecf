//! The command line of `cargo local`.

use clap::{Parser, Subcommand};
use relay_cli::files::parse_values;
use serde_json::{Value, json};

use crate::background;
use crate::binaries::{self, Profile};
use crate::console::Progress;
use crate::demo::Beginning;
use crate::issuer::{Role, TokenRequest};
use crate::world::Tool;
use crate::{Error, bench, conform, demo, docs, race, sizes, venv};

mod running;
mod token;

/// Segment Relay on this machine: an emulated AWS on loopback with the real functions.
///
/// Requires only Rust, Python 3.10 or later and the package registries. All files are in .local/ and can be
/// deleted when nothing runs. No AWS account is used, and no credentials of yours are read.
#[derive(Debug, Parser)]
#[command(name = "cargo local", version, after_help = "Start with: cargo local demo")]
pub struct Cli {
    #[command(subcommand)]
    command: Subcommands,
    /// Print only one line at the end: a JSON object with the figures
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Export made-up customers to four sandboxes, and check every person against the destinations' own
    /// lists
    Demo(demo::Arguments),
    /// Send many profiles through snapshot, chunk and push, and measure each stage
    Bench(bench::Arguments),
    /// Export to a destination's sandbox at its documented limits, and compare the speed with the limits
    Race(race::Arguments),
    /// Test the running HTTP API against its OpenAPI document, with generated requests
    Conform(conform::Arguments),
    /// Write the generated pages under docs/reference/ from the code that they describe
    Docs(docs::Arguments),
    /// Start everything in the background, and print the addresses and the next steps
    Up {
        /// Deploy release builds, which are slow to build and fast to run
        #[arg(long)]
        release: bool,
        /// Start without definitions and credentials, but with the people and the destinations
        #[arg(long)]
        empty: bool,
    },
    /// Print an access token for the HTTP API that `up` started
    Token(token::Arguments),
    /// Apply a folder of definitions to the cloud that `up` started: `cargo relay --local apply FOLDER
    /// --yes`
    Load {
        /// The folder
        folder: std::path::PathBuf,
        /// The value of a ${NAME} in the files, as NAME=VALUE; may be repeated
        #[arg(long = "value", value_name = "NAME=VALUE")]
        values: Vec<String>,
    },
    /// Stop the cloud that `up` started
    Down,
    /// Show whether a cloud is running, and its addresses
    Status,
    /// Print the log of the cloud that `up` started
    Logs {
        /// Only this many of the last lines
        #[arg(long, default_value_t = 100)]
        lines: usize,
    },
    /// Build the deployment packages in target/lambda/ (release builds) and check their sizes against the
    /// limits
    Package,
    /// Measure the packages' sizes, and the time from each function's start to its first request for work
    Sizes {
        /// Measure unoptimised builds, which are faster to build; the limits do not apply to them
        #[arg(long)]
        dev: bool,
    },
    /// Install the local cloud's dependencies into .local/ and build the functions, without running
    /// anything
    Prepare,
    /// The background process of `up`
    #[command(hide = true)]
    Own,
}

/// The result of a command.
#[derive(Clone, Debug)]
pub struct Report {
    /// The text for people.
    pub text: String,
    /// The JSON object of `--json`.
    pub figures: Value,
    /// False if the command ran, but found something wrong.
    pub good: bool,
}

impl Report {
    /// Creates the report of a success.
    #[must_use]
    pub fn new(text: impl Into<String>, figures: Value) -> Self {
        Self { text: text.into(), figures, good: true }
    }
}

impl Cli {
    /// Runs the command.
    pub async fn run(&self, progress: &Progress) -> Result<Report, Error> {
        match &self.command {
            Subcommands::Demo(arguments) => demo::run(arguments, progress).await,
            Subcommands::Bench(arguments) => Box::pin(bench::run(arguments, progress)).await,
            Subcommands::Race(arguments) => race::run(arguments, progress).await,
            Subcommands::Conform(arguments) => conform::run(arguments, progress).await,
            Subcommands::Docs(arguments) => docs::run(arguments),
            Subcommands::Up { release, empty } => {
                let profile = if *release { Profile::Release } else { Profile::Dev };
                let beginning = if *empty { Beginning::Empty } else { Beginning::Defined };
                let (running, already) = background::up(profile, beginning, progress).await?;
                let first = match already {
                    false => "The local cloud is running.",
                    true if running.beginning == beginning => "The local cloud is already running.",
                    true => {
                        "The local cloud is already running, started with other options; stop it with: cargo local down"
                    }
                };
                Ok(running::describe(&running, first))
            }
            Subcommands::Token(arguments) => token::run(arguments).await,
            Subcommands::Load { folder, values } => load(folder, values).await,
            Subcommands::Down => {
                let ended = background::down(progress).await?;
                let text = if ended { "The local cloud has stopped." } else { "No local cloud was running." };
                Ok(Report::new(text, json!({"ended": ended})))
            }
            Subcommands::Status => Ok(match background::running()? {
                Some(running) => running::describe(&running, "The local cloud is running."),
                None => Report::new(
                    "No local cloud is running. Start one with: cargo local up",
                    json!({"running": false}),
                ),
            }),
            Subcommands::Logs { lines } => logs(*lines),
            Subcommands::Package => package(&binaries::build(Profile::Release, progress)?, progress),
            Subcommands::Sizes { dev } => {
                let profile = if *dev { Profile::Dev } else { Profile::Release };
                measure(profile, progress).await
            }
            Subcommands::Prepare => {
                venv::ensure(progress)?;
                let functions = binaries::build(Profile::Dev, progress)?.len();
                let seconds = progress.seconds();
                let text = format!("Everything is installed: {functions} functions, {seconds:.1} s.");
                Ok(Report::new(text, json!({"functions": functions, "duration_seconds": seconds})))
            }
            Subcommands::Own => {
                background::own(progress).await?;
                Ok(Report::new("", Value::Null))
            }
        }
    }
}

async fn load(folder: &std::path::Path, values: &[String]) -> Result<Report, Error> {
    let running = background::running()?.ok_or_else(|| {
        Error::Missing("no local cloud is running; start one with: cargo local up".to_owned())
    })?;
    let token = TokenRequest::of(Role::Administrator).subject("load");
    let token = token::from_issuer(&running.issuer_url, &token).await?;
    let mut all = running.values;
    all.extend(parse_values(values)?);
    let said = Tool::at(&running.api_url, &token).apply(folder, &all).await?;
    Ok(Report::new(said.trim_end(), json!({"applied": said.lines().collect::<Vec<_>>()})))
}

fn logs(lines: usize) -> Result<Report, Error> {
    let running = background::running()?.ok_or_else(|| {
        Error::Missing("no local cloud is running; start one with: cargo local up".to_owned())
    })?;
    let text = std::fs::read(&running.log).map_err(Error::file(&running.log))?;
    let figures = json!({"log": running.log, "bytes": text.len()});
    Ok(Report::new(crate::error::tail(&text, lines), figures))
}

fn package(functions: &binaries::Binaries, progress: &Progress) -> Result<Report, Error> {
    progress.step("compressing the packages");
    let packages = sizes::package(functions)?;
    let good = packages.iter().all(|package| package.zip_bytes <= package.limit_bytes);
    let mut text = row("function", ["binary", "zip", "limit"], "");
    for package in &packages {
        let sizes::Package { function, binary_bytes, zip_bytes, limit_bytes, .. } = package;
        let remark = if zip_bytes > limit_bytes { " TOO LARGE" } else { "" };
        text.push_str(&row(function, [binary_bytes, zip_bytes, limit_bytes], remark));
    }
    text.push_str("\nSizes in bytes. To deploy into your AWS account, see the top of infra/template.yaml.");
    Ok(Report { text, figures: json!({"packages": packages, "within_limits": good}), good })
}

/// Formats a line of a table of sizes.
fn row<T: std::fmt::Display>(function: &str, bytes: [T; 3], last: &str) -> String {
    let [binary, zip, limit] = bytes;
    format!("{function:<24} {binary:>12} {zip:>12} {limit:>12} {last}\n")
}

async fn measure(profile: Profile, progress: &Progress) -> Result<Report, Error> {
    let functions = binaries::build(profile, progress)?;
    progress.step("measuring");
    let packages = sizes::package(&functions)?;
    let mut figures = serde_json::Map::new();
    let mut good = true;
    let mut text = row("function", ["binary", "zip", "limit"], "   init ms");
    for (function, binary) in &functions {
        let Some(package) = packages.iter().find(|package| package.function == *function) else {
            continue;
        };
        let init_ms = sizes::init_ms(binary).await?;
        let (zip_bytes, limit_bytes) = (package.zip_bytes, package.limit_bytes);
        good &= profile == Profile::Dev || zip_bytes <= limit_bytes;
        text.push_str(&row(
            function,
            [&package.binary_bytes, &zip_bytes, &limit_bytes],
            &format!("{init_ms:>10.1}"),
        ));
        let entry = json!({"zip_bytes": zip_bytes, "limit_bytes": limit_bytes, "init_ms": init_ms});
        figures.insert(function.clone(), entry);
    }
    let figures = json!({"profile": profile.name(), "functions": figures, "within_limits": good});
    Ok(Report { text: text.trim_end().to_owned(), figures, good })
}
