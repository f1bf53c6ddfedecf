//! Starts and follows runs through the HTTP API, as a user would.

use std::time::{Duration, Instant};

use relay_model::run::{Report, Run};
use relay_model::{ExportId, RunId};
use serde_json::Value;

use super::Bundle;
use crate::Error;
use crate::console::Progress;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A requested run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub run_id: RunId,
    /// `started`, `waiting`, `merged` or `repeated`.
    pub request: String,
}

impl Bundle {
    /// Requests a run on demand.
    pub async fn start_run(&self, export: &str) -> Result<Started, Error> {
        let answer = self.cloud.api(reqwest::Method::POST, &format!("/exports/{export}/runs"), None).await?;
        let run_id = answer.body.get("run_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let request = answer.body.get("request").and_then(Value::as_str).unwrap_or_default().to_owned();
        match run_id {
            Some(run_id) if answer.status == 202 => Ok(Started { run_id, request }),
            _ => Err(Error::Answer(format!("{} {}", answer.status, answer.body))),
        }
    }

    /// Returns a run as the API shows it.
    pub async fn run(&self, run_id: RunId) -> Result<Run, Error> {
        let answer = self.cloud.api(reqwest::Method::GET, &format!("/runs/{run_id}"), None).await?;
        if answer.status == 200 {
            return Ok(serde_json::from_value(answer.body)?);
        }
        Err(Error::Answer(format!("{} {}", answer.status, answer.body)))
    }

    /// Waits until a run has ended, and prints its progress.
    pub async fn follow(&self, run_id: RunId, limit: Duration, progress: &Progress) -> Result<Run, Error> {
        let began = Instant::now();
        let mut said = String::new();
        loop {
            let run = self.run(run_id).await?;
            let now = describe(&run);
            if now != said {
                progress.step(&format!("export {}, run {}: {now}", run.export_id, short(run_id)));
                said = now;
            }
            if run.state.is_over() {
                return Ok(run);
            }
            if began.elapsed() > limit {
                return Err(Error::Missing(format!(
                    "run {run_id} is still {} after {} s; see {}",
                    run.state.name(),
                    limit.as_secs(),
                    self.cloud.log_path().display()
                )));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the schedule has started a run other than `last`.
    pub async fn scheduled_run(&self, export: &str, last: RunId, limit: Duration) -> Result<RunId, Error> {
        let export =
            ExportId::try_from(export.to_owned()).map_err(|error| Error::Missing(error.to_string()))?;
        let began = Instant::now();
        while began.elapsed() < limit {
            let active = self.ledger().active_run(&export).await;
            if let Some(run_id) = active.map_err(|error| Error::Answer(error.to_string()))?
                && run_id != last
            {
                return Ok(run_id);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(Error::Missing(format!("the schedule started no run within {} s", limit.as_secs())))
    }

    /// Returns a finished run's report.
    pub async fn report(&self, run: &Run) -> Result<Report, Error> {
        let key = run.report_key.clone().unwrap_or_default();
        let bytes = self.data().get(&key).await.map_err(|error| Error::Answer(error.to_string()))?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}

fn short(run_id: RunId) -> String {
    run_id.to_string().chars().rev().take(6).collect::<Vec<_>>().into_iter().rev().collect()
}

/// Formats a run's progress as one line.
#[must_use]
pub fn describe(run: &Run) -> String {
    let counts = run.rows_in.map(|rows_in| {
        let (batches, closed) = (run.batches, run.batches - run.batches_open.min(run.batches));
        let done = run.counts.total();
        format!(", {done} of {rows_in} rows, {closed} of {batches} batches, {} calls", run.calls)
    });
    let failure = run.failure.as_ref().map(|failure| format!(": {} ({})", failure.text, failure.code));
    format!("{}{}{}", run.state.name(), counts.unwrap_or_default(), failure.unwrap_or_default())
}
