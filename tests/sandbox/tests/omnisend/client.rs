//! A small HTTP client of the tests' own, and a sandbox with one brand to call.

use sandbox::omnisend::{BrandKey, Dialect, NewBrand, Options, Sandbox, SeedContact, Status};
use serde_json::{Value, json};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A status, the head and the body as text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// One request on a connection of its own.
pub(crate) async fn send(
    base_url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Reply> {
    let address = base_url.strip_prefix("http://").expect("an http address");
    let mut stream = TcpStream::connect(address).await?;
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    // A server that refuses a large body closes before it has read it all.
    stream.write_all(body.as_bytes()).await.ok();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.ok();
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok(Reply {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// A sandbox whose jobs are done at once, with one brand.
pub(crate) struct Fixture {
    pub(crate) sandbox: Sandbox,
    pub(crate) brand: BrandKey,
    pub(crate) dialect: Dialect,
}

/// No limits, and jobs that take no time.
pub(crate) fn quick() -> Options {
    Options {
        limits: None,
        tagging_ms: 0,
        batch_queue_ms: 0,
        batch_run_ms: 0,
        segment_build_ms: 0,
        ..Options::default()
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(Dialect::V2026, quick()).await
    }

    pub(crate) async fn with(dialect: Dialect, options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let brand = sandbox.create_brand(NewBrand::default());
        Self { sandbox, brand, dialect }
    }

    /// A call with the brand's key in the fixture's dialect; the path is behind `/api` or `/v5`.
    pub(crate) async fn call(&self, method: &str, path: &str, body: impl Into<Value>) -> Reply {
        self.call_with(&self.brand.api_key, method, path, body).await
    }

    pub(crate) async fn call_with(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: impl Into<Value>,
    ) -> Reply {
        let body = match body.into() {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let (prefix, headers) = match self.dialect {
            Dialect::V2026 => (
                "/api",
                vec![
                    ("Authorization", format!("Omnisend-API-Key {key}")),
                    ("Omnisend-Version", "2026-03-15".to_owned()),
                ],
            ),
            Dialect::V5 => ("/v5", vec![("X-API-KEY", key.to_owned())]),
        };
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let path = format!("{prefix}{path}");
        send(&self.sandbox.base_url(), method, &path, &headers, &body).await.unwrap()
    }

    /// A call that has to be answered with this status.
    pub(crate) async fn check(&self, method: &str, path: &str, body: impl Into<Value>, status: u16) -> Value {
        let reply = self.call(method, path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.body);
        serde_json::from_str(&reply.body).unwrap_or(Value::Null)
    }

    pub(crate) fn seed(&self, contact: SeedContact) {
        self.sandbox.seed_contacts(&self.brand.brand_id, vec![contact]).unwrap();
    }

    pub(crate) fn tags(&self, email: &str) -> Vec<String> {
        self.sandbox.contact(&self.brand.brand_id, email).unwrap().tags
    }

    pub(crate) fn status(&self, email: &str) -> Status {
        self.sandbox.contact(&self.brand.brand_id, email).unwrap().status
    }

    /// Waits until all batches and taggings are done.
    pub(crate) async fn settle(&self) {
        loop {
            let counts = self.sandbox.counts(&self.brand.brand_id).unwrap();
            if counts.unfinished_batches == 0 && counts.pending_taggings == 0 {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Sends a batch and waits until it is over; its items' page.
    pub(crate) async fn batch(&self, items: Vec<Value>) -> Value {
        let body = json!({ "method": "POST", "endpoint": "contacts", "items": items });
        let status = if self.dialect == Dialect::V2026 { 201 } else { 200 };
        let id = self.check("POST", "/batches", body, status).await["batchID"].as_str().unwrap().to_owned();
        self.settle().await;
        self.check("GET", &format!("/batches/{id}/items"), Value::Null, 200).await
    }
}

/// A contact as a careful client sends it.
pub(crate) fn person(email: &str) -> Value {
    json!({ "identifiers": [{ "type": "email", "id": email, "sendWelcomeMessage": false }] })
}

/// The same with tags.
pub(crate) fn tagged(email: &str, tags: &[&str]) -> Value {
    let mut body = person(email);
    body["tags"] = json!(tags);
    body
}
