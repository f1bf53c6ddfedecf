//! Writing leads: actions, refusals record by record, duplicates of overlapping calls.

use crate::client::{Fixture, Sent};
use sandbox::marketo::{
    CompanyFields, DataType, Endpoint, Field, NewService, Options, PartitionName, RepeatedKeys, SeedLead,
    UnknownFields,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const LEADS: &str = "/rest/v1/leads.json";

#[tokio::test]
async fn actions() {
    let fixture = Fixture::new().await;
    fixture
        .sandbox
        .seed_leads(vec![SeedLead::new("twin@example.com"), SeedLead::new("TWIN@example.com")])
        .unwrap();
    fixture.sandbox.seed_leads(vec![SeedLead::new("old@example.com")]).unwrap();
    let input = ["twin", "old", "new"].map(|name| json!({ "email": format!("{name}@example.com") }));
    for (action, expected) in [
        ("updateOnly", ["skipped 1007", "updated", "skipped 1004"]),
        ("createOrUpdate", ["skipped 1007", "updated", "created"]),
        ("createOnly", ["skipped 1005", "skipped 1005", "skipped 1005"]),
        ("createDuplicate", ["created", "created", "created"]),
    ] {
        let reply = fixture.post(LEADS, json!({ "action": action, "input": input })).await;
        assert_eq!(reply.statuses(), expected, "{action}");
    }
    assert_eq!(fixture.sandbox.lead_count(), 7);
    let report = fixture.sandbox.report().sync;
    assert_eq!(report.created["createOrUpdate"], 1);
    assert_eq!(report.created["createDuplicate"], 3);
    assert_eq!(report.skipped, BTreeMap::from([(1004, 1), (1005, 3), (1007, 2)]));
    assert_eq!((report.calls, report.records, report.most_records), (4, 12, 3));
    assert_eq!(fixture.sandbox.report().duplicate_leads, 0, "what was asked for is no accident");
}

#[tokio::test]
async fn one_bad_value_skips_its_record_only() {
    let fixture = Fixture::new().await;
    let long = "x".repeat(256);
    let reply = fixture
        .sync(vec![
            json!({ "email": "a@example.com", "leadScore": "14.1", "firstName": "A" }),
            json!({ "email": "jürgen@example.com" }),
            json!({ "email": "b@example.com", "firstName": long }),
            json!({ "email": "c@example.com", "nothing": 1 }),
            json!({ "email": "d@example.com", "createdAt": "2020-01-01T00:00:00Z" }),
            json!({ "email": "e@example.com", "company": "Acme" }),
            json!({ "email": "f@example.com", "id": 1 }),
            json!({ "firstName": "Nobody" }),
            json!({ "email": null }),
            json!({ "email": "g@example.com", "doNotCall": true, "leadScore": 7, "dateOfBirth": "2000-02-29" }),
        ])
        .await;
    let expected = ["1003", "1003", "1077", "1006", "1003", "1021", "1003", "1003", "1003"];
    let mut expected: Vec<String> = expected.iter().map(|code| format!("skipped {code}")).collect();
    expected.push("created".to_owned());
    assert_eq!(reply.statuses(), expected);
    assert_eq!(
        reply.rows()[0]["reasons"][0],
        json!({ "code": "1003", "message": "Invalid value for field 'leadScore' and value '14.1'" })
    );
    assert!(reply.rows()[0].get("id").is_none());
    assert_eq!(fixture.sandbox.lead_count(), 1);
    assert_eq!(fixture.values("g@example.com", "leadScore"), [json!(7)]);
    assert_eq!(fixture.values("g@example.com", "doNotCall"), [json!(true)]);
}

#[tokio::test]
async fn null_clears_and_what_is_left_out_stays() {
    let fixture = Fixture::new().await;
    let record = json!({ "email": "p@example.com", "firstName": "Zoë", "lastName": "Ω, \"quoted\"\n2" });
    fixture.sync(vec![record]).await;
    let reply = fixture.sync(vec![json!({ "email": "P@EXAMPLE.com", "firstName": null })]).await;
    assert_eq!(reply.statuses(), ["updated"]);
    assert_eq!(fixture.values("p@example.com", "firstName"), [Value::Null]);
    assert_eq!(fixture.values("p@example.com", "lastName"), [json!("Ω, \"quoted\"\n2")]);
}

async fn check(fixture: &Fixture, body: Value, expected: u64) {
    assert_eq!(fixture.post(LEADS, body.clone()).await.code(), expected, "{body}");
}

#[tokio::test]
async fn refused_as_a_whole() {
    let fixture = Fixture::new().await;
    fixture.sandbox.add_field(Field::new("plain", DataType::String));
    let one = json!([{ "email": "p@example.com" }]);
    let many: Vec<Value> =
        (0..301).map(|number| json!({ "email": format!("p{number}@example.com") })).collect();
    check(&fixture, json!({ "lookupField": "userId", "input": one }), 1006).await;
    check(&fixture, json!({ "lookupField": "plain", "input": one }), 1011).await;
    check(&fixture, json!({ "lookupField": "id", "input": one }), 1003).await;
    check(&fixture, json!({ "input": many }), 1003).await;
    check(&fixture, json!({ "input": [] }), 1002).await;
    check(&fixture, json!({}), 1002).await;
    check(&fixture, json!({ "input": "all" }), 1001).await;
    check(&fixture, json!({ "action": "merge", "input": one }), 1003).await;
    check(&fixture, json!({ "partitionName": "Nowhere", "input": one }), 1008).await;
    check(&fixture, json!({ "partitionName": "Default", "action": "updateOnly", "input": one }), 1003).await;
    let bad = Sent { headers: vec!["Content-Type: application/json".to_owned()], body: b"{".to_vec() };
    assert_eq!(fixture.call("POST", LEADS, bad).await.code(), 609);
    let text = Sent { headers: vec!["Content-Type: text/plain".to_owned()], body: b"{}".to_vec() };
    assert_eq!(fixture.call("POST", LEADS, text).await.code(), 612);
    let large = json!({ "input": [{ "email": "p@example.com", "firstName": "x".repeat(1024 * 1024) }] });
    assert_eq!(fixture.post(LEADS, large).await.code(), 413);
    assert_eq!(fixture.sandbox.lead_count(), 0);
    assert_eq!(fixture.sandbox.report().sync.calls, 0);
}

#[tokio::test]
async fn other_lookup_fields() {
    let fixture = Fixture::new().await;
    fixture.sandbox.add_field(Field::new("crmKey", DataType::String).searchable());
    let body =
        |first: &str| json!({ "lookupField": "crmKey", "input": [{ "crmKey": "k1", "firstName": first }] });
    assert_eq!(fixture.post(LEADS, body("A")).await.statuses(), ["created"]);
    let reply = fixture.post(LEADS, body("B")).await;
    assert_eq!(reply.statuses(), ["updated"]);
    let id = reply.rows()[0]["id"].clone();
    let by_id = json!({ "lookupField": "id", "action": "updateOnly", "input": [
        { "id": id, "email": "k1@example.com" }, { "id": 99, "email": "k2@example.com" }, { "email": "none@example.com" },
    ] });
    assert_eq!(fixture.post(LEADS, by_id).await.statuses(), ["updated", "skipped 1004", "skipped 1003"]);
    assert_eq!(fixture.values("k1@example.com", "firstName"), [json!("B")]);
}

#[tokio::test]
async fn partitions() {
    let options = Options { partition_name: PartitionName::Required, ..Options::default() };
    let mut fixture = Fixture::with(options).await;
    let one = json!([{ "email": "p@example.com" }]);
    check(&fixture, json!({ "input": one }), 0).await;
    fixture.sandbox.add_partition("Europe");
    check(&fixture, json!({ "input": one }), 1009).await;
    let named = json!({ "partitionName": "Europe", "input": one });
    assert_eq!(fixture.post(LEADS, named.clone()).await.statuses(), ["skipped 1010"]);
    let service = NewService { partitions: Some(vec!["Europe".to_owned()]), ..NewService::default() };
    fixture.token = crate::client::token(&fixture.sandbox, &fixture.sandbox.create_service(service)).await;
    check(&fixture, json!({ "partitionName": "Default", "input": one }), 1008).await;
    let update = json!({ "action": "updateOnly", "input": one });
    assert_eq!(fixture.post(LEADS, update).await.statuses(), ["skipped 1008"]);
    let find = "/rest/v1/leads.json?filterType=email&filterValues=p%40example.com";
    assert_eq!(fixture.get(find).await.rows(), Vec::<Value>::new());
    assert_eq!(fixture.get("/rest/v1/leads/partitions.json").await.rows().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlapping_calls_with_one_key_make_duplicates() {
    let latency_ms_of = BTreeMap::from([(Endpoint::SyncLeads, 1000)]);
    let fixture = Arc::new(Fixture::with(Options { latency_ms_of, ..Options::default() }).await);
    let calls: Vec<_> = (0..2)
        .map(|_| {
            let fixture = Arc::clone(&fixture);
            tokio::spawn(
                async move { fixture.sync(vec![json!({ "email": "p@example.com" })]).await.statuses() },
            )
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), ["created"]);
    }
    assert_eq!((fixture.sandbox.lead_count(), fixture.sandbox.report().duplicate_leads), (2, 1));
    assert_eq!(fixture.sync(vec![json!({ "email": "p@example.com" })]).await.statuses(), ["skipped 1007"]);
    assert_eq!(fixture.sandbox.report().most_in_flight, 2);
}

#[tokio::test]
async fn a_key_twice_in_one_call() {
    for (repeated_keys, expected, leads) in [
        (RepeatedKeys::Duplicates, ["created", "created"], 2),
        (RepeatedKeys::Applied, ["created", "updated"], 1),
        (RepeatedKeys::Refused, ["created", "skipped 1036"], 1),
    ] {
        let fixture = Fixture::with(Options { repeated_keys, ..Options::default() }).await;
        let input = vec![json!({ "email": "p@example.com" }), json!({ "email": "P@example.com" })];
        assert_eq!(fixture.sync(input).await.statuses(), expected);
        assert_eq!(fixture.sandbox.lead_count(), leads);
        assert_eq!(fixture.sandbox.report().sync.repeated_keys, 1);
        assert_eq!(fixture.sandbox.report().duplicate_leads, leads - 1);
    }
}

#[tokio::test]
async fn choices_about_fields() {
    let options = Options {
        unknown_fields: UnknownFields::WholeCall,
        company_fields: CompanyFields::Accepted,
        ..Options::default()
    };
    let fixture = Fixture::with(options).await;
    assert_eq!(fixture.sync(vec![json!({ "email": "c@example.com", "nothing": 1 })]).await.code(), 1006);
    let reply = fixture.sync(vec![json!({ "email": "c@example.com", "company": "Acme" })]).await;
    assert_eq!(reply.statuses(), ["created"]);
}
