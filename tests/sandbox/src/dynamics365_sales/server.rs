//! From a request to its answer: faults, authorisation, service protection limits and the call itself.

use super::access::{self, Caller};
use super::answer::Answer;
use super::endpoint::{Endpoint, Part, Route, route};
use super::errors;
use super::execution;
use super::gate::{self, Admission};
use super::operation::Operation;
use super::protection::{Limit, Usage};
use super::report::Report;
use super::world::World;
use super::{control_routes, entra};
use crate::faults::{FaultKind, Faults};
use crate::serve::Cutter;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::response::Response;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// Longest address of a request, in bytes.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/overview>
const LONGEST_ADDRESS: usize = 32_768;
/// Largest body, in bytes: 116.85 MB where plug-ins are registered.
/// <https://learn.microsoft.com/power-apps/developer/data-platform/bulk-operations>
const LARGEST_BODY: usize = 116_850_000;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    pub(super) faults: Mutex<Faults<Endpoint>>,
    /// By user and web server.
    pub(super) usage: Mutex<HashMap<(super::ids::Guid, usize), Usage>>,
    pub(super) next_server: AtomicUsize,
    in_flight: AtomicUsize,
}

impl Shared {
    pub(super) fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            faults: Mutex::default(),
            usage: Mutex::default(),
            next_server: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
        }
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
        return control_routes::handle(&shared, parts.method.as_str(), path, body).await.into_response();
    }
    let operation = Operation {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: Vec::new(),
    };
    // A task of its own: the vendor's work goes on, and is counted, when the caller has hung up.
    let task = tokio::spawn(async move {
        let in_flight = InFlight::enter(Arc::clone(&shared));
        let route = route(&operation.method, &operation.path);
        let endpoint = route.as_ref().map_or(Endpoint::Unknown, |route| route.endpoint);
        let answer = answer(&shared, &cutter, operation, endpoint, route, body).await;
        record(&mut shared.world().report, endpoint, answer.as_ref());
        drop(in_flight);
        // A connection that was cut writes nothing, whatever is handed to it.
        answer.unwrap_or_else(|| Answer::empty(200))
    });
    task.await.unwrap_or_else(|_| errors::server_error(500).into()).into_response()
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
    match &fault {
        Some(FaultKind::Status(status)) => return Some(errors::server_error(*status).into()),
        Some(FaultKind::TooManyRequests) => return Some(gate::refusal(shared, Limit::Requests, 1)),
        Some(FaultKind::Answer { status, body }) => return Some(Answer::raw_json(*status, body.clone())),
        Some(FaultKind::DropConnection) => {
            cutter.cut();
            return None;
        }
        Some(FaultKind::DelayBefore(delay_ms)) => sleep(Duration::from_millis(*delay_ms)).await,
        _ => {}
    }
    let answer = process(shared, &operation, route).await;
    match fault {
        Some(FaultKind::DelayAfter(delay_ms)) => {
            sleep(Duration::from_millis(delay_ms)).await;
            Some(answer)
        }
        Some(FaultKind::DropAfterProcessing) => {
            cutter.cut();
            None
        }
        Some(FaultKind::StatusAfterProcessing(status)) => Some(errors::server_error(status).into()),
        Some(FaultKind::BadJson) => Some(answer.spoilt()),
        Some(FaultKind::TruncatedJson) => Some(answer.truncated()),
        _ => Some(answer),
    }
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
