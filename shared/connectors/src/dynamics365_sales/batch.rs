//! `$batch`: several operations in one call. Pure.
//!
//! At the most 1,000 operations, done one after the other, their answers in the same order
//! (<https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>).

use super::answers::Refusal;
use super::client::{Answer, Call, SHORT_TIMEOUT, Weight, refusal};
use crate::PushError;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method};
use std::fmt::Write;
use std::time::Duration;
use url::Url;

/// The most operations of one batch.
pub(super) const MOST_OPERATIONS: usize = 1_000;
const CONTENT: HeaderValue = HeaderValue::from_static("multipart/mixed; boundary=\"batch_segment_relay\"");
/// Nothing of what is sent can have this in it: operations are made of our own words and of GUIDs.
const BOUNDARY: &str = "--batch_segment_relay";
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Otherwise the first refusal ends the batch.
const CONTINUE: HeaderValue = HeaderValue::from_static("odata.continue-on-error");

/// One operation.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) url: Url,
    /// JSON; none for an operation that reads.
    pub(super) body: Option<String>,
}

/// The answer to one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

/// The call that carries operations.
pub(super) fn call(operation: &'static str, url: Url, operations: &[Operation], weight: Weight) -> Call {
    Call {
        operation,
        method: Method::POST,
        url,
        headers: vec![(CONTENT_TYPE, CONTENT), (PREFER, CONTINUE)],
        body: Bytes::from(encode(operations)),
        timeout: SHORT_TIMEOUT,
        weight,
    }
}

/// The body: lines end as HTTP's do, and the address of an operation is a path with its query.
pub(super) fn encode(operations: &[Operation]) -> String {
    let mut text = String::new();
    for Operation { method, url, body } in operations {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let path = url.path();
        // Writing to a text cannot fail.
        write!(
            text,
            "{BOUNDARY}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
             {method} {path}{query} HTTP/1.1\r\nAccept: application/json\r\n"
        )
        .ok();
        match body {
            Some(body) => write!(text, "Content-Type: application/json\r\n\r\n{body}\r\n").ok(),
            None => write!(text, "\r\n").ok(),
        };
    }
    text.push_str(BOUNDARY);
    text.push_str("--\r\n");
    text
}

/// The answers to `count` operations, in their order.
pub(super) fn parts(answer: &Answer, count: usize) -> Result<Vec<Part>, PushError> {
    let content = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parts = std::str::from_utf8(&answer.body).ok().and_then(|body| decode(content, body));
    parts.filter(|parts| parts.len() == count).ok_or_else(|| answer.unreadable())
}

fn decode(content_type: &str, body: &str) -> Option<Vec<Part>> {
    let (_, boundary) = content_type.split_once("boundary=")?;
    let boundary = boundary.split(';').next().unwrap_or_default().trim().trim_matches('"');
    if boundary.is_empty() {
        return None;
    }
    let body = body.replace("\r\n", "\n");
    let opening = format!("--{boundary}\n");
    let (before, _) = body.split_once(&format!("--{boundary}--"))?;
    before.split(&opening).skip(1).map(part).collect()
}

fn part(text: &str) -> Option<Part> {
    let (_, response) = text.split_once("\n\n")?;
    let (head, body) = response.split_once("\n\n").unwrap_or((response, ""));
    let mut lines = head.lines();
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    let retry_after = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("retry-after"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .map(Duration::from_secs);
    Some(Part { status, retry_after, body: body.trim().to_owned() })
}

impl Part {
    /// The body of a success, or the error of a refusal.
    pub(super) fn judge(&self, operation: &'static str) -> Result<&str, PushError> {
        if (200..300).contains(&self.status) {
            return Ok(&self.body);
        }
        Err(refusal(operation, self.status, &Refusal::read(self.body.as_bytes()), self.retry_after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "--batchresponse_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
        HTTP/1.1 200 OK\r\nOData-Version: 4.0\r\n\r\n{\"value\":[]}\r\n--batchresponse_1\r\nContent-Type: application/http\r\n\r\n\
        HTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\n\r\n\r\n--batchresponse_1\r\nContent-Type: application/http\r\n\r\n\
        HTTP/1.1 429 Unknown Status Code\r\nRetry-After: 17\r\n\r\n{\"error\":{\"code\":\"0x80072322\"}}\r\n--batchresponse_1--\r\n";

    #[test]
    fn parts_come_in_the_order_of_the_operations() {
        let expected = [
            Part { status: 200, retry_after: None, body: "{\"value\":[]}".to_owned() },
            Part { status: 204, retry_after: None, body: String::new() },
            Part {
                status: 429,
                retry_after: Some(Duration::from_secs(17)),
                body: "{\"error\":{\"code\":\"0x80072322\"}}".to_owned(),
            },
        ];
        for content_type in [
            "multipart/mixed; boundary=batchresponse_1",
            "multipart/mixed; boundary=\"batchresponse_1\"; charset=utf-8",
        ] {
            assert_eq!(decode(content_type, ANSWER).unwrap(), expected);
            assert_eq!(decode(content_type, &ANSWER.replace("\r\n", "\n")).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        let content_type = "multipart/mixed; boundary=batchresponse_1";
        assert_eq!(decode("application/json", ANSWER), None);
        assert_eq!(decode("multipart/mixed; boundary=", ANSWER), None);
        assert_eq!(decode(content_type, ""), None);
        assert_eq!(decode(content_type, &ANSWER.replace("1--", "1")), None, "cut off");
        assert_eq!(decode(content_type, &ANSWER.replace("HTTP/1.1 204", "nothing")), None);
    }
}
