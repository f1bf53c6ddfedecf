//! From a request to its answer: sizes, faults, tokens, limits, latency and the call itself.

use super::answer::Answer;
use super::auth::{self, Caller};
use super::clock::Clock;
use super::endpoint::{self, Endpoint, NoRoute, Route};
use super::errors::{self, ApiError};
use super::report::LoggedRequest;
use super::request::{Parameters, Payload};
use super::world::World;
use super::{calls, control_routes, specification};
use crate::faults::{FaultKind, Faults};
use crate::serve::Cutter;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    pub(super) faults: Mutex<Faults<Endpoint>>,
    pub(super) clock: Clock,
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self { clock: world.clock, world: Mutex::new(world), faults: Mutex::default() }
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

/// A request, read.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Parameters,
    pub(super) payload: Payload,
    pub(super) range: Option<String>,
    authorization: Option<String>,
    route: Result<Route, NoRoute>,
}

impl Incoming {
    fn endpoint(&self) -> Endpoint {
        self.route.as_ref().map_or(Endpoint::Unknown, |route| route.endpoint)
    }
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
        let (answer, seen) = respond(&shared, &cutter, parts, body).await;
        record(&mut shared.world(), answer.as_ref(), seen);
        // A connection that was cut writes nothing, whatever is handed to it.
        answer.unwrap_or_else(Answer::nothing)
    });
    task.await.unwrap_or_else(|_| Answer::html(500, "Internal Server Error")).into_response()
}

fn record(world: &mut World, answer: Option<&Answer>, mut seen: LoggedRequest) {
    seen.status = answer.map_or(0, |answer| answer.status);
    seen.code = answer.and_then(|answer| answer.code);
    let report = &mut world.report;
    report.largest_body_bytes = report.largest_body_bytes.max(seen.body_bytes);
    let calls = report.calls.entry(seen.endpoint).or_default();
    calls.calls += 1;
    *calls.by_status.entry(seen.status).or_default() += 1;
    if let Some(code) = seen.code {
        *calls.by_code.entry(code).or_default() += 1;
        if matches!(code, 606 | 607 | 615) {
            *report.throttled.entry(code).or_default() += 1;
        }
    }
    report.identity_calls += usize::from(seen.endpoint == Endpoint::Identity);
    if world.options.logged_requests > 0 {
        if world.requests.len() >= world.options.logged_requests {
            world.requests.pop_front();
        }
        world.requests.push_back(seen);
    }
}

/// The answer, none when the connection was cut, and what is to be noted about the request.
async fn respond(
    shared: &Arc<Shared>,
    cutter: &Cutter,
    parts: Parts,
    body: Body,
) -> (Option<Answer>, LoggedRequest) {
    let uri = parts.uri.path_and_query().map_or("", |uri| uri.as_str());
    let mut seen = LoggedRequest {
        at_ms: shared.clock.now(),
        endpoint: Endpoint::Unknown,
        method: parts.method.to_string(),
        path: uri.to_owned(),
        status: 0,
        code: None,
        body_bytes: 0,
    };
    let (longest_uri, largest_body) = {
        let options = &shared.world().options;
        let is_import = parts.uri.path() == "/bulk/v1/leads.json";
        let largest = if is_import { options.largest_import_bytes } else { options.largest_body_bytes };
        (options.longest_uri_bytes, largest)
    };
    if uri.len() > longest_uri {
        return (Some(Answer::html(414, "Request-URI Too Long")), seen);
    }
    let Ok(body) = to_bytes(body, largest_body).await else {
        seen.body_bytes = largest_body;
        return (Some(Answer::html(413, "Request Entity Too Large")), seen);
    };
    seen.body_bytes = body.len();
    let incoming = read(&parts, &body);
    seen.endpoint = incoming.endpoint();
    if seen.endpoint == Endpoint::Identity {
        // The query has the secret.
        parts.uri.path().clone_into(&mut seen.path);
    }
    let violations =
        specification::check_read(parts.method.as_str(), &incoming.path, &incoming.query, &incoming.payload);
    if !violations.is_empty() {
        shared.world().report.add_violations(violations);
    }
    let fault = lock(&shared.faults).take(seen.endpoint);
    shared.world().report.faults += usize::from(fault.is_some());
    let answer = match fault {
        None => Some(admit(shared, &incoming, None).await),
        Some(fault) => faulty(shared, cutter, &incoming, fault).await,
    };
    (answer, seen)
}

fn read(parts: &Parts, body: &[u8]) -> Incoming {
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let query = Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let payload = Payload::read(text(header::CONTENT_TYPE).as_deref(), body);
    let mut method = parts.method.to_string();
    // The documents have `_method` in the URL, a recorded call has it in the form.
    if method == "POST" && query.get("_method").or(payload.form().get("_method")) == Some("GET") {
        "GET".clone_into(&mut method);
    }
    let route = endpoint::route(&method, parts.uri.path());
    Incoming {
        path: parts.uri.path().to_owned(),
        query,
        payload,
        range: text(header::RANGE),
        authorization: text(header::AUTHORIZATION),
        route,
        method,
    }
}

