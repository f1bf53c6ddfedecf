//! Tests the connector against an organisation that responds as documented, and against one that does not.

mod authentication;
mod checking;
mod counting;
mod dataverse;
mod errors;
mod preparing;
mod pushing;
mod removing;
mod snapshots;

use super::{Adding, Dynamics365Sales, Dynamics365SalesTarget, Removing};
use crate::{CallContext, Connector, ErrorKind, HttpClient, PushError, Pushed, Retry};
use dataverse::{Dataverse, contact, refusal};
use relay_delivery::batch::{Frame, RowResult};
use relay_model::Standing;
use relay_model::batch::Kind;
use relay_model::catalog::{Document, Export};
use relay_model::{CredentialError, CredentialStore};
use relay_model::{ListId, MatchKey, MemberKey, Operation, OutcomeKind, Row};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;
use wiremock::matchers::{method, path, path_regex};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const LIST: &str = "9b1c2d3e-0000-4000-8000-000000000001";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT: &str = "66666666-7777-8888-9999-aaaaaaaaaaaa";
const TOKEN_PATH: &str = "/11111111-2222-3333-4444-555555555555/oauth2/v2.0/token";
const SECRET: &str = r#"{"client_secret": "s3cr~t+/value"}"#;
const ADD_PATH: &str = "/api/data/v9.2/AddListMembersList";
const REMOVE_PATH: &str = "/api/data/v9.2/RemoveListMembersList";
const BATCH_PATH: &str = "/api/data/v9.2/$batch";
const LIST_PATH: &str = "/api/data/v9.2/lists(9b1c2d3e-0000-4000-8000-000000000001)";

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
        "stack/connections/sales"
    }

    async fn load(&self) -> Result<SecretString, CredentialError> {
        Ok(self.0.lock().unwrap().clone().into())
    }

    async fn save(&self, _secret: SecretString) -> Result<(), CredentialError> {
        panic!("a client secret is never renewed by us")
    }
}

type Sales = Dynamics365Sales<MemoryStore>;

fn context() -> CallContext {
    CallContext::until(Instant::now() + Duration::from_mins(1))
}

fn connector(server: &MockServer, store: MemoryStore, more: &Value) -> Sales {
    let mut settings = json!({
        "tenant": TENANT, "client_id": CLIENT, "organisation_url": server.uri(), "authority": server.uri(),
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (http, pause) = (HttpClient::new().unwrap(), Duration::from_millis(1));
    Dynamics365Sales::with_pause(http, settings.as_object().unwrap(), store, pause).ok().unwrap()
}

/// Starts a server that issues tokens.
async fn server() -> MockServer {
    let server = MockServer::start().await;
    mount(&server, "POST", TOKEN_PATH, token("t0ken", 3_599)).await;
    server
}

/// Starts a server with an organisation behind it.
async fn organisation(dataverse: &Dataverse) -> MockServer {
    let server = server().await;
    let api = Mock::given(path_regex("^/api/data/v9.2/")).respond_with(dataverse.clone());
    api.with_priority(9).mount(&server).await;
    server
}

fn sales(server: &MockServer) -> Sales {
    connector(server, MemoryStore::new(SECRET), &json!({}))
}

fn token(text: &str, seconds: u64) -> ResponseTemplate {
    let body = json!({
        "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": text,
    });
    ResponseTemplate::new(200).set_body_json(body)
}

fn target() -> Dynamics365SalesTarget {
    Dynamics365SalesTarget {
        list_id: ListId(LIST.to_owned()),
        adding: Adding::Many,
        removing: Removing::Many,
    }
}

fn row(id: &str, operation: Operation) -> Row {
    Row {
        member_key: MemberKey(format!("member {id}")),
        match_key: MatchKey(id.to_owned()),
        operation,
        is_rejoin: false,
        destination_id: None,
        values: vec![],
    }
}

fn frame(ids: impl IntoIterator<Item = u32>, operation: Operation) -> Frame {
    let rows = ids.into_iter().map(|number| row(&contact(number), operation)).collect();
    Frame { field_keys: vec![], rows }
}

async fn add(sales: &Sales, ids: impl IntoIterator<Item = u32>) -> Result<Pushed<super::NoJob>, PushError> {
    sales.push(&target(), Kind::Upsert, &frame(ids, Operation::Add), &context()).await
}

async fn remove(
    sales: &Sales,
    ids: impl IntoIterator<Item = u32>,
) -> Result<Pushed<super::NoJob>, PushError> {
    sales.push(&target(), Kind::Remove, &frame(ids, Operation::Remove), &context()).await
}

#[track_caller]
fn done(pushed: Result<Pushed<super::NoJob>, PushError>) -> Vec<RowResult> {
    match pushed {
        Ok(Pushed::Done(results)) => results,
        other => panic!("not done: {other:?}"),
    }
}

#[track_caller]
fn partly(pushed: Result<Pushed<super::NoJob>, PushError>) -> (Vec<RowResult>, PushError) {
    match pushed {
        Ok(Pushed::Partly(results, error)) => (results, error),
        other => panic!("not done in part: {other:?}"),
    }
}

/// Returns each result as its kind, the code of its reason, and who owns the membership.
fn told(results: &[RowResult], operation: Operation) -> Vec<(OutcomeKind, &str, Standing)> {
    let code = |result: &'_ RowResult| result.outcome.reason().map_or("", |reason| &reason.code).to_owned();
    results
        .iter()
        .map(|result| {
            let code: &str = Box::leak(code(result).into_boxed_str());
            (result.outcome.kind(operation), code, result.standing)
        })
        .collect()
}

const ADDED: (OutcomeKind, &str, Standing) = (OutcomeKind::Added, "", Standing::FollowsOutcome);
const REMOVED: (OutcomeKind, &str, Standing) = (OutcomeKind::Removed, "", Standing::FollowsOutcome);
const NOT_IN_SALES: (OutcomeKind, &str, Standing) =
    (OutcomeKind::Skipped, "not_in_sales", Standing::FollowsOutcome);
const INACTIVE: (OutcomeKind, &str, Standing) =
    (OutcomeKind::Skipped, "contact_inactive", Standing::FollowsOutcome);

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

async fn mount(server: &MockServer, verb: &str, at: &str, respond: impl Respond + 'static) {
    Mock::given(method(verb)).and(path(at)).respond_with(respond).mount(server).await;
}

/// Returns the calls of one kind that the server has received so far.
async fn calls(server: &MockServer, at: &str) -> Vec<Request> {
    let mut requests = server.received_requests().await.unwrap();
    requests.retain(|request| request.url.path() == at);
    requests
}

/// Returns how many members each call of one kind had.
async fn sizes(server: &MockServer, at: &str) -> Vec<usize> {
    let members = |request: &Request| {
        let body: Value = request.body_json().unwrap();
        body["Members"].as_array().unwrap().len()
    };
    calls(server, at).await.iter().map(members).collect()
}

fn export(mapping: &Value, options: &Value) -> Export {
    let document = json!({
        "id": "vips",
        "name": "VIPs",
        "connection": "sales",
        "match_key": "contact_id",
        "mapping": mapping,
        "segments": [{"segment": "vip", "target_list": LIST}],
        "options": options,
    });
    Export::parse(&document.to_string()).unwrap()
}
