//! From a request to its answer: sizes, faults, tokens, limits, latency and the call itself.

use super::answer::Answer;
use super::auth::{self, Caller};
use super::clock::Clock;
use super::endpoint::{self, Endpoint, NoRoute, Route};
use super::errors::{self, ApiError};
use super::options::Options;
use super::report::LoggedRequest;
use super::request::{Parameters, Payload};
use super::world::World;
use super::{calls, control, specification};
use crate::kit::faults::FaultKind;
use crate::kit::{self, Cutter, Faulty, Service, lock};
use axum::body::{Body, to_bytes};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

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

pub(super) type Shared = kit::Shared<World>;

impl Service for World {
    type Options = Options;
    type Endpoint = Endpoint;
    type Gate = Clock;

    fn port(options: &Options) -> u16 {
        options.port
    }

    fn new(options: Options) -> Self {
        Self::new(options)
    }

    fn gate(&self) -> Clock {
        self.clock
    }

    async fn respond(shared: Arc<Shared>, cutter: Cutter, parts: Parts, body: Body) -> Response {
        let (answer, seen) = respond(&shared, &cutter, parts, body).await;
        record(&mut shared.world(), answer.as_ref(), seen);
        // A connection that was cut sends nothing, whatever the response is.
        answer.unwrap_or_else(Answer::nothing).into_response()
    }

    /// Shows `lists`.
    fn inspect(&mut self, path: &[&str]) -> Option<Value> {
        let ["lists"] = path else {
            return None;
        };
        serde_json::to_value(control::lists(self)).ok()
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
        at_ms: shared.gate.now(),
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
    // A refusal with a code of Marketo's takes place behind the token and the limits.
    let fault = match fault {
        FaultKind::Status(status) => return Some(admit(shared, incoming, Some(status)).await),
        FaultKind::TooManyRequests => return Some(admit(shared, incoming, Some(606)).await),
        FaultKind::DelayBefore(delay_ms) => FaultKind::DelayBefore(real_ms(shared, delay_ms)),
        FaultKind::DelayAfter(delay_ms) => FaultKind::DelayAfter(real_ms(shared, delay_ms)),
        other => other,
    };
    let refuse = |status| asked_for(status, incoming);
    let throttle = || asked_for(606, incoming);
    let call = admit(shared, incoming, None);
    kit::run(Some(fault), cutter, Duration::ZERO, refuse, throttle, call).await
}

/// Converts vendor time to real time.
fn real_ms(shared: &Shared, vendor_ms: u64) -> u64 {
    u64::try_from(shared.gate.real(vendor_ms).as_millis()).unwrap_or(u64::MAX)
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
        shared.gate.sleep(latency_ms).await;
        if let Some(status) = fault {
            return asked_for(status, incoming);
        }
        let now = shared.gate.now();
        return auth::identity(&mut shared.world(), &incoming.query, &incoming.payload.form(), now);
    }
    let is_asset = incoming.endpoint().is_asset();
    let admitted = {
        let world = &mut *shared.world();
        let now = shared.gate.now();
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
    let now = shared.gate.now();
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
    shared.gate.sleep(latency_ms(shared, route.endpoint)).await;
    calls::finish(shared, caller, route, incoming, begun)
}
