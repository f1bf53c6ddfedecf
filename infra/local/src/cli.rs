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

/// The whole of Segment Relay on this machine: an emulated AWS on loopback with the real functions behind it.
///
/// Nothing is needed but Rust, Python 3.10 or later and the package registries. Everything that it makes lies in
/// .local/ and can be deleted when nothing runs. No AWS account is used, and no credentials of yours are read.
#[derive(Debug, Parser)]
#[command(name = "cargo local", version, after_help = "Begin with: cargo local demo")]
pub struct Cli {
    #[command(subcommand)]
    command: Subcommands,
    /// Print nothing but one line at the end: a JSON object with the figures
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Do the main job with made-up customers, and check every person against the four destinations' own lists
    Demo(demo::Arguments),
    /// Take many profiles through snapshot, chunk and push, and say what each stage costs
    Bench(bench::Arguments),
    /// Export to a destination's sandbox at its documented limits, and say how close that comes to what they allow
    Race(race::Arguments),
    /// Hold the running HTTP API against its own OpenAPI document, with made-up requests
    Conform(conform::Arguments),
    /// Write the generated pages under docs/reference/ from the code that they describe
    Docs(docs::Arguments),
    /// Start everything, leave it running and print the addresses and how to use them
    Up {
        /// Deploy release builds, which take long to make and run fast
        #[arg(long)]
        release: bool,
        /// Define nothing and store no credentials: the people and the destinations are there, the rest is yours to do
        #[arg(long)]
        empty: bool,
    },
    /// Print a token for the HTTP API of what `up` runs
    Token(token::Arguments),
    /// Make what `up` runs as a folder of definitions says: `cargo relay --local apply FOLDER --yes`
    Load {
        /// The folder
        folder: std::path::PathBuf,
        /// What stands for ${NAME} in the files; may be given more than once
        #[arg(long = "value", value_name = "NAME=VALUE")]
        values: Vec<String>,
    },
    /// End what `up` left running
    Down,
    /// Say what runs, and where
    Status,
    /// Print the log of what `up` left running
    Logs {
        /// Only that many of the last lines
        #[arg(long, default_value_t = 100)]
        lines: usize,
    },
    /// Make the deployment packages in target/lambda/ (release builds) and hold their sizes against the limits
    Package,
    /// Sizes of the packages, and how long each function takes from its start to its first request for work
    Sizes {
        /// Measure unoptimised builds, which are made faster; the limits do not hold for them
        #[arg(long)]
        dev: bool,
    },
    /// Install what the local cloud needs into .local/ and build the functions, without running anything
    Prepare,
    /// The background process of `up`
    #[command(hide = true)]
    Own,
}

/// What a command has to say at its end.
#[derive(Clone, Debug)]
pub struct Report {
    /// For a person.
    pub text: String,
    /// For a program: the JSON object of `--json`.
    pub figures: Value,
    /// False when the command did its work but what it found is not as it must be.
    pub good: bool,
}

impl Report {
    /// A report of something that went as it must.
    #[must_use]
    pub fn new(text: impl Into<String>, figures: Value) -> Self {
        Self { text: text.into(), figures, good: true }
    }
}

impl Cli {
    /// Carries the command out.
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
                    false => "It runs.",
                    true if running.beginning == beginning => "It runs already.",
                    true => "It runs already, begun the other way: cargo local down ends it.",
                };
                Ok(running::describe(&running, first))
            }
            Subcommands::Token(arguments) => token::run(arguments).await,
            Subcommands::Load { folder, values } => load(folder, values).await,
            Subcommands::Down => {
                let ended = background::down(progress).await?;
                let text = if ended { "The local cloud has ended." } else { "Nothing was running." };
                Ok(Report::new(text, json!({"ended": ended})))
            }
            Subcommands::Status => Ok(match background::running()? {
                Some(running) => running::describe(&running, "It runs."),
                None => Report::new("Nothing runs. Start it with: cargo local up", json!({"running": false})),
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
                let text = format!("Everything is there: {functions} functions, {seconds:.1} s.");
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
    let running = background::running()?
        .ok_or_else(|| Error::Missing("nothing runs; start it with: cargo local up".to_owned()))?;
    let token = TokenRequest::of(Role::Administrator).subject("load");
    let token = token::from_issuer(&running.issuer_url, &token).await?;
    let mut all = running.values;
    all.extend(parse_values(values)?);
    let said = Tool::at(&running.api_url, &token).apply(folder, &all).await?;
    Ok(Report::new(said.trim_end(), json!({"applied": said.lines().collect::<Vec<_>>()})))
}

fn logs(lines: usize) -> Result<Report, Error> {
    let running = background::running()?
        .ok_or_else(|| Error::Missing("nothing runs; start it with: cargo local up".to_owned()))?;
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
    text.push_str("\nBytes. To deploy into an account of yours, see the top of infra/template.yaml.");
    Ok(Report { text, figures: json!({"packages": packages, "within_limits": good}), good })
}

/// A line of a table of sizes.
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
