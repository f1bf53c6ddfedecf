//! What people look at all day: the runs of all exports, and where each export and connection stands.

use crate::support::{Job, Scene, persons};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use local::issuer::{Role, TokenRequest};
use relay_cloud::ledger::RunRequest;
use relay_model::run::{RunMode, Trigger, TriggerKind};
use relay_model::{Counts, RunId};
use reqwest::Method;
use serde_json::{Value, json};

/// Somebody who asks the API.
struct Person<'a> {
    scene: &'a Scene,
    token: String,
}

impl<'a> Person<'a> {
    fn new(scene: &'a Scene, role: Role, subject: &str) -> Self {
        let token = scene.cloud.issuer().token(&TokenRequest::of(role).subject(subject)).unwrap();
        Self { scene, token }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (u16, Value) {
        let answer = self.scene.cloud.api_as(Some(&self.token), method, path, headers, body).await.unwrap();
        (answer.status, answer.body)
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, &[], None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The runs that a query finds, and where to go on.
    async fn runs(&self, query: &str) -> (Vec<RunId>, Value) {
        let page = self.get(&format!("/runs?{query}")).await;
        let id = |run: &Value| run["run_id"].as_str().unwrap().parse().unwrap();
        (page["items"].as_array().unwrap().iter().map(id).collect(), page["next_cursor"].clone())
    }

    /// Where an export stands.
    async fn overview(&self, export: &str) -> Value {
        let overview = self.get(&format!("/exports/{export}")).await["overview"].clone();
        let listed = self.get("/exports").await;
        let items = listed["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["document"]["id"] == export).unwrap();
        // Time goes on between the two.
        for name in ["connection_name", "destination", "last_run", "delivered_at", "permission"] {
            assert_eq!(item["overview"][name], overview[name], "{name}");
        }
        overview
    }

    async fn remove(&self, path: &str, version: u64) {
        let if_match = format!("\"{version}\"");
        let (status, body) = self.ask(Method::DELETE, path, &[("if-match", &if_match)], None).await;
        assert_eq!(status, 204, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_all_exports_and_where_each_stands() {
    let scene = Scene::open().await;
    let admin = Person::new(&scene, Role::Administrator, "ann");
    let contributor = Person::new(&scene, Role::Contributor, "cleo");
    let viewer = Person::new(&scene, Role::Viewer, "vic");
    let (mut good, mut bad) = (Job::new(&scene, "good"), Job::new(&scene, "bad"));
    good.export["schedule"] = json!({ "every_minutes": 60 });
    bad.segment["query"] = json!("SELECT customer_id, emial FROM bad");
    for job in [&good, &bad] {
        job.ready(&persons(5)).await;
    }
    let nothing = admin.overview("good").await;
    assert_eq!((&nothing["last_run"], &nothing["delivered_at"]), (&Value::Null, &Value::Null));

    let delivered = good.run().await;
    delivered.succeeded(Counts { added: 5, ..Counts::default() });
    assert!(delivered.run.trigger.by.is_some(), "{:?}", delivered.run.trigger);
    let failed = bad.run().await;
    failed.failed("query_unknown_column", &["emial"]);
    let looked = good.ask_for_dry_run("look").await;
    good.dry_run_over(looked).await;
    let [first, second] = [delivered.run.run_id, failed.run.run_id];

    // The newest first, across exports, in whatever pages.
    assert_eq!(viewer.runs("").await, (vec![looked, second, first], Value::Null));
    assert_eq!(viewer.runs("limit=2").await, (vec![looked, second], json!(second)));
    assert_eq!(viewer.runs(&format!("limit=2&cursor={second}")).await, (vec![first], Value::Null));
    assert_eq!(viewer.get("/runs").await["items"][0]["mode"], "dry_run");
    assert_eq!(viewer.runs("state=failed").await, (vec![second], Value::Null));
    assert_eq!(viewer.runs("state=failed,succeeded&limit=2").await, (vec![looked, second], json!(second)));
    assert_eq!(viewer.runs("state=succeeded&limit=1").await, (vec![looked], json!(looked)));
    let rest = viewer.runs(&format!("state=succeeded&cursor={looked}")).await;
    assert_eq!(rest, (vec![first], Value::Null));
    assert_eq!(viewer.runs("state=held").await, (vec![], Value::Null));
    assert_eq!(viewer.runs("export=good").await, (vec![looked, first], Value::Null));
    let asked = failed.run.requested_at;
    assert_eq!(viewer.runs(&format!("since={asked}")).await, (vec![looked, second], Value::Null));
    assert_eq!(viewer.runs(&format!("until={asked}")).await, (vec![first], Value::Null));
    assert_eq!(viewer.runs(&format!("since={asked}&until={asked}")).await, (vec![], Value::Null));
    for wrong in ["state=gone", "limit=0", "cursor=x", "since=now", "sort=state"] {
        let (status, body) = viewer.ask(Method::GET, &format!("/runs?{wrong}"), &[], None).await;
        assert_eq!(status, 400, "{wrong}: {body}");
    }

    // A dry run changes nothing of where an export stands.
    let stands = admin.overview("good").await;
    let ended_at = json!(delivered.run.ended_at);
    assert_eq!(
        (&stands["last_run"]["run_id"], &stands["last_run"]["state"]),
        (&json!(first), &json!("succeeded"))
    );
    assert_eq!((&stands["last_run"]["ended_at"], &stands["delivered_at"]), (&ended_at, &ended_at));
    assert_eq!(stands["last_run"]["counts"]["added"], 5);
    assert_eq!(
        (&stands["connection_name"], &stands["destination"]),
        (&json!("Campaign Monitor"), &json!("campaign-monitor"))
    );
    let next: Timestamp = stands["next_run_at"].as_str().unwrap().parse().unwrap();
    let until_next = next.duration_since(Timestamp::now()).as_secs();
    assert!(next.as_second() % 3_600 == 0 && (-60..=3_600).contains(&until_next), "{next}");
    let stands = admin.overview("bad").await;
    assert_eq!(stands["last_run"]["failure_code"], "query_unknown_column");
    assert_eq!((&stands["delivered_at"], &stands["next_run_at"]), (&Value::Null, &Value::Null));

    // What failed since leaves the time of the last delivery alone.
    good.segment["query"] = bad.segment["query"].clone();
    good.save().await;
    let broken = good.run().await;
    let stands = viewer.overview("good").await;
    assert_eq!(stands["last_run"]["run_id"], json!(broken.run.run_id));
    assert_eq!((&stands["last_run"]["state"], &stands["delivered_at"]), (&json!("failed"), &ended_at));

    // Who may do what, and who pays for it.
    let permission = async |person: &Person<'_>| person.overview("good").await["permission"].clone();
    assert_eq!(permission(&admin).await, "edit");
    assert_eq!((permission(&contributor).await, permission(&viewer).await), (json!("view"), json!("view")));
    good.connection["use_by"] = json!("contributors");
    good.save().await;
    assert_eq!((permission(&contributor).await, permission(&viewer).await), (json!("edit"), json!("view")));
    for path in ["/exports/good?overview=none", "/exports?overview=none"] {
        let found = viewer.get(path).await;
        assert!(found.get("overview").is_none() && found["items"][0].get("overview").is_none(), "{found}");
    }

    // Runs of an export that is gone are there for whoever asks for them.
    let version = admin.get("/exports/bad").await["version"].as_u64().unwrap();
    admin.remove("/exports/bad", version).await;
    assert_eq!(viewer.runs("limit=3").await, (vec![broken.run.run_id, looked, first], Value::Null));
    assert_eq!(viewer.runs("export=bad").await, (vec![second], Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_made_a_definition_and_what_uses_a_connection() {
    let scene = Scene::open().await;
    let (ann, ben) =
        (Person::new(&scene, Role::Administrator, "ann"), Person::new(&scene, Role::Administrator, "ben"));
    let contributor = Person::new(&scene, Role::Contributor, "cleo");
    let path = "/sources/people";
    let put = async |person: &Person<'_>, header: (&'static str, &'static str), format: &str| {
        let source = json!({ "id": "people", "location": "s3://lake/people/", "format": format });
        person.ask(Method::PUT, path, &[header], Some(&source)).await.1
    };
    let made = put(&ann, ("if-none-match", "*"), "csv").await;
    assert_eq!((&made["created_by"], &made["created_at"]), (&json!("ann"), &made["saved_at"]), "{made}");
    let changed = put(&ben, ("if-match", "\"1\""), "parquet").await;
    assert_eq!((&changed["created_by"], &changed["saved_by"]), (&json!("ann"), &json!("ben")), "{changed}");
    assert_eq!((&changed["created_at"], &changed["version"]), (&made["saved_at"], &json!(2)));
    assert_eq!(ann.get(path).await["created_at"], made["saved_at"]);
    // What comes back is new.
    ann.remove(path, 2).await;
    let again = put(&ben, ("if-none-match", "*"), "csv").await;
    assert_eq!((&again["created_by"], &again["created_at"]), (&json!("ben"), &again["saved_at"]));

    // A definition that did not come through the API has no creator, and its next editor does not become one.
    let job = Job::new(&scene, "used");
    job.save().await;
    let connection = |found: Value| found["items"][0].clone();
    let listed = connection(ann.get("/connections").await);
    assert_eq!(listed["used_by"], json!(["used"]), "{listed}");
    assert_eq!(listed["created_by"], Value::Null);
    let id = listed["document"]["id"].as_str().unwrap();
    assert_eq!(ann.get(&format!("/connections/{id}")).await["used_by"], json!(["used"]));
    let mut renamed = listed["document"].clone();
    renamed["name"] = json!("Ours");
    let tag = format!("\"{}\"", listed["version"]);
    let (status, saved) =
        ben.ask(Method::PUT, &format!("/connections/{id}"), &[("if-match", &tag)], Some(&renamed)).await;
    assert_eq!(
        (status, &saved["created_by"], &saved["saved_by"]),
        (200, &Value::Null, &json!("ben")),
        "{saved}"
    );
    assert_eq!(saved["created_at"], listed["created_at"]);
    assert_eq!(connection(contributor.get("/connections").await).get("used_by"), None);
    let detached = ann.ask(Method::POST, "/exports/used/detach", &[("if-match", "\"1\"")], None).await;
    assert_eq!(detached.0, 200, "{}", detached.1);
    assert_eq!(connection(ann.get("/connections").await)["used_by"], json!([]));
}

/// More runs than are looked at for one page, none of them in the state that is asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_that_finds_nothing_is_bounded_and_goes_on() {
    let scene = Scene::open().await;
    let viewer = Person::new(&scene, Role::Viewer, "vic");
    let job = Job::new(&scene, "busy");
    job.save().await;
    let run_id =
        |number: usize| -> RunId { format!("0198c0de-0000-7000-8000-{number:012}").parse().unwrap() };
    let (ledger, export_id) = (scene.ledger(), job.id());
    stream::iter(1..=302)
        .for_each_concurrent(8, async |number| {
            let request = RunRequest {
                run_id: run_id(number),
                export_id: export_id.clone(),
                connection_id: "campaign-monitor".to_owned().try_into().unwrap(),
                mode: RunMode::DryRun,
                trigger: Trigger::new(TriggerKind::OnDemand, format!("request {number}")),
                now: Timestamp::now(),
            };
            ledger.request_beside(&request).await.unwrap();
        })
        .await;
    let (newest, next) = viewer.runs("limit=2").await;
    assert_eq!((newest, next), (vec![run_id(302), run_id(301)], json!(run_id(301))));
    assert_eq!(viewer.runs("state=failed").await, (vec![], json!(run_id(3))));
    assert_eq!(viewer.runs(&format!("state=failed&cursor={}", run_id(3))).await, (vec![], Value::Null));
    let (found, next) = viewer.runs("state=snapshotting&limit=100").await;
    assert_eq!((found.len(), next), (100, json!(run_id(203))));
}
