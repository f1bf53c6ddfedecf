//! From a request to its answer: key, rate limit, faults and the call itself.

use super::answer::Answer;
use super::auth;
use super::calls::{self, Call};
use super::clock;
use super::control;
use super::dialect::Dialect;
use super::endpoint::{self, Endpoint, Route};
use super::errors::{self, ApiError};
use super::ids::BrandId;
use super::limits::{Limits, Rule, Standing};
use super::options::{Options, RefusedCalls, RetryAfter, SharedLimit};
use super::query::Query;
use super::report::Report;
use super::world::World;
use crate::kit::{self, Cutter, Faulty, Service, lock};
use axum::body::{Body, to_bytes};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) type Shared = kit::Shared<World>;

impl Service for World {
    type Options = Options;
    type Endpoint = Endpoint;
    type Gate = ();

    fn port(options: &Options) -> u16 {
        options.port
    }

    fn new(options: Options) -> Self {
        Self::new(options)
    }

    fn gate(&self) {}

    async fn respond(shared: Arc<Shared>, cutter: Cutter, parts: Parts, body: Body) -> Response {
        let route = endpoint::route(parts.method.as_str(), parts.uri.path());
        let (answer, body_bytes) = answer(&shared, &cutter, parts, &route, body).await;
        record(&mut shared.world().report, &route, answer.as_ref(), body_bytes);
        // A connection that was cut sends nothing, whatever the response is.
        answer.unwrap_or_else(|| Answer::empty(200)).into_response()
    }

    /// Shows `brands/{brand}/counts`.
    fn inspect(&mut self, path: &[&str]) -> Option<Value> {
        let ["brands", brand, "counts"] = path else {
            return None;
        };
        serde_json::to_value(control::counts(self, brand).ok()?).ok()
    }

    fn note_in_flight(&mut self, calls: usize) {
        self.report.most_in_flight = self.report.most_in_flight.max(calls);
    }
}

impl Faulty for Answer {
    fn raw_json(status: u16, body: String) -> Self {
        Self::raw_json(status, body)
    }

    fn replaced_by_html(self) -> Self {
        Self::html(self.status, "Proxy")
    }

    fn truncated(self) -> Self {
        self.truncated()
    }
}

fn record(report: &mut Report, route: &Route, answer: Option<&Answer>, body_bytes: usize) {
    report.largest_body_bytes = report.largest_body_bytes.max(body_bytes);
    *report.dialects.entry(route.dialect).or_default() += 1;
    let calls = report.calls.entry(route.endpoint).or_default();
    calls.calls += 1;
    *calls.by_status.entry(answer.map_or(0, |answer| answer.status)).or_default() += 1;
    if let Some(problem) = answer.and_then(|answer| answer.problem) {
        *calls.by_problem.entry(problem.to_owned()).or_default() += 1;
    }
}

/// The answer, none when the connection was cut, and the size of the request's body.
async fn answer(
    shared: &Arc<Shared>,
    cutter: &Cutter,
    parts: Parts,
    route: &Route,
    body: Body,
) -> (Option<Answer>, usize) {
    let (latency, limit) = {
        let options = &shared.world().options;
        (clock::scaled(options.latency_ms, options.time_scale), options.largest_body_bytes)
    };
    let Ok(body) = to_bytes(body, limit).await else {
        return (Some(Answer::error(&errors::too_large(), route.dialect)), limit);
    };
    let fault = lock(&shared.faults).take(route.endpoint);
    let (caller, standing) = admit(shared, &parts, route, fault.is_some());
    let answer = if let Err(error) = &caller
        && error.status == 429
    {
        Some(Answer::error(error, route.dialect))
    } else {
        let dialect = route.dialect;
        let refuse = |status| Answer::error(&errors::with_status(status), dialect);
        let throttle = || Answer::error(&errors::too_many_requests(None), dialect);
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let call = async {
            let call = |brand| calls::answer(shared, &Call { brand, route, query, host, body: &body });
            caller.and_then(call).unwrap_or_else(|error| Answer::error(&error, dialect))
        };
        kit::run(fault, cutter, latency, refuse, throttle, call).await
    };
    let with_headers = |answer: Answer| match standing {
        Some(standing) if route.dialect == Dialect::V5 => answer
            .with_header("x-rate-limit-limit", number(standing.limit))
            .with_header("x-rate-limit-remaining", number(standing.remaining))
            .with_header("x-rate-limit-reset", seconds(standing.reset)),
        _ => answer,
    };
    (answer.map(with_headers), body.len())
}

/// Whose call it is, if it may be made, and where it leaves its brand's limits.
fn admit(
    shared: &Shared,
    parts: &Parts,
    route: &Route,
    is_faulty: bool,
) -> (Result<BrandId, ApiError>, Option<Standing>) {
    let mut world = shared.world();
    let World { options, report, brands, keys, .. } = &mut *world;
    report.faults += usize::from(is_faulty);
    let key = match auth::key(keys, &options.retired, route.dialect, &parts.headers) {
        Ok(key) => key,
        Err(error) => return (Err(error), None),
    };
    let Some(brand) = brands.get_mut(&key.brand) else {
        return (Err(errors::unauthorized()), None);
    };
    let window_ms = options.limits.unwrap_or_default().window_ms;
    let rule = Rule {
        limits: options.limits.as_ref(),
        window: clock::scaled(window_ms, options.time_scale),
        class: route.endpoint.limit_class(),
        enters_default: options.shared_limit == SharedLimit::EveryCall,
        counts_refused: options.refused_calls == RefusedCalls::Counted,
    };
    let (standing, most) = brand.meter.enter(&rule, Instant::now());
    for (class, calls) in most {
        let highest = report.most_in_window.entry(class).or_default();
        *highest = calls.max(*highest);
    }
    // What is not limited has no headers to tell.
    let told = options.limits.map(|_: Limits| standing);
    if !standing.is_admitted {
        report.throttled += 1;
        let is_told = match options.retry_after {
            RetryAfter::AsDocumented => route.endpoint.documents_retry_after(),
            RetryAfter::Never => false,
            RetryAfter::Always => true,
        };
        let retry_after = is_told.then(|| seconds(standing.reset).max(1));
        return (Err(errors::too_many_requests(retry_after)), told);
    }
    let allowed = auth::allow(key, route.endpoint.permission());
    (allowed.map(|()| key.brand.clone()), told)
}

/// Whole seconds, rounded up.
fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
