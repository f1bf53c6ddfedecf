//! The client of the HTTP API: authentication, versions and retries. No error contains the token.

mod answers;
mod calls;
mod problem;

use std::cell::RefCell;
use std::time::Duration;

pub(crate) use answers::{Answer, Listed, Saved, field, number, text, texts};
pub(crate) use calls::{Call, Checking, Condition};
pub(crate) use problem::{ApiError, Problem};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue, IF_MATCH, IF_NONE_MATCH, RETRY_AFTER};
use reqwest::{Client, Method, Response};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::tokens::Origin;

/// The timeout of a request, response body included. The API itself answers within 30 seconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(45);
/// The timeout for establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The number of retries.
const FURTHER_ATTEMPTS: u32 = 4;
/// The pause before the first retry if the API names none. It doubles with each retry.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause before a retry.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// A failed attempt.
struct Failed {
    error: ApiError,
    again: Again,
}

impl Failed {
    const fn for_good(error: ApiError) -> Self {
        Self { error, again: Again::Never }
    }
}

/// Whether and when to retry.
enum Again {
    /// A retry would fail in the same way or could do harm.
    Never,
    /// Retry after an exponentially growing pause.
    Soon,
    /// Retry after the pause that the API asks for (`Retry-After`).
    After(Duration),
}

/// The API of one deployment, with the caller's credentials.
pub(crate) struct Api {
    client: Client,
    address: Url,
    origin: Origin,
    token: RefCell<SecretString>,
}

