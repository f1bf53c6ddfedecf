//! `policies`, and `exports data-usage`.

use insta::assert_snapshot;
use relay_cli::Ending;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{Bench, policy, saved};

#[tokio::test]
async fn policies_are_listed_shown_and_removed() {
    let bench = Bench::new().await;
    let mut off = policy("off");
    off["enabled"] = json!(false);
    off["marketing_actions"] = json!(["analytics", "own-letters"]);
    bench.list("policies", &[policy("no-third-party"), off]).await;
    assert_snapshot!("policies_list", bench.run(&["policies", "list"]).await.output);
    bench.answer("GET", "/policies/off", 200, saved(&policy("off"), 3)).await;
    assert_snapshot!("policies_show", bench.run(&["policies", "show", "off"]).await.output);
    bench.respond("DELETE", "/policies/off", ResponseTemplate::new(204)).await;
    let ran = bench.run(&["policies", "remove", "off", "--yes"]).await;
    assert_eq!((ran.ending, ran.output.as_str()), (Ending::Done, "Removed policy off.\n"));
    let last = bench.requests().await.pop();
    assert_eq!(last.as_deref(), Some("DELETE /policies/off  if-match: \"3\""));
}

fn usage(violations: &Value) -> Value {
    json!({
        "export": "news", "connection": "account", "marketing_actions": ["export_to_third_party"],
        "segments": [
            { "segment": "all", "columns": [
                { "source": "people", "column": "email", "data_labels": ["I1"], "leaves_as": ["email", "mail"] },
                { "source": "people", "column": "income", "data_labels": ["C2", "own-a"], "leaves_as": [] },
            ] },
            { "segment": "vips", "columns": [], "unknown": "the query engine took too long to answer" },
        ],
        "policies": [{ "policy": "no-third-party", "name": "Nothing to third parties", "verdict": "violated" }],
        "never_exported": "unknown",
        "violations": violations,
    })
}

#[tokio::test]
async fn the_data_that_an_export_uses_is_shown() {
    let bench = Bench::new().await;
    let violations = json!([{ "text": "policy \"no-third-party\" forbids it." }]);
    bench.answer("GET", "/exports/news/data-usage", 200, usage(&violations)).await;
    let ran = bench.run(&["exports", "data-usage", "news"]).await;
    assert_snapshot!("data_usage", ran.output);
    assert_eq!(ran.ending, Ending::Failed);
    bench.server.reset().await;
    bench.answer("GET", "/exports/news/data-usage", 200, usage(&json!([]))).await;
    assert_eq!(bench.run(&["exports", "data-usage", "news"]).await.ending, Ending::Done);
}
