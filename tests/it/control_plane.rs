//! The daily work of administrators and contributors, through the HTTP API and the gateway.

use crate::overview;
use crate::support::{Job, Scene, persons, wait_until};
use local::cloud::Response;
use local::issuer::{Role, TokenRequest};
use local::world::World;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn administrators_contributors_and_viewers_use_the_api() {
    let scene = Scene::open().await;
    overview::definitions_show_their_maker_and_connections_their_exports(&scene).await;
    overview::runs_and_overviews_of_all_exports(&scene).await;
    an_administrator_connects_exports_and_reads_rejected_rows(&scene).await;
    two_administrators_do_not_overwrite_each_other(&scene).await;
    contributors_use_shared_connections_and_see_no_settings(&scene).await;
}

/// A user of the API with a token.
pub(crate) struct Person<'a> {
    world: &'a World,
    token: String,
}

impl<'a> Person<'a> {
    pub(crate) fn new(scene: &'a Scene, role: Role, subject: &str) -> Self {
        let token = scene.cloud.issuer().token(&TokenRequest::of(role).subject(subject)).unwrap();
        Self { world: scene, token }
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Response {
        let answer =
            self.world.cloud.api_as(Some(&self.token), method, path, headers, body.as_ref()).await.unwrap();
        assert!(answer.status < 500, "{path}: {} {}", answer.status, answer.body);
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.ask(Method::GET, path, &[], None).await
    }

    async fn post(&self, path: &str) -> Response {
        self.ask(Method::POST, path, &[], None).await
    }

    pub(crate) async fn create(&self, path: &str, document: &Value) -> Response {
        self.ask(Method::PUT, path, &[("if-none-match", "*")], Some(document.clone())).await
    }

    pub(crate) async fn change(&self, path: &str, version: u64, document: &Value) -> Response {
        let tag = format!("\"{version}\"");
        self.ask(Method::PUT, path, &[("if-match", &tag)], Some(document.clone())).await
    }

    /// Polls a path until the response fulfils a condition.
    async fn wait_for(&self, path: &str, is_there: impl Fn(&Response) -> bool) -> Value {
        let mut found = Value::Null;
        wait_until(path, async || {
            let answer = self.get(path).await;
            let is_over = is_there(&answer);
            found = answer.body;
            is_over
        })
        .await;
        found
    }

    async fn finished_run(&self, run: &Value) -> Value {
        let path = format!("/runs/{}", run["run_id"].as_str().unwrap());
        let ends = ["succeeded", "failed", "canceled"].map(Value::from);
        self.wait_for(&path, |answer| ends.contains(&answer.body["state"])).await
    }
}

#[track_caller]
pub(crate) fn check(answer: &Response, status: u16, code: &str) {
    let found = answer.body["code"].as_str().unwrap_or_default();
    assert_eq!((answer.status, found), (status, code), "{}", answer.body);
}

/// Saves the definitions of a job through the API as an administrator would, up to the export.
async fn connect(administrator: &Person<'_>, job: &mut Job<'_>, api_key: &str) {
    let name = job.name.clone();
    let secret = format!("{}/connections/{name}", administrator.world.cloud.stack_name());
    check(&administrator.create(&format!("/sources/{name}"), &job.source).await, 201, "");
    check(&administrator.create(&format!("/segments/{name}"), &job.segment).await, 201, "");
    let path = format!("/connections/{name}");
    let connection =
        json!({ "id": name, "name": "Ours", "destination": "campaign-monitor", "secret": secret });
    let mut leaky = connection.clone();
    leaky["settings"] = json!({ "api_key": api_key });
    let refused = administrator.create(&path, &leaky).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (422, &json!("/settings")));
    assert!(!refused.body.to_string().contains(api_key));
    let saved = administrator.create(&path, &connection).await;
    check(&saved, 201, "");
    assert_eq!(saved.headers["etag"], "\"1\"");
    assert!(
        saved.body["warnings"][0].as_str().unwrap().contains("the connection has no consent"),
        "{}",
        saved.body
    );
    let credentials = Some(json!({ "api_key": api_key }));
    let stored = administrator.ask(Method::PUT, &format!("{path}/credentials"), &[], credentials).await;
    check(&stored, 204, "");
    let text = json!({ "text": "Profiles may leave." });
    let agreed = administrator.change(&format!("{path}/consent"), 1, &text).await;
    check(&agreed, 200, "");
    assert_eq!(agreed.body["document"]["consent"]["text"], "Profiles may leave.");
    job.connection = agreed.body["document"].clone();
    job.export["connection"] = json!(name);
}

