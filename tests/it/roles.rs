//! Roles and routes: the table of the API, checked against the running API through the gateway.

use crate::support::Scene;
use crate::{overview, samples};
use api::access::{ACCESS, Rule};
use api::caller::Role as ApiRole;
use futures_util::StreamExt;
use local::cloud::Response;
use local::issuer::{Role, SignedBy, TokenRequest};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_answer_their_callers() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    every_route_requires_its_role(&scene).await;
    overview::a_search_without_results_is_bounded_and_continues(&scene).await;
    samples::every_function_answers_its_sample(&scene).await;
}

/// A token and its role.
struct Bearer {
    name: &'static str,
    token: Option<String>,
    pass: Pass,
}

/// How far a request with a token gets.
#[derive(Clone, Copy)]
enum Pass {
    /// The gateway refuses it.
    Nowhere,
    /// The function refuses it, because it has no role.
    WithoutRole,
    /// The permissions of this role.
    With(ApiRole),
}

fn bearers(scene: &Scene) -> Vec<Bearer> {
    let token = |request: TokenRequest| Some(scene.cloud.issuer().token(&request).unwrap());
    let good = || TokenRequest::of(Role::Administrator);
    let bearer = |name, token, pass| Bearer { name, token, pass };
    vec![
        bearer("no token", None, Pass::Nowhere),
        bearer("garbage", Some("gar.ba.ge".to_owned()), Pass::Nowhere),
        bearer("garbage of JSON", Some("W10.W10.W10".to_owned()), Pass::Nowhere),
        bearer("wrong key", token(good().signed_by(SignedBy::Stranger)), Pass::Nowhere),
        bearer("expired", token(good().lifetime_seconds(-60)), Pass::Nowhere),
        bearer("wrong audience", token(good().audience("another-api")), Pass::Nowhere),
        bearer("wrong issuer", token(good().issuer("https://issuer.example.com")), Pass::Nowhere),
        bearer("no role", token(TokenRequest::default().roles(["staff"])), Pass::WithoutRole),
        bearer("viewer", token(TokenRequest::of(Role::Viewer)), Pass::With(ApiRole::Viewer)),
        bearer("contributor", token(TokenRequest::of(Role::Contributor)), Pass::With(ApiRole::Contributor)),
        bearer("administrator", token(good()), Pass::With(ApiRole::Administrator)),
    ]
}

/// The path with unknown ids, so that an accepted call finds nothing.
fn path(rule: &Rule) -> String {
    let run = "01938f5e-7c00-7000-8000-000000000001";
    let id = if rule.path.starts_with("/runs/") { run } else { "nothing-of-this-name" };
    rule.path.replace("{id}", id)
}

async fn call(scene: &Scene, rule: &Rule, bearer: &Bearer) -> Response {
    let body = json!({});
    let body = ["PUT", "POST"].contains(&rule.method.as_str()).then_some(&body);
    let method = rule.method.clone();
    scene.cloud.api_as(bearer.token.as_deref(), method, &path(rule), &[], body).await.unwrap()
}

fn name(rule: &Rule) -> String {
    format!("{} {}", rule.method, rule.path)
}

fn check(rule: &Rule, bearer: &Bearer, answer: &Response) {
    let who = format!("{} with {}: {} {}", name(rule), bearer.name, answer.status, answer.body);
    let code = answer.body["code"].as_str().unwrap_or_default();
    match (bearer.pass, rule.least) {
        (Pass::Nowhere, _) => assert_eq!(answer.status, 401, "{who}"),
        (Pass::WithoutRole, Some(_)) => assert_eq!((answer.status, code), (403, "role_missing"), "{who}"),
        (Pass::With(given), Some(least)) if given < least => {
            assert_eq!((answer.status, code), (403, "role_insufficient"), "{who}");
        }
        // A rule without a route would have the response of an unknown path.
        _ => assert!(
            ![401, 403, 405].contains(&answer.status) && answer.status < 500 && code != "route_missing",
            "{who}"
        ),
    }
}

async fn every_route_requires_its_role(scene: &Scene) {
    scene.reset();
    let bearers = bearers(scene);
    let (scene, bearers) = (scene, &bearers);
    let mut checked = 0;
    for rule in ACCESS {
        let answers = futures_util::stream::iter(bearers)
            .map(async |bearer| (bearer, call(scene, rule, bearer).await))
            .buffer_unordered(4)
            .collect::<Vec<_>>()
            .await;
        for (bearer, answer) in &answers {
            check(rule, bearer, answer);
            checked += 1;
        }
    }
    assert_eq!(checked, bearers.len() * ACCESS.len());

    // Unknown paths need a token and are not found, also for administrators.
    let answer = |token: Option<String>, path: &'static str| async move {
        let answer =
            scene.cloud.api_as(token.as_deref(), reqwest::Method::GET, path, &[], None).await.unwrap();
        (answer.status, answer.headers["content-type"].clone())
    };
    let administrator = bearers[bearers.len() - 1].token.clone();
    let problem = "application/problem+json".to_owned();
    for path in ["/", "/elsewhere", "/runs/1/elsewhere", "//runs/1", "/line%0Abreak", "/%F0%BE%99%91;%22"] {
        assert_eq!(answer(administrator.clone(), path).await, (404, problem.clone()), "{path}");
        assert_eq!(answer(None, path).await.0, 401, "{path}");
    }
    // The caller is in no log.
    let subject = "ann@example.com";
    let request = TokenRequest::of(Role::Viewer).subject(subject);
    let token = scene.cloud.issuer().token(&request).unwrap();
    let put = scene.cloud.api_as(Some(&token), reqwest::Method::POST, "/exports/a/runs", &[], None).await;
    assert_eq!(put.unwrap().status, 403);
    let logs = scene.cloud.function_logs().await.unwrap();
    assert!(logs.iter().any(|line| line.contains("answered")), "{logs:?}");
    assert!(!logs.iter().any(|line| line.contains(subject) || line.contains(&token)), "{logs:?}");
}
