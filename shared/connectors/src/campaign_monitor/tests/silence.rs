//! No address, name, key or token is in any error, reason or log line.

use super::*;
use std::fmt::{Debug, Write};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const EMAIL: &str = "jane@example.com";
const TOKENS: &str = r#"{"access_token": "access-token-1", "refresh_token": "refresh-token-1", "expires_at": "2001-01-01T00:00:00Z"}"#;
const SECRETS: [&str; 9] = [
    EMAIL,
    "jane%40example.com",
    "example.com",
    "Jane Doe",
    "member of",
    API_KEY,
    "ZjAwZGZhY2",
    "access-token",
    "refresh-token",
];

/// Keeps the text of every event.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Other crates' events are the log filter's to hold back; these are ours.
        metadata.target().starts_with("relay")
    }

    fn event(&self, event: &Event<'_>) {
        let mut lines = self.0.lock().unwrap();
        event.record(&mut Fields(&mut lines));
        lines.push('\n');
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// All that a piece of work says of itself.
fn said<T: Debug>(results: Result<T, PushError>) -> String {
    match results {
        Ok(results) => format!("{results:?}"),
        Err(error) => format!("{error} {error:?}"),
    }
}

fn answers() -> Vec<ResponseTemplate> {
    let failing = |code: i64, email: &str| {
        json!({"Code": 210, "Message": EMAIL, "ResultData": {
            "TotalUniqueEmailsSubmitted": 3,
            "TotalExistingSubscribers": 0,
            "TotalNewSubscribers": 0,
            "DuplicateEmailsInSubmission": [EMAIL],
            "FailureDetails": [{"EmailAddress": email, "Code": code, "Message": EMAIL}],
        }})
    };
    let codes = [
        1, 50, 60, 100, 101, 102, 120, 121, 122, 201, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212, 214,
        215, 220, 221, 250, 278, 403, 404, 429, 500, 9_999,
    ];
    let mut answers: Vec<_> = codes.iter().map(|code| refusal(400, *code)).collect();
    answers.extend(codes.iter().map(|code| ResponseTemplate::new(400).set_body_json(failing(*code, EMAIL))));
    answers.push(ResponseTemplate::new(400).set_body_json(failing(1, "jane@other.example.com")));
    answers.extend(
        [200, 201, 302, 401, 413, 429, 500]
            .map(|status| ResponseTemplate::new(status).set_body_string(EMAIL)),
    );
    answers.push(ResponseTemplate::new(200).set_body_json(json!({"State": EMAIL, "EmailAddress": EMAIL})));
    answers.push(ResponseTemplate::new(200).set_body_json(json!([{"ClientID": EMAIL}])));
    answers
        .push(ResponseTemplate::new(400).set_body_json(json!({"Code": EMAIL, "error": "refresh-token-1"})));
    answers
}

#[tokio::test]
async fn nothing_personal_and_no_credential_is_ever_said() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());
    let http = HttpClient::new().unwrap();
    for answer in answers() {
        let server = MockServer::start().await;
        Mock::given(wiremock::matchers::any()).respond_with(answer).mount(&server).await;
        for secret in [API_KEY_SECRET, TOKENS] {
            check_all(&server, http.clone(), secret).await;
        }
    }
    let server = MockServer::start().await;
    for secret in ["access-token-1", r#"{"api_key": 5, "access_token": "access-token-1"}"#] {
        check_all(&server, http.clone(), secret).await;
    }
    let lines = lines.0.lock().unwrap();
    assert!(lines.contains("do not add up") && lines.contains("not_named"), "{lines}");
    check(&lines);
}

/// Asks a connector everything that it can be asked.
async fn check_all(server: &MockServer, http: HttpClient, secret: &str) {
    let (endpoint, store) = (Endpoint::parse(&server.uri(), DOMAINS).unwrap(), MemoryStore::new(secret));
    let pause = Duration::from_millis(1);
    let connector =
        CampaignMonitor::with_pauses(endpoint, http, &Map::new(), store, pause, pause).ok().unwrap();
    let rejoiner = Row { is_rejoin: true, ..row(EMAIL) };
    let export = preparing::export(&json!({"consent_to_track": "yes"}), &json!([]));
    let prepared = connector.prepare(&export, &WantedList::Existing(target().list_id), &context()).await;
    check(&said(upsert(&connector, [rejoiner]).await));
    check(&said(remove(&connector, &[EMAIL]).await));
    check(&said(connector.check(&context()).await.map(|account| account.notices)));
    check(&said(prepared.map(|prepared| prepared.notices)));
}

#[track_caller]
fn check(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in: {text}");
    }
}