async fn an_administrator_connects_exports_and_reads_rejected_rows(scene: &Scene) {
    scene.reset();
    let (world, admin): (&World, _) = (scene, Person::new(scene, Role::Administrator, "ann"));
    let mut people = persons(20);
    people[3].email = Some("no address".to_owned());
    let mut job = Job::new(world, "plane");
    job.upload(&people).await;
    connect(&admin, &mut job, &world.account.api_key.clone()).await;

    // The destination accepts the credentials, and responses do not have them.
    let tested = admin.post("/connections/plane/test").await;
    assert_eq!((tested.status, &tested.body["usable"]), (200, &json!(true)), "{}", tested.body);

    let previewed = admin.post("/segments/plane/preview").await;
    check(&previewed, 202, "");
    let path = format!("/previews/{}", previewed.body["preview_id"].as_str().unwrap());
    let preview = admin.wait_for(&path, |answer| answer.body["state"] != "running").await;
    assert_eq!(
        (&preview["state"], &preview["result"]["rows"]),
        (&json!("succeeded"), &json!(20)),
        "{preview}"
    );

    // Missing fields and lists are found when the export is saved.
    let mut wrong = job.export.clone();
    wrong["options"].as_object_mut().unwrap().remove("create_missing_fields");
    check(&admin.create("/exports/plane", &wrong).await, 422, "mapping_unknown_field");
    let mut elsewhere = job.export.clone();
    elsewhere["segments"][0]["target_list"] = json!("0123456789abcdef0123456789abcdef");
    check(&admin.create("/exports/plane", &elsewhere).await, 422, "list_missing");
    check(&admin.create("/exports/plane", &job.export).await, 201, "");

    let asked = admin.post("/exports/plane/dry-runs").await;
    check(&asked, 202, "");
    assert_eq!(admin.finished_run(&asked.body).await["state"], "succeeded");
    let dry = admin.get(&format!("/runs/{}/dry-run", asked.body["run_id"].as_str().unwrap())).await;
    assert_eq!(dry.status, 200, "{}", dry.body);
    assert!(job.listed().is_empty(), "a dry run writes nothing");

    let started = admin.post("/exports/plane/runs").await;
    check(&started, 202, "");
    let run = admin.finished_run(&started.body).await;
    assert_eq!((&run["counts"]["added"], &run["counts"]["rejected"]), (&json!(19), &json!(1)), "{run}");
    for kind in ["added", "rejected"] {
        assert_eq!(dry.body["counts"][kind], run["counts"][kind], "{kind}");
    }
    let path = format!("/runs/{}", run["run_id"].as_str().unwrap());
    let report = admin.get(&format!("{path}/report")).await;
    assert_eq!(report.body["counts"], run["counts"]);
    let link = admin.get(&format!("{path}/rejected")).await;
    let csv = reqwest::get(link.body["url"].as_str().unwrap()).await.unwrap();
    let csv = csv.text().await.unwrap();
    assert!(csv.lines().count() == 2 && csv.contains("P0000004") && csv.contains("email_invalid"), "{csv}");

    let sizes = admin.get("/segments/plane/sizes").await.body;
    assert_eq!(
        (&sizes["sizes"][0]["run_id"], &sizes["sizes"][0]["members"]),
        (&run["run_id"], &json!(20)),
        "{sizes}"
    );

    let history = admin.get("/exports/plane/runs").await;
    let runs: Vec<&Value> =
        history.body["items"].as_array().unwrap().iter().map(|run| &run["run_id"]).collect();
    assert_eq!(runs, [&run["run_id"], &asked.body["run_id"]]);
    check(&admin.post(&format!("{path}/cancel")).await, 409, "nothing_to_cancel");
    check(&admin.post(&format!("{path}/retry")).await, 202, "");

    // Every change has an audit entry, and no entry has the key.
    let audit = admin.get("/audit?limit=100").await.body;
    let actions: Vec<&str> =
        audit["items"].as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    for action in
        ["store_credentials", "consent", "create", "start_run", "start_dry_run", "download_rejected"]
    {
        assert!(actions.contains(&action), "{action} is not among {actions:?}");
    }
    assert!(!audit.to_string().contains(&world.account.api_key));
}

