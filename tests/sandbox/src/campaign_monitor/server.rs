//! From a request to its answer: faults, throttling, authorisation and the call itself.

use super::answer::Answer;
use super::endpoint::{self, Endpoint, NoRoute, Part, Query, Route};
use super::errors::{self, ApiError};
use super::report::Report;
use super::world::World;
use super::{auth, clients, clock, control_routes, import, lists, oauth, people, stats};
use crate::faults::{FaultKind, Faults};
use crate::serve::Cutter;
use crate::throttle::Window;
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
#[derive(Debug, Default)]
pub(super) struct Shared {
    world: Mutex<World>,
    pub(super) faults: Mutex<Faults<Endpoint>>,
    window: Mutex<Window>,
    in_flight: AtomicUsize,
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self { world: Mutex::new(world), ..Self::default() }
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
        let endpoint = route.as_ref().map_or(Endpoint::Unknown, |route| route.endpoint);
        let (answer, body_bytes) = answer(&shared, &cutter, parts, endpoint, route, body).await;
        record(&mut shared.world().report, endpoint, answer.as_ref(), body_bytes);
        drop(in_flight);
        // A connection that was cut writes nothing, whatever is handed to it.
        answer.unwrap_or_else(Answer::empty)
    });
    task.await.unwrap_or_else(|_| errors::server_error(500).into()).into_response()
}

fn record(report: &mut Report, endpoint: Endpoint, answer: Option<&Answer>, body_bytes: usize) {
    report.largest_body_bytes = report.largest_body_bytes.max(body_bytes);
    let calls = report.calls.entry(endpoint).or_default();
    calls.calls += 1;
    *calls.by_status.entry(answer.map_or(0, |answer| answer.status)).or_default() += 1;
    if let Some(code) = answer.and_then(|answer| answer.code) {
        *calls.by_code.entry(code).or_default() += 1;
    }
}

/// The answer, none when the connection was cut, and the size of the request's body.
async fn answer(
    shared: &Arc<Shared>,
    cutter: &Cutter,
    parts: Parts,
    endpoint: Endpoint,
    route: Result<Route, NoRoute>,
    body: Body,
) -> (Option<Answer>, usize) {
    let (latency_ms, throttle, limit, with_headers) = {
        let options = &shared.world().options;
        (options.latency_ms, options.throttle, options.largest_body_bytes, options.rate_limit_headers)
    };
    let Ok(body) = to_bytes(body, limit).await else {
        return (Some(Answer::too_large()), limit);
    };
    let body_bytes = body.len();
    let fault = lock(&shared.faults).take(endpoint);
    if fault.is_some() {
        shared.world().report.faults += 1;
    }
    if let Some(limit) = throttle.filter(|_| endpoint != Endpoint::Token)
        && !lock(&shared.window).admit(limit, Instant::now())
    {
        shared.world().report.throttled += 1;
        let answer = Answer::from(errors::TOO_MANY_REQUESTS);
        let answer = if with_headers {
            answer
                .with_header("x-ratelimit-limit", u64::try_from(limit.calls).unwrap_or(u64::MAX))
                .with_header("x-ratelimit-remaining", 0)
                .with_header("x-ratelimit-reset", limit.window_ms.div_ceil(1000))
        } else {
            answer
        };
        return (Some(answer), body_bytes);
    }
    let mut delay_before_ms = latency_ms;
    match &fault {
        Some(FaultKind::Status(status)) => {
            return (Some(errors::server_error(*status).into()), body_bytes);
        }
        Some(FaultKind::TooManyRequests) => return (Some(errors::TOO_MANY_REQUESTS.into()), body_bytes),
        Some(FaultKind::Answer { status, body }) => {
            return (Some(Answer::raw_json(*status, body.clone())), body_bytes);
        }
        Some(FaultKind::DropConnection) => {
            cutter.cut();
            return (None, body_bytes);
        }
        Some(FaultKind::DelayBefore(delay_ms)) => delay_before_ms = delay_before_ms.saturating_add(*delay_ms),
        _ => {}
    }
    if delay_before_ms > 0 {
        sleep(Duration::from_millis(delay_before_ms)).await;
    }
    let answer = process(shared, &parts, route, &body);
    let answer = match fault {
        Some(FaultKind::DelayAfter(delay_ms)) => {
            sleep(Duration::from_millis(delay_ms)).await;
            Some(answer)
        }
        Some(FaultKind::DropAfterProcessing) => {
            cutter.cut();
            None
        }
        Some(FaultKind::StatusAfterProcessing(status)) => Some(errors::server_error(status).into()),
        Some(FaultKind::BadJson) => Some(Answer::html(answer.status, "Proxy")),
        Some(FaultKind::TruncatedJson) => Some(answer.truncated()),
        _ => Some(answer),
    };
    (answer, body_bytes)
}

