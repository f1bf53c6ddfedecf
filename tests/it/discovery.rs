//! Segments that are found: asked for, read, saved, exported; and what must not be learned.

use crate::control_plane::{Person, check};
use crate::support::{Job, Scene, person, wait_until};
use local::issuer::Role;
use relay_model::Counts;
use reqwest::Method;
use serde_json::{Value, json};

const PEOPLE: u64 = 400;

/// Every fourth wants the newsletter; three of four of those live in Wien, and one of four of the others does. Whoever
/// lives in Wien has ten points more.
async fn job<'a>(scene: &'a Scene, name: &str, labels: Value) -> Job<'a> {
    let mut job = Job::new(scene, name);
    let people: Vec<_> = (0..PEOPLE)
        .map(|number| {
            let mut one = person(number);
            one.newsletter = number % 4 == 0;
            let is_alike = if one.newsletter { number % 16 != 0 } else { number % 16 < 4 };
            one.city = if is_alike { "Wien".to_owned() } else { "Graz".to_owned() };
            one.points = Some(i64::try_from(number % 3).unwrap() + if is_alike { 10 } else { 0 });
            one
        })
        .collect();
    job.source["data_labels"] = labels;
    job.connection["use_by"] = json!("contributors");
    job.ready(&people).await;
    job
}

/// Asks for something to be found, and waits for it.
async fn found(person: &Person<'_>, path: &str, body: Value) -> Value {
    let asked = person.ask(Method::POST, path, &[], Some(body)).await;
    check(&asked, 202, "");
    let path = format!("/previews/{}", asked.body["preview_id"].as_str().unwrap());
    let mut found = Value::Null;
    wait_until("it is found", async || {
        found = person.get(&path).await.body;
        found["state"] != "running"
    })
    .await;
    found["result"].clone()
}

