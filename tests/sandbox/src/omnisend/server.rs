//! From a request to its answer: key, rate limit, faults and the call itself.

use super::answer::Answer;
use super::auth;
use super::calls::{self, Call};
use super::clock;
use super::control_routes;
use super::dialect::Dialect;
use super::endpoint::{self, Endpoint, Route};
use super::errors::{self, ApiError};
use super::ids::BrandId;
use super::limits::{Limits, Rule, Standing};
use super::options::{RefusedCalls, RetryAfter, SharedLimit};
use super::query::Query;
use super::report::Report;
use super::world::World;
use crate::faults::{FaultKind, Faults};
use crate::serve::Cutter;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    pub(super) faults: Mutex<Faults<Endpoint>>,
    in_flight: AtomicUsize,
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self { world: Mutex::new(world), faults: Mutex::default(), in_flight: AtomicUsize::new(0) }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

/// A lock that a panicking test has not taken away from the others.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything under the server's address.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(handle).with_state(shared)
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(path) = parts.uri.path().strip_prefix(control_routes::PREFIX) {
        return control_routes::handle(&shared, &parts, path, body).await.into_response();
    }
    // A task of its own: the vendor's work goes on, and is counted, when the caller has hung up.
    let task = tokio::spawn(async move {
        let in_flight = InFlight::enter(Arc::clone(&shared));
        let route = endpoint::route(parts.method.as_str(), parts.uri.path());
        let (answer, body_bytes) = answer(&shared, &cutter, parts, &route, body).await;
        record(&mut shared.world().report, &route, answer.as_ref(), body_bytes);
        drop(in_flight);
        // A connection that was cut writes nothing, whatever is handed to it.
        answer.unwrap_or_else(|| Answer::empty(200))
    });
    task.await.unwrap_or_else(|_| Answer::html(500, "Internal Server Error")).into_response()
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
        faulty(shared, cutter, &parts, route, &body, caller, fault, latency).await
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

/// The answer with whatever a fault does to it.
#[expect(clippy::too_many_arguments, reason = "it is one half of a function that was too long")]
async fn faulty(
    shared: &Arc<Shared>,
    cutter: &Cutter,
    parts: &Parts,
    route: &Route,
    body: &[u8],
    caller: Result<BrandId, ApiError>,
    fault: Option<FaultKind>,
    latency: Duration,
) -> Option<Answer> {
    let mut delay = latency;
    match &fault {
        Some(FaultKind::Status(status)) => {
            return Some(Answer::error(&errors::with_status(*status), route.dialect));
        }
        Some(FaultKind::TooManyRequests) => {
            return Some(Answer::error(&errors::too_many_requests(None), route.dialect));
        }
        Some(FaultKind::Answer { status, body }) => return Some(Answer::raw_json(*status, body.clone())),
        Some(FaultKind::DropConnection) => {
            cutter.cut();
            return None;
        }
        Some(FaultKind::DelayBefore(delay_ms)) => delay += Duration::from_millis(*delay_ms),
        _ => {}
    }
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let done = caller.and_then(|brand| calls::answer(shared, &Call { brand, route, query, host, body }));
    let answer = done.unwrap_or_else(|error| Answer::error(&error, route.dialect));
    match fault {
        Some(FaultKind::DelayAfter(delay_ms)) => {
            sleep(Duration::from_millis(delay_ms)).await;
            Some(answer)
        }
        Some(FaultKind::DropAfterProcessing) => {
            cutter.cut();
            None
        }
        Some(FaultKind::StatusAfterProcessing(status)) => {
            Some(Answer::error(&errors::with_status(status), route.dialect))
        }
        Some(FaultKind::BadJson) => Some(Answer::html(answer.status, "Proxy")),
        Some(FaultKind::TruncatedJson) => Some(answer.truncated()),
        _ => Some(answer),
    }
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

/// A call that is being handled, for as long as this lives.
struct InFlight(Arc<Shared>);

impl InFlight {
    fn enter(shared: Arc<Shared>) -> Self {
        let now = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        {
            let report = &mut shared.world().report;
            report.most_in_flight = report.most_in_flight.max(now);
        }
        Self(shared)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
