//! Errors: an organisation that is busy, broken or changed by others.

use super::*;
use ErrorKind::{Busy, ListMissing, Permission, Protocol, RateLimited, Unavailable};

fn throttled(code: &str, seconds: &str) -> ResponseTemplate {
    refusal(429, code).insert_header("retry-after", seconds)
}

#[tokio::test]
async fn a_list_that_is_locked_in_mid_run_leaves_the_rest_to_the_next_run() {
    for (code, words) in [("0x80040302", "unlock it"), ("0x8004033A", "activate it")] {
        let dataverse = Dataverse::with(0..20);
        let server = organisation(&dataverse).await;
        let settings = json!({"first_members": 10, "largest_members": 10});
        let sales = connector(&server, MemoryStore::new(SECRET), &settings);
        done(add(&sales, 0..10).await);
        dataverse.world().refusals = vec![refusal(400, code)];
        let error = add(&sales, 10..20).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (Busy, Retry::Never));
        assert!(error.message.contains(words) && !error.message.contains('@'), "{error}");
        assert_eq!(sizes(&server, ADD_PATH).await, [10, 10], "it is not tried again");
    }
}

#[tokio::test]
async fn a_list_that_its_owner_deletes_is_found_out_by_one_look() {
    let dataverse = Dataverse::with(0..64);
    dataverse.world().is_list_gone = true;
    let server = organisation(&dataverse).await;
    let error = add(&sales(&server), 0..64).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ListMissing, Retry::Never));
    assert!(error.message.contains("was deleted"), "{error}");
    assert_eq!((sizes(&server, ADD_PATH).await, calls(&server, LIST_PATH).await.len()), (vec![64], 1));
}

#[tokio::test]
async fn short_waits_are_waited_and_long_ones_go_back_to_the_queue() {
    let check = async |answer: ResponseTemplate, expected: Retry, calls: usize| {
        let dataverse = Dataverse::with(0..4);
        let server = organisation(&dataverse).await;
        dataverse.world().refusals = vec![answer];
        let context = context();
        let frame = frame(0..4, Operation::Add);
        let pushed = sales(&server).push(&target(), Kind::Upsert, &frame, &context).await;
        match expected {
            Retry::Never => assert_eq!(done(pushed).len(), 4),
            expected => {
                let error = pushed.unwrap_err();
                assert_eq!((error.kind, error.retry), (RateLimited, expected), "{error}");
            }
        }
        assert_eq!((context.throttles(), sizes(&server, ADD_PATH).await.len()), (1, calls));
    };
    check(throttled("0x80072322", "240"), Retry::After(Duration::from_mins(4)), 1).await;
    check(throttled("0x80072321", "60"), Retry::After(Duration::from_mins(1)), 1).await;
    check(throttled("0x80072326", "0"), Retry::Never, 2).await;
    check(throttled("0x80072322", "999999"), Retry::After(Duration::from_hours(1)), 1).await;
    check(refusal(429, "0x80072322"), Retry::After(Duration::from_mins(1)), 1).await;
    check(refusal(429, "0x80072326"), Retry::Never, 2).await;
    check(ResponseTemplate::new(429), Retry::Never, 2).await;
}

#[tokio::test]
async fn what_was_done_before_a_long_wait_is_kept() {
    let dataverse = Dataverse::with(0..20);
    let server = organisation(&dataverse).await;
    let settings = json!({"first_members": 5, "largest_members": 5});
    let sales = connector(&server, MemoryStore::new(SECRET), &settings);
    dataverse.world().going = vec![contact(1)];
    dataverse.world().refusals =
        vec![throttled("0x80072322", "240"), refusal(503, ""), refusal(500, "0x80044150")];
    // The call waits after the first two refusals and leaves the third to the queue.
    let error = add(&sales, 0..20).await.unwrap_err();
    assert_eq!(error.retry, Retry::After(Duration::from_mins(4)));
    dataverse.world().poisons.insert(contact(7), (429, "0x80072322"));
    let (results, error) = partly(add(&sales, 0..20).await);
    let expected = [ADDED, NOT_IN_SALES, ADDED, ADDED, ADDED, ADDED];
    assert_eq!((told(&results, Operation::Add), error.kind), (expected.to_vec(), RateLimited));
}

#[tokio::test]
async fn refusals_of_the_whole_call_are_errors_of_the_batch() {
    let check = async |answer: ResponseTemplate, kind: ErrorKind, retry: Retry, words: &str| {
        let dataverse = Dataverse::with(0..4);
        let server = organisation(&dataverse).await;
        dataverse.world().refusals = vec![answer; 9];
        let error = add(&sales(&server), 0..4).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry), "{error}");
        assert!(error.message.contains(words) && !error.to_string().contains("jane"), "{error}");
    };
    check(refusal(500, "0x80044150"), Unavailable, Retry::Backoff, "deadlock").await;
    check(ResponseTemplate::new(502).set_body_string("<html>"), Unavailable, Retry::Backoff, "").await;
    check(refusal(403, "0x80072560"), Permission, Retry::Never, "application user").await;
    check(refusal(403, ""), Permission, Retry::Never, "administration mode").await;
    check(refusal(400, "0x8004F701"), ErrorKind::Settings, Retry::Never, "dynamic").await;
    check(refusal(404, "0x8006088A"), ErrorKind::Settings, Retry::Never, "installed").await;
    check(ResponseTemplate::new(302), Protocol, Retry::Never, "elsewhere").await;
    let missing =
        json!({"error": {"code": "0x80040220", "message": "jane is missing prvAppendToList privilege"}});
    let missing = ResponseTemplate::new(403).set_body_json(missing);
    check(missing, Permission, Retry::Never, "the privilege prvAppendToList").await;
}

#[tokio::test]
async fn a_throttled_part_of_a_batch_is_a_throttle() {
    let server = server().await;
    let part = "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 429 Too Many Requests\r\nRetry-After: 240\r\n\r\n\
                {\"error\":{\"code\":\"0x80072322\"}}\r\n--b--\r\n";
    let answer = ResponseTemplate::new(200).set_body_raw(part, "multipart/mixed; boundary=b");
    mount(&server, "POST", BATCH_PATH, answer).await;
    let context = context();
    let frame = frame(0..4, Operation::Add);
    let error = sales(&server).push(&target(), Kind::Upsert, &frame, &context).await.unwrap_err();
    assert_eq!((error.retry, context.throttles()), (Retry::After(Duration::from_mins(4)), 1));
}

#[tokio::test]
async fn with_no_time_left_nothing_is_begun() {
    let dataverse = Dataverse::with(0..4);
    let server = organisation(&dataverse).await;
    let context = CallContext::until(Instant::now() + Duration::from_millis(1_500));
    let frame = frame(0..4, Operation::Add);
    let error = sales(&server).push(&target(), Kind::Upsert, &frame, &context).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Timeout, Retry::Backoff));
    assert_eq!(sizes(&server, ADD_PATH).await.len(), 0);
}
