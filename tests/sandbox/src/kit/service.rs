//! From a request to the destination's answer, with the faults that every destination has.

use super::faults::{FaultKind, Faults, Target};
use super::serve::Cutter;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// Prefix of the paths that show a sandbox's state.
const INSPECTION: &str = "/_sandbox/";

/// A destination: its state, and how it answers calls.
pub trait Service: Debug + Send + Sized + 'static {
    /// The settings to start with.
    type Options;
    /// The kinds of calls.
    type Endpoint: Target + Debug + Send;
    /// State that is used without a lock on the destination's other state.
    type Gate: Debug + Send + Sync;

    /// Returns the port to listen on; 0 is any free port.
    fn port(options: &Self::Options) -> u16;

    /// Returns the state at the start.
    fn new(options: Self::Options) -> Self;

    /// Returns the state of the gate at the start.
    fn gate(&self) -> Self::Gate;

    /// Answers a request and counts it in the report. The future runs to its end even if the caller hangs up.
    fn respond(
        shared: Arc<Shared<Self>>,
        cutter: Cutter,
        parts: Parts,
        body: Body,
    ) -> impl Future<Output = Response> + Send;

    /// Returns what `GET /_sandbox/{path}` shows; `None` if the path is unknown.
    fn inspect(&mut self, path: &[&str]) -> Option<Value>;

    /// Records how many calls are in flight, the new one included.
    fn note_in_flight(&mut self, _calls: usize) {}

    /// Removes pending faults that only this destination has.
    fn clear_faults(&mut self) {}
}

/// The state that all connections share.
#[derive(Debug)]
pub struct Shared<S: Service> {
    world: Mutex<S>,
    pub(crate) faults: Mutex<Faults<S::Endpoint>>,
    pub(crate) gate: S::Gate,
    in_flight: AtomicUsize,
}

impl<S: Service> Shared<S> {
    pub(super) fn new(options: S::Options) -> Self {
        let world = S::new(options);
        Self {
            gate: world.gate(),
            world: Mutex::new(world),
            faults: Mutex::default(),
            in_flight: AtomicUsize::new(0),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, S> {
        lock(&self.world)
    }
}

/// Locks a mutex even if a panicking test has poisoned it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves every path.
pub(super) fn router<S: Service>(shared: Arc<Shared<S>>) -> Router {
    Router::new().fallback(handle::<S>).with_state(shared)
}

async fn handle<S: Service>(
    State(shared): State<Arc<Shared<S>>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if let Some(path) = parts.uri.path().strip_prefix(INSPECTION) {
        return inspect(&shared, &parts.method, path);
    }
    // A task of its own: the destination finishes and counts a call even if the caller has hung up.
    let task = tokio::spawn(async move {
        let in_flight = InFlight::enter(Arc::clone(&shared));
        let response = S::respond(shared, cutter, parts, body).await;
        drop(in_flight);
        response
    });
    task.await.unwrap_or_else(|_| {
        let mut response = Response::new(Body::from("Internal Server Error"));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

/// Shows a part of the state. These requests are not counted, delayed or hit by faults.
fn inspect<S: Service>(shared: &Shared<S>, method: &Method, path: &str) -> Response {
    let path: Vec<&str> = path.split('/').collect();
    let shown = if method == Method::GET { shared.world().inspect(&path) } else { None };
    let status = if shown.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let body = shown.unwrap_or_else(|| serde_json::json!({ "error": "the sandbox has no such path or id" }));
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer that a fault can replace or damage.
pub(crate) trait Faulty: Sized {
    /// Returns exactly this body as `application/json`.
    fn raw_json(status: u16, body: String) -> Self;

    /// Returns the same answer with a body that is an HTML page instead of JSON.
    fn replaced_by_html(self) -> Self;

    /// Returns the same answer with half of its body.
    fn truncated(self) -> Self;
}

/// Carries out a call with the fault that hits it, if any; returns `None` if the connection is cut.
///
/// `latency` passes before the call. `refuse` makes the vendor's answer with a status, `throttle` its 429.
pub(crate) async fn run<A: Faulty>(
    fault: Option<FaultKind>,
    cutter: &Cutter,
    latency: Duration,
    refuse: impl Fn(u16) -> A,
    throttle: impl FnOnce() -> A,
    call: impl Future<Output = A>,
) -> Option<A> {
    let mut delay = latency;
    match &fault {
        Some(FaultKind::Status(status)) => return Some(refuse(*status)),
        Some(FaultKind::TooManyRequests) => return Some(throttle()),
        Some(FaultKind::Answer { status, body }) => return Some(A::raw_json(*status, body.clone())),
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
    let answer = call.await;
    match fault {
        Some(FaultKind::DelayAfter(delay_ms)) => {
            sleep(Duration::from_millis(delay_ms)).await;
            Some(answer)
        }
        Some(FaultKind::DropAfterProcessing) => {
            cutter.cut();
            None
        }
        Some(FaultKind::StatusAfterProcessing(status)) => Some(refuse(status)),
        Some(FaultKind::BadJson) => Some(answer.replaced_by_html()),
        Some(FaultKind::TruncatedJson) => Some(answer.truncated()),
        _ => Some(answer),
    }
}

/// A call that is being handled, for as long as this lives.
struct InFlight<S: Service>(Arc<Shared<S>>);

impl<S: Service> InFlight<S> {
    fn enter(shared: Arc<Shared<S>>) -> Self {
        let calls = shared.in_flight.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        shared.world().note_in_flight(calls);
        Self(shared)
    }
}

impl<S: Service> Drop for InFlight<S> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}