/// A call that a fault hits.
async fn faulty(
    shared: &Arc<Shared>,
    cutter: &Cutter,
    incoming: &Incoming,
    fault: FaultKind,
) -> Option<Answer> {
    match fault {
        FaultKind::Status(status) => Some(admit(shared, incoming, Some(status)).await),
        FaultKind::TooManyRequests => Some(admit(shared, incoming, Some(606)).await),
        FaultKind::Answer { status, body } => Some(Answer::raw_json(status, body)),
        FaultKind::DropConnection => {
            cutter.cut();
            None
        }
        FaultKind::DelayBefore(delay_ms) => {
            shared.clock.sleep(delay_ms).await;
            Some(admit(shared, incoming, None).await)
        }
        FaultKind::DelayAfter(delay_ms) => {
            let answer = admit(shared, incoming, None).await;
            shared.clock.sleep(delay_ms).await;
            Some(answer)
        }
        FaultKind::DropAfterProcessing => {
            admit(shared, incoming, None).await;
            cutter.cut();
            None
        }
        FaultKind::StatusAfterProcessing(status) => {
            admit(shared, incoming, None).await;
            Some(asked_for(status, incoming))
        }
        FaultKind::BadJson => Some(Answer::html(admit(shared, incoming, None).await.status, "Proxy")),
        FaultKind::TruncatedJson => Some(admit(shared, incoming, None).await.truncated()),
    }
}

/// Marketo's codes begin where the statuses of HTTP end.
fn asked_for(status: u16, incoming: &Incoming) -> Answer {
    if status < 600 {
        return Answer::html(status, "Error");
    }
    Answer::refusal(&errors::of_code(status), incoming.endpoint().is_asset())
}

/// Lets a call in, if token and limits allow it, and answers it, or refuses it with the code of a fault.
async fn admit(shared: &Arc<Shared>, incoming: &Incoming, fault: Option<u16>) -> Answer {
    if incoming.endpoint() == Endpoint::Identity {
        let latency_ms = latency_ms(shared, Endpoint::Identity);
        shared.clock.sleep(latency_ms).await;
        if let Some(status) = fault {
            return asked_for(status, incoming);
        }
        let now = shared.clock.now();
        return auth::identity(&mut shared.world(), &incoming.query, &incoming.payload.form(), now);
    }
    let is_asset = incoming.endpoint().is_asset();
    let admitted = {
        let world = &mut *shared.world();
        let now = shared.clock.now();
        auth::authenticate(world, incoming.authorization.as_deref(), now).map(|caller| {
            let entered = world.limits.enter(&world.options, &caller.user, now);
            (caller, entered)
        })
    };
    let (caller, entered) = match admitted {
        Ok(admitted) => admitted,
        Err(error) => return Answer::refusal(&error, is_asset),
    };
    let result = match (entered, fault) {
        (Err(error), _) => Err(error),
        (Ok(()), Some(status)) => Ok(fail(shared, &caller, status, incoming)),
        (Ok(()), None) => carry_out(shared, &caller, incoming).await,
    };
    let answer = result.unwrap_or_else(|error| Answer::refusal(&error, is_asset));
    let world = &mut *shared.world();
    world.limits.leave(answer.code);
    if answer.code.is_some_and(errors::is_free) {
        world.limits.forgive(&caller.user);
    }
    answer
}

/// A fault's refusal. A token that is called expired or invalid is so from now on.
fn fail(shared: &Shared, caller: &Caller, status: u16, incoming: &Incoming) -> Answer {
    let now = shared.clock.now();
    if let Some(service) = shared.world().services.get_mut(&caller.client_id) {
        match status {
            601 => service.forget_token(),
            602 => service.expire_token(now),
            _ => {}
        }
    }
    asked_for(status, incoming)
}

fn latency_ms(shared: &Shared, endpoint: Endpoint) -> u64 {
    let options = &shared.world().options;
    options.latency_ms_of.get(&endpoint).copied().unwrap_or(options.latency_ms)
}

async fn carry_out(shared: &Arc<Shared>, caller: &Caller, incoming: &Incoming) -> Result<Answer, ApiError> {
    let route = match &incoming.route {
        Ok(route) => route,
        Err(NoRoute::Method) => return Err(errors::METHOD),
        Err(NoRoute::Path) => return Err(errors::NOT_FOUND),
    };
    auth::authorise(caller, route.endpoint)?;
    let begun = calls::begin(&mut shared.world(), caller, route, incoming)?;
    shared.clock.sleep(latency_ms(shared, route.endpoint)).await;
    calls::finish(shared, caller, route, incoming, begun)
}
