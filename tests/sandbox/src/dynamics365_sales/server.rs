//! From a request to its answer: faults, authorisation, service protection limits and the call itself.

use super::access::{self, Caller};
use super::answer::Answer;
use super::endpoint::{Endpoint, Part, Route, route};
use super::errors;
use super::execution;
use super::gate::{self, Admission};
use super::operation::Operation;
use super::options::Options;
use super::protection::{Limit, Usage};
use super::report::Report;
use super::world::World;
use super::{control, entra};
use crate::kit::{self, Cutter, Faulty, Service, lock};
use axum::body::{Body, to_bytes};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longest address of a request, in bytes.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/overview>
const LONGEST_ADDRESS: usize = 32_768;
/// Largest body, in bytes: 116.85 MB where plug-ins are registered.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/bulk-operations>
const LARGEST_BODY: usize = 116_850_000;

pub(super) type Shared = kit::Shared<World>;

/// The use of the service protection limits.
#[derive(Debug, Default)]
pub struct Gate {
    /// By user and web server.
    pub(super) usage: Mutex<HashMap<(super::ids::Guid, usize), Usage>>,
    pub(super) next_server: AtomicUsize,
}

impl Service for World {
    type Options = Options;
    type Endpoint = Endpoint;
    type Gate = Gate;

    fn port(options: &Options) -> u16 {
        options.port
    }

    fn new(options: Options) -> Self {
        Self::new(options)
    }

    fn gate(&self) -> Gate {
        Gate::default()
    }

    async fn respond(shared: Arc<Shared>, cutter: Cutter, parts: Parts, body: Body) -> Response {
        let operation = Operation {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body: Vec::new(),
        };
        let route = route(&operation.method, &operation.path);
        let endpoint = route.as_ref().map_or(Endpoint::Unknown, |route| route.endpoint);
        let answer = answer(&shared, &cutter, operation, endpoint, route, body).await;
        record(&mut shared.world().report, endpoint, answer.as_ref());
        // A connection that was cut sends nothing, whatever the response is.
        answer.unwrap_or_else(|| Answer::empty(200)).into_response()
    }

    /// Shows `lists`.
    fn inspect(&mut self, path: &[&str]) -> Option<Value> {
        let ["lists"] = path else {
            return None;
        };
        serde_json::to_value(control::lists(self)).ok()
    }

    fn note_in_flight(&mut self, calls: usize) {
        self.report.most_in_flight = self.report.most_in_flight.max(calls);
    }

    fn clear_faults(&mut self) {
        self.throttles.clear();
    }
}

impl Faulty for Answer {
    fn raw_json(status: u16, body: String) -> Self {
        Self::raw_json(status, body)
    }

    fn replaced_by_html(self) -> Self {
        let status = if self.status == 204 { 200 } else { self.status };
        Self::html(status, "Proxy")
    }

    fn truncated(self) -> Self {
        self.truncated()
    }
}

pub(super) fn record(report: &mut Report, endpoint: Endpoint, answer: Option<&Answer>) {
    let calls = report.calls.entry(endpoint).or_default();
    calls.calls += 1;
    *calls.by_status.entry(answer.map_or(0, |answer| answer.status)).or_default() += 1;
    if let Some(code) = answer.and_then(|answer| answer.code) {
        // Codes of the token endpoint are decimal.
        let name =
            if endpoint == Endpoint::Token { code.to_string() } else { super::answer::hexadecimal(code) };
        *calls.by_code.entry(name).or_default() += 1;
    }
}

/// The answer; none when the connection was cut.
async fn answer(
    shared: &Arc<Shared>,
    cutter: &Cutter,
    mut operation: Operation,
    endpoint: Endpoint,
    route: Result<Route, errors::ApiError>,
    body: Body,
) -> Option<Answer> {
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return Some(Answer::html(413, "Request Entity Too Large"));
    };
    operation.body = body.to_vec();
    {
        let report = &mut shared.world().report;
        report.largest_body_bytes = report.largest_body_bytes.max(operation.body.len());
        report.longest_address_bytes = report.longest_address_bytes.max(operation.address_bytes());
        report.calls_with_cookies += usize::from(operation.headers.contains_key(header::COOKIE));
    }
    if operation.address_bytes() > LONGEST_ADDRESS {
        return Some(Answer::html(414, "Request-URI Too Long"));
    }
    let fault = lock(&shared.faults).take(endpoint);
    if fault.is_some() {
        shared.world().report.faults += 1;
    }
    let refuse = |status| errors::server_error(status).into();
    let throttle = || gate::refusal(shared, Limit::Requests, 1);
    kit::run(fault, cutter, Duration::ZERO, refuse, throttle, process(shared, &operation, route)).await
}

/// Where the sandbox was called, such as `http://127.0.0.1:4321`.
pub(super) fn address(operation: &Operation) -> String {
    let host = operation.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or("127.0.0.1"))
}

async fn process(
    shared: &Arc<Shared>,
    operation: &Operation,
    route: Result<Route, errors::ApiError>,
) -> Answer {
    let address = address(operation);
    if let Ok(Route { endpoint: Endpoint::Token, part: Part::Tenant(tenant), .. }) = &route {
        let is_form = operation.media_type() == "application/x-www-form-urlencoded";
        return entra::token(&mut shared.world(), tenant, is_form, &operation.body, &address);
    }
    let caller = access::caller(&shared.world(), &operation.headers, &address);
    let caller: Caller = match caller {
        Ok(caller) => caller,
        Err(answer) => return answer,
    };
    if operation.headers.get("odata-version").is_none_or(|version| version != "4.0") {
        shared.world().report.calls_without_odata_version += 1;
    }
    let endpoint = route.as_ref().map_or(Endpoint::Unknown, |route| route.endpoint);
    let admission = match gate::enter(shared, caller.user, endpoint, operation) {
        Ok(admission) => admission,
        Err(answer) => return answer,
    };
    let (answer, execution_ms) = match route {
        Err(error) => (error.into(), 0),
        Ok(Route { endpoint: Endpoint::Batch, .. }) => {
            execution::batch(shared, &caller, operation, &address).await
        }
        Ok(route) => execution::single(shared, &caller, &route, operation, &address).await,
    };
    let Admission { server, .. } = admission;
    gate::leave(shared, &admission, execution_ms, answer)
        .with_text("odata-version", "4.0")
        .with_text("x-ms-service-request-id", &super::ids::Guid::random().to_string())
        .with_text("set-cookie", &format!("ARRAffinity=server{server};Path=/;HttpOnly"))
}
