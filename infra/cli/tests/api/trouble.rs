//! What goes wrong between the tool and the API.

use relay_cli::Ending;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{Bench, problem};

/// What is said when the API answers so.
async fn check(response: ResponseTemplate, expected: &str) {
    let bench = Bench::new().await;
    bench.respond("GET", "/exports/news", response).await;
    let ran = bench.run(&["exports", "show", "news"]).await;
    assert_eq!(ran.ending, Ending::Failed);
    assert!(ran.errors.contains(expected), "{}", ran.errors);
    assert!(!ran.errors.contains("the-token"), "{}", ran.errors);
}

#[tokio::test]
async fn refusals_have_their_words() {
    check(
        problem(401, "unauthorized", ""),
        "cannot show export news: the access token is missing, invalid or expired (401)",
    )
    .await;
    check(problem(403, "role", "viewers may not"), "does not allow it (403): viewers may not").await;
    check(problem(404, "missing", "no such export"), "not found (404): no such export").await;
    check(ResponseTemplate::new(404).set_body_string("<html>"), "not found (404): HTTP 404").await;
    check(problem(500, "internal", "try again"), "cannot show export news (500): try again").await;
    check(ResponseTemplate::new(401).set_body_json(json!({ "message": "Unauthorized" })), "(401)").await;
}

#[tokio::test]
async fn unexpected_responses_are_reported() {
    let words = "check that the address is that of Segment Relay's API and that the versions match";
    check(ResponseTemplate::new(200).set_body_string("<html>"), words).await;
    let bench = Bench::new().await;
    bench.answer("GET", "/exports", 200, json!([])).await;
    let ran = bench.run(&["exports", "list"]).await;
    assert!(
        ran.errors.contains("unexpected response (no items)") && ran.errors.contains(words),
        "{}",
        ran.errors
    );
    bench.server.reset().await;
    bench.answer("GET", "/exports", 200, json!({ "items": [], "next_cursor": "same" })).await;
    let ran = bench.run(&["exports", "list"]).await;
    assert!(ran.errors.contains("the same next_cursor twice"), "{}", ran.errors);
    bench.server.reset().await;
    bench.answer("POST", "/exports/news/runs", 202, json!({})).await;
    let ran = bench.run(&["exports", "run", "news"]).await;
    assert!(ran.errors.contains("unexpected response (no run_id)"), "{}", ran.errors);
}

#[tokio::test]
async fn programs_get_the_problem_as_json() {
    let bench = Bench::new().await;
    let body =
        json!({ "code": "invalid", "detail": "no", "errors": [{ "field": "/id", "problem": "is taken" }] });
    bench.answer("POST", "/exports/news/duplicate", 409, body).await;
    let ran = bench.run(&["exports", "duplicate", "news", "--as", "b", "--name", "B", "--json"]).await;
    let last: Value = serde_json::from_str(ran.output.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["status"], 409);
    assert_eq!(last["error"]["code"], "invalid");
    assert_eq!(last["error"]["errors"], json!([{ "field": "/id", "problem": "is taken" }]));
}

#[tokio::test]
async fn busy_times_are_waited_out_with_the_same_key() {
    let bench = Bench::new().await;
    bench.answer("POST", "/exports/news/runs", 202, json!({ "run_id": "r", "request": "started" })).await;
    for status in [503, 429] {
        let busy = ResponseTemplate::new(status).insert_header("retry-after", "0");
        bench.answer_once("POST", "/exports/news/runs", busy).await;
    }
    let ran = bench.run(&["exports", "run", "news"]).await;
    assert_eq!(ran.ending, Ending::Done, "{}", ran.errors);
    let requests = bench.server.received_requests().await.unwrap();
    let keys: Vec<_> = requests.iter().map(|request| &request.headers["idempotency-key"]).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    bench.run(&["exports", "run", "news"]).await;
    let requests = bench.server.received_requests().await.unwrap();
    assert_ne!(&requests[3].headers["idempotency-key"], keys[0], "another request is another one");
}

#[tokio::test]
async fn patience_has_an_end() {
    let bench = Bench::new().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "0");
    bench.respond("GET", "/exports/news", busy).await;
    let ran = bench.run(&["exports", "show", "news"]).await;
    assert!(ran.errors.contains("too many requests, even after waiting (429)"), "{}", ran.errors);
    assert_eq!(bench.requests().await.len(), 5);
    bench.server.reset().await;
    let tomorrow = ResponseTemplate::new(503).insert_header("retry-after", "86400");
    bench.respond("GET", "/exports/news", tomorrow).await;
    bench.run(&["exports", "show", "news"]).await;
    assert_eq!(bench.requests().await.len(), 1);
}

#[tokio::test]
async fn a_refused_connection_is_reported() {
    let mut bench = Bench::new().await;
    // No process listens on the port: it belonged to a stopped server.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    bench.variables.insert("SEGMENT_RELAY_URL".to_owned(), format!("http://{gone}"));
    let ran = bench.run(&["exports", "list"]).await;
    assert!(ran.errors.contains("cannot list the exports: no connection to 127.0.0.1"), "{}", ran.errors);
}
