//! `cargo local conform`: tests the running HTTP API against its own OpenAPI document with Schemathesis
//! (<https://schemathesis.readthedocs.io/>), which generates valid and invalid requests from the document.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::binaries::Profile;
use crate::cli::Report;
use crate::cloud::{Cloud, Options};
use crate::console::Progress;
use crate::error::tail;
use crate::issuer::{Role, TokenRequest};
use crate::venv::Venv;
use crate::world::{Destinations, World};
use crate::{Error, demo, venv, workspace};

/// The checks of each response.
const CHECKS: [&str; 5] = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
];
/// Small, for a quick start; the lake only needs some people for previews and runs.
const CUSTOMERS: u32 = 200;

/// The configuration file of Schemathesis.
/// <https://schemathesis.readthedocs.io/en/stable/reference/configuration/>
const CONFIGURATION: &str = "schemathesis.toml";
/// The environment variable with the token.
const TOKEN: &str = "SEGMENT_RELAY_TOKEN";

/// The arguments of the command.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// How long to generate requests, in minutes
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=600))]
    pub minutes: u32,
    /// The seed of an earlier run, to generate the same requests
    #[arg(long)]
    pub seed: Option<u128>,
}

/// Starts the world of `cargo local up`, tests its API, and reports violations.
pub async fn run(arguments: &Arguments, progress: &Progress) -> Result<Report, Error> {
    let schemathesis = venv::ensure_schemathesis(progress)?;
    // Generated definitions must not start runs by schedule.
    let quiet = |options: Options| options.parameter("TickScheduleState", "DISABLED");
    let world = World::start(Profile::Dev, quiet, progress).await?;
    let destinations = Destinations::start(&world, progress).await?;
    let people = demo::Arguments { customers: CUSTOMERS, ..demo::Arguments::default() };
    demo::furnish(&world, &destinations, &people, demo::Beginning::Defined, progress).await?;
    let tried = try_api(&world.cloud, &schemathesis, arguments, progress).await;
    destinations.stop().await;
    world.stop().await?;
    tried
}

async fn try_api(
    cloud: &Cloud,
    schemathesis: &Venv,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<Report, Error> {
    let folder = folder()?;
    let document = cloud.api(Method::GET, "/openapi.json", None).await?;
    if document.status != 200 {
        return Err(Error::Answer(format!("GET /openapi.json: {} {}", document.status, document.body)));
    }
    write(&folder.join("openapi.json"), document.body.to_string().as_bytes())?;
    // Long enough for the steps after the time limit.
    let lifetime_seconds = i64::from(arguments.minutes) * 60 + 1_800;
    let token = TokenRequest::of(Role::Administrator).lifetime_seconds(lifetime_seconds);
    let token = cloud.issuer().token(&token)?;
    progress.step(&format!("generating requests, {} min", arguments.minutes));
    let figures = folder.join("report.json");
    if figures.exists() {
        std::fs::remove_file(&figures).map_err(Error::file(&figures))?;
    }
    write(&folder.join(CONFIGURATION), signing().as_bytes())?;
    let mut command = Command::new(schemathesis.python());
    command
        .args([
            "-m",
            "schemathesis.cli",
            "--config-file",
            CONFIGURATION,
            "run",
            "openapi.json",
            "--no-color",
            "--continue-on-failure",
        ])
        .args(["--url", &cloud.api_url()])
        .args(["--checks", &CHECKS.join(","), "--max-time", &(arguments.minutes * 60).to_string()])
        .args(["--report", "json", "--report-json-path", "report.json"])
        .current_dir(&folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &folder)
        .env("LANG", "C.UTF-8")
        .env("NO_PROXY", "*")
        .env(TOKEN, token)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(seed) = arguments.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    let output = command.output().await.map_err(Error::start("schemathesis"))?;
    write(&folder.join("output.txt"), &output.stdout)?;
    let Ok(found) = std::fs::read(&figures) else {
        let said = [output.stdout, output.stderr].concat();
        return Err(Error::Failed {
            program: "schemathesis".to_owned(),
            status: output.status,
            output: tail(&said, 30),
        });
    };
    let found: Found = serde_json::from_slice(&found)?;
    Ok(report(&found, output.status.success(), &String::from_utf8_lossy(&output.stdout)))
}

/// Returns the hook that signs requests with the token in the environment: arguments are visible to every
/// user of the machine.
fn signing() -> String {
    format!("[headers]\nAuthorization = \"Bearer ${{{TOKEN}}}\"\n")
}

/// Returns `.local/conform/`, with the document, the output and the figures of the last run.
fn folder() -> Result<PathBuf, Error> {
    let folder = workspace::local()?.join("conform");
    std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    Ok(folder)
}

fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    std::fs::write(path, content).map_err(Error::file(path))
}

