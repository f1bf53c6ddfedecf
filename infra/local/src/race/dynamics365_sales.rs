//! The race to Dynamics 365 Sales.

use std::collections::HashSet;

use relay_model::run::Report;
use sandbox::dynamics365_sales::{
    ControlError, ExecutionTimes, Guid, NewApplication, NumberedContacts, Options, Sandbox,
};
use serde_json::json;

use super::{Arguments, Lap, Outcome, lap, prepare, real};
use crate::Error;
use crate::console::Progress;
use crate::world::{Bundle, Values};

/// 6,000 calls within five minutes
/// (<https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>).
const WINDOW_MS: u64 = 300_000;
/// The maximum duration of a call that changes members, in seconds.
const CALL_SECONDS: f64 = 10.0;
/// The maximum number of members of one call, the sandbox's default.
const MEMBERS_A_CALL: u64 = 1_000;
/// One contact in this many has left in the second run.
const REMOVALS_OF: u64 = 100;

pub(super) async fn race(
    arguments: &Arguments,
    bundle: &Bundle,
    progress: &Progress,
) -> Result<Outcome, Error> {
    progress.step("starting the Dynamics 365 Sales sandbox");
    let execution = ExecutionTimes::plausible();
    let options = Options { time_scale: f64::from(arguments.scale), execution, ..Options::default() };
    let sandbox = Sandbox::start(options).await.map_err(Error::start("the Dynamics 365 Sales sandbox"))?;
    let refused = |error: ControlError| Error::Answer(error.to_string());
    let application = sandbox.create_application(NewApplication::default()).map_err(refused)?;
    sandbox.seed_numbered_contacts(NumberedContacts { first: 0, count: arguments.rows });
    let secret = bundle.cloud.outputs().dynamics365_sales_secret.clone();
    bundle.store_secret(&secret, &json!({ "client_secret": application.client_secret })).await?;
    let values: Values = [
        ("secret", secret),
        ("endpoint", sandbox.base_url()),
        ("tenant", application.tenant_id.to_string()),
        ("client_id", application.client_id.to_string()),
        ("window_ms", (WINDOW_MS / u64::from(arguments.scale)).to_string()),
        ("call_seconds", (CALL_SECONDS / f64::from(arguments.scale)).to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    prepare(bundle, &["dynamics365-sales"], &values).await?;

    let mut laps = Vec::new();
    let mut faults = Vec::new();
    for (round, name) in [(0, "everybody"), (1, "1 % left")] {
        let is_member = |number: &u64| round == 0 || !number.is_multiple_of(REMOVALS_OF);
        progress.step(&format!("writing the ids of {} contacts into the lake", arguments.rows));
        fill(bundle, (0..arguments.rows).filter(is_member)).await?;
        sandbox.reset_report();
        let report = lap(bundle, progress).await?;
        let counts = report.counts;
        let mut lap =
            Lap::new(name, &report, floor(execution, counts.added, counts.removed), arguments.scale);
        let seen = sandbox.report();
        lap.throttled = u64::try_from(seen.throttled.values().sum::<usize>()).unwrap_or(u64::MAX);
        progress.step("checking every contact against the destination's own list");
        let expected: HashSet<Guid> = (0..arguments.rows).filter(is_member).map(Guid::numbered).collect();
        lap.misreported = misreported(&report, &sandbox, &expected, round)?;
        let wrongs = [
            (seen.contacts_created, "contacts were created"),
            (seen.contacts_changed, "contacts were changed"),
            (seen.calls_with_cookies, "calls came with a cookie"),
            (seen.members.foreign_removed, "members of others were removed"),
        ];
        let wrongs = wrongs.into_iter().filter(|(count, _)| *count > 0);
        faults.extend(wrongs.map(|(count, what)| format!("{count} {what}")));
        laps.push(lap);
    }
    sandbox.stop().await;
    Ok(Outcome { scale: arguments.scale, laps, faults })
}

async fn fill(bundle: &Bundle, numbers: impl Iterator<Item = u64>) -> Result<(), Error> {
    let folder = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
    let path = folder.path().join("contacts.csv");
    let failed = |error: csv::Error| Error::Data(error.to_string());
    let mut writer = csv::Writer::from_path(&path).map_err(failed)?;
    writer.write_record(["customer_id", "contact_id"]).map_err(failed)?;
    for number in numbers {
        writer.write_record([format!("{number:08}"), Guid::numbered(number).to_string()]).map_err(failed)?;
    }
    writer.flush().map_err(Error::file(&path))?;
    drop(writer);
    bundle.upload("contacts/contacts.csv", &path).await
}

/// Sequential calls, each with the maximum number of members.
fn floor(execution: ExecutionTimes, added: u64, removed: u64) -> f64 {
    let milliseconds = |rows: u64, base_ms: u64, member_us: u64| {
        rows.div_ceil(MEMBERS_A_CALL) * base_ms + rows * member_us / 1_000
    };
    let adding = milliseconds(added, execution.add_base_ms, execution.add_member_us);
    let removing = milliseconds(removed, execution.remove_base_ms, execution.remove_member_us);
    real(adding + removing) / 1_000.0
}

fn misreported(
    report: &Report,
    sandbox: &Sandbox,
    expected: &HashSet<Guid>,
    round: u64,
) -> Result<u64, Error> {
    let lists = sandbox.lists();
    let list = lists.first().ok_or_else(|| Error::Missing("the run created no list".to_owned()))?;
    let members = sandbox.members(list.list_id).map_err(|error| Error::Answer(error.to_string()))?;
    let members: HashSet<Guid> = members.into_iter().map(|member| member.contact_id).collect();
    let wrong = members.symmetric_difference(expected).count();
    let wrong = u64::try_from(wrong).unwrap_or(u64::MAX);
    let present = u64::try_from(expected.len()).unwrap_or(u64::MAX);
    let counts = report.counts;
    let told = if round == 0 { counts.added } else { counts.unchanged };
    let counted = report.targets.first().and_then(|target| target.members_counted).unwrap_or_default();
    Ok(wrong + told.abs_diff(present) + counted.abs_diff(present) + counts.rejected + counts.deferred)
}
