//! The limits of an account, shared by all its users: rate, concurrency, daily calls and one person's key.

use super::account::Account;
use crate::support::messages::dead_letters;
use crate::support::{Definitions, Scene, emails, persons, wait_until};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use relay_model::Counts;
use sandbox::marketo::{Endpoint, OtherUsers};
use serde_json::json;

const PEOPLE: u64 = 1_200;
const ALL: Counts =
    Counts { added: PEOPLE, changed: 0, removed: 0, unchanged: 0, skipped: 0, rejected: 0, deferred: 0 };
/// The daily calls. The run needs more than this number and less than twice this number.
const CALLS_A_DAY: usize = 11;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_kept_and_waited_for() {
    let scene = Scene::open().await;
    tokio::join!(
        two_exports_create_no_duplicates(&scene),
        the_daily_quota_of_the_account_is_exhausted(&scene),
        the_daily_limit_of_the_connection_is_exhausted(&scene),
    );
    a_run_slows_down_when_other_users_exhaust_the_account(&scene).await;
    assert_eq!(dead_letters(&scene).await, 0);
}

/// Two exports of the same new people at the same time, one by calls and one by files.
async fn two_exports_create_no_duplicates(scene: &Scene) {
    let account = Account::open_with(scene, "both", |mut options| {
        // The latency is high enough for calls to overlap.
        options.latency_ms = 2_000;
        options
    })
    .await;
    let (by_calls, mut by_files) = (account.job("both"), account.job("both_files"));
    let people = persons(1_500);
    by_calls.ready(&people).await;
    by_files.segment["query"] =
        json!("SELECT customer_id, email, name, city, points FROM both WHERE newsletter");
    by_files.export["options"]["push"] = json!("bulk_import");
    by_files.save().await;
    let (by_calls, by_files) = tokio::join!(by_calls.run(), by_files.run());
    for finished in [by_calls, by_files] {
        finished.succeeded(Counts { added: 1_500, ..Counts::default() });
    }
    assert_eq!((account.on("both"), account.on("both_files")), (emails(&people), emails(&people)));
    assert_eq!((account.lead_count(), account.report().duplicate_leads), (1_500, 0));
    assert!(account.calls(Endpoint::Import) > 0 && account.calls(Endpoint::SyncLeads) > 0);
}

/// Sets the reset of the daily quota to a few seconds from now.
fn day_begins_soon(account: &mut Account<'_>) -> Timestamp {
    let at = Timestamp::now().checked_add(14.seconds()).unwrap();
    let settings = &mut account.connection["settings"];
    settings["quota_resets_at"] = json!(at.to_zoned(TimeZone::UTC).strftime("%H:%M:%S").to_string());
    settings["quota_time_zone"] = json!("UTC");
    at
}

/// Waits until a run is paused, and then until it succeeds.
async fn paused(job: &Definitions<'_>, until: Timestamp, words: &str, at_the_reset: impl FnOnce()) {
    let run_id = job.start().await;
    let run = async || job.world.run(run_id).await.unwrap();
    wait_until("the run is paused", async || run().await.pause.is_some()).await;
    let paused = run().await;
    let pause = paused.pause.clone().unwrap();
    assert_eq!(pause.until.as_second(), until.as_second());
    assert!(pause.text.contains(words), "{}", pause.text);
    assert!(paused.is_paused(Timestamp::now()), "{pause:?}");
    at_the_reset();
    let finished = job.wait_for(run_id).await;
    finished.succeeded(ALL);
    // The destination's day begins at a whole second, which `until` may exceed by a fraction.
    assert!(finished.report.ended_at >= pause.until);
}

/// Checks that all people were sent exactly once.
fn all_are_there_once(account: &Account<'_>, name: &str) {
    assert_eq!(account.on(name), emails(&persons(PEOPLE)));
    let report = account.report();
    assert_eq!(u64::try_from(report.sync.records).unwrap(), PEOPLE);
    assert_eq!(u64::try_from(report.members_added).unwrap(), PEOPLE);
}

async fn the_daily_quota_of_the_account_is_exhausted(scene: &Scene) {
    let mut account = Account::open_with(scene, "quota", |mut options| {
        options.daily_quota = CALLS_A_DAY;
        options
    })
    .await
    .lanes(1);
    let job = account.job("quota");
    job.upload(&persons(PEOPLE)).await;
    let until = day_begins_soon(&mut account);
    let job = Definitions { connection: account.connection.clone(), ..job };
    job.save().await;
    paused(&job, until, "calls of today are spent", || account.reset_quota()).await;
    all_are_there_once(&account, "quota");
    // There is only one refusal: the workers wait without further calls.
    assert_eq!(account.report().throttled.get(&607), Some(&1));
}

async fn the_daily_limit_of_the_connection_is_exhausted(scene: &Scene) {
    let mut account = Account::open(scene, "cap").await.lanes(1);
    account.connection["settings"]["daily_calls"] = json!(CALLS_A_DAY);
    let job = account.job("cap");
    job.upload(&persons(PEOPLE)).await;
    let until = day_begins_soon(&mut account);
    let job = Definitions { connection: account.connection.clone(), ..job };
    job.save().await;
    // Reserved tokens that a function did not use are spent, so there may be fewer calls.
    let first_day = || assert!(account.all_calls() <= CALLS_A_DAY);
    paused(&job, until, &format!("own limit of {CALLS_A_DAY} calls a day is used up"), first_day).await;
    all_are_there_once(&account, "cap");
    assert_eq!(account.report().throttled.len(), 0);
}

/// Other users exhaust nearly all of the account.
async fn a_run_slows_down_when_other_users_exhaust_the_account(scene: &Scene) {
    let scale = 8.0;
    let mut account = Account::open_with(scene, "others", |mut options| {
        options.time_scale = scale;
        options.rate_calls = 100;
        options.latency_ms = 800;
        options.others = OtherUsers { rate_calls: 0, concurrency: 10, imports: 0 };
        options
    })
    .await;
    account.connection["settings"]["rate"] = json!({ "calls": 100, "window_ms": 2_500 });
    let job = account.job("others");
    job.ready(&persons(PEOPLE)).await;
    let run_id = job.start().await;
    // Other users occupy all concurrent calls; then they leave one of them, and eight calls in each window.
    wait_until("the first call is refused", async || account.report().throttled.contains_key(&615)).await;
    account.set_others(OtherUsers { rate_calls: 92, concurrency: 9, imports: 0 });
    let finished = job.wait_for(run_id).await;
    finished.succeeded(ALL);
    assert_eq!(account.on("others"), emails(&persons(PEOPLE)));
    let report = account.report();
    let refused: usize = report.throttled.values().sum();
    assert!(
        report.throttled.contains_key(&606) && report.throttled.contains_key(&615),
        "{:?}",
        report.throttled
    );
    // Refusals during the preparation do not count for the batches.
    assert!((1..=refused).contains(&usize::try_from(finished.report.throttled).unwrap()), "{refused}");
    let said =
        format!("refused {} of {} calls as one too many", finished.report.throttled, finished.report.calls);
    assert!(
        finished.report.notices.iter().any(|notice| notice.contains(&said)),
        "{:?}",
        finished.report.notices
    );
    // The pacing slows down, so that most calls are accepted.
    assert!(refused * 2 < account.all_calls(), "{refused} of {}", account.all_calls());
}
