//! Tests the connector against a server that responds as documented, and against one that does not.

mod authentication;
mod checking;
mod errors;
mod preparing;
mod pushing;
mod rejoining;
mod removing;

use super::{CampaignMonitor, CampaignMonitorTarget, ConsentToTrack, DOMAINS};
use crate::{CallContext, Connector, Endpoint, ErrorKind, HttpClient, PushError, Pushed, Retry, WantedList};
use relay_delivery::batch::{Frame, RowResult};
use relay_model::Standing;
use relay_model::batch::Kind;
use relay_model::{CredentialError, CredentialStore};
use relay_model::{FieldValue, ListId, MatchKey, MemberKey, Operation, OutcomeKind, Row};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const LIST: &str = "a58ee1d3039b8bec838e6d1482a8a965";
const API_KEY_SECRET: &str = r#"{"api_key": "f00dfacef00dfacef00dfacef00dface"}"#;
const IMPORT_PATH: &str = "/api/v3.3/subscribers/a58ee1d3039b8bec838e6d1482a8a965/import.json";
const PERSON_PATH: &str = "/api/v3.3/subscribers/a58ee1d3039b8bec838e6d1482a8a965.json";

/// A secret in memory that several processes share.
#[derive(Clone)]
struct MemoryStore {
    secret: Arc<Mutex<String>>,
    saves: Arc<Mutex<Vec<String>>>,
    failures_to_save: Arc<Mutex<u32>>,
}

impl MemoryStore {
    fn new(secret: &str) -> Self {
        Self {
            secret: Arc::new(Mutex::new(secret.to_owned())),
            saves: Arc::default(),
            failures_to_save: Arc::default(),
        }
    }

    fn put(&self, secret: &str) {
        secret.clone_into(&mut self.secret.lock().unwrap());
    }
}

impl CredentialStore for MemoryStore {
    fn name(&self) -> &'static str {
        "stack/connections/campaign-monitor"
    }

    async fn load(&self) -> Result<SecretString, CredentialError> {
        Ok(self.secret.lock().unwrap().clone().into())
    }

    async fn save(&self, secret: SecretString) -> Result<(), CredentialError> {
        let mut failures = self.failures_to_save.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(CredentialError::Unavailable { name: self.name().to_owned() });
        }
        self.put(secret.expose_secret());
        self.saves.lock().unwrap().push(secret.expose_secret().to_owned());
        Ok(())
    }
}

fn context() -> CallContext {
    CallContext::until(Instant::now() + Duration::from_mins(1))
}

fn connector(server: &MockServer, store: MemoryStore, settings: Value) -> CampaignMonitor<MemoryStore> {
    let endpoint = Endpoint::parse(&server.uri(), DOMAINS).unwrap();
    let Value::Object(settings) = settings else { panic!("settings are an object") };
    let (http, pause) = (HttpClient::new().unwrap(), Duration::from_millis(1));
    CampaignMonitor::with_pauses(endpoint, http, &settings, store, pause, pause).ok().unwrap()
}

fn with_key(server: &MockServer) -> CampaignMonitor<MemoryStore> {
    connector(server, MemoryStore::new(API_KEY_SECRET), json!({}))
}

fn target() -> CampaignMonitorTarget {
    CampaignMonitorTarget {
        list_id: ListId(LIST.to_owned()),
        consent_to_track: ConsentToTrack::Unchanged,
        day_fields: vec![],
    }
}

fn row(email: &str) -> Row {
    Row {
        member_key: MemberKey(format!("member of {email}")),
        match_key: MatchKey(email.to_owned()),
        operation: Operation::Add,
        is_rejoin: false,
        destination_id: None,
        values: vec![(0, FieldValue::Text("Jane Doe".to_owned()))],
    }
}

fn frame(rows: impl IntoIterator<Item = Row>) -> Frame {
    Frame { field_keys: vec!["Name".to_owned()], rows: rows.into_iter().collect() }
}

fn emails(count: usize) -> Vec<Row> {
    (0..count).map(|number| row(&format!("person{number}@example.com"))).collect()
}