async fn two_administrators_do_not_overwrite_each_other(scene: &Scene) {
    scene.reset();
    let administrator = |subject: &str| Person::new(scene, Role::Administrator, subject);
    let (ann, ben) = (administrator("ann"), administrator("ben"));
    let mut job = Job::new(scene, "twice");
    connect(&ann, &mut job, &scene.account.api_key.clone()).await;
    let path = "/exports/twice?check=none";

    // A repeated create with one idempotency key creates one export; another create is refused.
    let key = [("if-none-match", "*"), ("idempotency-key", "create-1")];
    let create = || ann.ask(Method::PUT, path, &key, Some(job.export.clone()));
    let (first, again) = tokio::join!(create(), create());
    let mut statuses = [first.status, again.status];
    statuses.sort_unstable();
    assert!(statuses == [201, 201] || statuses == [201, 412], "{} {}", first.body, again.body);
    check(&create().await, 201, "");
    check(&ben.create(path, &job.export).await, 412, "exists_already");

    let with = |name: &str| {
        let mut export = job.export.clone();
        export["name"] = json!(name);
        export
    };
    let (a, b) = (with("Ann's"), with("Ben's"));
    let (anns, bens) = tokio::join!(ann.change(path, 1, &a), ben.change(path, 1, &b));
    let (winner, loser) = if anns.status == 200 { (anns, bens) } else { (bens, anns) };
    check(&winner, 200, "");
    check(&loser, 412, "changed_in_the_meantime");
    let saved = ann.get("/exports/twice").await;
    assert_eq!(
        (&saved.body["document"]["name"], &saved.body["version"]),
        (&winner.body["document"]["name"], &json!(2))
    );

    // Errors name the missing header, the field or the unknown name.
    check(&ann.ask(Method::PUT, path, &[], Some(a.clone())).await, 428, "precondition_required");
    check(&ann.change("/exports/other?check=none", 1, &a).await, 422, "id_differs");
    let field = |answer: Response| (answer.status, answer.body["errors"][0]["field"].clone());
    let mut lost = a.clone();
    lost["segments"] = json!([{ "segment": "unknown" }]);
    assert_eq!(field(ann.change(path, 2, &lost).await), (422, json!("/segments/0/segment")));
    let mut typo = a.clone();
    typo["shedule"] = json!("off");
    assert_eq!(field(ann.change(path, 2, &typo).await), (422, json!("/shedule")));
    let mut doubled = a.clone();
    doubled["mapping"][1]["field"] = json!("Name");
    assert_eq!(field(ann.change(path, 2, &doubled).await), (422, json!("/mapping/1/field")));

    check(
        &ann.ask(Method::DELETE, "/segments/twice", &[("if-match", "\"1\"")], None).await,
        409,
        "segment_in_use",
    );
    let delete = |query: &'static str| ann.ask(Method::DELETE, query, &[("if-match", "\"2\"")], None);
    check(&delete("/connections/twice").await, 409, "connection_in_use");
    check(&delete("/connections/twice?exports=detach").await, 204, "");
    let detached = ann.get("/exports/twice").await.body;
    assert_eq!(detached["document"].get("connection"), None);
    check(&ann.post("/exports/twice/runs").await, 409, "catalog_field_invalid");
    check(&ann.get("/connections/twice").await, 404, "catalog_missing");
}

async fn contributors_use_shared_connections_and_see_no_settings(scene: &Scene) {
    scene.reset();
    let admin = Person::new(scene, Role::Administrator, "ann");
    let second = Person::new(scene, Role::Administrator, "ben");
    let contributor = Person::new(scene, Role::Contributor, "cleo");
    let mut job = Job::new(scene, "shared");
    job.upload(&persons(3)).await;
    connect(&admin, &mut job, &scene.account.api_key.clone()).await;

    let seen = contributor.get("/connections/shared").await.body["document"].clone();
    assert_eq!(
        seen,
        json!({ "id": "shared", "name": "Ours", "destination": "campaign-monitor", "use_by": "administrators" })
    );
    check(&contributor.create("/exports/shared", &job.export).await, 403, "connection_not_shared");
    check(&admin.create("/exports/shared", &job.export).await, 201, "");
    check(&contributor.post("/exports/shared/runs").await, 403, "connection_not_shared");

    job.connection["use_by"] = json!("contributors");
    check(&admin.change("/connections/shared", 2, &job.connection).await, 200, "");
    let mut renamed = job.export.clone();
    renamed["name"] = json!("Theirs");
    check(&contributor.change("/exports/shared", 1, &renamed).await, 200, "");
    let started = contributor.post("/exports/shared/runs").await;
    assert_eq!(contributor.finished_run(&started.body).await["state"], "succeeded");
    let copy = Some(json!({ "id": "shared-copy", "name": "Copy" }));
    let copied = contributor.ask(Method::POST, "/exports/shared/duplicate", &[], copy).await;
    assert_eq!((copied.status, &copied.body["document"]["enabled"]), (201, &json!(false)));

    // The consent names the user who was signed in, whatever a document says, and an edit cannot withdraw it.
    let agreed = job.connection["consent"].clone();
    assert_eq!((&agreed["by"], &agreed["text"]), (&json!("ann"), &json!("Profiles may leave.")));
    job.connection["consent"]["by"] = json!("another user");
    job.connection["consent"]["at"] = json!("2020-01-01T00:00:00Z");
    let changed = second.change("/connections/shared", 3, &job.connection).await;
    assert_eq!((changed.status, &changed.body["document"]["consent"]), (200, &agreed), "{}", changed.body);
    job.connection.as_object_mut().unwrap().remove("consent");
    check(&admin.change("/connections/shared", 4, &job.connection).await, 422, "consent_elsewhere");
    let if_match = [("if-match", "\"4\"")];
    let withdrawn = admin.ask(Method::DELETE, "/connections/shared/consent", &if_match, None).await;
    check(&withdrawn, 200, "");
    check(&contributor.post("/exports/shared/runs").await, 409, "consent_missing");
}
