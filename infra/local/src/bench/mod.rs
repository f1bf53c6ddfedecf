//! `cargo local bench`: sends many profiles through snapshot, chunk and push, and measures each stage.

pub(crate) mod lake;
mod uploads;
mod usage;

use std::time::Duration;

use relay_model::run::{Report, RunState};
use serde_json::json;

use crate::Error;
use crate::binaries::Profile;
use crate::console::Progress;
use crate::world::{Tool, Values, World};
use usage::{Usage, Watch};

const EXPORT: &str = "everybody";
const RUN_LIMIT: Duration = Duration::from_mins(30);
const FUNCTIONS: [&str; 4] = ["snapshot", "chunk", "push-campaign-monitor", "finish"];

/// The arguments of the benchmark.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The number of profiles to process: half of them as Parquet, half as CSV
    #[arg(long, default_value_t = 1_000_000)]
    pub rows: u64,
    /// Instead, upload a CSV of this many bytes (at most 1000000000) and measure reading it
    #[arg(long, value_name = "BYTES", conflicts_with = "rows")]
    pub upload_bytes: Option<u64>,
    /// Use unoptimised builds, whose figures are not representative of a deployment
    #[arg(long)]
    pub dev: bool,
}

/// Runs the benchmark and returns its figures.
///
/// The whole bundle runs as it would for a user. The figures are those of the functions' own processes, as
/// measured by the operating system.
pub async fn run(arguments: &Arguments, progress: &Progress) -> Result<crate::cli::Report, Error> {
    let profile = if arguments.dev { Profile::Dev } else { Profile::Release };
    if let Some(bytes) = arguments.upload_bytes {
        return uploads::run(bytes, profile, progress).await;
    }
    let world = World::start(profile, |options| options, progress).await?;
    let list = world.create_list("Everybody")?;
    progress.step(&format!("writing {} profiles into the lake", arguments.rows));
    lake::fill(&world, arguments.rows, 0).await?;
    let mut values = Values::new();
    values.insert("secret".to_owned(), world.cloud.outputs().campaign_monitor_secret.clone());
    values.insert("list".to_owned(), list.to_string());
    world.store_api_key(&world.account.api_key).await?;
    let folder = crate::workspace::package().join("bench-catalog");
    let tool = Tool::of(&world.cloud, "bench")?;
    for part in ["profiles", "campaign-monitor"] {
        tool.apply(&folder.join(part), &values).await?;
    }

    let calls_before = world.cloud.function_calls().await?;
    let started = world.start_run(EXPORT).await?;
    let watch = Watch::start(&world.cloud, &FUNCTIONS);
    let run = world.follow(started.run_id, RUN_LIMIT, progress).await?;
    let usage = watch.finish(&world.cloud);
    let calls = world.cloud.function_calls().await? - calls_before;
    if run.state != RunState::Succeeded {
        return Err(Error::Missing(format!("the run failed: {}", crate::world::describe(&run))));
    }
    let report = world.report(&run).await?;
    let present = world.sandbox.counts(&list).map_err(|error| Error::Answer(error.to_string()))?.total;
    world.stop().await?;
    Ok(describe(arguments.rows, &report, &usage, calls, present))
}

fn describe(
    rows: u64,
    report: &Report,
    usage: &[Usage],
    aws_calls: u64,
    present: usize,
) -> crate::cli::Report {
    let of =
        |function: &str| usage.iter().find(|usage| usage.function == function).cloned().unwrap_or_default();
    let (snapshot, chunk, push) = (of("snapshot"), of("chunk"), of("push-campaign-monitor"));
    let snapshot_ms = report.durations.snapshot_ms.unwrap_or_default();
    let chunk_ms = report.durations.chunk_ms.unwrap_or_default();
    let push_ms = report.durations.push_ms.unwrap_or_default();
    let added = report.counts.added;
    let good = added == rows && u64::try_from(present).is_ok_and(|present| present == rows);
    let snapshot_chunk_seconds = seconds(snapshot_ms + chunk_ms);
    let peak_bytes = snapshot.peak_bytes.max(chunk.peak_bytes);
    let rows_per_cpu_second = per(added, push.cpu_seconds);
    let figures = json!({
        "rows": rows,
        "snapshot_chunk_seconds": snapshot_chunk_seconds,
        "snapshot_chunk_peak_bytes": peak_bytes,
        "push_rows_per_cpu_second": rows_per_cpu_second,
        "aws_calls_per_million_rows": per(aws_calls.saturating_mul(1_000_000), real(rows)),
        "destination_calls": report.calls,
        "push_seconds": seconds(push_ms),
        "stages": usage,
    });
    let finish_ms = report.durations.finish_ms.unwrap_or_default();
    let walls = [snapshot_ms, chunk_ms, push_ms, finish_ms];
    let head = format!("\n{:<24}{:>12}{:>12}{:>14}{:>16}", "stage", "wall s", "CPU s", "peak MiB", "rows/s");
    let stages = FUNCTIONS.map(of).into_iter().zip(walls).map(|(usage, wall_ms)| {
        let (wall, peak_mib) = (seconds(wall_ms), usage.peak_bytes / 1024 / 1024);
        let Usage { function, cpu_seconds, .. } = usage;
        format!("{function:<24}{wall:>12.2}{cpu_seconds:>12.2}{peak_mib:>14}{:>16.0}", per(rows, wall))
    });
    let last = format!(
        "\nsnapshot + chunk: {snapshot_chunk_seconds:.2} s, {} MiB peak; push: {rows_per_cpu_second:.0} rows a \
         CPU second;\n{aws_calls} AWS calls and {} calls to the destination; {present} of {rows} rows are \
         on the list",
        peak_bytes / 1024 / 1024,
        report.calls,
    );
    let text = std::iter::once(head).chain(stages).chain([last]).collect::<Vec<_>>().join("\n");
    crate::cli::Report { text, figures, good }
}

fn seconds(milliseconds: i64) -> f64 {
    Duration::from_millis(milliseconds.unsigned_abs()).as_secs_f64()
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts are far below 2^52")]
const fn real(count: u64) -> f64 {
    count as f64
}

fn per(count: u64, measure: f64) -> f64 {
    if measure > 0.0 { (real(count) / measure).round() } else { 0.0 }
}
