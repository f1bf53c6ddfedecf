//! Requests to a running cloud that need no client of a service: invocations, logs, counts of calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ACCESS_KEY_ID, Cloud, REGION};
use crate::Error;
use crate::issuer::{Role, TokenRequest};

/// An HTTP response, or the result of a function.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The body as JSON; as a string if it is not JSON.
    pub body: Value,
    /// The headers, by lower-case name; the last one of several with the same name.
    pub headers: BTreeMap<String, String>,
    /// Whether an invocation failed as a whole.
    pub function_error: bool,
}

/// Calls by caller (`function` or `outside`), service and action.
pub type Calls = BTreeMap<String, BTreeMap<String, BTreeMap<String, u64>>>;

impl Cloud {
    /// Invokes a function, such as `tick`, and waits for its result.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Response, Error> {
        let path = format!("/2015-03-31/functions/{}/invocations", self.function_name(function));
        self.post("lambda", &path, &[], event).await
    }

    /// Calls the HTTP API, such as `POST` of `/exports/newsletter/runs`, as an administrator.
    pub async fn api(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, Error> {
        self.api_with(method, path, &[], body).await
    }

    /// As [`Cloud::api`], with headers such as `Idempotency-Key`.
    pub async fn api_with(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Response, Error> {
        let token = self.issuer().token(&TokenRequest::of(Role::Administrator))?;
        self.api_as(Some(&token), method, path, headers, body).await
    }

    /// As [`Cloud::api`], with any text as token; `None` sends none.
    pub async fn api_as(
        &self,
        token: Option<&str>,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Response, Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.api_url()));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        read(request.send().await?).await
    }

    /// Returns all log lines of the functions; lines of different functions are in no order.
    ///
    /// The lines of an invocation are complete when it has ended. Those of a killed invocation are only in
    /// the file at [`Cloud::log_path`].
    pub async fn function_logs(&self) -> Result<Vec<String>, Error> {
        let groups = self.logs("DescribeLogGroups", &json!({})).await?;
        let mut lines = Vec::new();
        for name in strings(&groups, "logGroups", "logGroupName") {
            let mut request = json!({"logGroupName": name, "limit": 10_000});
            loop {
                let page = self.logs("FilterLogEvents", &request).await?;
                lines.extend(strings(&page, "events", "message"));
                match page.get("nextToken") {
                    Some(token) if !token.is_null() => {
                        if let Some(fields) = request.as_object_mut() {
                            fields.insert("nextToken".to_owned(), token.clone());
                        }
                    }
                    _ => break,
                }
            }
        }
        Ok(lines)
    }

    /// Returns the number of calls by caller and action since the start.
    pub async fn calls(&self) -> Result<Calls, Error> {
        let answer = self.http.get(format!("{}/_local/calls", self.endpoint())).send().await?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// Returns the number of calls by functions to AWS since the start.
    pub async fn function_calls(&self) -> Result<u64, Error> {
        let calls = self.calls().await?;
        Ok(calls.get("function").into_iter().flat_map(BTreeMap::values).flat_map(BTreeMap::values).sum())
    }

    async fn logs(&self, action: &str, request: &Value) -> Result<Value, Error> {
        let target = format!("Logs_20140328.{action}");
        let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
        let answer = self.post("logs", "/", &headers, request).await?;
        if answer.status == 200 {
            Ok(answer.body)
        } else {
            Err(Error::Answer(format!("{action}: {} {}", answer.status, answer.body)))
        }
    }

    async fn post(
        &self,
        service: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Response, Error> {
        let mut request = self
            .http
            .post(format!("{}{path}", self.endpoint()))
            .header("authorization", authorization(service));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.body(body.to_string()).send().await?).await
    }
}

/// Returns the header from which the emulator reads the caller and the service. If the emulator checks
/// signatures, the launcher replaces `none` with a real one.
fn authorization(service: &str) -> String {
    let scope = format!("{ACCESS_KEY_ID}/20260101/{REGION}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none")
}

async fn read(answer: reqwest::Response) -> Result<Response, Error> {
    let status = answer.status().as_u16();
    let function_error = answer.headers().contains_key("x-amz-function-error");
    let text_of =
        |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), text_of(value))).collect();
    let text = answer.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Response { status, body, headers, function_error })
}

fn strings(answer: &Value, list: &str, field: &str) -> Vec<String> {
    let entries = answer.get(list).and_then(Value::as_array);
    entries.into_iter().flatten().filter_map(|entry| Some(entry.get(field)?.as_str()?.to_owned())).collect()
}
