//! Tests the connector against a server that responds as documented, and against one that does not.

mod authentication;
mod checking;
mod importing;
mod limits;
mod matching;
mod preparing;
mod pushing;
mod removing;
mod requests;
mod segment_lists;

use super::{Imports, KeyForm, Marketo, MarketoJob, MarketoTarget, PersonCreation, Way};
use crate::{CallContext, Connector, ErrorKind, HttpClient, Pacer, PushError, Pushed, Retry};
use async_trait::async_trait;
use jiff::Timestamp;
use relay_delivery::batch::{Frame, RowResult};
use relay_model::Standing;
use relay_model::batch::Kind;
use relay_model::pacing::NotYet;
use relay_model::{ConnectionId, FieldValue, ListId, MatchKey, MemberKey, Operation, OutcomeKind, Row};
use relay_model::{CredentialError, CredentialStore};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const SECRET: &str = r#"{"client_id": "cafe-id", "client_secret": "cafe-secret"}"#;
const TOKEN: &str = "/identity/oauth/token";
const LEADS: &str = "/rest/v1/leads.json";
const MEMBERS: &str = "/rest/v1/lists/1027/leads.json";
const IMPORT: &str = "/bulk/v1/leads.json";

struct FixedStore;

impl CredentialStore for FixedStore {
    fn name(&self) -> &'static str {
        "stack/connections/marketo"
    }

    async fn load(&self) -> Result<SecretString, CredentialError> {
        Ok(SECRET.into())
    }

    async fn save(&self, _: SecretString) -> Result<(), CredentialError> {
        panic!("nothing is ever stored")
    }
}

/// A pacer that counts its calls.
#[derive(Debug, Default)]
struct CountingPacer {
    turns: AtomicU32,
    slowed: AtomicU32,
    paused: AtomicU32,
}

const RESET: Timestamp = Timestamp::constant(1_800_000_000, 0);

#[async_trait]
impl Pacer for CountingPacer {
    async fn turn(&self, _: Duration) -> Result<(), NotYet> {
        self.turns.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn slow_down(&self) {
        self.slowed.fetch_add(1, Ordering::Relaxed);
    }

    async fn pause(&self, _: &str) -> Timestamp {
        self.paused.fetch_add(1, Ordering::Relaxed);
        RESET
    }

    fn connection(&self) -> &ConnectionId {
        panic!("nobody asks")
    }
}

fn context() -> CallContext {
    CallContext::until(Instant::now() + Duration::from_mins(1))
}

fn paced() -> (Arc<CountingPacer>, CallContext) {
    let pacer = Arc::new(CountingPacer::default());
    let until = Instant::now() + Duration::from_mins(1);
    (Arc::clone(&pacer), CallContext::paced(until, Some(pacer)))
}

fn connector(server: &MockServer) -> Marketo<FixedStore> {
    with_settings(server, json!({}))
}

fn with_settings(server: &MockServer, settings: Value) -> Marketo<FixedStore> {
    let Value::Object(mut settings) = settings else { panic!("settings are an object") };
    settings.insert("endpoint".to_owned(), server.uri().into());
    let (http, pause) = (HttpClient::new().unwrap(), Duration::from_millis(1));
    Marketo::with_pauses(http, &settings, FixedStore, pause, pause).ok().unwrap()
}

fn target() -> MarketoTarget {
    MarketoTarget {
        list_id: ListId("1027".to_owned()),
        lookup_field: "email".to_owned(),
        key_form: KeyForm::Text,
        person_creation: PersonCreation::CreateMissing,
        partition: None,
        has_attributes: true,
        imports: Imports::WhereFaster,
        way: Way::Sync,
    }
}

fn match_only() -> MarketoTarget {
    MarketoTarget { person_creation: PersonCreation::MatchOnly, has_attributes: false, ..target() }
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

fn people(count: usize) -> Vec<Row> {
    (0..count).map(|number| row(&format!("person{number}@example.com"))).collect()
}

async fn push(
    connector: &Marketo<FixedStore>,
    target: &MarketoTarget,
    rows: impl IntoIterator<Item = Row>,
) -> Result<Pushed<MarketoJob>, PushError> {
    connector.push(target, Kind::Upsert, &frame(rows), &context()).await
}

fn done(pushed: Pushed<MarketoJob>) -> Vec<RowResult> {
    match pushed {
        Pushed::Done(results) => results,
        other => panic!("not done: {other:?}"),
    }
}

/// Returns each result as its kind, the code of its reason, the lead id, and who owns the
/// membership.
fn told(results: &[RowResult]) -> Vec<(OutcomeKind, &str, Option<&str>, Standing)> {
    results
        .iter()
        .map(|result| {
            let code = result.outcome.reason().map_or("", |reason| &reason.code);
            let kind = result.outcome.kind(Operation::Add);
            (kind, code, result.destination_id.as_deref(), result.standing)
        })
        .collect()
}

const fn ours<'a>(
    kind: OutcomeKind,
    code: &'a str,
    id: Option<&'a str>,
) -> (OutcomeKind, &'a str, Option<&'a str>, Standing) {
    (kind, code, id, Standing::FollowsOutcome)
}

async fn serve() -> MockServer {
    let server = MockServer::start().await;
    mount(&server, "GET", TOKEN, token("token-1", 3_599)).await;
    server
}

fn token(token: &str, expires_in: i64) -> ResponseTemplate {
    let body = json!({
        "access_token": token,
        "token_type": "bearer",
        "expires_in": expires_in,
        "scope": "apis@example.com",
    });
    ResponseTemplate::new(200).set_body_json(body)
}

fn success(result: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"requestId": "1#1", "success": true, "result": result}))
}

