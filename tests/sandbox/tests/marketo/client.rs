//! A small HTTP client of the tests' own, and a sandbox with a service and a list to call.

use sandbox::marketo::{Credentials, Endpoint, ListId, NewList, NewService, Options, Sandbox};
use serde_json::{Value, json};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A status and the body as text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The code of the call's error; 0 for a success, the HTTP status for what is not an envelope.
    pub(crate) fn code(&self) -> u64 {
        let body: Value = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        match body.get("success") {
            Some(Value::Bool(true)) => 0,
            Some(_) => body["errors"][0]["code"].as_str().and_then(|code| code.parse().ok()).unwrap_or(1),
            None => self.status.into(),
        }
    }

    /// The rows of a success.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Value> {
        assert_eq!(self.code(), 0, "{self:?}");
        self.json()["result"].as_array().cloned().unwrap_or_default()
    }

    /// `status` of each row, with the code of its reason behind it if there is one.
    #[track_caller]
    pub(crate) fn statuses(&self) -> Vec<String> {
        let rows = self.rows();
        let status = |row: &Value| match row["reasons"][0]["code"].as_str() {
            Some(code) => format!("{} {code}", row["status"].as_str().unwrap_or_default()),
            None => row["status"].as_str().unwrap_or_default().to_owned(),
        };
        rows.iter().map(status).collect()
    }
}

/// What a request brings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) headers: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Sent {
    pub(crate) fn json(body: &Value) -> Self {
        Self {
            headers: vec!["Content-Type: application/json".to_owned()],
            body: body.to_string().into_bytes(),
        }
    }

    pub(crate) fn form(body: &str) -> Self {
        let kind = "Content-Type: application/x-www-form-urlencoded".to_owned();
        Self { headers: vec![kind], body: body.as_bytes().to_vec() }
    }

    /// A file in the part `file`.
    pub(crate) fn file(text: &str) -> Self {
        let kind = "Content-Type: multipart/form-data; boundary=part-of-a-test".to_owned();
        let body = format!(
            "--part-of-a-test\r\nContent-Disposition: form-data; name=\"file\"; filename=\"leads.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n{text}\r\n--part-of-a-test--\r\n"
        );
        Self { headers: vec![kind], body: body.into_bytes() }
    }

    pub(crate) fn with(mut self, header: String) -> Self {
        self.headers.push(header);
        self
    }
}

/// One request on a connection of its own.
pub(crate) async fn send(base_url: &str, method: &str, path: &str, sent: &Sent) -> io::Result<Reply> {
    let address = base_url.strip_prefix("http://").expect("an http address");
    let mut stream = TcpStream::connect(address).await?;
    let headers = [&sent.headers[..], &["Connection: close".to_owned()]].concat().join("\r\n");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\nContent-Length: {}\r\n\r\n",
        sent.body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    // A body that is refused for its size is not read to its end.
    stream.write_all(&sent.body).await.ok();
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes).await;
    if bytes.is_empty() {
        read?;
    }
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok(Reply {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// Escapes everything that means something in a query.
pub(crate) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Waits until something is so, for half a minute at most.
pub(crate) async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(timeout(Duration::from_secs(30), waiting).await.is_ok(), "{what}");
}

/// A sandbox with something in it.
pub(crate) struct Fixture {
    pub(crate) sandbox: Sandbox,
    pub(crate) credentials: Credentials,
    pub(crate) token: String,
    pub(crate) list: ListId,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let credentials = sandbox.create_service(NewService::default());
        let list = sandbox.create_list(NewList::new("People")).unwrap();
        let token = token(&sandbox, &credentials).await;
        sandbox.reset_report();
        Self { sandbox, credentials, token, list }
    }

    /// A call with the token. `{list}` in the path is filled in.
    pub(crate) async fn call(&self, method: &str, path: &str, sent: Sent) -> Reply {
        self.try_call(method, path, sent).await.unwrap()
    }

    pub(crate) async fn try_call(&self, method: &str, path: &str, sent: Sent) -> io::Result<Reply> {
        let path = path.replace("{list}", &self.list.to_string());
        let sent = sent.with(format!("Authorization: Bearer {}", self.token));
        send(&self.sandbox.base_url(), method, &path, &sent).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, Sent::default()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.call("POST", path, Sent::json(&body)).await
    }

    /// Writes leads with the usual action by e-mail.
    pub(crate) async fn sync(&self, input: Vec<Value>) -> Reply {
        self.post("/rest/v1/leads.json", json!({ "input": input })).await
    }

    /// How many calls of a kind there were.
    pub(crate) fn calls(&self, endpoint: Endpoint) -> usize {
        self.sandbox.report().calls.get(&endpoint).map_or(0, |calls| calls.calls)
    }

    /// One field of everybody with this address.
    pub(crate) fn values(&self, email: &str, field: &str) -> Vec<Value> {
        let found = self.sandbox.leads_by("email", email).unwrap();
        found.iter().map(|lead| lead.fields.get(field).cloned().unwrap_or(Value::Null)).collect()
    }
}

/// Asks for a token as the documents say.
pub(crate) async fn ask_token(sandbox: &Sandbox, credentials: &Credentials) -> Reply {
    let Credentials { client_id, client_secret } = credentials;
    let path = format!(
        "/identity/oauth/token?grant_type=client_credentials&client_id={}&client_secret={}",
        escaped(client_id),
        escaped(client_secret)
    );
    send(&sandbox.base_url(), "GET", &path, &Sent::default()).await.unwrap()
}

pub(crate) async fn token(sandbox: &Sandbox, credentials: &Credentials) -> String {
    let reply = ask_token(sandbox, credentials).await.json();
    reply["access_token"].as_str().expect("a token").to_owned()
}