/// Builds the HTTP client for an address that was `checked`. It follows no redirects, so that the token is
/// sent only to this host. It uses no proxy for a loopback address, because the token is then sent
/// unencrypted.
pub(crate) fn client(address: &Url) -> Result<Client, reqwest::Error> {
    let client = Client::builder();
    let client = if address.scheme() == "http" { client.no_proxy() } else { client };
    client
        .user_agent(concat!("segment-relay/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        .build()
}

impl Api {
    /// Creates the client of the API at `address`, with tokens of this origin.
    pub(crate) const fn new(client: Client, address: Url, origin: Origin, token: SecretString) -> Self {
        Self { client, address, origin, token: RefCell::new(token) }
    }

    /// Sends a `GET` request.
    pub(crate) async fn get(&self, doing: &str, path: &[&str]) -> Result<Answer, ApiError> {
        self.send(&Call::new(Method::GET, doing, path)).await
    }

    /// Returns every item of a list, page by page. `query` is added to the request of each page.
    pub(crate) async fn list(
        &self,
        doing: &str,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Listed, ApiError> {
        self.list_up_to(doing, path, query, usize::MAX).await
    }

    /// Returns the first `most` items of a list.
    pub(crate) async fn list_up_to(
        &self,
        doing: &str,
        path: &[&str],
        query: &[(&str, String)],
        most: usize,
    ) -> Result<Listed, ApiError> {
        let unexpected = |what: &str| ApiError::Unexpected { doing: doing.to_owned(), what: what.to_owned() };
        let (mut items, mut unreadable) = (Vec::new(), Vec::new());
        let mut cursor: Option<String> = None;
        while items.len() < most {
            let mut call = Call::new(Method::GET, doing, path);
            call.query.extend_from_slice(query);
            call.query.push(("limit", (most - items.len()).min(100).to_string()));
            if let Some(cursor) = &cursor {
                call.query.push(("cursor", cursor.clone()));
            }
            let body = self.send(&call).await?.body;
            let page = body.get("items").and_then(Value::as_array).ok_or_else(|| unexpected("no items"))?;
            items.extend(page.iter().cloned());
            unreadable.extend(texts(&body, "/unreadable"));
            let next = body.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
            if next.is_some() && next == cursor {
                return Err(unexpected("the same next_cursor twice"));
            }
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        items.truncate(most);
        Ok(Listed { items, unreadable })
    }

    /// Sends a request, and retries it if that can help and is safe.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer, ApiError> {
        for attempt in 0.. {
            let Failed { error, again } = match self.send_signed(call).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let pause = match again {
                Again::Never => return Err(error),
                Again::After(pause) => pause,
                Again::Soon => FIRST_PAUSE * 2_u32.pow(attempt),
            };
            if attempt >= FURTHER_ATTEMPTS || pause > LONGEST_PAUSE {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
        Err(call.unexpected("no end"))
    }

    /// Makes one attempt, and a second one with a new token after a 401. A request that was refused with
    /// 401 was not carried out, so repeating it is safe.
    async fn send_signed(&self, call: &Call<'_>) -> Result<Answer, Failed> {
        match self.send_once(call).await {
            Err(Failed { error, .. }) if error.status() == Some(401) && self.origin.has_more() => {
                let doing = call.doing.to_owned();
                let token = self.origin.token().await;
                let token = token.map_err(|why| Failed::for_good(ApiError::NoToken { doing, why }))?;
                self.token.replace(token);
                self.send_once(call).await
            }
            first => first,
        }
    }

    /// Makes one attempt with the current token.
    async fn send_once(&self, call: &Call<'_>) -> Result<Answer, Failed> {
        let mut address = self.address.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.pop_if_empty().extend(call.path);
        }
        if !call.query.is_empty() {
            address.query_pairs_mut().extend_pairs(call.query.iter().map(|(name, value)| (*name, value)));
        }
        let mut request = self.client.request(call.method.clone(), address);
        let mut token = HeaderValue::try_from(format!("Bearer {}", self.token.borrow().expose_secret()))
            .map_err(|_| {
                Failed::for_good(call.unexpected("a token that is not a valid HTTP header value"))
            })?;
        token.set_sensitive(true);
        request = request.header(AUTHORIZATION, token);
        match call.condition {
            Some(Condition::IsVersion(version)) => {
                request = request.header(IF_MATCH, format!("\"{version}\""));
            }
            Some(Condition::IsNew) => request = request.header(IF_NONE_MATCH, "*"),
            None => {}
        }
        if matches!(call.method, Method::POST | Method::PUT) {
            request = request.header("idempotency-key", &call.key);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.expose_secret().to_owned());
        }
        match request.send().await {
            Ok(response) => self.read(call, response).await,
            Err(error) => Err(self.unanswered(call, &error)),
        }
    }

    async fn read(&self, call: &Call<'_>, response: Response) -> Result<Answer, Failed> {
        let status = response.status().as_u16();
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let version =
            header(ETAG).and_then(|tag| tag.trim_start_matches("W/").trim_matches('"').parse().ok());
        let asked = header(RETRY_AFTER).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        let body = response.bytes().await.map_err(|error| self.unanswered(call, &error))?;
        let body: Option<Value> =
            if body.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&body).ok() };
        match (status, body) {
            (200..=299, Some(body)) => Ok(Answer { body, version }),
            (200..=299, None) => Err(Failed::for_good(call.unexpected("no JSON"))),
            (_, body) => {
                let problem =
                    body.and_then(|body| serde_json::from_value(body).ok()).unwrap_or_else(Problem::default);
                let may_repeat =
                    matches!(status, 429 | 503) || (call.is_reading() && matches!(status, 502 | 504));
                let error =
                    ApiError::Refused { doing: call.doing.to_owned(), status, problem: Box::new(problem) };
                let again = match asked {
                    _ if !may_repeat => Again::Never,
                    Some(pause) => Again::After(pause),
                    None => Again::Soon,
                };
                Err(Failed { error, again })
            }
        }
    }

    fn unanswered(&self, call: &Call<'_>, error: &reqwest::Error) -> Failed {
        let doing = call.doing.to_owned();
        let host = self.address.host_str().unwrap_or_default().to_owned();
        if error.is_connect() {
            // A refused connection seldom recovers within the retry pauses.
            let why = root_cause(error);
            return Failed::for_good(ApiError::NoConnection { doing, host, why });
        }
        let again = if call.is_reading() { Again::Soon } else { Again::Never };
        Failed { error: ApiError::NoAnswer { doing, host }, again }
    }
}

/// Returns the innermost cause; the outer ones repeat the address.
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