fn process(shared: &Arc<Shared>, parts: &Parts, route: Result<Route, NoRoute>, body: &[u8]) -> Answer {
    let route = match route {
        Ok(route) => route,
        Err(NoRoute::NotJson) => return Answer::xml_not_found(),
        Err(NoRoute::Unknown) => return errors::NOT_FOUND.into(),
    };
    if route.endpoint == Endpoint::Token {
        return oauth::token(&mut shared.world(), body, clock::now());
    }
    call(shared, parts, &route, body).into()
}

fn call(shared: &Arc<Shared>, parts: &Parts, route: &Route, body: &[u8]) -> Result<Answer, ApiError> {
    let now = clock::now();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let id = route.id.as_str();
    let mut world = shared.world();
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let caller = &auth::authorise(&world, header, route.endpoint, now)?;
    match route.endpoint {
        Endpoint::Clients => Ok(clients::all(&world, caller)),
        Endpoint::Client => clients::details(&world, caller, id),
        Endpoint::ClientLists => clients::lists(&world, caller, id),
        Endpoint::SuppressionList => clients::suppression_list(&world, caller, id, &query),
        Endpoint::List => lists::details(&mut world, caller, id),
        Endpoint::Stats => stats::stats(&mut world, caller, id, now),
        Endpoint::CreateList => lists::create(&mut world, caller, id, body),
        Endpoint::Fields => lists::fields(&mut world, caller, id),
        Endpoint::CreateField => lists::create_field(&mut world, caller, id, body),
        Endpoint::ChangeField => lists::change_field(&mut world, caller, id, &route.part, body),
        Endpoint::Members => match route.part {
            Part::State(state) => lists::members(&mut world, caller, id, state, &query),
            _ => Err(errors::NOT_FOUND),
        },
        Endpoint::Import => {
            world.list(caller, id)?;
            let options = world.options.clone();
            // Other calls go on while a large body is read.
            drop(world);
            let rows = import::read(body, &options)?;
            Ok(import::apply(&mut shared.world().list(caller, id)?, id, rows, now))
        }
        Endpoint::Add => {
            let (answer, queued) = people::accept(&mut world, caller, id, body)?;
            let wait_ms = world.options.single_add_queue_ms;
            if wait_ms == 0 {
                people::add_queued(&mut world, queued, now);
                return Ok(answer);
            }
            let shared = Arc::downgrade(shared);
            tokio::spawn(async move {
                sleep(Duration::from_millis(wait_ms)).await;
                if let Some(shared) = shared.upgrade() {
                    people::add_queued(&mut shared.world(), queued, clock::now());
                }
            });
            Ok(answer)
        }
        Endpoint::Update => people::update(&mut world, caller, id, &query, body, now),
        Endpoint::Details => people::details(&mut world, caller, id, &query),
        Endpoint::History => people::history(&mut world, caller, id, &query),
        Endpoint::Unsubscribe => people::unsubscribe(&mut world, caller, id, body, now),
        Endpoint::Remove => people::remove(&mut world, caller, id, &query, now),
        Endpoint::Any | Endpoint::Token | Endpoint::Unknown => Err(errors::NOT_FOUND),
    }
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
