//! Exports that run by themselves: at times of a calendar, and with every refresh of the profiles.

use crate::control_plane::{Person, check};
use crate::support::{Job, Scene, persons};
use jiff::{SignedDuration, Timestamp};
use local::issuer::Role;
use relay_cloud::ledger::Requested;
use relay_model::run::TriggerKind;
use relay_model::{Counts, RunId};
use relay_pipeline::tick::{Tick, Ticked};
use relay_pipeline::{Asked, StartError};
use serde_json::json;

/// The runs that were asked for, by export, in the order of their names.
fn runs(asked: Vec<Asked>) -> Vec<(String, Requested)> {
    let mut runs: Vec<_> =
        asked.into_iter().map(|asked| (asked.export_id.to_string(), asked.requested.unwrap())).collect();
    runs.sort_by(|left, right| left.0.cmp(&right.0));
    runs
}

fn started(runs: &[(String, Requested)]) -> Vec<(&str, RunId)> {
    assert!(runs.iter().all(|(_, requested)| matches!(requested, Requested::Started(_))), "{runs:?}");
    runs.iter().map(|(export, requested)| (export.as_str(), requested.run_id())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_starts_each_export_that_waits_for_it_once() {
    let scene = Scene::open().await;
    let names = ["daily", "disabled", "on_demand", "refreshed", "refreshed_too"];
    let mut jobs = names.map(|name| Job::new(&scene, name));
    jobs[0].export["schedule"] = json!({ "daily": { "at": "06:30", "time_zone": "Europe/Rome" } });
    for place in [1, 3, 4] {
        jobs[place].export["schedule"] = json!("every_refresh");
    }
    jobs[1].export["enabled"] = json!(false);
    for job in &jobs {
        job.ready(&persons(5)).await;
    }
    // Nobody's time has come, and saving starts nothing.
    let requests = scene.requests();
    let ticked = Tick { requests: requests.clone() }.run(Timestamp::now()).await.unwrap();
    assert_eq!(ticked, Ticked::default());

    // The pipeline says it twice, at once, and once more when the runs are over.
    let refresh = async |key| requests.refresh(key, None, Timestamp::now()).await;
    let (first, second) = tokio::join!(refresh("20261121"), refresh("20261121"));
    let both: Vec<_> = runs(first.unwrap()).into_iter().zip(runs(second.unwrap())).collect();
    let mut ids = Vec::new();
    for ((export, one), (other_export, other)) in both {
        assert_eq!((&export, one.run_id()), (&other_export, other.run_id()));
        let is_started = |requested| matches!(requested, Requested::Started(_));
        assert!(is_started(one) != is_started(other), "{export}: {one:?}, {other:?}");
        ids.push((export, one.run_id()));
    }
    assert_eq!(
        ids.iter().map(|(export, _)| export.as_str()).collect::<Vec<_>>(),
        ["refreshed", "refreshed_too"]
    );
    for (job, (_, run_id)) in jobs[3..].iter().zip(&ids) {
        let over = job.over(*run_id).await;
        over.succeeded(Counts { added: 5, ..Counts::default() });
        assert_eq!(over.report.trigger.kind, TriggerKind::Refresh);
    }
    let repeated = runs(refresh("20261121").await.unwrap());
    for ((_, run_id), (export, requested)) in ids.iter().zip(&repeated) {
        assert_eq!(*requested, Requested::Repeated(*run_id), "{export}");
    }

    // Everything that has a schedule, whichever it is. What cannot start keeps nobody from it.
    jobs[4].connection["id"] = json!("without_consent");
    jobs[4].connection["consent"] = json!(null);
    jobs[4].export["connection"] = json!("without_consent");
    jobs[4].save().await;
    let asked = requests.start_scheduled("now", None, Timestamp::now()).await.unwrap();
    let (fine, refused): (Vec<_>, Vec<_>) = asked.into_iter().partition(|asked| asked.requested.is_ok());
    assert!(matches!(refused[..], [Asked { requested: Err(StartError::NoConsent(_)), .. }]), "{refused:?}");
    let fine = runs(fine);
    let fine = started(&fine);
    assert_eq!(fine.iter().map(|(export, _)| *export).collect::<Vec<_>>(), ["daily", "refreshed"]);
    jobs[0].over(fine[0].1).await.succeeded(Counts { added: 5, ..Counts::default() });
    jobs[3].over(fine[1].1).await.succeeded(Counts { unchanged: 5, ..Counts::default() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_of_the_calendar_comes_once() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "calendar");
    job.export["schedule"] = json!({ "cron": { "expression": "30 2 * * SUN", "time_zone": "Europe/Rome" } });
    job.upload(&persons(5)).await;
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    job.save_at(at("2026-10-19T12:00:00Z")).await;
    let tick = Tick { requests: scene.requests() };
    let tick = async |now: &str| tick.run(at(now)).await.unwrap();
    assert_eq!(tick("2026-10-25T00:29:59Z").await, Ticked::default());
    // On this Sunday the clocks of Rome are put back, so that 02:30 comes twice. Two ticks overlap besides.
    let (one, other) = tokio::join!(tick("2026-10-25T00:30:02Z"), tick("2026-10-25T00:30:59Z"));
    assert_eq!((one.due + other.due, one.failed + other.failed), (1, 0));
    let run_id = scene.ledger().active_run(&job.id()).await.unwrap().unwrap();
    assert_eq!(tick("2026-10-25T01:30:00Z").await.due, 0);
    let over = job.over(run_id).await;
    over.succeeded(Counts { added: 5, ..Counts::default() });
    assert_eq!(over.run.trigger.key, "schedule/2026-10-25T00:30:00Z");
    assert_eq!(tick("2026-10-31T00:00:00Z").await.due, 0);
    let (runs, _) = scene.ledger().runs(&job.id(), 10, None).await.unwrap();
    assert_eq!(runs.len(), 1, "{runs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_follow_the_deployments_own_refresh_schedule() {
    let scene = Scene::open().await;
    let mut job = Job::new(&scene, "followed");
    job.export["schedule"] = json!("every_refresh");
    job.ready(&persons(4)).await;
    let admin = Person::new(&scene, Role::Administrator, "ann");
    let refused = json!({ "id": "deployment", "refresh_schedule": "every_refresh" });
    check(&admin.create("/settings/deployment", &refused).await, 422, "catalog_field_invalid");
    check(&admin.get("/settings/deployment").await, 404, "catalog_missing");
    let settings = json!({ "id": "deployment", "refresh_schedule": { "every_minutes": 30 } });
    check(&admin.create("/settings/deployment", &settings).await, 201, "");
    let tick = Tick { requests: scene.requests() };
    let later = |minutes| Timestamp::now() + SignedDuration::from_mins(minutes);
    assert_eq!(tick.run(later(0)).await.unwrap(), Ticked::default(), "saving the settings starts nothing");
    let due = later(31);
    assert_eq!(tick.run(due).await.unwrap().due, 1);
    assert_eq!(tick.run(due).await.unwrap().due, 0);
    let (started, _) = scene.ledger().runs(&job.id(), 10, None).await.unwrap();
    assert_eq!(started.len(), 1);
    job.over(started[0].run_id).await.succeeded(Counts { added: 4, ..Counts::default() });
}
