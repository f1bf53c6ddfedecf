//! The tool against an API that answers as its contract says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use relay_cli::{Ending, Screen, Surroundings, run};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// What every call has to be signed with.
const TOKEN: &str = "the-token";

/// An API, a folder, and a terminal.
pub(crate) struct Bench {
    pub(crate) server: MockServer,
    folder: tempfile::TempDir,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) screen: Screen,
    pub(crate) typed: String,
}

/// What became of a command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) ending: Ending,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Bench {
    /// An API that knows nothing yet.
    pub(crate) async fn new() -> Self {
        let server = MockServer::start().await;
        let variables = BTreeMap::from([
            ("SEGMENT_RELAY_URL".to_owned(), server.uri()),
            ("SEGMENT_RELAY_TOKEN".to_owned(), TOKEN.to_owned()),
        ]);
        let folder = tempfile::tempdir().unwrap();
        Self { server, folder, variables, screen: Screen::default(), typed: String::new() }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder, and says where it is.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Reads a file of the folder.
    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    /// Answers with JSON.
    pub(crate) async fn answer(&self, verb: &str, at: &str, status: u16, body: Value) {
        self.respond(verb, at, ResponseTemplate::new(status).set_body_json(body)).await;
    }

    /// Answers once, and then as was said before.
    pub(crate) async fn answer_once(&self, verb: &str, at: &str, response: ResponseTemplate) {
        let mock = Mock::given(method(verb)).and(path(at)).respond_with(response);
        mock.up_to_n_times(1).with_priority(1).mount(&self.server).await;
    }

    /// Answers with anything.
    pub(crate) async fn respond(&self, verb: &str, at: &str, response: ResponseTemplate) {
        Mock::given(method(verb)).and(path(at)).respond_with(response).mount(&self.server).await;
    }

    /// Answers with several things, one after the other.
    pub(crate) async fn answers(&self, verb: &str, at: &str, bodies: &[Value]) {
        for (body, priority) in bodies.iter().zip(1..) {
            let mock = Mock::given(method(verb)).and(path(at));
            let mock = mock.respond_with(ResponseTemplate::new(200).set_body_json(body));
            mock.up_to_n_times(1).with_priority(priority).mount(&self.server).await;
        }
    }

    /// A list with these documents, in versions 1, 2 and so on.
    pub(crate) async fn list(&self, kind: &str, documents: &[Value]) {
        let items: Vec<Value> =
            documents.iter().zip(1..).map(|(document, version)| saved(document, version)).collect();
        self.answer("GET", &format!("/{kind}"), 200, json!({ "items": items, "next_cursor": null })).await;
    }

    /// Runs the tool.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        let mut output = Vec::new();
        let ran = self.run_into(&mut output, arguments).await;
        Ran { output: self.anonymous(&String::from_utf8(output).unwrap()), ..ran }
    }

    /// Runs the tool with an output of one's own.
    pub(crate) async fn run_into(&self, output: &mut dyn Write, arguments: &[&str]) -> Ran {
        let mut errors = Vec::new();
        let surroundings = Surroundings {
            output,
            errors: &mut errors,
            input: &mut Cursor::new(self.typed.as_bytes()),
            variables: self.variables.clone(),
            folder: self.folder().to_path_buf(),
            poll: Duration::from_millis(1),
            screen: self.screen,
        };
        let arguments = std::iter::once(&"segment-relay").chain(arguments);
        let ending = Box::pin(run(arguments, surroundings)).await;
        let errors = self.anonymous(&String::from_utf8(errors).unwrap());
        Ran { ending, output: String::new(), errors }
    }

    /// Runs the tool, and writes down what it asked the API and what it said.
    pub(crate) async fn transcript(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments).await;
        let requests = self.requests().await.join("\n");
        let arguments = self.anonymous(&arguments.join(" "));
        let mut text = format!("$ segment-relay {arguments}\n{requests}\n");
        for (name, said) in [("output", &ran.output), ("errors", &ran.errors)] {
            if !said.is_empty() {
                write!(text, "--- {name}\n{}\n", said.trim_end()).unwrap();
            }
        }
        write!(text, "--- {:?}", ran.ending).unwrap();
        text
    }

    /// What it asked the API, each call in a line.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap();
        requests.iter().map(|request| self.request(request)).collect()
    }

    fn request(&self, request: &Request) -> String {
        let header = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap());
        // The file's link carries its own permission, and must not get the token.
        let is_download = request.url.path().starts_with("/files/");
        let expected = (!is_download).then(|| format!("Bearer {TOKEN}"));
        assert_eq!(header("authorization"), expected.as_deref(), "{}", request.url);
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut line = format!("{} {}{query}", request.method, request.url.path());
        for name in ["if-match", "if-none-match"] {
            if let Some(value) = header(name) {
                write!(line, "  {name}: {value}").unwrap();
            }
        }
        let key = header("idempotency-key").map(|key| uuid::Uuid::parse_str(key).unwrap());
        assert_eq!(key.is_some(), matches!(request.method.as_str(), "POST" | "PUT"), "{line}");
        if !request.body.is_empty() {
            assert_eq!(header("content-type"), Some("application/json"));
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            write!(line, "  {}", self.anonymous(&body.to_string())).unwrap();
        }
        line
    }

    /// Without what differs from one test run to the next.
    fn anonymous(&self, text: &str) -> String {
        let folder = self.folder().display().to_string();
        text.replace(&folder, "FOLDER").replace(&self.server.uri(), "http://api")
    }
}

/// A document as the API gives it.
pub(crate) fn saved(document: &Value, version: u64) -> Value {
    json!({ "document": document, "version": version, "saved_at": "2026-11-22T06:00:00Z", "saved_by": "jane" })
}

/// Problem details.
pub(crate) fn problem(status: u16, code: &str, detail: &str) -> ResponseTemplate {
    let body = json!({ "type": format!("urn:segment-relay:problem:{code}"), "status": status, "code": code, "detail": detail });
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/problem+json")
}

pub(crate) fn source(id: &str) -> Value {
    json!({ "id": id, "location": format!("s3://lake/{id}/"), "format": "csv" })
}

pub(crate) fn segment(id: &str) -> Value {
    json!({ "id": id, "name": "Everybody", "query": "SELECT id, email\nFROM people\n", "member_key": "id" })
}

pub(crate) fn connection(id: &str) -> Value {
    json!({ "id": id, "name": "Our account", "destination": "omnisend", "secret": "relay/omnisend" })
}

pub(crate) fn policy(id: &str) -> Value {
    json!({
        "id": id, "name": "Nothing to third parties", "marketing_actions": ["export_to_third_party"],
        "forbids": [{ "all_of": ["C2"] }], "enabled": true,
    })
}

pub(crate) fn export(id: &str) -> Value {
    json!({
        "id": id, "name": "Newsletter", "connection": "account", "match_key": "email",
        "segments": [{ "segment": "all" }],
    })
}
