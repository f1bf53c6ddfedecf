use super::*;
use axum::http::Request;

fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

#[track_caller]
fn check_precondition(headers: &[(&str, &str)], expected: Result<Expected, u16>) {
    let mut parts = parts("/", headers);
    let found = futures_executor(Precondition::from_request_parts(&mut parts, &()));
    assert_eq!(
        found.map(|found| found.0).map_err(|problem| problem.status().as_u16()),
        expected,
        "{headers:?}"
    );
}

fn futures_executor<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn preconditions_say_what_the_caller_has_seen() {
    check_precondition(&[("if-none-match", "*")], Ok(Expected::Absent));
    check_precondition(&[("if-match", "\"7\"")], Ok(Expected::Version(7)));
    check_precondition(&[], Err(428));
    check_precondition(&[("if-match", "7")], Err(400));
    check_precondition(&[("if-match", "*")], Err(400));
    check_precondition(&[("if-match", "W/\"7\"")], Err(400));
    check_precondition(&[("if-match", "\"99999999999999999999\"")], Err(400));
    check_precondition(&[("if-none-match", "\"7\"")], Err(400));
    check_precondition(&[("if-none-match", "*"), ("if-match", "\"7\"")], Err(400));
}

#[track_caller]
fn check_page(uri: &str, expected: Option<(i32, Option<&str>)>) {
    let page = futures_executor(Page::from_request_parts(&mut parts(uri, &[]), &())).ok();
    let expected = expected.map(|(limit, cursor)| Page { limit, cursor: cursor.map(str::to_owned) });
    assert_eq!(page, expected, "{uri}");
}

#[test]
fn pages_are_bounded() {
    check_page("/", Some((50, None)));
    check_page("/?limit=100&cursor=newsletter", Some((100, Some("newsletter"))));
    check_page("/?limit=0", None);
    check_page("/?limit=101", None);
    check_page("/?limit=many", None);
    check_page("/?cursor=", None);
    check_page("/?cursor=a%2Fb", None);
    check_page("/?page=2", None);
}

#[track_caller]
fn check_key(key: &'static str, accepted: bool) {
    let mut parts = parts("/", &[("idempotency-key", key)]);
    let found = futures_executor(RequestKey::from_request_parts(&mut parts, &()));
    assert_eq!(found.is_ok(), accepted, "{key:?}");
}

#[test]
fn idempotency_keys_are_plain() {
    check_key("2026-11-21T10:00:00Z.nightly_1", true);
    check_key("", false);
    check_key("a b", false);
    check_key("schedule/2026", false);
    assert_ne!(RequestKey(None).or_new(), RequestKey(None).or_new());
}

#[track_caller]
fn check_body(json: &str, field: &str, problem: &str) {
    let refused = read::<relay_model::catalog::Guard>(json.as_bytes()).unwrap_err();
    let told = refused.fields().first().cloned().unwrap_or_default();
    assert_eq!(told.field, field, "{json}");
    assert!(told.problem.contains(problem), "{json}: {}", told.problem);
}

#[test]
fn mistakes_name_their_place() {
    check_body(r#"{"removed_percent": "many"}"#, "/removed_percent", "invalid type");
    check_body(r#"{"removed": 1}"#, "/removed", "unknown field");
    check_body("[", "", "EOF");
}
