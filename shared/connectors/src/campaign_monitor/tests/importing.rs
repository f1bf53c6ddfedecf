//! Additions and changes.

use super::*;
use OutcomeKind::{Deferred, Rejected, Skipped};
use Standing::{FollowsOutcome, NotOurs};

#[tokio::test]
async fn everybody_is_imported_in_one_call_that_resubscribes_nobody() {
    let server = MockServer::start().await;
    mount(&server, "POST", IMPORT_PATH, Importing(|_: &str, _| None)).await;
    let context = context();
    let results = pushed(&with_key(&server), Kind::Upsert, &frame(emails(1_000)), &context).await.unwrap();
    assert_eq!(told(&results), vec![APPLIED; 1_000]);
    let requests = requests(&server).await;
    assert_eq!((requests.len(), context.calls()), (1, 1));
    let body: Value = requests[0].body_json().unwrap();
    assert_eq!(body["Resubscribe"], false);
    assert_eq!(body["Subscribers"].as_array().unwrap().len(), 1_000);
    assert_eq!(requests[0].headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(
        requests[0].headers["authorization"],
        "Basic ZjAwZGZhY2VmMDBkZmFjZWYwMGRmYWNlZjAwZGZhY2U6eA=="
    );
}

#[tokio::test]
async fn an_empty_batch_costs_no_call() {
    let server = MockServer::start().await;
    assert_eq!(upsert(&with_key(&server), []).await.unwrap(), []);
    assert_eq!(remove(&with_key(&server), &[]).await.unwrap(), []);
    assert_eq!(requests(&server).await.len(), 0);
}

#[tokio::test]
async fn rows_that_fail_are_told_by_code_and_the_others_are_applied() {
    let server = MockServer::start().await;
    let code = |email: &str, _| email.split_once('@')?.0.strip_prefix("code")?.parse().ok();
    mount(&server, "POST", IMPORT_PATH, Importing(code)).await;
    let codes = [1, 204, 205, 206, 207, 208, 220, 221, 429, 9_999];
    let mut rows = vec![row("fine@example.com")];
    rows.extend(codes.map(|code| row(&format!("code{code}@example.com"))));
    let results = upsert(&with_key(&server), rows).await.unwrap();
    let expected = [
        APPLIED,
        (Rejected, "campaign_monitor_1", FollowsOutcome),
        (Skipped, "campaign_monitor_204", NotOurs),
        (Skipped, "campaign_monitor_205", NotOurs),
        (Skipped, "campaign_monitor_206", NotOurs),
        (Skipped, "campaign_monitor_207", NotOurs),
        (Skipped, "campaign_monitor_208", FollowsOutcome),
        (Rejected, "campaign_monitor_220", FollowsOutcome),
        (Rejected, "campaign_monitor_221", FollowsOutcome),
        (Deferred, "campaign_monitor_429", FollowsOutcome),
        (Deferred, "campaign_monitor_9999", FollowsOutcome),
    ];
    assert_eq!(told(&results), expected);
    assert_eq!(requests(&server).await.len(), 1, "nobody is sent again");
}

#[tokio::test]
async fn failures_are_matched_without_regard_to_case_and_codes_may_be_texts() {
    let server = MockServer::start().await;
    let answer = json!({"Code": "210", "Message": "", "ResultData": {
        "TotalUniqueEmailsSubmitted": 2,
        "TotalExistingSubscribers": 1,
        "TotalNewSubscribers": 0,
        "DuplicateEmailsInSubmission": [],
        "FailureDetails": [{"EmailAddress": "JANE@Example.com", "Code": "206", "Message": "Is Unsubscribed"}],
    }});
    mount(&server, "POST", IMPORT_PATH, ResponseTemplate::new(200).set_body_json(answer)).await;
    let results =
        upsert(&with_key(&server), [row("jane@example.com"), row("john@example.com")]).await.unwrap();
    let skipped = (Skipped, "campaign_monitor_206", NotOurs);
    assert_eq!(told(&results), [skipped, APPLIED]);
}

#[tokio::test]
async fn where_a_failure_names_nobody_that_was_sent_nobody_is_called_applied() {
    let server = MockServer::start().await;
    let answer = json!({"Code": 210, "Message": "", "ResultData": {
        "TotalUniqueEmailsSubmitted": 2,
        "TotalExistingSubscribers": 0,
        "TotalNewSubscribers": 0,
        "FailureDetails": [
            {"EmailAddress": "jane@example.com", "Code": 1},
            {"EmailAddress": "somebody@else.com", "Code": 1},
        ],
    }});
    mount(&server, "POST", IMPORT_PATH, ResponseTemplate::new(400).set_body_json(answer)).await;
    let results =
        upsert(&with_key(&server), [row("jane@example.com"), row("john@example.com")]).await.unwrap();
    let expected =
        [(Rejected, "campaign_monitor_1", FollowsOutcome), (Deferred, "failure_not_named", FollowsOutcome)];
    assert_eq!(told(&results), expected);
}

#[tokio::test]
async fn a_connection_with_smaller_bodies_makes_more_calls_and_refuses_a_row_that_fits_none() {
    let server = MockServer::start().await;
    mount(&server, "POST", IMPORT_PATH, Importing(|_: &str, _| None)).await;
    let settings = json!({"max_body_bytes": 16_384});
    let connector = connector(&server, MemoryStore::new(API_KEY_SECRET), settings);
    let mut rows = emails(300);
    rows[7].values = vec![(0, FieldValue::Text("\n".repeat(9_000)))];
    let results = upsert(&connector, rows).await.unwrap();
    let mut expected = vec![APPLIED; 300];
    expected[7] = (Rejected, "row_too_large", FollowsOutcome);
    assert_eq!(told(&results), expected);
    let requests = requests(&server).await;
    assert!(requests.len() > 2, "{}", requests.len());
    assert!(requests.iter().all(|request| request.body.len() <= 16_384));
    assert_eq!(requests.iter().map(|request| sent_emails(request).len()).sum::<usize>(), 299);
}

#[tokio::test]
async fn more_rows_than_a_call_takes_are_several_calls() {
    let server = MockServer::start().await;
    mount(&server, "POST", IMPORT_PATH, Importing(|_: &str, _| None)).await;
    let results = upsert(&with_key(&server), emails(1_001)).await.unwrap();
    assert_eq!(told(&results), vec![APPLIED; 1_001]);
    let sizes: Vec<usize> =
        requests(&server).await.iter().map(|request| sent_emails(request).len()).collect();
    assert_eq!(sizes, [1_000, 1]);
}

#[tokio::test]
async fn what_the_service_finds_too_large_is_sent_in_halves() {
    struct AtMost(usize);
    impl Respond for AtMost {
        fn respond(&self, request: &Request) -> ResponseTemplate {
            let emails = sent_emails(request);
            if emails.len() > self.0 || emails.contains(&"person5@example.com".to_owned()) {
                ResponseTemplate::new(413).set_body_string("<html>too large</html>")
            } else {
                imported(emails.len())
            }
        }
    }
    let server = MockServer::start().await;
    mount(&server, "POST", IMPORT_PATH, AtMost(3)).await;
    let results = upsert(&with_key(&server), emails(10)).await.unwrap();
    let mut expected = vec![APPLIED; 10];
    expected[5] = (Rejected, "row_too_large", FollowsOutcome);
    assert_eq!(told(&results), expected);
}
