//! Access control: the table of routes and roles, and its enforcement.

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

/// The access rule of one route.
#[derive(Debug)]
pub struct Rule {
    /// The method. A rule for GET also covers HEAD.
    pub method: Method,
    /// The path as the router spells it, such as `/exports/{id}/runs`.
    pub path: &'static str,
    /// The lowest role that may use the route; `None` if any signed-in caller may.
    pub least: Option<Role>,
    /// What the route does, for the documentation.
    pub what: &'static str,
}

impl Rule {
    /// Returns whether a caller with this role may use the route.
    #[must_use]
    pub fn allows(&self, role: Role) -> bool {
        self.least.is_none_or(|least| role >= least)
    }
}

/// Finds the rule of a route. `path` is the pattern that the router matched.
#[must_use]
pub fn rule(method: &Method, path: &str) -> Option<&'static Rule> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    ACCESS.iter().find(|rule| rule.method == *method && rule.path == path)
}

/// Guards every route that `router` has now. Routes that are added later are not guarded.
///
/// Handlers get the [`Caller`] as an extension. It is only missing on routes for any signed-in caller, when the token gives
/// no role.
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
    // The gateway logs the rest of the request under the same id. Callers are only recorded in the audit, with their changes.
    tracing::info!(%method, path, status = answer.status().as_u16(), request_id, "request answered");
    answer
}

/// Returns the caller if they may use the route, or `None` if the route needs no role and the token gives none.
fn checked(
    method: &Method,
    path: &str,
    request: &Request,
    names: &RoleNames,
) -> Result<Option<Caller>, Problem> {
    let Some(rule) = rule(method, path) else {
        if ACCESS.iter().any(|rule| rule.path == path) {
            let detail =
                "the route does not support this method; the header Allow lists the methods that it supports";
            return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail));
        }
        tracing::error!(%method, path, "refused a request because its route has no access rule");
        let detail = "this route has no access rule, so it cannot be used";
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

/// Builds the response to a refused request. RFC 9110 requires the header Allow with status 405.
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

/// Returns the gateway's id of the request.
fn request_id(request: &Request) -> Option<String> {
    match request.extensions().get::<RequestContext>()? {
        RequestContext::ApiGatewayV2(context) => context.request_id.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