/// Returns a refusal with a message that must never be repeated.
fn refusal(code: &str) -> ResponseTemplate {
    let errors = json!([{"code": code, "message": "jane@example.com cafe-secret token-1"}]);
    ResponseTemplate::new(200).set_body_json(json!({"requestId": "1#1", "success": false, "errors": errors}))
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

/// Returns the ids in a call about a list, from its body or its URL.
fn ids(request: &Request) -> Vec<u64> {
    let in_address = request.url.query_pairs().filter(|(name, _)| name == "id");
    let mut ids: Vec<u64> = in_address.map(|(_, id)| id.parse().unwrap()).collect();
    if !request.body.is_empty() {
        let body: Value = request.body_json().unwrap();
        ids.extend(body["input"].as_array().unwrap().iter().map(|lead| lead["id"].as_u64().unwrap()));
    }
    ids
}

/// Responds to a call about a list's members with one status for all of them.
fn members(status: &'static str) -> impl Fn(&Request) -> ResponseTemplate {
    move |request: &Request| {
        let result: Vec<Value> =
            ids(request).into_iter().map(|id| json!({"id": id, "status": status})).collect();
        success(&result.into())
    }
}

/// Creates every person: person7@… gets lead 1007.
fn created(request: &Request) -> ResponseTemplate {
    let result: Vec<Value> =
        sent(request).iter().map(|lead| json!({"id": lead_id(lead), "status": "created"})).collect();
    success(&result.into())
}

fn sent(request: &Request) -> Vec<Value> {
    let body: Value = request.body_json().unwrap();
    body["input"].as_array().unwrap().clone()
}

fn lead_id(lead: &Value) -> u64 {
    let email = lead["email"].as_str().unwrap();
    let digits: String = email.chars().filter(char::is_ascii_digit).collect();
    1_000 + digits.parse::<u64>().unwrap_or_default()
}

async fn mount(server: &MockServer, verb: &str, at: &str, respond: impl Respond + 'static) {
    Mock::given(method(verb)).and(path(at)).respond_with(respond).mount(server).await;
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

/// Returns the calls that count against the quota: all except those for tokens.
async fn calls(server: &MockServer) -> Vec<String> {
    let all = requests(server).await;
    let counted = all.iter().filter(|request| request.url.path() != TOKEN);
    counted.map(|request| format!("{} {}", request.method, request.url.path())).collect()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => panic!("not an object"),
    }
}
