//! Bulk imports: files, their rows, their queue.

use crate::client::{Fixture, Reply, Sent};
use sandbox::marketo::{
    BadValues, DataType, EmptyCells, Field, ImportTrouble, NewList, Options, OtherUsers, Pace, SeedLead,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// Imports begin at once and take as long as the machine does.
fn fast() -> Options {
    Options {
        time_scale: 1000.0,
        token_ms: u64::MAX,
        rate_calls: 100_000,
        import_rows_per_second: 100_000,
        ..Options::default()
    }
}

async fn submit(fixture: &Fixture, query: &str, csv: &str) -> Reply {
    fixture.call("POST", &format!("/bulk/v1/leads.json?format=csv{query}"), Sent::file(csv)).await
}

async fn status(fixture: &Fixture, batch: &Value) -> Value {
    fixture.get(&format!("/bulk/v1/leads/batch/{batch}.json")).await.rows()[0].clone()
}

/// The status when the import is over.
async fn finished(fixture: &Fixture, batch: &Value) -> Value {
    for _ in 0..10_000 {
        let status = status(fixture, batch).await;
        if status["status"] == "Complete" || status["status"] == "Failed" {
            return status;
        }
        sleep(Duration::from_millis(1)).await;
    }
    panic!("the import does not end");
}

/// A file imported to the end: its id and last status.
async fn import(fixture: &Fixture, query: &str, csv: &str) -> (Value, Value) {
    let row = submit(fixture, query, csv).await.rows()[0].clone();
    assert_eq!(row["status"], "Queued");
    assert_eq!(row["importId"], json!(row["batchId"].to_string()));
    let last = finished(fixture, &row["batchId"]).await;
    (row["batchId"].clone(), last)
}

#[tokio::test]
async fn rows_are_written_and_put_on_the_list() {
    let fixture = Fixture::with(fast()).await;
    fixture.sandbox.seed_leads(vec![SeedLead::new("old@example.com")]).unwrap();
    let csv = "email,firstName,leadScore\r\nold@example.com,\"Zoë, \"\"Z\"\"\nline 2\",7\r\n\
               new@example.com,,\r\nbad,Bad,1\r\nworse@example.com,\"W, x\",14.1\r\nshort@example.com\r\n";
    let (batch, last) = import(&fixture, "&listId={list}", csv).await;
    assert_eq!(last["status"], "Complete");
    assert_eq!((&last["numOfLeadsProcessed"], &last["numOfRowsFailed"]), (&json!(2), &json!(3)));
    assert_eq!(last["message"], "Import completed with errors, 2 records imported (2 members), 3 failed");
    let failures = fixture.get(&format!("/bulk/v1/leads/batch/{batch}/failures.json")).await;
    assert!(
        failures.head.to_lowercase().contains("content-type: text/csv;charset=utf-8"),
        "{}",
        failures.head
    );
    assert_eq!(
        failures.body,
        "email,firstName,leadScore,Import Failure Reason\n\
         bad,Bad,1,Invalid value for field 'email' and value 'bad'\n\
         worse@example.com,\"W, x\",14.1,Invalid value for field 'leadScore' and value '14.1'\n\
         short@example.com,,,Invalid number of columns\n"
    );
    let warnings = fixture.get(&format!("/bulk/v1/leads/batch/{batch}/warnings.json")).await;
    assert_eq!(warnings.body, "email,firstName,leadScore,Import Warning Reason\n");
    assert_eq!(fixture.values("old@example.com", "firstName"), [json!("Zoë, \"Z\"\nline 2")]);
    assert_eq!(fixture.sandbox.member_emails(fixture.list).unwrap(), ["new@example.com", "old@example.com"]);
    let report = fixture.sandbox.report();
    assert_eq!((report.import_created, report.import_updated, report.members_added), (1, 1, 2));
    assert_eq!(report.import_failed[&1003], 3);
}

#[tokio::test]
async fn wrong_values_can_be_warnings_and_empty_cells_can_clear() {
    let options = Options {
        import_bad_values: BadValues::WarnAndDrop,
        import_empty_cells: EmptyCells::Clear,
        ..fast()
    };
    let fixture = Fixture::with(options).await;
    fixture.sync(vec![json!({ "email": "p@example.com", "firstName": "Old", "lastName": "Old" })]).await;
    let (batch, last) = import(&fixture, "", "email,firstName,leadScore\np@example.com,,x\n").await;
    assert_eq!((&last["numOfLeadsProcessed"], &last["numOfRowsWithWarning"]), (&json!(1), &json!(1)));
    let warnings = fixture.get(&format!("/bulk/v1/leads/batch/{batch}/warnings.json")).await.body;
    assert!(warnings.ends_with("p@example.com,,x,Invalid value for field 'leadScore' and value 'x'\n"));
    assert_eq!(fixture.values("p@example.com", "firstName"), [Value::Null]);
    assert_eq!(fixture.values("p@example.com", "lastName"), [json!("Old")]);
}

#[tokio::test]
async fn by_id_leads_are_updated_only_and_by_a_key_of_ones_own_too() {
    let fixture = Fixture::with(fast()).await;
    fixture.sandbox.add_field(Field::new("crmKey", DataType::String).searchable());
    fixture.sandbox.seed_leads(vec![SeedLead::new("old@example.com")]).unwrap();
    let (_, last) = import(&fixture, "&lookupField=id", "id,firstName,crmKey\n1,One,k1\n2,Two,k2\n").await;
    assert_eq!((&last["numOfLeadsProcessed"], &last["numOfRowsFailed"]), (&json!(1), &json!(1)));
    let (_, last) = import(&fixture, "&lookupField=crmKey", "crmKey,firstName\nk1,Again\nk2,New\n").await;
    assert_eq!(last["message"], "Import succeeded, 2 records imported (0 members), 0 failed");
    assert_eq!(fixture.values("old@example.com", "firstName"), [json!("Again")]);
    assert_eq!(fixture.sandbox.lead_count(), 2);
}

async fn check_refused(fixture: &Fixture, query: &str, sent: Sent, expected: u64) {
    let reply = fixture.call("POST", &format!("/bulk/v1/leads.json?{query}"), sent).await;
    assert_eq!(reply.code(), expected, "{query}");
}

#[tokio::test]
async fn refused_at_once() {
    let fixture = Fixture::with(fast()).await;
    let file = || Sent::file("email\na@example.com\n");
    check_refused(&fixture, "", file(), 1002).await;
    check_refused(&fixture, "format=xml", file(), 1003).await;
    check_refused(&fixture, "format=csv&lookupField=none", file(), 1006).await;
    check_refused(&fixture, "format=csv&listId=7", file(), 1013).await;
    check_refused(&fixture, "format=csv&partitionName=None", file(), 1008).await;
    check_refused(&fixture, "format=csv", Sent::json(&json!({})), 612).await;
    let mut unnamed = file();
    unnamed.body = String::from_utf8(unnamed.body).unwrap().replace("name=\"file\"", "name=\"leads\"").into();
    check_refused(&fixture, "format=csv", unnamed, 613).await;
    check_refused(&fixture, "format=csv", Sent::file(&"x".repeat(10 * 1024 * 1024)), 413).await;
    let reply = fixture.get("/bulk/v1/leads/batch/1.json").await;
    assert_eq!(reply.code(), 1013, "nothing was taken");
}

#[tokio::test]
async fn files_that_cannot_be_imported_fail() {
    let fixture = Fixture::with(fast()).await;
    for csv in ["", "firstName\nA\n", "email,nothing\na@example.com,1\n"] {
        let (_, last) = import(&fixture, "", csv).await;
        assert_eq!((&last["status"], &last["numOfLeadsProcessed"]), (&json!("Failed"), &json!(0)), "{csv:?}");
    }
    fixture.sandbox.trouble_import(ImportTrouble::Fails);
    fixture.sandbox.trouble_import(ImportTrouble::FailsHalfway);
    let csv = "email\na@example.com\nb@example.com\n";
    for processed in [0, 1] {
        let (_, last) = import(&fixture, "", csv).await;
        assert_eq!((&last["status"], &last["numOfLeadsProcessed"]), (&json!("Failed"), &json!(processed)));
    }
    assert_eq!(import(&fixture, "", csv).await.1["status"], "Complete");
}

#[tokio::test]
async fn two_run_eight_wait_and_one_a_list() {
    let fixture = Fixture::with(fast()).await;
    let file = "email\na@example.com\n";
    for _ in 0..2 {
        fixture.sandbox.trouble_import(ImportTrouble::NeverEnds);
    }
    submit(&fixture, "&listId={list}", file).await.rows();
    assert_eq!(submit(&fixture, "&listId={list}", file).await.code(), 1019);
    let path = "/rest/asset/v1/staticList/{list}/delete.json";
    assert_eq!(fixture.call("POST", path, Sent::default()).await.code(), 1022);
    for number in 1..10 {
        let list = fixture.sandbox.create_list(NewList::new(&format!("L{number}"))).unwrap();
        submit(&fixture, &format!("&listId={list}"), file).await.rows();
    }
    assert_eq!(submit(&fixture, "", file).await.code(), 1016);
    let first = json!(1);
    for _ in 0..10_000 {
        if status(&fixture, &first).await["numOfLeadsProcessed"] == 1 {
            break;
        }
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(status(&fixture, &first).await["status"], "Importing");
    assert_eq!(status(&fixture, &json!(3)).await["status"], "Queued");
    assert_eq!((fixture.sandbox.active_imports(), fixture.sandbox.report().most_imports), (10, 10));
}

#[tokio::test]
async fn others_take_places_too() {
    let others = OtherUsers { imports: 10, ..OtherUsers::default() };
    let fixture = Fixture::with(Options { others, ..fast() }).await;
    assert_eq!(submit(&fixture, "", "email\na@example.com\n").await.code(), 1016);
}

#[tokio::test]
async fn rows_take_their_time() {
    // Fifty minutes for the file: when it has just been taken, no row is due.
    let options = Options { import_rows_per_second: 1, import_queue_ms: 0, time_scale: 1.0, ..fast() };
    let fixture = Fixture::with(options).await;
    let rows: Vec<String> = (0..3000).map(|number| format!("p{number}@example.com")).collect();
    let batch =
        submit(&fixture, "", &format!("email\n{}", rows.join("\n"))).await.rows()[0]["batchId"].clone();
    let early = status(&fixture, &batch).await;
    assert_eq!(early["numOfLeadsProcessed"], 0);
    fixture.sandbox.set_pace(Pace { import_rows_per_second: Some(1_000_000), ..Pace::default() });
    let last = finished(&fixture, &batch).await;
    assert_eq!(last["numOfLeadsProcessed"], 3000);
}
