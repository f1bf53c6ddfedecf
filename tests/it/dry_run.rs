//! Dry runs: they predict a run and write nothing.

use crate::marketo;
use crate::support::messages::{dead_letters, journal, queues_are_empty};
use crate::support::{Job, Scene, persons, wait_until};
use jiff::Timestamp;
use local::cloud::Moment::Before;
use relay_model::Counts;
use relay_model::run::{DryRun, RunState, Sample, SampleKind};
use relay_pipeline::dry_run_findings;
use sandbox::campaign_monitor::{Endpoint, Pace};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dry_runs_predict_runs_and_write_nothing() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    a_dry_run_predicts_the_run(&scene).await;
    a_canceled_dry_run_has_no_result(&scene).await;
    a_dry_run_fails_for_the_same_reasons_as_a_run(&scene).await;
    marketo::a_dry_run_writes_nothing_and_reports_the_daily_quota(&scene).await;
}

/// The calls that write.
const WRITES: [Endpoint; 7] = [
    Endpoint::CreateList,
    Endpoint::CreateField,
    Endpoint::ChangeField,
    Endpoint::Import,
    Endpoint::Add,
    Endpoint::Update,
    Endpoint::Remove,
];

fn writes(scene: &Scene) -> usize {
    WRITES.into_iter().map(|endpoint| scene.calls(endpoint)).sum()
}

fn samples(found: &DryRun, kind: SampleKind) -> Vec<&Sample> {
    found.samples.iter().filter(|sample| sample.kind == kind).collect()
}

async fn a_dry_run_predicts_the_run(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "dry");
    job.export["enabled"] = json!(false);
    let mut people = persons(200);
    people[0].email = None;
    people[1].email = Some("not an address".to_owned());
    people[2].copies = 2;
    job.ready(&people).await;

    // The export is disabled, and its custom fields do not exist yet.
    let found = job.dry_run("first").await;
    let first = Counts { added: 198, skipped: 2, rejected: 1, ..Counts::default() };
    assert_eq!((found.counts, found.rows_in, writes(scene)), (first, 201, 0));
    assert!(found.warnings.iter().any(|warning| warning.contains("switched off")), "{:?}", found.warnings);
    for field in ["City", "Points"] {
        let notice = format!("custom field \"{field}\" would be created");
        assert!(found.notices.iter().any(|told| told.contains(&notice)), "{:?}", found.notices);
    }
    let target = &found.targets[0];
    assert_eq!((target.added, target.skipped, target.rejected, target.rows_in), (198, 1, 1, 200));
    let mut codes: Vec<&str> = target.reasons.iter().map(|reason| reason.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["email_invalid", "match_key_missing"]);

    // The sample shows masked values and no personal data.
    let added = samples(&found, SampleKind::Added);
    assert_eq!((added.len(), samples(&found, SampleKind::Rejected).len()), (5, 1));
    assert_eq!((added[0].member.as_str(), added[0].match_key.as_str()), ("P***", "p***@m***.com"));
    let fields: Vec<(&str, &str)> =
        added[0].fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, [("Name", "F***"), ("[City]", "C***"), ("[Points]", "9")]);
    let text = serde_json::to_string(&found).unwrap();
    for person in &people {
        let secrets = [person.email.as_deref(), Some(person.name.as_str()), Some(person.id.as_str())];
        for secret in secrets.into_iter().flatten() {
            assert!(!text.contains(secret), "{secret}");
        }
    }

    // The run has the predicted counts and calls.
    job.export["enabled"] = json!(true);
    job.save().await;
    scene.sandbox.reset_report();
    let finished = job.run().await;
    finished.succeeded(first);
    // A dry run does not create the two fields, and does not read the fields after each of them.
    assert_eq!((finished.report.batches, finished.report.calls), (found.batches, found.calls_estimated + 4));
    let delivered = scene.delivered_states("dry").await;

    // All kinds of outcomes, with more removals than the guard allows.
    for gone in &mut people[50..] {
        gone.newsletter = false;
    }
    "Elsewhere".clone_into(&mut people[10].city);
    people.extend((301..=303).map(crate::support::person));
    job.upload(&people).await;
    scene.sandbox.reset_report();
    let found = job.dry_run("second").await;
    let second =
        Counts { added: 3, changed: 1, removed: 150, unchanged: 47, skipped: 2, rejected: 1, deferred: 0 };
    assert_eq!((found.counts, writes(scene)), (second, 0));
    assert!(found.would_be_held.as_ref().unwrap().contains("150 of 198"), "{:?}", found.would_be_held);
    assert_eq!((found.over_cap.as_deref(), found.seconds_estimated, found.quota), (None, None, None));
    assert_eq!(
        (samples(&found, SampleKind::Changed).len(), samples(&found, SampleKind::Removed).len()),
        (1, 5)
    );
    assert_eq!(samples(&found, SampleKind::Removed)[0].match_key, "p***@m***.com");
    assert_eq!(scene.delivered_states("dry").await, delivered);
    // A repeated request returns the same dry run; a run with the same key is another request.
    let again = job.request_dry_run("second").await;
    assert_eq!(again, found.run_id);
    let run_id = job.start().await;
    let held = scene.ledger().active_run(&job.id()).await.unwrap();
    assert_eq!(held, Some(run_id));
    // A dry run works while a run waits for approval.
    assert_eq!(job.dry_run("third").await.counts, second);

    // Over the cap the dry run reports both numbers and succeeds.
    let over_cap = Job::new(scene, "capped");
    let mut over_cap = over_cap;
    over_cap.export["cap"] = json!({ "rows": 10 });
    over_cap.ready(&persons(12)).await;
    let found = over_cap.dry_run("first").await;
    let told = found.over_cap.unwrap();
    assert!(told.contains("12 profiles") && told.contains("10 that may be exported"), "{told}");
    assert_eq!(found.counts.added, 12);
    over_cap.run().await.failed("cap_exceeded", &["12 profiles"]);

    // Rows that the mapping refuses count for the cap, as in a run before its first call.
    over_cap.export["mapping"][2]["if_null"] = json!("reject");
    let mut people = persons(12);
    for person in &mut people[..5] {
        person.points = None;
    }
    over_cap.ready(&people).await;
    let found = over_cap.dry_run("second").await;
    assert_eq!((found.counts.added, found.counts.rejected), (7, 5));
    assert!(found.over_cap.unwrap().contains("12 profiles"));
    over_cap.run().await.failed("cap_exceeded", &["12 profiles"]);

    let announced = journal(scene).into_iter().filter(|entry| entry["action"] == "PutEvents");
    let announced: Vec<String> = announced.map(|entry| entry["body"].to_string()).collect();
    assert!(!announced.iter().any(|body| body.contains(&again.to_string())), "dry runs are not announced");
    assert_eq!(dead_letters(scene).await, 0);
}

