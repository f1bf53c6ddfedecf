//! Additions and changes by bulk import.

use super::*;
use OutcomeKind::{Added, Deferred, Rejected};

const STATUS: &str = "/bulk/v1/leads/batch/3404.json";
const FAILURES: &str = "/bulk/v1/leads/batch/3404/failures.json";
const WARNINGS: &str = "/bulk/v1/leads/batch/3404/warnings.json";

fn by_file() -> MarketoTarget {
    MarketoTarget { way: Way::BulkImport, ..target() }
}

fn job() -> MarketoJob {
    MarketoJob { batch_id: 3_404, submitted_at: Timestamp::now(), looks: 0 }
}

fn status(word: &str, processed: u64, failed: u64, warnings: u64) -> ResponseTemplate {
    success(&json!([{
        "batchId": 3404,
        "status": word,
        "numOfLeadsProcessed": processed,
        "numOfRowsFailed": failed,
        "numOfRowsWithWarning": warnings,
        "message": "jane@example.com was imported",
    }]))
}

fn file(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(text.as_bytes().to_vec(), "text/csv;charset=UTF-8")
}

async fn look(
    server: &MockServer,
    rows: impl IntoIterator<Item = Row>,
) -> Result<Pushed<MarketoJob>, PushError> {
    connector(server).poll(&by_file(), job(), &frame(rows), &context()).await
}

#[tokio::test]
async fn a_batch_is_submitted_as_one_file_straight_into_the_list() {
    let server = serve().await;
    let accepted = json!([{"batchId": 3404, "importId": "3404", "status": "Queued"}]);
    mount(&server, "POST", IMPORT, success(&accepted)).await;
    let target = MarketoTarget { partition: Some("EMEA".to_owned()), ..by_file() };
    match push(&connector(&server), &target, people(2)).await.unwrap() {
        Pushed::Accepted { job, look_after } => {
            assert_eq!((job.batch_id, job.looks), (3_404, 0));
            assert_eq!(look_after, Duration::from_secs(5));
            let json = serde_json::to_string(&job).unwrap();
            assert!(!json.contains("example.com"), "{json}");
        }
        other => panic!("not accepted: {other:?}"),
    }
    let all = requests(&server).await;
    let submitted = all.iter().find(|request| request.url.path() == IMPORT).unwrap();
    let query = "format=csv&listId=1027&lookupField=email&partitionName=EMEA";
    assert_eq!(submitted.url.query(), Some(query));
    let content_type = submitted.headers["content-type"].to_str().unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"leads.csv\"\r\n\
         Content-Type: text/csv\r\n\r\nemail,firstName\nperson0@example.com,Jane\nperson1@example.com,Jane\n\r\n\
         --{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8(submitted.body.clone()).unwrap(), expected);
}

#[tokio::test]
async fn a_busy_list_or_queue_is_waited_for() {
    for code in ["1016", "1019"] {
        let server = serve().await;
        mount(&server, "POST", IMPORT, refusal(code)).await;
        let error = push(&connector(&server), &by_file(), people(2)).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Busy, Retry::Wait(Duration::from_secs(30))));
        assert_eq!(calls(&server).await.len(), 1, "not submitted again at once");
    }
}

#[tokio::test]
async fn a_submission_that_may_have_been_taken_is_not_repeated_at_once() {
    let server = serve().await;
    mount(&server, "POST", IMPORT, ResponseTemplate::new(502)).await;
    let error = push(&connector(&server), &by_file(), people(2)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Unavailable, Retry::Backoff));
    assert_eq!(calls(&server).await.len(), 1);
}

#[tokio::test]
async fn a_file_that_is_too_large_and_rows_that_clear_fields_go_by_calls() {
    let server = serve().await;
    mount(&server, "POST", IMPORT, ResponseTemplate::new(413)).await;
    mount(&server, "POST", LEADS, created).await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let results = done(push(&connector(&server), &by_file(), people(2)).await.unwrap());
    assert_eq!(results.len(), 2);
    let mut rows = people(2);
    rows[1].values = vec![(0, FieldValue::Clear)];
    let results = done(push(&connector(&server), &by_file(), rows).await.unwrap());
    assert_eq!(results.len(), 2);
    let submissions = calls(&server).await.iter().filter(|call| call.ends_with(IMPORT)).count();
    assert_eq!(submissions, 1);
}

#[tokio::test]
async fn a_running_import_is_looked_after_less_and_less_often() {
    for word in ["Queued", "Importing"] {
        let server = serve().await;
        mount(&server, "GET", STATUS, status(word, 0, 0, 0)).await;
        match look(&server, people(2)).await.unwrap() {
            Pushed::Accepted { job, look_after } => {
                assert_eq!((job.batch_id, job.looks), (3_404, 1));
                assert_eq!(look_after, Duration::from_secs(10));
            }
            other => panic!("not accepted: {other:?}"),
        }
    }
}

