//! `$batch`: several operations in one multipart body.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/execute-batch-operations-using-web-api>.
//! Change sets are not here.

use super::answer::Answer;
use super::errors::{self, ApiError};
use super::operation::Operation;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::fmt::Write;

const MOST_OPERATIONS: usize = 1_000;
/// Longest address of an operation, in bytes.
const LONGEST_ADDRESS: usize = 65_536;

/// The operations in their order.
pub(super) fn read(batch: &Operation) -> Result<Vec<Operation>, ApiError> {
    if batch.media_type() != "multipart/mixed" {
        return Err(errors::unsupported_media_type());
    }
    let wrong = |what: &str| errors::invalid_payload(format!("The batch cannot be read: {what}."));
    let (_, boundary) =
        batch.content_type().split_once("boundary=").ok_or_else(|| wrong("there is no boundary"))?;
    let boundary = format!("--{}", boundary.trim().trim_matches('"'));
    let text = std::str::from_utf8(&batch.body).map_err(|_| wrong("it is not UTF-8"))?;
    let (before, _) =
        text.split_once(&format!("{boundary}--")).ok_or_else(|| wrong("the final boundary is missing"))?;
    let opening = format!("{boundary}\r\n");
    let mut parts = before.split(&opening);
    parts.next();
    let operations: Vec<Operation> = parts.map(read_part).collect::<Result<_, _>>()?;
    if operations.is_empty() {
        return Err(wrong("there is no part with lines that end as HTTP's do"));
    }
    if operations.len() > MOST_OPERATIONS {
        return Err(errors::too_many_operations());
    }
    Ok(operations)
}

fn read_part(part: &str) -> Result<Operation, ApiError> {
    let wrong = |what: &str| errors::invalid_payload(format!("A part of the batch cannot be read: {what}."));
    let (part_head, request) = part.split_once("\r\n\r\n").ok_or_else(|| wrong("it has no head"))?;
    let part_headers = read_headers(part_head).ok_or_else(|| wrong("its head is none"))?;
    match part_headers.get("content-type").and_then(|value| value.to_str().ok()) {
        Some("application/http") => {}
        Some(other) if other.starts_with("multipart/mixed") => return Err(errors::not_built("change sets")),
        _ => return Err(wrong("it is not application/http")),
    }
    let (head, body) = request.split_once("\r\n\r\n").ok_or_else(|| wrong("its request has no head"))?;
    let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut line = line.split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1"), None) =
        (line.next(), line.next(), line.next(), line.next())
    else {
        return Err(wrong("its request line is none"));
    };
    if target.len() > LONGEST_ADDRESS {
        return Err(wrong("its address is too long"));
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    // An address with a host is of this host: nobody else's is called from here.
    let path = path.find("/api/data/").and_then(|start| path.get(start..)).unwrap_or(path);
    if path.ends_with("/$batch") {
        return Err(wrong("a batch cannot be in a batch"));
    }
    Ok(Operation {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: read_headers(headers).ok_or_else(|| wrong("its request's head is none"))?,
        body: body.trim_end_matches("\r\n").as_bytes().to_vec(),
    })
}

fn read_headers(text: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::try_from(name.trim()).ok()?;
        headers.append(name, HeaderValue::try_from(value.trim()).ok()?);
    }
    Some(headers)
}

/// The answers in one body, with the status of the last if that ended the batch.
pub(super) fn write(answers: Vec<Answer>, boundary: &str, stopped: Option<u16>) -> Answer {
    let mut body = Vec::new();
    for answer in answers {
        let reason = StatusCode::from_u16(answer.status).ok().and_then(|status| status.canonical_reason());
        let mut head = format!(
            "--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
             HTTP/1.1 {} {}\r\n",
            answer.status,
            reason.unwrap_or("Unknown")
        );
        for (name, value) in &answer.headers {
            // Writing to a text cannot fail.
            write!(head, "{name}: {}\r\n", value.to_str().unwrap_or_default()).ok();
        }
        head.push_str("\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(&answer.body);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let answer = Answer::multipart(boundary, body);
    Answer { status: stopped.unwrap_or(200), ..answer }
}