async fn scene() -> Scene {
    Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_like_a_segments_are_found_saved_and_exported() {
    let scene = scene().await;
    let mut job = job(&scene, "alike", json!({})).await;
    let cleo = Person::new(&scene, Role::Contributor, "cleo");
    let vera = Person::new(&scene, Role::Viewer, "vera");
    let refused = vera.ask(Method::POST, "/segments/alike/similar", &[], Some(json!({}))).await;
    check(&refused, 403, "role_insufficient");

    let similar = found(&cleo, "/segments/alike/similar", json!({ "id": "more" })).await["similar"].clone();
    assert_eq!((&similar["members"], &similar["others"]), (&json!(100), &json!(300)), "{similar}");
    let traits: Vec<&Value> = similar["traits"].as_array().unwrap().iter().map(|one| &one["value"]).collect();
    assert!(traits.contains(&&json!("Wien")), "{similar}");
    // What decides who is a member can tell nothing of others, and names are everybody's own.
    let left: Vec<&str> =
        similar["left_out"].as_array().unwrap().iter().map(|one| one["column"].as_str().unwrap()).collect();
    assert!(left.contains(&"newsletter") && left.contains(&"email") && left.contains(&"name"), "{left:?}");
    check(&cleo.get("/segments/more").await, 404, "catalog_missing");

    let draft = &similar["draft"];
    check(&cleo.create("/segments/more", draft).await, 201, "");
    let preview = found(&cleo, "/segments/more/preview", json!(null)).await;
    assert_eq!(preview["rows"], similar["others_expected"], "{similar}");
    let columns = preview["columns"].as_array().unwrap();
    assert!(columns.iter().any(|column| column["name"] == "similarity"), "{columns:?}");
    let rows = preview["rows"].as_u64().unwrap();
    assert!(rows > 0 && rows <= 75, "those of 300 others who live in Wien: {rows}");

    job.export["segments"][0]["segment"] = json!("more");
    job.export["mapping"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "attribute": "similarity", "field": "Similarity" }));
    let fields = job.export["options"]["create_missing_fields"].as_array_mut().unwrap();
    fields.push(json!({ "name": "Similarity", "type": "Number" }));
    check(&cleo.change("/exports/alike", 1, &job.export).await, 200, "");
    let over = job.run().await;
    over.succeeded(Counts { added: rows, ..Counts::default() });

    let with =
        found(&cleo, "/segments/alike/similar", json!({ "members": "included" })).await["similar"].clone();
    let preview = found(&cleo, "/previews", with["draft"].clone()).await;
    assert_eq!(preview["rows"].as_u64().unwrap(), with["others_expected"].as_u64().unwrap() + 100);

    let lines = Person::new(&scene, Role::Administrator, "ann").get("/audit").await.body;
    let actions: Vec<&Value> =
        lines["items"].as_array().unwrap().iter().map(|line| &line["action"]).collect();
    assert!(actions.contains(&&json!("find_similar")), "{actions:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_stand_out_are_found_and_saved() {
    let scene = scene().await;
    let _job = job(&scene, "groups", json!({})).await;
    let cleo = Person::new(&scene, Role::Contributor, "cleo");
    let among = json!({ "source": "groups", "member_key": "customer_id" });
    let request = json!({ "id": "top", "among": among, "goal": "points" });
    let suggestions = found(&cleo, "/segment-suggestions", request).await["suggestions"].clone();
    let all = suggestions["suggestions"].as_array().unwrap();
    let best = all.iter().find(|one| one["conditions"] == json!(["city is Wien"])).unwrap();
    let number = best["draft"]["id"].as_str().unwrap();
    assert!((4.0..5.5).contains(&best["figures"][0]["overall"].as_f64().unwrap()), "{best}");
    assert_eq!(best["draft"]["rules"]["source"], "groups", "{best}");
    check(&cleo.create(&format!("/segments/{number}"), &best["draft"]).await, 201, "");
    let preview = found(&cleo, &format!("/segments/{number}/preview"), json!(null)).await;
    assert_eq!(preview["rows"], best["members_expected"]);

    // Among the members of a segment, with a measure of another source, which may be the same one.
    let measure =
        json!({ "name": "rows", "source": "groups", "member_key": "customer_id", "function": "count" });
    let among = json!({ "segment": "groups", "measures": [measure] });
    let request = json!({ "id": "top", "among": among, "goal": "city" });
    let error = found(&cleo, "/segment-suggestions", request.clone()).await["error"].clone();
    assert_eq!(error["code"], "discovery_too_few", "{error}");
    let mut all = request;
    all["among"]["segment"] = json!("top-all");
    let query = json!({ "id": "top-all", "name": "All", "member_key": "customer_id", "query": "SELECT * FROM groups" });
    check(&cleo.create("/segments/top-all", &query).await, 201, "");
    let suggestions = found(&cleo, "/segment-suggestions", all).await["suggestions"].clone();
    let conditions: Vec<&Value> =
        suggestions["suggestions"].as_array().unwrap().iter().map(|one| &one["conditions"]).collect();
    assert!(conditions.iter().any(|one| one[0] == "points at least 10"), "{conditions:?}");
    let left: Vec<&Value> =
        suggestions["left_out"].as_array().unwrap().iter().map(|one| &one["column"]).collect();
    assert!(left.contains(&&json!("rows")), "everybody has one row: {left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_found_is_told() {
    let scene = scene().await;
    let _job = job(&scene, "told", json!({})).await;
    let cleo = Person::new(&scene, Role::Contributor, "cleo");
    let guests = json!({ "id": "guests", "name": "Guests", "upload": { "identity_column": "email" } });
    check(&cleo.create("/segments/guests", &guests).await, 201, "");
    let told = async |path: &str, body: Value, code: &str, field: Value, words: &str| {
        let error = found(&cleo, path, body).await["error"].clone();
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &field), "{error}");
        assert!(error["text"].as_str().unwrap().contains(words), "{error}");
    };
    let similar = "/segments/told/similar";
    let none = Value::Null;
    told("/segments/guests/similar", json!({}), "discovery_of_upload", none.clone(), "is a custom upload")
        .await;
    let columns = json!({ "columns": ["citi"] });
    told(similar, columns, "discovery_unknown_column", json!("/columns"), "did you mean city").await;
    let among = json!({ "among": { "source": "tolt", "member_key": "customer_id" } });
    told(similar, among, "query_unknown_source", json!("/among"), "the sources are: told").await;
    let among = json!({ "among": { "source": "told", "member_key": "id" } });
    told(similar, among, "query_member_key_missing", json!("/among"), "customer_id").await;
    let among = json!({ "among": { "segment": "nobody" } });
    told(similar, among, "catalog_missing", none, "nobody").await;
    let alias = json!({ "id": "alias", "name": "Alias", "member_key": "email",
        "query": "SELECT customer_id AS email FROM told WHERE newsletter" });
    check(&cleo.create("/segments/alias", &alias).await, 201, "");
    let path = "/segments/alias/similar";
    told(path, json!({}), "discovery_without_people", json!("/among"), "segment \"alias\" is not made of")
        .await;
    let among = json!({ "source": "told", "member_key": "customer_id" });
    let spent = json!({ "name": "rows", "source": "told", "member_key": "customer_id", "function": "sum", "column": "points" });
    let mut twice = among.clone();
    twice["measures"] = json!([spent, { "name": "city", "source": "told", "member_key": "customer_id", "function": "count" }]);
    let request = json!({ "among": twice });
    told(similar, request, "discovery_measure_is_column", json!("/among/measures"), "city").await;
    let goal = json!({ "id": "a", "among": among, "goal": "point" });
    told("/segment-suggestions", goal, "discovery_goal", json!("/goal"), "did you mean points").await;
    let measure =
        json!({ "name": "city", "source": "told", "member_key": "customer_id", "function": "count" });
    let mut measured = among.clone();
    measured["measures"] = json!([measure]);
    let request = json!({ "id": "a", "among": measured });
    told("/segment-suggestions", request, "discovery_measure_is_column", json!("/among/measures"), "city")
        .await;

    let asked = cleo.ask(Method::POST, "/segments/nobody/similar", &[], Some(json!({}))).await;
    check(&asked, 404, "catalog_missing");
    let asked = cleo.ask(Method::POST, similar, &[], Some(json!({ "share_percent": 0 }))).await;
    check(&asked, 422, "request_field_invalid");
    assert_eq!(asked.body["errors"][0]["field"], "/share_percent");
    let asked = cleo.ask(Method::POST, similar, &[], Some(json!({ "shares": 1 }))).await;
    assert_eq!(asked.status, 422, "{}", asked.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_learned_from_what_is_labelled_so() {
    let scene = scene().await;
    let cleo = Person::new(&scene, Role::Contributor, "cleo");
    for (name, label) in [("science", "C9"), ("never", "C12")] {
        let _job = job(&scene, name, json!({ "city": [label] })).await;
        let path = format!("/segments/{name}/similar");
        let error = found(&cleo, &path, json!({ "columns": ["city"] })).await["error"].clone();
        assert_eq!((&error["code"], &error["field"]), (&json!("discovery_labelled"), &json!("/columns")));
        let found = found(&cleo, &path, json!({})).await["similar"].clone();
        assert_eq!(found["columns"], json!(["points"]), "{found}");
        let left = found["left_out"].as_array().unwrap().iter();
        assert!(
            left.clone().any(|one| one["column"] == "city" && one["why"].as_str().unwrap().contains("C9"))
        );
        assert!(!found.to_string().contains("Wien"), "{found}");
    }
    // Neither by a measure, nor by being a member of a segment.
    let city = json!({ "name": "cities", "source": "science", "member_key": "customer_id", "function": "count",
        "day": "city", "within_last_days": 3 });
    let among = json!({ "source": "science", "member_key": "customer_id", "measures": [city] });
    let request = json!({ "columns": ["cities"], "among": among });
    let error = found(&cleo, "/segments/science/similar", request).await["error"].clone();
    assert_eq!(error["code"], "discovery_labelled", "{error}");
    let _job = job(&scene, "decided", json!({ "newsletter": ["C9"] })).await;
    let error = found(&cleo, "/segments/decided/similar", json!({})).await["error"].clone();
    assert_eq!(error["code"], "discovery_labelled", "{error}");
    assert!(error["text"].as_str().unwrap().contains("segment \"decided\""), "{error}");
    let request = json!({ "id": "a", "among": { "segment": "decided" }, "goal": "points" });
    let error = found(&cleo, "/segment-suggestions", request).await["error"].clone();
    assert_eq!(error["code"], "discovery_labelled", "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_becomes_rules_and_what_is_not_understood_is_told() {
    let scene = scene().await;
    let _job = job(&scene, "said", json!({ "newsletter": ["C12"] })).await;
    let admin = Person::new(&scene, Role::Administrator, "ann");
    let cleo = Person::new(&scene, Role::Contributor, "cleo");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.csv");
    std::fs::write(
        &path,
        "order,customer_id,day\n1,P0000005,2026-01-01\n2,P0000005,2026-01-02\n3,P0000006,2026-01-01\n",
    )
    .unwrap();
    scene.upload("orders/orders.csv", &path).await.unwrap();
    let orders = json!({ "id": "orders", "location": "s3://lake/orders/", "format": "csv" });
    check(&admin.create("/sources/orders", &orders).await, 201, "");
    let request = |description: &str| {
        let (source, member_key) = ("said", "customer_id");
        json!({ "id": "words", "description": description, "source": source, "member_key": member_key })
    };
    let described =
        async |description: &str| found(&cleo, "/segment-descriptions", request(description)).await;

    let both =
        described("customers in Graz with at least 1 point and at least 2 orders before 2026-02-01").await;
    let both = &both["described"];
    let meanings: Vec<&Value> =
        both["understood"].as_array().unwrap().iter().map(|one| &one["meaning"]).collect();
    let expected =
        ["city is Graz", "points at least 1", "at least 2 rows of orders with day before 2026-02-01"];
    assert_eq!(meanings, expected, "{both}");
    assert_eq!(both["not_understood"], json!([]));
    check(&cleo.create("/segments/words", &both["draft"]).await, 201, "");
    let preview = found(&cleo, "/segments/words/preview", json!(null)).await;
    // Of the two with orders only one has two, and she lives in Graz and has a point.
    assert_eq!(preview["rows"], 1, "{preview}");
    assert_eq!(preview["first_rows"][0]["customer_id"], "P0000005");

    let among = json!({ "source": "orders", "member_key": "customer_id" });
    let error =
        found(&cleo, "/segment-suggestions", json!({ "id": "a", "among": among })).await["error"].clone();
    assert_eq!(
        (&error["code"], &error["field"]),
        (&json!("discovery_several_rows"), &json!("/among")),
        "{error}"
    );

    let partly = described("rich people in Wien who want the newsletter").await["described"].clone();
    let words: Vec<&Value> =
        partly["not_understood"].as_array().unwrap().iter().map(|one| &one["words"]).collect();
    assert_eq!(words, ["rich", "newsletter"], "what never leaves is not spoken of: {partly}");
    let error = described("whatever").await["error"].clone();
    assert_eq!(
        (&error["code"], &error["field"]),
        (&json!("discovery_not_understood"), &json!("/description"))
    );
    let asked = cleo.ask(Method::POST, "/segment-descriptions", &[], Some(request(" "))).await;
    check(&asked, 422, "request_field_invalid");
}
