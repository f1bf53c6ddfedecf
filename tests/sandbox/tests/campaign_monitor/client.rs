//! A small HTTP client of the tests' own, and a sandbox with one account, client and list to call.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sandbox::campaign_monitor::{
    Account, AccountClient, ListId, NewAccount, NewClient, NewList, Options, Sandbox, SeedSubscriber,
    SubscriberState, UnsubscribeSetting,
};
use serde_json::{Value, json};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A status and the body as text.
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

    /// The status and the body's `Code`, 0 if it has none.
    pub(crate) fn status_and_code(&self) -> (u16, u64) {
        let body: Value = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        (self.status, body.get("Code").and_then(Value::as_u64).unwrap_or(0))
    }
}

/// One request on a connection of its own.
pub(crate) async fn send(
    base_url: &str,
    method: &str,
    path: &str,
    authorization: Option<&str>,
    body: &str,
) -> io::Result<Reply> {
    let address = base_url.strip_prefix("http://").expect("an http address");
    let mut stream = TcpStream::connect(address).await?;
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\n{authorization}Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok(Reply {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

pub(crate) fn basic(api_key: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{api_key}:x")))
}

/// A sandbox with something in it.
pub(crate) struct Fixture {
    pub(crate) sandbox: Sandbox,
    pub(crate) account: Account,
    pub(crate) client: AccountClient,
    pub(crate) list: ListId,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(Options { single_add_queue_ms: 0, ..Options::default() }).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let account = sandbox.create_account(NewAccount::default());
        let client = sandbox.create_client(NewClient::new(account.account_id.clone(), "Acme")).unwrap();
        let list = NewList {
            client_id: client.client_id.clone(),
            title: "People".to_owned(),
            confirmed_opt_in: false,
            unsubscribe_setting: UnsubscribeSetting::OnlyThisList,
        };
        let list = sandbox.create_list(list).unwrap();
        Self { sandbox, account, client, list }
    }

    /// Another list of the same client.
    pub(crate) fn other_list(&self, confirmed_opt_in: bool, setting: UnsubscribeSetting) -> ListId {
        let list = NewList {
            client_id: self.client.client_id.clone(),
            title: format!("{setting:?} {confirmed_opt_in}"),
            confirmed_opt_in,
            unsubscribe_setting: setting,
        };
        self.sandbox.create_list(list).unwrap()
    }

    /// A call with the account's key. `{list}` and `{client}` in the path are filled in.
    pub(crate) async fn call(&self, method: &str, path: &str, body: impl Into<Value>) -> Reply {
        self.try_call(method, path, body).await.unwrap()
    }

    pub(crate) async fn try_call(
        &self,
        method: &str,
        path: &str,
        body: impl Into<Value>,
    ) -> io::Result<Reply> {
        let body = match body.into() {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let authorization = basic(&self.account.api_key);
        send(&self.sandbox.base_url(), method, &self.path(path), Some(&authorization), &body).await
    }

    pub(crate) fn path(&self, path: &str) -> String {
        let path =
            path.replace("{list}", self.list.as_str()).replace("{client}", self.client.client_id.as_str());
        format!("/api/v3.3{path}")
    }

    pub(crate) async fn import(&self, rows: Vec<Value>, resubscribe: bool) -> Reply {
        let body = json!({ "Subscribers": rows, "Resubscribe": resubscribe });
        self.call("POST", "/subscribers/{list}/import.json", body).await
    }

    pub(crate) fn seed(&self, email: &str, state: SubscriberState) {
        self.sandbox.seed_subscriber(&self.list, SeedSubscriber::new(email, state)).unwrap();
    }

    /// The state of somebody on the list; none if they are not there.
    pub(crate) fn state(&self, email: &str) -> Option<SubscriberState> {
        self.sandbox.subscriber(&self.list, email).ok().map(|person| person.state)
    }
}

/// A row of an import.
pub(crate) fn row(email: &str) -> Value {
    json!({ "EmailAddress": email, "Name": "Somebody", "ConsentToTrack": "Unchanged" })
}