async fn a_canceled_dry_run_has_no_result(scene: &Scene) {
    scene.reset();
    let job = Job::new(scene, "canceled");
    job.ready(&persons(10)).await;
    let hold = scene.hold(Before, "s3", "PUT Object", "canceled.json").await;
    let run_id = job.request_dry_run("first").await;
    scene.held(hold).await;
    let canceled = scene.requests().cancel(run_id, "the test", Timestamp::now()).await.unwrap();
    assert_eq!((canceled.state, canceled.ended_at.is_some()), (RunState::Canceled, true));
    scene.cloud.release(hold).await.unwrap();
    wait_until("nothing is on its way", async || queues_are_empty(scene).await).await;
    let finished = scene.ledger().run(run_id).await.unwrap();
    assert_eq!((finished.state, finished.report_key), (RunState::Canceled, None));
    assert_eq!(dry_run_findings(&scene.data(), &canceled).await.unwrap(), None);
    job.run().await.succeeded(Counts { added: 10, ..Counts::default() });
}

async fn a_dry_run_fails_for_the_same_reasons_as_a_run(scene: &Scene) {
    scene.reset();
    let mut job = Job::new(scene, "stopped");
    job.export["mapping"][0]["field"] = json!("Nickname");
    job.ready(&persons(10)).await;
    let run = job.finished_dry_run(job.request_dry_run("first").await).await;
    let failure = run.failure.unwrap();
    assert_eq!((run.state, failure.code.as_str()), (RunState::Failed, "mapping_unknown_field"));
    assert!(run.ended_at.is_some() && run.report_key.is_none() && failure.text.contains("Nickname"));

    // A dry run completes while a run waits for a slow destination.
    job.export["mapping"][0]["field"] = json!("Name");
    job.ready(&persons(10)).await;
    scene.sandbox.set_pace(Pace { latency_ms: 300, throttle: None });
    let run_id = job.start().await;
    let found = job.dry_run("second").await;
    assert_eq!(found.rows_in, 10);
    scene.sandbox.set_pace(Pace::default());
    job.wait_for(run_id).await.succeeded(Counts { added: 10, ..Counts::default() });

    // The segment gets another target list: its members are removed from the former one.
    let other = scene.create_list("other").unwrap();
    job.export["segments"][0]["target_list"] = json!(other);
    job.export["when_segment_removed"] = json!("empty");
    job.save().await;
    scene.sandbox.reset_report();
    let found = job.dry_run("third").await;
    let moved = Counts { added: 10, removed: 10, ..Counts::default() };
    assert_eq!((found.counts, found.targets.len(), writes(scene)), (moved, 2, 0));
    assert!(found.notices.iter().any(|notice| notice.contains("so it would be emptied")));
    // A dry run does not claim the list.
    let mut rival = Job::new(scene, "rival");
    rival.export["segments"][0]["target_list"] = json!(other);
    rival.ready(&persons(1)).await;
    assert_eq!(rival.dry_run("first").await.counts.added, 1);
    let finished = job.run().await;
    finished.succeeded(moved);
    // The new list gets two fields, which a dry run does not create.
    assert_eq!(finished.report.calls, found.calls_estimated + 4);
    let run = rival.finished_dry_run(rival.request_dry_run("second").await).await;
    assert_eq!(run.failure.unwrap().code.as_str(), "list_taken");
    assert_eq!(dead_letters(scene).await, 0);
}
