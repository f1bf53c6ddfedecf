use super::*;
use crate::problem::Problem;
use axum::body::Body;
use axum::routing::on;
use axum::{Extension, Router};
use lambda_http::tower::ServiceExt;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::convert::TryFrom;

fn names() -> RoleNames {
    RoleNames {
        claim: "roles".to_owned(),
        administrator: "relay-administrator".to_owned(),
        contributor: "relay-contributor".to_owned(),
        viewer: "relay-viewer".to_owned(),
    }
}

/// A handler behind every rule of the table, and one behind a route that has none.
fn router() -> Router {
    let mut router = Router::new().route("/unknown", on(axum::routing::MethodFilter::GET, handler));
    for rule in ACCESS {
        let filter = axum::routing::MethodFilter::try_from(rule.method.clone()).unwrap();
        router = router.route(rule.path, on(filter, handler));
    }
    guarded(router, names())
}

async fn handler(caller: Option<Extension<Caller>>) -> String {
    caller.map_or_else(|| "no caller".to_owned(), |Extension(caller)| caller.role.name().to_owned())
}

/// Calls a route with these claims. `None` is a request without a verified token.
async fn call(method: &Method, path: &str, claims: Option<Value>) -> (u16, String) {
    let authorizer = claims.map(|claims| json!({"jwt": {"claims": claims, "scopes": null}}));
    let context = json!({"requestId": "r1", "http": {"method": method.as_str()}, "authorizer": authorizer});
    let context: RequestContext = serde_json::from_value(context).unwrap();
    let request = Request::builder().method(method).uri(path).extension(context).body(Body::empty()).unwrap();
    let answer = router().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn code(body: &str) -> String {
    serde_json::from_str::<Value>(body).unwrap()["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_rule_holds_for_every_role() {
    for Rule { method, path, least, .. } in ACCESS {
        let path = path.replace("{id}", "some-id");
        let (status, body) = call(method, &path, None).await;
        assert_eq!((status, code(&body).as_str()), (401, "token_missing"), "{method} {path}");

        let (status, body) = call(method, &path, Some(json!({"sub": "a1", "roles": "[staff]"}))).await;
        match least {
            None => assert_eq!((status, body.as_str()), (200, "no caller"), "{method} {path}"),
            Some(_) => assert_eq!((status, code(&body).as_str()), (403, "role_missing"), "{method} {path}"),
        }
        for role in Role::ALL {
            let claims = json!({"sub": "a1", "roles": format!("[staff {}]", names().value(role))});
            let (status, body) = call(method, &path, Some(claims)).await;
            if least.is_none_or(|least| role >= least) {
                assert_eq!((status, body.as_str()), (200, role.name()), "{method} {path}");
            } else {
                assert_eq!((status, code(&body).as_str()), (403, "role_insufficient"), "{method} {path}");
                let needed = least.map_or("", Role::name);
                assert!(body.contains(needed) && body.contains(role.name()), "{body}");
            }
        }
    }
}

#[tokio::test]
async fn what_has_no_rule_does_not_run() {
    #[track_caller]
    fn check((status, body): &(u16, String), expected: u16) {
        assert_eq!(*status, expected, "{body}");
    }
    let administrator = Some(json!({"sub": "a1", "roles": "relay-administrator"}));
    let answer = call(&Method::GET, "/unknown", administrator.clone()).await;
    check(&answer, 500);
    assert_eq!(code(&answer.1), "route_without_rule");
    // HEAD is GET without a body.
    check(&call(&Method::HEAD, "/sources", administrator.clone()).await, 200);
    check(&call(&Method::HEAD, "/sources", None).await, 401);
    // The response lists the supported methods of a known path.
    let answer = call(&Method::PATCH, "/sources", administrator).await;
    check(&answer, 405);
    assert_eq!(code(&answer.1), "method_not_allowed");
    let methods = refused(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "", ""), "/sources/{id}");
    assert_eq!(methods.headers()[ALLOW], "GET, PUT, DELETE");
}

#[test]
fn the_table_says_one_thing_of_a_route() {
    let routes: HashSet<_> = ACCESS.iter().map(|rule| (&rule.method, rule.path)).collect();
    assert_eq!(routes.len(), ACCESS.len());
    for each in ACCESS {
        assert!(each.path.starts_with('/') && !each.path.ends_with('/'), "{each:?}");
        assert!(!each.what.is_empty(), "{each:?}");
        // Viewers may only read.
        assert!(each.method == Method::GET || each.least > Some(Role::Viewer), "{each:?}");
    }
}

#[test]
fn a_problem_is_told_with_its_fields() {
    let fields = vec![crate::problem::FieldProblem {
        field: "/segments/0/segment".to_owned(),
        problem: "there is no such segment".to_owned(),
    }];
    let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "document_invalid", "2 fields are wrong");
    assert_eq!(problem.body().get("errors"), None);
    let body = problem.with_errors(fields).body();
    let expected = json!([{"field": "/segments/0/segment", "problem": "there is no such segment"}]);
    assert_eq!((&body["errors"], &body["status"]), (&expected, &json!(422)));
}
