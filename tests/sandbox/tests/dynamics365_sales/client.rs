//! A small HTTP client of the tests' own, and a sandbox with an application, some contacts and a list to call.

use sandbox::dynamics365_sales::{
    Application, Guid, MemberType, NewApplication, NewList, NumberedContacts, Options, Sandbox,
};
use serde_json::{Value, json};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Status, headers and the body as text.
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

    /// The status and the error's code; empty if there is none.
    pub(crate) fn outcome(&self) -> (u16, String) {
        let body: Value = serde_json::from_str(&self.body).unwrap_or(Value::Null);
        (self.status, body["error"]["code"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// One request on a connection of its own.
pub(crate) async fn send(
    base_url: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Reply> {
    let address = base_url.strip_prefix("http://").expect("an http address");
    let mut stream = TcpStream::connect(address).await?;
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n",
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

/// A sandbox with ten numbered contacts, a static list of contacts, and a token.
pub(crate) struct Fixture {
    pub(crate) sandbox: Sandbox,
    pub(crate) application: Application,
    pub(crate) list: Guid,
    pub(crate) token: String,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::of(options, NewApplication::default(), 10).await
    }

    pub(crate) async fn of(options: Options, application: NewApplication, contacts: u64) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let application = sandbox.create_application(application).unwrap();
        sandbox.seed_numbered_contacts(NumberedContacts { first: 0, count: contacts });
        let list =
            NewList { name: "People".to_owned(), member_type: MemberType::Contact, ..NewList::default() };
        let list = sandbox.create_list(list).unwrap();
        let mut fixture = Self { sandbox, application, list, token: String::new() };
        fixture.token = fixture.new_token().await;
        fixture
    }

    pub(crate) async fn new_token(&self) -> String {
        let reply = self.ask_token(&[]).await;
        reply.json()["access_token"].as_str().unwrap_or_else(|| panic!("no token: {reply:?}")).to_owned()
    }

    /// A call of the token endpoint with some fields changed, or left out by an empty value. `tenant` is a field too.
    pub(crate) async fn ask_token(&self, changes: &[(&str, &str)]) -> Reply {
        let Application { tenant_id, client_id, client_secret, .. } = &self.application;
        let (tenant, client) = (tenant_id.to_string(), client_id.to_string());
        let scope = format!("{}/.default", self.sandbox.base_url());
        let mut fields = vec![
            ("tenant", tenant.as_str()),
            ("grant_type", "client_credentials"),
            ("client_id", &client),
            ("client_secret", client_secret),
            ("scope", &scope),
        ];
        for (name, value) in &mut fields {
            if let Some((_, changed)) = changes.iter().find(|(changed, _)| changed == name) {
                *value = changed;
            }
        }
        let tenant = fields.remove(0).1;
        let form: Vec<String> = fields
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", value.replace(':', "%3A").replace('/', "%2F")))
            .collect();
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let path = format!("/{tenant}/oauth2/v2.0/token");
        send(&self.sandbox.base_url(), "POST", &path, &headers, &form.join("&")).await.unwrap()
    }

    /// A call of the API. `{list}` in the path is filled in.
    pub(crate) async fn call(&self, method: &str, call: &str, body: impl Into<Value>) -> Reply {
        self.call_with(method, call, &[], body).await
    }

    pub(crate) async fn call_with(
        &self,
        method: &str,
        call: &str,
        headers: &[(&str, &str)],
        body: impl Into<Value>,
    ) -> Reply {
        self.try_call(method, call, headers, body).await.unwrap()
    }

    pub(crate) async fn try_call(
        &self,
        method: &str,
        call: &str,
        headers: &[(&str, &str)],
        body: impl Into<Value>,
    ) -> io::Result<Reply> {
        let body = match body.into() {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let authorization = format!("Bearer {}", self.token);
        let mut all = vec![
            ("Authorization", authorization.as_str()),
            ("Accept", "application/json"),
            ("OData-Version", "4.0"),
            ("OData-MaxVersion", "4.0"),
        ];
        if !body.is_empty() {
            all.push(("Content-Type", "application/json"));
        }
        all.extend_from_slice(headers);
        let call = call.replace("{list}", &self.list.to_string()).replace(' ', "%20");
        let path = if call.starts_with('/') { call } else { format!("/api/data/v9.2/{call}") };
        send(&self.sandbox.base_url(), method, &path, &all, &body).await
    }

    pub(crate) async fn add(&self, contacts: &[Guid]) -> Reply {
        self.call("POST", "AddListMembersList", members(self.list, contacts)).await
    }

    pub(crate) async fn remove(&self, contacts: &[Guid]) -> Reply {
        self.call("POST", "RemoveListMembersList", members(self.list, contacts)).await
    }

    /// The contacts on the list.
    pub(crate) fn on_list(&self) -> Vec<Guid> {
        self.sandbox.members(self.list).unwrap().into_iter().map(|member| member.contact_id).collect()
    }
}

/// The body of the two actions on many members.
pub(crate) fn members(list: Guid, contacts: &[Guid]) -> Value {
    let member = |id: &Guid| json!({ "@odata.type": "Microsoft.Dynamics.CRM.contact", "contactid": id });
    json!({
        "List": { "@odata.type": "Microsoft.Dynamics.CRM.list", "listid": list },
        "Members": contacts.iter().map(member).collect::<Vec<_>>(),
    })
}

/// The contacts of these numbers.
pub(crate) fn numbered(numbers: std::ops::Range<u64>) -> Vec<Guid> {
    numbers.map(Guid::numbered).collect()
}

pub(crate) fn sorted(mut ids: Vec<Guid>) -> Vec<Guid> {
    ids.sort_unstable();
    ids
}
