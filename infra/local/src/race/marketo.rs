//! The race to Marketo Engage.

use std::collections::HashSet;

use relay_model::run::Report;
use sandbox::marketo::{DataType, Endpoint, Field, Options, Sandbox, SeedLead};
use serde_json::json;

use super::{Arguments, Lap, Outcome, Way, lap, prepare, real};
use crate::Error;
use crate::bench::lake;
use crate::console::Progress;
use crate::world::{Bundle, Values};

/// The response time of lead calls, in milliseconds of the vendor's time. The vendor publishes no figure.
const LATENCY_MS: u64 = 300;
/// The speed of an import, in rows per second. The vendor publishes no figure.
const IMPORT_ROWS_PER_SECOND: u32 = 1_000;
/// One person in this many exists twice in the database, which makes calls ambiguous.
const TWICE_OF: u64 = 10_000;
const ROWS_A_CALL: u64 = 300;
/// A hundred calls within 20 seconds
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/marketo-integration-best-practices>).
const SECONDS_A_CALL: f64 = 0.2;
const WINDOW_MS: u64 = 20_000;
const POLL_MS: u64 = 5_000;

pub(super) async fn race(
    arguments: &Arguments,
    bundle: &Bundle,
    progress: &Progress,
) -> Result<Outcome, Error> {
    progress.step("starting the Marketo Engage sandbox");
    let options = Options {
        time_scale: f64::from(arguments.scale),
        latency_ms: LATENCY_MS,
        latency_ms_of: [(Endpoint::Import, 2 * LATENCY_MS)].into(),
        import_rows_per_second: IMPORT_ROWS_PER_SECOND,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.map_err(Error::start("the Marketo Engage sandbox"))?;
    sandbox.add_field(Field::new("address", DataType::String));
    sandbox.add_field(Field::new("loyaltyPoints", DataType::Integer));
    let refused = |error: sandbox::marketo::ControlError| Error::Answer(error.to_string());
    let twice = (0..arguments.rows).step_by(usize::try_from(TWICE_OF).unwrap_or(usize::MAX)).skip(1);
    let seeds: Vec<SeedLead> = twice
        .filter_map(|number| lake::person(number, 0).email)
        .flat_map(|email| [SeedLead::new(&email), SeedLead::new(&email)])
        .collect();
    sandbox.seed_leads(seeds).map_err(refused)?;
    let credentials = sandbox.create_service(sandbox::marketo::NewService::default());
    let secret = bundle.cloud.outputs().marketo_secret.clone();
    bundle.store_secret(&secret, &json!(credentials)).await?;
    progress.step(&format!("writing {} profiles into the lake", arguments.rows));
    lake::fill(bundle, arguments.rows, 0).await?;
    prepare(bundle, &["profiles", "marketo"], &values(arguments, &sandbox, secret)).await?;

    let mut laps = Vec::new();
    for (round, name) in [(0, "everybody"), (1, "1 % changed")] {
        if round > 0 {
            lake::fill(bundle, arguments.rows, round).await?;
        }
        sandbox.reset_report();
        let report = lap(bundle, progress).await?;
        let sent = report.rows_in - report.counts.unchanged;
        let mut lap = Lap::new(name, &report, floor(&report, sent), arguments.scale);
        lap.throttled = u64::try_from(sandbox.report().throttled.values().sum::<usize>()).unwrap_or(u64::MAX);
        progress.step("checking every person against the destination's own list");
        lap.misreported = misreported(&report, &sandbox, arguments.rows)?;
        laps.push(lap);
    }
    let faults = faults(&sandbox);
    sandbox.stop().await;
    Ok(Outcome { scale: arguments.scale, laps, faults })
}

fn values(arguments: &Arguments, sandbox: &Sandbox, secret: String) -> Values {
    let scale = u64::from(arguments.scale);
    let way = match arguments.way {
        Way::Auto => "auto",
        Way::Sync => "sync",
        Way::BulkImport => "bulk_import",
    };
    [
        ("secret", secret),
        ("endpoint", sandbox.base_url()),
        ("window_ms", (WINDOW_MS / scale).to_string()),
        ("import_rows_per_second", (IMPORT_ROWS_PER_SECOND * arguments.scale).to_string()),
        ("poll_ms", (POLL_MS / scale).to_string()),
        ("way", way.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Returns the time that the limits allow for the chosen way: two calls for 300 people, or the import's own
/// speed.
fn floor(report: &Report, rows: u64) -> f64 {
    let is_import = report.notices.iter().any(|notice| notice.contains("chosen: files"));
    if is_import {
        return real(rows) / f64::from(IMPORT_ROWS_PER_SECOND);
    }
    real(2 * rows.div_ceil(ROWS_A_CALL)) * SECONDS_A_CALL
}

/// Returns the number of people whose outcomes differ from the destination's own list.
fn misreported(report: &Report, sandbox: &Sandbox, rows: u64) -> Result<u64, Error> {
    let lists = sandbox.lists();
    let list = lists.first().ok_or_else(|| Error::Missing("the run created no list".to_owned()))?;
    let members = sandbox.member_emails(list.id).map_err(|error| Error::Answer(error.to_string()))?;
    let members: HashSet<&str> = members.iter().map(String::as_str).collect();
    let (mut wrong, mut twice) = (0, 0);
    for number in 0..rows {
        let is_twice = number > 0 && number % TWICE_OF == 0;
        twice += u64::from(is_twice);
        let email = lake::person(number, 0).email.unwrap_or_default();
        wrong += u64::from(members.contains(email.as_str()) == is_twice);
    }
    let counts = report.counts;
    let applied = counts.added + counts.changed + counts.unchanged;
    Ok(wrong + applied.abs_diff(rows - twice) + counts.rejected.abs_diff(twice) + counts.deferred)
}

fn faults(sandbox: &Sandbox) -> Vec<String> {
    let report = sandbox.report();
    let mut faults = report.specification_violations.clone();
    if report.duplicate_leads > 0 {
        faults.push(format!("{} duplicate leads were created", report.duplicate_leads));
    }
    if report.leads_deleted > 0 {
        faults.push(format!("{} leads were deleted", report.leads_deleted));
    }
    faults
}