async fn upsert(
    connector: &CampaignMonitor<MemoryStore>,
    rows: impl IntoIterator<Item = Row>,
) -> Result<Vec<RowResult>, PushError> {
    pushed(connector, Kind::Upsert, &frame(rows), &context()).await
}

async fn pushed(
    connector: &CampaignMonitor<MemoryStore>,
    kind: Kind,
    frame: &Frame,
    context: &CallContext,
) -> Result<Vec<RowResult>, PushError> {
    match connector.push(&target(), kind, frame, context).await? {
        Pushed::Done(results) => Ok(results),
        other => panic!("Campaign Monitor always answers at once: {other:?}"),
    }
}

async fn remove(
    connector: &CampaignMonitor<MemoryStore>,
    emails: &[&str],
) -> Result<Vec<RowResult>, PushError> {
    let rows = emails.iter().map(|email| Row { operation: Operation::Remove, values: vec![], ..row(email) });
    pushed(connector, Kind::Remove, &frame(rows), &context()).await
}

/// Returns each result as its kind, the code of its reason, and who owns the membership.
fn told(results: &[RowResult]) -> Vec<(OutcomeKind, &str, Standing)> {
    let told = |result: &RowResult| result.outcome.kind(Operation::Add);
    results
        .iter()
        .map(|result| {
            (told(result), result.outcome.reason().map_or("", |reason| &reason.code), result.standing)
        })
        .collect()
}

const APPLIED: (OutcomeKind, &str, Standing) = (OutcomeKind::Added, "", Standing::FollowsOutcome);

fn sent_emails(request: &Request) -> Vec<String> {
    let body: Value = request.body_json().unwrap();
    let rows = body["Subscribers"].as_array().unwrap();
    rows.iter().map(|row| row["EmailAddress"].as_str().unwrap().to_owned()).collect()
}

/// Imports all people except those with a code from `refuse`, and reports these as documented.
struct Importing<F>(F);

impl<F: Fn(&str, bool) -> Option<i64> + Send + Sync> Respond for Importing<F> {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let body: Value = request.body_json().unwrap();
        let emails = sent_emails(request);
        let resubscribe = body["Resubscribe"] == true;
        let failures: Vec<Value> = emails
            .iter()
            .filter_map(|email| {
                let code = (self.0)(email, resubscribe)?;
                Some(json!({"EmailAddress": email, "Code": code, "Message": format!("{email} is refused")}))
            })
            .collect();
        let result = json!({
            "FailureDetails": failures,
            "TotalUniqueEmailsSubmitted": emails.len(),
            "TotalExistingSubscribers": 0,
            "TotalNewSubscribers": emails.len() - failures.len(),
            "DuplicateEmailsInSubmission": [],
        });
        if failures.is_empty() {
            return ResponseTemplate::new(201).set_body_json(result);
        }
        let message = "Subscriber Import had some failures";
        ResponseTemplate::new(400)
            .set_body_json(json!({"ResultData": result, "Code": 210, "Message": message}))
    }
}

/// Returns each response once, in order, and then repeats the last one.
struct InTurn(Mutex<Vec<ResponseTemplate>>);

impl InTurn {
    fn new(answers: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self(Mutex::new(answers))
    }
}

impl Respond for InTurn {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let mut answers = self.0.lock().unwrap();
        if answers.len() > 1 { answers.pop().unwrap() } else { answers[0].clone() }
    }
}

fn refusal(status: u16, code: i64) -> ResponseTemplate {
    let body = json!({"Code": code, "Message": "jane@example.com f00dfacef00dfacef00dfacef00dface"});
    ResponseTemplate::new(status).set_body_json(body)
}

fn imported(count: usize) -> ResponseTemplate {
    ResponseTemplate::new(201).set_body_json(json!({
        "FailureDetails": [],
        "TotalUniqueEmailsSubmitted": count,
        "TotalExistingSubscribers": count,
        "TotalNewSubscribers": 0,
        "DuplicateEmailsInSubmission": [],
    }))
}

async fn mount(server: &MockServer, verb: &str, at: &str, respond: impl Respond + 'static) {
    Mock::given(method(verb)).and(path(at)).respond_with(respond).mount(server).await;
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => panic!("not an object"),
    }
}
