//! From a request to its answer: faults, throttling, authorisation and the call itself.

use super::answer::Answer;
use super::endpoint::{self, Endpoint, NoRoute, Part, Query, Route};
use super::errors::{self, ApiError};
use super::options::Options;
use super::report::Report;
use super::world::World;
use super::{auth, clients, clock, control, import, lists, oauth, people, stats};
use crate::kit::throttle::Window;
use crate::kit::{self, Cutter, Faulty, Service, lock};
use axum::body::{Body, to_bytes};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::time::sleep;

pub(super) type Shared = kit::Shared<World>;

impl Service for World {
    type Options = Options;
    type Endpoint = Endpoint;
    type Gate = Mutex<Window>;

    fn port(options: &Options) -> u16 {
        options.port
    }

    fn new(options: Options) -> Self {
        Self::new(options)
    }

    fn gate(&self) -> Mutex<Window> {
        Mutex::default()
    }

    async fn respond(shared: Arc<Shared>, cutter: Cutter, parts: Parts, body: Body) -> Response {
        let route = endpoint::route(parts.method.as_str(), parts.uri.path());
        let endpoint = route.as_ref().map_or(Endpoint::Unknown, |route| route.endpoint);
        let (answer, body_bytes) = answer(&shared, &cutter, parts, endpoint, route, body).await;
        record(&mut shared.world().report, endpoint, answer.as_ref(), body_bytes);
        // A connection that was cut sends nothing, whatever the response is.
        answer.unwrap_or_else(Answer::empty).into_response()
    }

    /// Shows `lists/{list}/counts`.
    fn inspect(&mut self, path: &[&str]) -> Option<Value> {
        let ["lists", list, "counts"] = path else {
            return None;
        };
        serde_json::to_value(control::counts(self, list).ok()?).ok()
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
        && !lock(&shared.gate).admit(limit, Instant::now())
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
    let refuse = |status| errors::server_error(status).into();
    let throttle = || errors::TOO_MANY_REQUESTS.into();
    let call = async { process(shared, &parts, route, &body) };
    let answer = kit::run(fault, cutter, Duration::from_millis(latency_ms), refuse, throttle, call).await;
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
