//! Removals.

use super::*;
use std::collections::HashMap;

/// A list of people by address, with their states; responds to lookups and deletions as documented.
#[derive(Clone, Default)]
struct People {
    states: Arc<Mutex<HashMap<String, &'static str>>>,
    /// Deletions that are carried out but answered with 502.
    lost_answers: Arc<Mutex<u32>>,
    /// Addresses, and the response to every call about them.
    broken: Arc<Mutex<HashMap<String, (u16, i64)>>>,
}

impl People {
    fn new(people: &[(&str, &'static str)]) -> Self {
        let states = people.iter().map(|(email, state)| ((*email).to_owned(), *state)).collect();
        Self { states: Arc::new(Mutex::new(states)), ..Self::default() }
    }

    fn break_for(self, email: &str, status: u16, code: i64) -> Self {
        self.broken.lock().unwrap().insert(email.to_owned(), (status, code));
        self
    }

    fn state(&self, email: &str) -> Option<&'static str> {
        self.states.lock().unwrap().get(email).copied()
    }

    async fn serve(&self) -> MockServer {
        let server = MockServer::start().await;
        mount(&server, "GET", PERSON_PATH, self.clone()).await;
        mount(&server, "DELETE", PERSON_PATH, self.clone()).await;
        server
    }
}

impl Respond for People {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let (_, email) = request.url.query_pairs().find(|(name, _)| name == "email").unwrap();
        if let Some((status, code)) = self.broken.lock().unwrap().get(email.as_ref()) {
            return refusal(*status, *code);
        }
        let mut states = self.states.lock().unwrap();
        let Some(state) = states.get_mut(email.as_ref()) else {
            return refusal(400, 203);
        };
        if request.method.as_str() == "GET" {
            let body =
                json!({"EmailAddress": email, "Name": "Jane Doe", "State": *state, "CustomFields": []});
            return ResponseTemplate::new(200).set_body_json(body);
        }
        *state = "Deleted";
        let mut lost = self.lost_answers.lock().unwrap();
        if *lost > 0 {
            *lost -= 1;
            return ResponseTemplate::new(502);
        }
        ResponseTemplate::new(200)
    }
}

const FOLLOWS: Standing = Standing::FollowsOutcome;

#[tokio::test]
async fn only_members_are_deleted_and_everybody_else_stays_what_they_are() {
    let people = People::new(&[
        ("active+tag@example.com", "Active"),
        ("unconfirmed@example.com", "Unconfirmed"),
        ("unsubscribed@example.com", "Unsubscribed"),
        ("bounced@example.com", "Bounced"),
        ("deleted@example.com", "Deleted"),
        ("suppressed@example.com", "Suppressed"),
        ("strange@example.com", "Strange"),
    ]);
    let server = people.serve().await;
    let emails = [
        "active+tag@example.com",
        "unconfirmed@example.com",
        "unsubscribed@example.com",
        "bounced@example.com",
        "deleted@example.com",
        "suppressed@example.com",
        "strange@example.com",
        "nobody@example.com",
    ];
    let results = remove(&with_key(&server), &emails).await.unwrap();
    let left = |code| (OutcomeKind::Skipped, code, Standing::NotOurs);
    let expected = [
        APPLIED,
        APPLIED,
        left("campaign_monitor_unsubscribed"),
        left("campaign_monitor_bounced"),
        (OutcomeKind::Added, "", Standing::NotOurs),
        left("campaign_monitor_suppressed"),
        (OutcomeKind::Deferred, "answer_unknown", FOLLOWS),
        (OutcomeKind::Added, "", Standing::NotOurs),
    ];
    assert_eq!(told(&results), expected);
    let deletions =
        requests(&server).await.iter().filter(|request| request.method.as_str() == "DELETE").count();
    assert_eq!(deletions, 2);
    assert_eq!(people.state("unsubscribed@example.com"), Some("Unsubscribed"));
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_still_ours() {
    let people = People::new(&[("jane@example.com", "Active")]);
    *people.lost_answers.lock().unwrap() = 1;
    let server = people.serve().await;
    let results = remove(&with_key(&server), &["jane@example.com"]).await.unwrap();
    assert_eq!(told(&results), [APPLIED]);
    assert_eq!(requests(&server).await.len(), 3, "look up, delete, look up");
}

#[tokio::test]
async fn a_row_that_breaks_the_service_is_deferred_and_the_others_go() {
    let people = People::new(&[("jane@example.com", "Active"), ("john@example.com", "Active")])
        .break_for("poison@example.com", 500, 500)
        .break_for("odd@example.com", 400, 9_999)
        .break_for("wrong@example.com", 400, 1);
    let server = people.serve().await;
    let emails = [
        "poison@example.com",
        "jane@example.com",
        "odd@example.com",
        "wrong@example.com",
        "john@example.com",
    ];
    let results = remove(&with_key(&server), &emails).await.unwrap();
    let expected = [
        (OutcomeKind::Deferred, "destination_unavailable", FOLLOWS),
        APPLIED,
        (OutcomeKind::Deferred, "campaign_monitor_9999", FOLLOWS),
        (OutcomeKind::Rejected, "campaign_monitor_1", FOLLOWS),
        APPLIED,
    ];
    assert_eq!(told(&results), expected);
}

#[tokio::test]
async fn trouble_in_the_middle_defers_the_rest_and_keeps_what_is_done() {
    let check = async |status: u16, code: i64, reason: &str| {
        let people = People::new(&[("jane@example.com", "Active"), ("john@example.com", "Active")])
            .break_for("trouble@example.com", status, code);
        let server = people.serve().await;
        let emails = ["jane@example.com", "trouble@example.com", "john@example.com"];
        let results = remove(&with_key(&server), &emails).await.unwrap();
        let deferred = (OutcomeKind::Deferred, reason, FOLLOWS);
        assert_eq!(told(&results), [APPLIED, deferred, deferred], "{code}");
        assert_eq!(people.state("john@example.com"), Some("Active"), "{code}");
    };
    check(401, 100, "authentication_failed").await;
    check(401, 60, "permission_missing").await;
    check(429, 429, "rate_limited").await;
}

#[tokio::test]
async fn trouble_before_anything_is_known_fails_the_batch() {
    let check = async |status: u16, code: i64, expected: ErrorKind| {
        let people = People::new(&[("last@example.com", "Active")])
            .break_for("a@example.com", status, code)
            .break_for("b@example.com", status, code)
            .break_for("c@example.com", status, code);
        let server = people.serve().await;
        let emails = ["a@example.com", "b@example.com", "c@example.com", "last@example.com"];
        let error = remove(&with_key(&server), &emails).await.unwrap_err();
        assert_eq!(error.kind, expected);
        assert_eq!(people.state("last@example.com"), Some("Active"));
    };
    check(401, 100, ErrorKind::Authentication).await;
    check(429, 429, ErrorKind::RateLimited).await;
    check(503, 500, ErrorKind::Unavailable).await;
    check(418, 9_999, ErrorKind::Protocol).await;
}

#[tokio::test]
async fn without_time_nobody_is_begun() {
    let server = People::new(&[("jane@example.com", "Active")]).serve().await;
    let rows = [Row { operation: Operation::Remove, ..row("jane@example.com") }];
    let context = CallContext::until(Instant::now() + Duration::from_secs(1));
    let error = pushed(&with_key(&server), Kind::Remove, &frame(rows), &context).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Timeout, Retry::Backoff));
    assert_eq!(requests(&server).await.len(), 0);
}