#[tokio::test]
async fn an_import_without_failures_applies_everybody_in_one_call() {
    let server = serve().await;
    mount(&server, "GET", STATUS, status("Complete", 2, 0, 0)).await;
    let results = done(look(&server, people(2)).await.unwrap());
    assert_eq!(told(&results), vec![ours(Added, "", None); 2]);
    assert_eq!(calls(&server).await.len(), 1);
}

#[tokio::test]
async fn refused_rows_are_told_and_identical_ones_kept_apart() {
    let server = serve().await;
    mount(&server, "GET", STATUS, status("Complete", 4, 3, 1)).await;
    let failures = "email,firstName,Import Failure Reason\n\
                    twin@example.com,Jane,Multiple lead match lookup criteria\n\
                    comma@example.com,\"Jane, \"\"JD\"\"\nDoe\",Invalid value for field 'firstName' and value 'Jane'\n\
                    trimmed@example.com,Jane,jane@example.com is not welcome\n";
    mount(&server, "GET", FAILURES, file(failures)).await;
    let warnings = "email,firstName,Import Warning Reason\nfine@example.com,Jane,Shortened\n";
    mount(&server, "GET", WARNINGS, file(warnings)).await;
    let comma = Row {
        values: vec![(0, FieldValue::Text("Jane, \"JD\"\nDoe".to_owned()))],
        ..row("comma@example.com")
    };
    let trimmed =
        Row { values: vec![(0, FieldValue::Text(" Jane ".to_owned()))], ..row("trimmed@example.com") };
    let rows = [
        row("fine@example.com"),
        row("twin@example.com"),
        row("twin@example.com"),
        comma,
        trimmed,
        row("other@example.com"),
        row("more@example.com"),
    ];
    let results = done(look(&server, rows).await.unwrap());
    let applied = ours(Added, "", None);
    let expected = [
        applied,
        ours(Rejected, "marketo_1007", None),
        applied,
        ours(Rejected, "marketo_1003", None),
        ours(Rejected, "marketo_import_refused", None),
        applied,
        applied,
    ];
    assert_eq!(told(&results), expected);
    for result in &results {
        let text = result.outcome.reason().map_or("", |reason| &reason.text);
        assert!(!text.contains("jane"), "{text}");
    }
}

#[tokio::test]
async fn where_the_counts_do_not_add_up_nobody_is_called_applied_who_may_not_be() {
    let check = async |processed: u64, failed: u64, failures: &str, expected: [(OutcomeKind, &str); 3]| {
        let server = serve().await;
        mount(&server, "GET", STATUS, status("Complete", processed, failed, 0)).await;
        mount(&server, "GET", FAILURES, file(failures)).await;
        let results = done(look(&server, people(3)).await.unwrap());
        let found: Vec<_> = told(&results).into_iter().map(|result| (result.0, result.1)).collect();
        assert_eq!(found, expected, "{processed} {failed}");
    };
    let header = "email,firstName,Import Failure Reason";
    let second = format!("{header}\nperson1@example.com,Jane,Multiple lead match lookup criteria");
    let refused = (Rejected, "marketo_1007");
    let open = (Deferred, "failure_not_named");
    let applied = (Added, "");
    check(2, 1, &second, [applied, refused, applied]).await;
    check(3, 1, &second, [applied, refused, applied]).await;
    check(1, 2, &second, [open, refused, open]).await;
    check(1, 1, &second, [open, refused, open]).await;
    check(2, 1, header, [open, open, open]).await;
    check(2, 0, header, [open, open, open]).await;
    let stranger = format!("{header}\nstranger@example.com,Jane,Multiple lead match lookup criteria");
    check(2, 1, &stranger, [open, open, open]).await;
}

#[tokio::test]
async fn an_import_that_failed_is_left_to_the_next_run() {
    let server = serve().await;
    mount(&server, "GET", STATUS, status("Failed", 0, 0, 0)).await;
    let error = look(&server, people(2)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Unavailable, Retry::Never));
    assert!(error.message.contains("failed as a whole") && !error.message.contains("jane"), "{error}");
}

#[tokio::test]
async fn an_import_that_never_ends_is_given_up() {
    let server = serve().await;
    mount(&server, "GET", STATUS, status("Importing", 0, 0, 0)).await;
    let connector = with_settings(&server, json!({"import_gives_up_after_minutes": 30}));
    let check = async |minutes: i64, is_given_up: bool| {
        let submitted_at = Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
        let job = MarketoJob { submitted_at, ..job() };
        let pushed = connector.poll(&by_file(), job, &frame(people(1)), &context()).await;
        assert_eq!(pushed.is_err(), is_given_up, "{minutes}");
        if let Err(error) = pushed {
            assert_eq!((error.kind, error.retry), (ErrorKind::Timeout, Retry::Never));
            assert!(error.message.contains("within 30 minutes"), "{error}");
        }
    };
    check(29, false).await;
    check(31, true).await;
}

#[tokio::test]
async fn a_report_that_cannot_be_read_now_is_asked_for_again() {
    let server = serve().await;
    mount(&server, "GET", STATUS, status("Complete", 0, 1, 0)).await;
    mount(&server, "GET", FAILURES, refusal("611")).await;
    let error = look(&server, people(1)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Unavailable, Retry::Backoff));
}
