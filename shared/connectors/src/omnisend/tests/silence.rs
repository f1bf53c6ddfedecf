//! No address, name or key is in any error, reason, job or log line.

use super::*;
use std::fmt::{Debug, Write};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use wiremock::Mock;

const EMAIL: &str = "jane@example.com";
const SECRETS: [&str; 6] = [EMAIL, "jane%40example.com", "example.com", "\"Jane\"", "member of", API_KEY];

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

/// Answers of every kind, all of which repeat what was sent.
fn answers() -> Vec<ResponseTemplate> {
    let words = format!("{EMAIL} \"Jane\" {API_KEY}");
    let error = json!({"error": words, "fields": {"0": [words]}, "title": words, "detail": words});
    let mut answers: Vec<ResponseTemplate> =
        [400, 401, 403, 404, 408, 409, 410, 413, 418, 422, 429, 500, 503]
            .map(|status| ResponseTemplate::new(status).set_body_json(&error))
            .into();
    answers.push(ResponseTemplate::new(200).set_body_string(words.clone()));
    answers.push(ResponseTemplate::new(200).set_body_json(json!({"batchID": words, "status": words})));
    let item =
        json!({"itemID": words, "request": {"identifiers": [{"type": "email", "id": "x@example.com"}]}});
    let batch =
        json!({"batchID": "b1", "status": "finished", "errors": [item], "responses": [item], "contacts": []});
    answers.push(ResponseTemplate::new(200).set_body_json(batch));
    answers
}

#[tokio::test]
async fn nothing_personal_and_no_credential_is_ever_said() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());
    for answer in answers() {
        let server = MockServer::start().await;
        Mock::given(wiremock::matchers::any()).respond_with(answer).mount(&server).await;
        for make in [v2026, v5] {
            check_all(&make(&server)).await;
        }
    }
    let server = Fake::default().serve().await;
    for secret in [API_KEY.to_owned(), format!("{{\"api_key\": [\"{API_KEY}\"]}}")] {
        check_all(&connector(&server, MemoryStore::new(&secret), &json!({}))).await;
    }
    let lines = lines.0.lock().unwrap();
    assert!(lines.contains("items that were not sent"), "{lines}");
    check(&lines);
}

/// Asks a connector everything that it can be asked.
async fn check_all(connector: &Omnisend<MemoryStore>) {
    let frame = of(&[EMAIL]);
    let context = context();
    let job = match connector.push(&target(), Kind::Upsert, &frame, &context).await {
        Ok(Pushed::Accepted { job, .. }) => job,
        other => {
            check(&format!("{other:?}"));
            OmnisendJob::new(1, 0)
        }
    };
    check(&serde_json::to_string(&job).unwrap());
    check(&format!("{:?}", connector.poll(&target(), job, &frame, &context).await));
    check(&format!("{:?}", connector.push(&target(), Kind::Remove, &frame, &context).await));
    check(&format!("{:?}", connector.check(&context).await));
    let export = preparing::export(&json!({}), &json!([]));
    let prepared = connector.prepare(&export, &preparing::segment(), &context).await;
    check(&format!("{:?}", prepared.map(|prepared| prepared.notices)));
}

#[track_caller]
fn check(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in: {text}");
    }
}