/// The relevant part of Schemathesis's figures.
#[derive(Debug, Deserialize)]
struct Found {
    seed: u128,
    running_time: f64,
    operations: Operations,
    test_cases: Cases,
    failures: Vec<Failure>,
    errors: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Operations {
    total: u64,
    tested: u64,
}

#[derive(Debug, Deserialize)]
struct Cases {
    generated: u64,
    unique_failures: u64,
}

#[derive(Debug, Deserialize)]
struct Failure {
    title: String,
    count: u64,
}

/// Creates the report. It is good if every operation was tested and every response conforms.
fn report(found: &Found, succeeded: bool, output: &str) -> Report {
    let Found { seed, running_time, operations, test_cases, failures, errors } = found;
    let untried = operations.total.saturating_sub(operations.tested);
    let good = succeeded && failures.is_empty() && errors.is_empty() && untried == 0 && operations.total > 0;
    let kinds: Vec<String> =
        failures.iter().map(|failure| format!("{} ({})", failure.title, failure.count)).collect();
    let verdict = if good {
        "Every response conforms to the document.".to_owned()
    } else {
        let errors = errors.len();
        format!(
            "{}\n\nViolations: {}; {errors} errors, {untried} operations untried.",
            output.trim_end(),
            kinds.join(", ")
        )
    };
    let text = format!(
        "{verdict}\n{} requests to {} of {} operations in {running_time:.0} s; seed {seed}. For details see .local/conform/.",
        test_cases.generated, operations.tested, operations.total,
    );
    let figures = json!({
        "operations": operations.total,
        "operations_tested": operations.tested,
        "requests": test_cases.generated,
        "failures": test_cases.unique_failures,
        "kinds_of_failures": kinds,
        "errors": errors.len(),
        "duration_seconds": running_time,
        // A JSON number may not be able to hold it.
        "seed": seed.to_string(),
        "conforms": good,
    });
    Report { text, figures, good }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_names_the_token_and_has_none() {
        assert_eq!(signing(), "[headers]\nAuthorization = \"Bearer ${SEGMENT_RELAY_TOKEN}\"\n");
    }

    #[test]
    fn only_what_was_tried_and_found_good_is_good() {
        #[track_caller]
        fn check(change: &Value, succeeded: bool, good: bool) {
            let mut found = json!({
                "running_time": 60.5,
                "operations": {"total": 40, "tested": 40, "skipped": 0},
                "test_cases": {"generated": 900, "unique_failures": 0},
                "failures": [],
                "errors": [],
            });
            for (name, value) in change.as_object().unwrap() {
                found[name] = value.clone();
            }
            // Schemathesis's seeds have up to 128 bits, which a `Value` cannot hold.
            let found =
                found.to_string().replacen('{', "{\"seed\": 233726927891333665356970524809444897620,", 1);
            let found: Found = serde_json::from_str(&found).unwrap();
            let report = report(&found, succeeded, "output");
            assert_eq!((report.good, &report.figures["conforms"]), (good, &json!(good)), "{change}");
            assert!(
                report.text.contains("900 requests") && report.text.contains("seed 2337"),
                "{}",
                report.text
            );
        }
        check(&json!({}), true, true);
        check(&json!({}), false, false);
        check(&json!({"operations": {"total": 40, "tested": 39}}), true, false);
        check(&json!({"operations": {"total": 0, "tested": 0}}), true, false);
        check(&json!({"failures": [{"title": "Server error", "count": 3, "code": "ST101"}]}), true, false);
        check(&json!({"errors": [{"title": "Network error"}]}), true, false);
    }
}
