//! The command line of `cargo local`.

use clap::{Parser, Subcommand};
use command::files::parse_values;
use relay::aws::{CatalogStore, Clients};
use serde_json::{Value, json};

use crate::background::{self, Running};
use crate::binaries::{self, Profile};
use crate::cloud::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use crate::console::Progress;
use crate::world::{Catalog, save_catalog};
use crate::{Error, bench, conform, demo, race, sizes, venv};

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
    /// Start everything, leave it running and print the addresses and how to use them
    Up {
        /// Deploy release builds, which take long to make and run fast
        #[arg(long)]
        release: bool,
    },
    /// Print a token for the HTTP API of what `up` runs
    Token(token::Arguments),
    /// Read a folder of definitions (sources/, segments/, connections/, exports/) into the catalog of what `up` runs
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
            Subcommands::Up { release } => {
                let profile = if *release { Profile::Release } else { Profile::Dev };
                let (running, already) = background::up(profile, progress).await?;
                Ok(describe(&running, if already { "It runs already." } else { "It runs." }))
            }
            Subcommands::Token(arguments) => token::run(arguments).await,
            Subcommands::Load { folder, values } => load(folder, values).await,
            Subcommands::Down => {
                let ended = background::down(progress).await?;
                let text = if ended { "The local cloud has ended." } else { "Nothing was running." };
                Ok(Report::new(text, json!({"ended": ended})))
            }
            Subcommands::Status => Ok(match background::running()? {
                Some(running) => describe(&running, "It runs."),
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

fn describe(running: &Running, first: &str) -> Report {
    let Running { endpoint, api_url, sandbox_url, outputs, log, journal, lake_bucket, .. } = running;
    let Running { issuer_url, marketo_url, omnisend_url, dynamics365_sales_url, .. } = running;
    let text = format!(
        "{first}

AWS                 {endpoint}
HTTP API            {api_url}
Issuer of tokens    {issuer_url}
Campaign Monitor    {sandbox_url}
Marketo Engage      {marketo_url}
Omnisend            {omnisend_url}
Dynamics 365 Sales  {dynamics365_sales_url}
Lake                s3://{lake_bucket}/
Data                s3://{}/
Log                 {}
Journal             {}   (what the functions wrote to queues, tables and the event bus)

To look into it with the AWS command line interface:

  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} \\
    AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}
  aws s3 ls --recursive s3://{lake_bucket}/
  aws dynamodb scan --table-name {}

To start a run of an export and to see how it goes (requests carry a token of the issuer, as on AWS; add
--role contributor or --role viewer to see what others may do):

  TOKEN=$(cargo local token)
  curl --silent --oauth2-bearer \"$TOKEN\" -X POST '{api_url}/exports/newsletter/runs'
  curl --silent --oauth2-bearer \"$TOKEN\" '{api_url}/runs/RUN'

The lake holds 10,000 made-up customers, and the catalog is that of infra/local/catalog/, with an export to each
destination: newsletter, marketo, omnisend and dynamics365-sales. What the destinations' lists hold:

{}

To end it: cargo local down",
        outputs.data_bucket,
        log.display(),
        journal.display(),
        outputs.catalog_table,
        looks(running).join("\n"),
        region = REGION,
        key = ACCESS_KEY_ID,
        secret = SECRET_ACCESS_KEY,
    );
    let mut figures = json!(running);
    if let Some(fields) = figures.as_object_mut() {
        fields.insert("running".to_owned(), json!(true));
    }
    Report::new(text, figures)
}

/// The commands that show how many people are where.
fn looks(running: &Running) -> Vec<String> {
    let campaign_monitor = running.list_ids.iter();
    let mut addresses: Vec<String> = campaign_monitor
        .map(|list| format!("{}/_sandbox/lists/{list}/counts", running.sandbox_url))
        .collect();
    addresses.push(format!("{}/_sandbox/lists", running.marketo_url));
    addresses.push(format!("{}/_sandbox/brands/{}/counts", running.omnisend_url, running.omnisend_brand_id));
    addresses.push(format!("{}/_sandbox/lists", running.dynamics365_sales_url));
    addresses.iter().map(|address| format!("  curl --silent '{address}'")).collect()
}

async fn load(folder: &std::path::Path, values: &[String]) -> Result<Report, Error> {
    let running = background::running()?
        .ok_or_else(|| Error::Missing("nothing runs; start it with: cargo local up".to_owned()))?;
    let catalog = Catalog::read(folder, &parse_values(values)?)?;
    let clients = Clients::at(&running.endpoint, REGION, ACCESS_KEY_ID, SECRET_ACCESS_KEY).await;
    save_catalog(&catalog, &CatalogStore::new(clients.dynamodb(), running.outputs.catalog_table)).await?;
    let figures = json!({
        "sources": catalog.sources.len(),
        "segments": catalog.segments.len(),
        "connections": catalog.connections.len(),
        "exports": catalog.exports.len(),
    });
    Ok(Report::new(format!("Loaded {figures}."), figures))
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
