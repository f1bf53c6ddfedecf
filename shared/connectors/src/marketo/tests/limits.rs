//! Rate limits, quotas and transient errors.

use super::*;

/// Makes one call about one person, with a pacer that grants slots.
async fn call(answer: ResponseTemplate) -> (PushError, Arc<CountingPacer>, CallContext) {
    let server = serve().await;
    mount(&server, "POST", LEADS, answer).await;
    let (pacer, context) = paced();
    let error =
        connector(&server).push(&target(), Kind::Upsert, &frame(people(1)), &context).await.unwrap_err();
    for told in [error.to_string(), format!("{error:?}")] {
        assert!(!told.contains("jane") && !told.contains("cafe") && !told.contains("token-1"), "{told}");
    }
    (error, pacer, context)
}

#[tokio::test]
async fn one_call_too_many_slows_everybody_down_and_is_no_failure() {
    for code in ["606", "615"] {
        let (error, pacer, context) = call(refusal(code)).await;
        assert_eq!(error.kind, ErrorKind::RateLimited, "{code}");
        assert_eq!(error.retry, Retry::Wait(Duration::from_secs(5)), "{code}");
        assert_eq!((context.calls(), context.throttles()), (1, 1));
        assert_eq!(pacer.slowed.load(Ordering::Relaxed), 1, "{code}");
    }
}

#[tokio::test]
async fn a_spent_quota_pauses_the_connection() {
    let (error, pacer, context) = call(refusal("607")).await;
    assert_eq!((error.kind, error.retry), (ErrorKind::QuotaSpent, Retry::Pause(RESET)));
    assert_eq!((context.calls(), pacer.paused.load(Ordering::Relaxed)), (1, 1));
}

#[tokio::test]
async fn without_a_pacer_the_pause_ends_when_the_vendors_day_does() {
    let server = serve().await;
    mount(&server, "POST", LEADS, refusal("607")).await;
    let error = push(&connector(&server), &target(), people(1)).await.unwrap_err();
    let Retry::Pause(until) = error.retry else { panic!("no pause: {error}") };
    let left = until.duration_since(Timestamp::now());
    assert!(left.as_hours() < 25 && left.is_positive(), "{left}");
    assert_eq!(until.as_second() % 3_600, 300, "five minutes past");
}

#[tokio::test]
async fn every_attempt_takes_a_turn_and_tokens_take_none() {
    let server = serve().await;
    mount(
        &server,
        "POST",
        LEADS,
        InTurn::new([refusal("713"), refusal("608"), success(&json!([{"id": 1, "status": "created"}]))]),
    )
    .await;
    mount(&server, "POST", MEMBERS, members("added")).await;
    let (pacer, context) = paced();
    let pushed = connector(&server).push(&target(), Kind::Upsert, &frame(people(1)), &context).await;
    assert_eq!(done(pushed.unwrap()).len(), 1);
    assert_eq!((context.calls(), pacer.turns.load(Ordering::Relaxed)), (4, 4));
}

#[tokio::test]
async fn passing_trouble_is_told_as_such_and_lasting_trouble_stops() {
    let check = async |answer: ResponseTemplate, kind: ErrorKind, retry: Retry| {
        let (error, _, _) = call(answer).await;
        assert_eq!((error.kind, error.retry), (kind, retry), "{error}");
    };
    check(refusal("611"), ErrorKind::Unavailable, Retry::Backoff).await;
    check(refusal("604"), ErrorKind::Timeout, Retry::Backoff).await;
    check(refusal("9999"), ErrorKind::Protocol, Retry::Backoff).await;
    check(refusal("603"), ErrorKind::Permission, Retry::Never).await;
    check(refusal("1006"), ErrorKind::Settings, Retry::Never).await;
    check(ResponseTemplate::new(502), ErrorKind::Unavailable, Retry::Backoff).await;
    check(ResponseTemplate::new(200).set_body_string("{}"), ErrorKind::Protocol, Retry::Backoff).await;
    let fewer = success(&json!([]));
    check(fewer, ErrorKind::Protocol, Retry::Backoff).await;
}

#[tokio::test]
async fn a_missing_right_is_named_as_the_admin_pages_name_it() {
    let (error, _, _) = call(refusal("603")).await;
    assert!(error.message.contains("\"Read-Write Person\""), "{error}");
    assert!(error.message.contains("IP addresses"), "{error}");
}

#[tokio::test]
async fn what_prepares_a_run_waits_for_its_turn_itself() {
    let server = serve().await;
    let description = success(&preparing::description());
    mount(&server, "GET", preparing::DESCRIBE, InTurn::new([refusal("606"), refusal("615"), description]))
        .await;
    mount(&server, "GET", preparing::LIST, success(&json!([{"id": 1027, "name": "News"}]))).await;
    mount(&server, "GET", preparing::USAGE, success(&json!([]))).await;
    let connector = with_settings(&server, json!({"rate": {"calls": 50, "window_ms": 40}}));
    let (pacer, context) = paced();
    let export = preparing::export(&json!({}), &json!([]));
    let prepared = connector.prepare(&export, &preparing::existing("1027"), &context).await;
    assert!(prepared.is_ok(), "{prepared:?}");
    assert_eq!((context.throttles(), pacer.slowed.load(Ordering::Relaxed)), (2, 2));
}

#[tokio::test]
async fn without_time_no_piece_is_begun() {
    let server = serve().await;
    let context = CallContext::until(Instant::now() + Duration::from_secs(10));
    let pushed = connector(&server).push(&target(), Kind::Upsert, &frame(people(1)), &context).await;
    let error = pushed.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Timeout, Retry::Backoff));
    assert_eq!(requests(&server).await.len(), 0);
}

#[tokio::test]
async fn a_write_that_may_still_be_at_work_is_not_repeated_at_once() {
    let server = serve().await;
    mount(&server, "POST", LEADS, ResponseTemplate::new(502)).await;
    let error = push(&connector(&server), &target(), people(1)).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Unavailable, Retry::Backoff));
    assert_eq!(calls(&server).await.len(), 1);
}
