//! Who may use which route: the one table, and the one place where it is enforced.

use crate::caller::{self, Caller, Role};
use crate::problem::Problem;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::ALLOW;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use lambda_http::request::RequestContext;
use std::sync::Arc;

pub use crate::caller::RoleNames;
pub use table::ACCESS;

mod table;

/// What one route takes.
#[derive(Debug)]
pub struct Rule {
    /// The method; a rule for GET is one for HEAD too.
    pub method: Method,
    /// The path, written as the router has it, such as `/exports/{id}/runs`.
    pub path: &'static str,
    /// The least role that may use it; `None` for everybody who is signed in, whatever their roles.
    pub least: Option<Role>,
    /// What it does, for the documentation.
    pub what: &'static str,
}

impl Rule {
    /// Whether somebody with this role may use the route.
    #[must_use]
    pub fn allows(&self, role: Role) -> bool {
        self.least.is_none_or(|least| role >= least)
    }
}

/// The rule of a route; `path` is the one that the router matched.
#[must_use]
pub fn rule(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    ACCESS.iter().find(|rule| rule.method == *method && rule.path == path)
}

/// Puts the check before each route that `router` has now: routes that are added later would be without.
///
/// A handler gets the [`Caller`] as an extension. It is always there but on a route for everybody who is signed in,
/// where a caller without a role has none.
pub fn guarded(router: Router, names: RoleNames) -> Router {
    router.route_layer(middleware::from_fn_with_state(Arc::new(names), guard))
}

async fn guard(State(names): State<Arc<RoleNames>>, mut request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = path.unwrap_or_default();
    let request_id = request_id(&request);
    let answer = match checked(&method, &path, &request, &names) {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(problem) => refused(problem, &path),
    };
    // The gateway's log has the rest under the same id. Nowhere does it say who called: the audit does, of changes.
    tracing::info!(%method, path, status = answer.status().as_u16(), request_id, "answered");
    answer
}

/// The caller, where they may use the route; none where the route is for everybody and they have no role.
fn checked(
    method: &Method,
    path: &str,
    request: &Request,
    names: &RoleNames,
) -> Result<Option<Caller>, Problem> {
    let Some(rule) = rule(method, path) else {
        if ACCESS.iter().any(|rule| rule.path == path) {
            let detail = "the route does not know this method; the header Allow says which it does";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail));
        }
        tracing::error!(%method, path, "a route without a rule was asked for; it does not run");
        let detail = "nobody has said who may use this route, so nobody may";
        return Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "route_without_rule", detail));
    };
    let Some(least) = rule.least else {
        caller::claims(request.extensions())?;
        return Ok(Caller::from_request(request.extensions(), names).ok());
    };
    let caller = Caller::from_request(request.extensions(), names)?;
    if rule.allows(caller.role) {
        return Ok(Some(caller));
    }
    let detail = format!(
        "{} {} needs the role {} ({} in the token's claim `{}`); the token gives {}",
        rule.method,
        rule.path,
        least.name(),
        names.value(least),
        names.claim,
        caller.role.name()
    );
    Err(Problem::new(StatusCode::FORBIDDEN, "role_insufficient", detail))
}

/// The answer to a request that does not run; RFC 9110 wants the methods in it where the method was the problem.
fn refused(problem: Problem, path: &str) -> Response {
    let is_method = problem.status() == StatusCode::METHOD_NOT_ALLOWED;
    let mut answer = problem.into_response();
    let methods: Vec<&str> =
        ACCESS.iter().filter(|rule| rule.path == path).map(|rule| rule.method.as_str()).collect();
    if is_method && let Ok(allowed) = HeaderValue::from_str(&methods.join(", ")) {
        answer.headers_mut().insert(ALLOW, allowed);
    }
    answer
}

/// The gateway's identifier of the request.
fn request_id(request: &Request) -> Option<String> {
    match request.extensions().get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
