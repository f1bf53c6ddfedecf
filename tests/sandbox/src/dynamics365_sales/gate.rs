//! The way into a web server: service protection limits and refusals on request.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>, and for the hint how many calls to
//! have in flight <https://learn.microsoft.com/power-apps/developer/data-platform/send-parallel-requests>

use super::answer::{Answer, hexadecimal};
use super::endpoint::Endpoint;
use super::ids::Guid;
use super::operation::Operation;
use super::protection::{Limit, ServiceProtection};
use super::server::Shared;
use crate::kit::lock;
use axum::http::header;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A call that was let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admission {
    user: Guid,
    pub(super) server: usize,
    limits: Option<ServiceProtection>,
}

/// Lets a call in, which has to [`leave`], or answers 429.
pub(super) fn enter(
    shared: &Arc<Shared>,
    user: Guid,
    endpoint: Endpoint,
    operation: &Operation,
) -> Result<Admission, Answer> {
    if let Some(answer) = forced(shared, endpoint) {
        return Err(answer);
    }
    let (limits, servers, now_ms) = {
        let world = shared.world();
        (world.options.protection, world.options.web_servers.max(1), world.clock.now_ms())
    };
    let server = affinity(operation)
        .unwrap_or_else(|| shared.gate.next_server.fetch_add(1, Ordering::SeqCst))
        % servers;
    let Some(limits) = limits else {
        return Ok(Admission { user, server, limits: None });
    };
    let mut usage = lock(&shared.gate.usage);
    let usage = usage.entry((user, server)).or_default();
    let begun = usage.begin(&limits, now_ms);
    let mut world = shared.world();
    match begun {
        Ok(()) => {
            let report = &mut world.report;
            report.most_calls_in_window = report.most_calls_in_window.max(usage.requests());
            Ok(Admission { user, server, limits: Some(limits) })
        }
        Err(refused) => {
            world.report.calls_before_retry_after += usize::from(refused.is_early);
            let seconds = world.clock.real_seconds(refused.wait_ms);
            drop(world);
            Err(refusal(shared, refused.limit, seconds))
        }
    }
}

/// The refusal that was asked for, if it is this call's turn.
pub(super) fn forced(shared: &Shared, endpoint: Endpoint) -> Option<Answer> {
    let mut world = shared.world();
    let throttle = world.throttles.iter_mut().find(|throttle| throttle.hits(endpoint))?;
    throttle.times -= 1;
    let (limit, seconds) = (throttle.limit, throttle.retry_after_seconds);
    world.throttles.retain(|throttle| throttle.times > 0);
    world.report.throttled_on_request += 1;
    drop(world);
    Some(refusal(shared, limit, seconds))
}

/// The call is over. Gives its answer the headers that say what is left.
pub(super) fn leave(
    shared: &Arc<Shared>,
    admission: &Admission,
    execution_ms: u64,
    answer: Answer,
) -> Answer {
    let mut usage = lock(&shared.gate.usage);
    let mut world = shared.world();
    world.report.execution_ms += execution_ms;
    let mut answer = answer;
    if let Some(hint) = world.options.parallelism_hint {
        answer = answer.with_number("x-ms-dop-hint", u64::from(hint));
    }
    let Some(limits) = &admission.limits else {
        return answer;
    };
    let usage = usage.entry((admission.user, admission.server)).or_default();
    usage.end(limits, world.clock.now_ms(), execution_ms);
    let report = &mut world.report;
    report.longest_execution_in_window_ms = report.longest_execution_in_window_ms.max(usage.execution_ms());
    let requests = limits.requests.saturating_sub(usage.requests());
    let left_ms = limits.execution_ms.saturating_sub(usage.execution_ms());
    answer
        .with_number(
            "x-ms-ratelimit-burst-remaining-xrm-requests",
            u64::try_from(requests).unwrap_or(u64::MAX),
        )
        .with_text("x-ms-ratelimit-time-remaining-xrm-requests", &seconds_text(left_ms))
}

/// The answer of a limit, and its count.
pub(super) fn refusal(shared: &Shared, limit: Limit, retry_after_seconds: u64) -> Answer {
    let mut world = shared.world();
    *world.report.throttled.entry(limit).or_default() += 1;
    let limits = world.options.protection.unwrap_or_default();
    let body = json!({ "error": { "code": hexadecimal(limit.code()), "message": limit.message(&limits) } });
    let answer = Answer::json(429, &body).with_number("retry-after", retry_after_seconds);
    Answer { code: Some(limit.code()), ..answer }
}

/// The web server that a cookie asks for.
fn affinity(operation: &Operation) -> Option<usize> {
    let cookies = operation.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = cookies.flat_map(|cookies| cookies.split(';'));
    cookies.find_map(|cookie| cookie.trim().strip_prefix("ARRAffinity=server")?.parse().ok())
}

/// `1,199.50`
fn seconds_text(milliseconds: u64) -> String {
    let (seconds, hundredths) = (milliseconds / 1000, milliseconds % 1000 / 10);
    match seconds / 1000 {
        0 => format!("{seconds}.{hundredths:02}"),
        thousands => format!("{thousands},{:03}.{hundredths:02}", seconds % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_a_comma_and_two_digits() {
        for (milliseconds, expected) in
            [(1_200_000, "1,200.00"), (1_199_509, "1,199.50"), (999_999, "999.99"), (0, "0.00")]
        {
            assert_eq!(seconds_text(milliseconds), expected);
        }
    }
}
