//! The race to Omnisend.

use std::collections::HashSet;

use relay_model::run::Report;
use sandbox::omnisend::{BrandId, ContactsQuery, ControlError, NewBrand, Options, Sandbox};
use serde_json::json;

use super::{Arguments, Lap, Outcome, lap, prepare, real};
use crate::Error;
use crate::bench::lake;
use crate::console::Progress;
use crate::world::{Bundle, Values};

const TAG: &str = "everybody";
/// The response time of a call, in milliseconds of the vendor's time. The vendor publishes no figure.
const LATENCY_MS: u64 = 200;
/// 400 calls a minute for a brand (<https://api-docs.omnisend.com/reference/rate-limit-timeouts-errors>).
const SECONDS_A_CALL: f64 = 60.0 / 400.0;
const WINDOW_MS: u64 = 60_000;
const POLL_MS: u64 = 5_000;
/// The contacts of one batch, and the people of one tag call
/// (<https://api-docs.omnisend.com/v2026-03-15/reference/post_batches>).
const ROWS_A_BATCH: u64 = 100;
const ROWS_A_TAGGING: u64 = 500;

pub(super) async fn race(
    arguments: &Arguments,
    bundle: &Bundle,
    progress: &Progress,
) -> Result<Outcome, Error> {
    progress.step("starting the Omnisend sandbox");
    let time_scale = f64::from(arguments.scale);
    let options = Options { time_scale, latency_ms: LATENCY_MS, ..Options::default() };
    let sandbox = Sandbox::start(options).await.map_err(Error::start("the Omnisend sandbox"))?;
    let brand = sandbox.create_brand(NewBrand::default());
    let secret = bundle.cloud.outputs().omnisend_secret.clone();
    bundle.store_secret(&secret, &json!({ "api_key": brand.api_key })).await?;
    let scale = u64::from(arguments.scale);
    let values: Values = [
        ("secret", secret),
        ("endpoint", sandbox.base_url()),
        ("window_ms", (WINDOW_MS / scale).to_string()),
        ("poll_ms", (POLL_MS / scale).max(100).to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    progress.step(&format!("writing {} profiles into the lake", arguments.rows));
    lake::fill(bundle, arguments.rows, 0).await?;
    prepare(bundle, &["profiles", "omnisend"], &values).await?;

    let mut laps = Vec::new();
    let mut faults = Vec::new();
    for (round, name) in [(0, "everybody"), (1, "1 % changed")] {
        if round > 0 {
            lake::fill(bundle, arguments.rows, round).await?;
        }
        sandbox.reset_report();
        let report = lap(bundle, progress).await?;
        let sent = report.rows_in - report.counts.unchanged;
        let mut lap = Lap::new(name, &report, floor(sent), arguments.scale);
        lap.throttled = u64::try_from(sandbox.report().throttled).unwrap_or(u64::MAX);
        progress.step("checking every person against the destination's own contacts");
        lap.misreported = misreported(&report, &sandbox, &brand.brand_id, arguments.rows)?;
        faults.extend(wrongs(&sandbox));
        laps.push(lap);
    }
    sandbox.stop().await;
    Ok(Outcome { scale: arguments.scale, laps, faults })
}

/// A batch is submitted and polled once, and people are tagged 500 per call.
fn floor(rows: u64) -> f64 {
    real(2 * rows.div_ceil(ROWS_A_BATCH) + rows.div_ceil(ROWS_A_TAGGING)) * SECONDS_A_CALL
}

fn misreported(report: &Report, sandbox: &Sandbox, brand: &BrandId, rows: u64) -> Result<u64, Error> {
    let refused = |error: ControlError| Error::Answer(error.to_string());
    let mut tagged = HashSet::new();
    let mut query = ContactsQuery { tag: Some(TAG.to_owned()), ..ContactsQuery::default() };
    loop {
        let page = sandbox.contacts(brand, &query).map_err(refused)?;
        tagged.extend(page.contacts.into_iter().filter_map(|contact| contact.email));
        match page.next {
            Some(next) => query.from = next,
            None => break,
        }
    }
    let mut wrong = u64::try_from(tagged.len()).unwrap_or(u64::MAX).abs_diff(rows);
    for number in 0..rows {
        let email = lake::person(number, 0).email.unwrap_or_default();
        wrong += u64::from(!tagged.contains(&email));
    }
    let counts = report.counts;
    let applied = counts.added + counts.changed + counts.unchanged;
    Ok(wrong + applied.abs_diff(rows) + counts.rejected + counts.deferred)
}

/// Returns the violations of the export.
fn wrongs(sandbox: &Sandbox) -> Vec<String> {
    let report = sandbox.report();
    let seen = [
        (report.statuses.raised, "subscription statuses were raised"),
        (report.statuses.lowered, "subscription statuses were lowered"),
        (report.statuses.created_subscribed, "contacts were subscribed"),
        (report.welcome_messages, "welcome messages went out"),
        (report.tags.foreign_lost_by_writes + report.tags.foreign_lost_by_removals, "foreign tags were lost"),
        (report.foreign_properties_lost, "foreign properties were lost"),
    ];
    seen.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
}
