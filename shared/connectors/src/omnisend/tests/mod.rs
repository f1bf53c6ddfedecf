//! Tests the connector against a server that responds as documented, and against one that does not.

mod checking;
mod consent;
mod fake;
mod polling;
mod preparing;
mod pushing;
mod removing;
mod tagging;
mod throttling;

use super::{DOMAINS, Omnisend, OmnisendJob, OmnisendTarget};
use crate::{CallContext, Connector, Endpoint, ErrorKind, HttpClient, PushError, Pushed, Retry, WantedList};
use fake::{Fake, Person};
use relay_delivery::batch::{Frame, RowResult};
use relay_model::Standing;
use relay_model::batch::Kind;
use relay_model::{CredentialError, CredentialStore};
use relay_model::{FieldValue, ListId, MatchKey, MemberKey, Operation, OutcomeKind, Row};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use wiremock::{MockServer, Request, ResponseTemplate};

const API_KEY: &str = "f00dfacef00dfacef00dface-f00dfacef00d";
const SECRET: &str = r#"{"api_key": "f00dfacef00dfacef00dface-f00dfacef00d"}"#;
const TAG: &str = "ci: High value";

/// A secret in memory.
#[derive(Clone)]
struct MemoryStore(Arc<Mutex<String>>);

impl MemoryStore {
    fn new(secret: &str) -> Self {
        Self(Arc::new(Mutex::new(secret.to_owned())))
    }
}

impl CredentialStore for MemoryStore {
    fn name(&self) -> &'static str {
        "stack/connections/omnisend"
    }

    async fn load(&self) -> Result<SecretString, CredentialError> {
        Ok(self.0.lock().unwrap().clone().into())
    }

    async fn save(&self, _: SecretString) -> Result<(), CredentialError> {
        panic!("a key is never written")
    }
}

fn context() -> CallContext {
    CallContext::until(Instant::now() + Duration::from_mins(1))
}

fn connector(server: &MockServer, store: MemoryStore, settings: &Value) -> Omnisend<MemoryStore> {
    let endpoint = Endpoint::parse(&server.uri(), DOMAINS).unwrap();
    let pause = Duration::from_millis(1);
    let settings = settings.as_object().unwrap();
    Omnisend::with_pause(endpoint, HttpClient::new().unwrap(), settings, store, pause).ok().unwrap()
}

fn v2026(server: &MockServer) -> Omnisend<MemoryStore> {
    connector(server, MemoryStore::new(SECRET), &json!({}))
}

fn v5(server: &MockServer) -> Omnisend<MemoryStore> {
    connector(server, MemoryStore::new(SECRET), &json!({"dialect": "v5"}))
}

fn target() -> OmnisendTarget {
    OmnisendTarget { tag: TAG.to_owned() }
}

fn row(email: &str) -> Row {
    Row {
        member_key: MemberKey(format!("member of {email}")),
        match_key: MatchKey(email.to_owned()),
        operation: Operation::Add,
        is_rejoin: false,
        destination_id: None,
        values: vec![(0, FieldValue::Text("Jane".to_owned()))],
    }
}

fn frame(rows: impl IntoIterator<Item = Row>) -> Frame {
    Frame { field_keys: vec!["firstName".to_owned()], rows: rows.into_iter().collect() }
}

fn people(count: usize) -> Frame {
    frame((0..count).map(|number| row(&format!("person{number}@example.com"))))
}

fn of(emails: &[&str]) -> Frame {
    frame(emails.iter().map(|email| row(email)))
}

#[track_caller]
fn accepted(pushed: Result<Pushed<OmnisendJob>, PushError>) -> (OmnisendJob, Duration) {
    match pushed {
        Ok(Pushed::Accepted { job, look_after }) => (job, look_after),
        other => panic!("not accepted: {other:?}"),
    }
}

#[track_caller]
fn done(pushed: Result<Pushed<OmnisendJob>, PushError>) -> Vec<RowResult> {
    match pushed {
        Ok(Pushed::Done(results)) => results,
        other => panic!("not done: {other:?}"),
    }
}

async fn submit(connector: &Omnisend<MemoryStore>, frame: &Frame) -> OmnisendJob {
    accepted(connector.push(&target(), Kind::Upsert, frame, &context()).await).0
}

async fn poll(
    connector: &Omnisend<MemoryStore>,
    job: OmnisendJob,
    frame: &Frame,
) -> Result<Pushed<OmnisendJob>, PushError> {
    // The ledger stores the job as JSON between the two calls.
    let job = serde_json::from_value(serde_json::to_value(job).unwrap()).unwrap();
    connector.poll(&target(), job, frame, &context()).await
}

/// Pushes and polls until every row is done; returns the results and the number of polls.
async fn carry_through(connector: &Omnisend<MemoryStore>, frame: &Frame) -> (Vec<RowResult>, u32) {
    let mut job = submit(connector, frame).await;
    for looks in 1..20 {
        match poll(connector, job, frame).await.unwrap() {
            Pushed::Accepted { job: next, .. } => job = next,
            Pushed::Done(results) => return (results, looks),
            Pushed::Partly(..) => panic!("additions are never partly done"),
        }
    }
    panic!("it takes for ever")
}

/// Returns each result as its kind and the code of its reason.
fn told(results: &[RowResult]) -> Vec<(OutcomeKind, &str)> {
    let told = |result: &RowResult| result.outcome.kind(Operation::Add);
    results
        .iter()
        .map(|result| (told(result), result.outcome.reason().map_or("", |reason| &reason.code)))
        .collect()
}

const APPLIED: (OutcomeKind, &str) = (OutcomeKind::Added, "");

async fn requests(server: &MockServer, method: &str, path: &str) -> Vec<Request> {
    let all = server.received_requests().await.unwrap();
    all.into_iter()
        .filter(|request| request.method.as_str() == method && request.url.path() == path)
        .collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => panic!("not an object"),
    }
}
