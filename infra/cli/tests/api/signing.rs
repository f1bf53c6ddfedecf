//! Where the API is, and who asks.

use relay_cli::Ending;
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::support::Bench;

/// An API that knows one token only.
async fn bench(token: &str) -> Bench {
    let bench = Bench::new().await;
    let who =
        ResponseTemplate::new(200).set_body_json(json!({ "subject": "jane", "role": "viewer", "may": [] }));
    let signed = Mock::given(method("GET")).and(path("/stage/me"));
    signed
        .and(header("authorization", format!("Bearer {token}")))
        .respond_with(who)
        .mount(&bench.server)
        .await;
    bench
}

#[tokio::test]
async fn arguments_come_before_the_environment() {
    let mut bench = bench("from-the-argument").await;
    bench.variables.insert("SEGMENT_RELAY_URL".to_owned(), "https://nowhere.example.com".to_owned());
    let url = format!("{}/stage/", bench.server.uri());
    let ran = bench.run(&["whoami", "--url", &url, "--token", "from-the-argument"]).await;
    assert_eq!(ran.ending, Ending::Done, "{}", ran.errors);
}

#[tokio::test]
async fn a_command_can_print_the_token() {
    let mut bench = bench("printed").await;
    let url = format!("{}/stage", bench.server.uri());
    bench.variables = [
        ("SEGMENT_RELAY_URL".to_owned(), url),
        ("SEGMENT_RELAY_TOKEN".to_owned(), " ".to_owned()),
        ("SEGMENT_RELAY_TOKEN_COMMAND".to_owned(), "echo printed".to_owned()),
    ]
    .into();
    let ran = bench.run(&["whoami"]).await;
    assert_eq!(ran.ending, Ending::Done, "{}", ran.errors);
}

#[tokio::test]
async fn the_output_of_a_token_command_is_never_shown() {
    let mut bench = bench("unused").await;
    for (command, expected) in [
        ("echo hush; exit 3", "ended with exit status: 3"),
        ("true", "printed nothing"),
        ("printf 'hush\\nhush'", "a token that is not a valid HTTP header value"),
    ] {
        bench.variables.remove("SEGMENT_RELAY_TOKEN");
        bench.variables.insert("SEGMENT_RELAY_TOKEN_COMMAND".to_owned(), command.to_owned());
        let ran = bench.run(&["whoami", "--json"]).await;
        assert_eq!(ran.ending, Ending::Failed);
        assert!(ran.errors.contains(expected), "{}", ran.errors);
        assert!(!ran.errors.contains("hush") && !ran.output.contains("hush"), "{}", ran.errors);
    }
}

#[tokio::test]
async fn missing_settings_are_reported() {
    let mut bench = bench("unused").await;
    bench.variables.remove("SEGMENT_RELAY_TOKEN");
    let ran = bench.run(&["whoami"]).await;
    assert!(ran.errors.contains("no access token; set SEGMENT_RELAY_TOKEN"), "{}", ran.errors);
    bench.variables.clear();
    let ran = bench.run(&["whoami"]).await;
    assert!(ran.errors.contains("no API address; set --url"), "{}", ran.errors);
    let ran = bench.run(&["whoami", "--local"]).await;
    assert!(
        ran.errors.contains("no local cloud is running; start one with: cargo local up"),
        "{}",
        ran.errors
    );
    let ran = bench.run(&["whoami", "--url", "http://api.example.com", "--token", "x"]).await;
    assert!(ran.errors.contains("api.example.com must begin with https://"), "{}", ran.errors);
}

#[tokio::test]
async fn the_local_cloud_is_found() {
    let mut bench = bench("local-token").await;
    bench.variables.clear();
    let issue = ResponseTemplate::new(200).set_body_json(json!({ "access_token": "local-token" }));
    let claims = json!({ "subject": "local", "roles": ["segment-relay-viewer"] });
    let asked = Mock::given(method("POST")).and(path("/issuer/token")).and(body_json(claims));
    asked.respond_with(issue).mount(&bench.server).await;
    let uri = bench.server.uri();
    let up =
        json!({ "api_url": format!("{uri}/stage"), "issuer_url": format!("{uri}/issuer"), "endpoint": uri });
    bench.file(".local/up.json", &up.to_string());
    let ran = bench.run(&["whoami", "--local", "--local-role", "viewer"]).await;
    assert_eq!((ran.ending, ran.output.as_str()), (Ending::Done, "who          jane\nrole         viewer\n"));
    let up = json!({ "api_url": format!("{uri}/stage") });
    bench.file(".local/up.json", &up.to_string());
    let ran = bench.run(&["whoami", "--local"]).await;
    assert!(
        ran.errors.contains("the local issuer returned no token: the local cloud has none"),
        "{}",
        ran.errors
    );
}

/// Answers with a number of tokens, one after the other.
async fn issue(bench: &Bench, tokens: &[&str]) {
    let bodies: Vec<_> = tokens.iter().map(|token| json!({ "access_token": token })).collect();
    bench.answers("POST", "/issuer/token", &bodies).await;
    let uri = bench.server.uri();
    let up = json!({ "api_url": format!("{uri}/stage"), "issuer_url": format!("{uri}/issuer") });
    bench.file(".local/up.json", &up.to_string());
}

/// How often the API was asked.
async fn asked(bench: &Bench) -> usize {
    let requests = bench.server.received_requests().await.unwrap();
    requests.iter().filter(|request| request.url.path() == "/stage/me").count()
}

#[tokio::test]
async fn an_expired_token_is_replaced_once() {
    let mut bench = bench("second").await;
    bench.respond("GET", "/stage/me", ResponseTemplate::new(401)).await;
    bench.variables.clear();
    issue(&bench, &["first", "second"]).await;
    let ran = bench.run(&["whoami", "--local"]).await;
    assert_eq!((ran.ending, asked(&bench).await), (Ending::Done, 2), "{}", ran.errors);

    issue(&bench, &["third", "fourth"]).await;
    let ran = bench.run(&["whoami", "--local"]).await;
    assert!(ran.errors.contains("the access token is missing, invalid or expired (401)"), "{}", ran.errors);
    assert_eq!(asked(&bench).await, 4, "no third attempt");

    issue(&bench, &["fifth"]).await;
    let ran = bench.run(&["whoami", "--local"]).await;
    let words = "the access token has expired (401) and cannot be renewed: the local issuer returned no token: HTTP 404";
    assert!(ran.errors.contains(words), "{}", ran.errors);
}

#[tokio::test]
async fn a_command_is_asked_again_and_a_given_token_is_not() {
    let mut bench = bench("first-second").await;
    bench.respond("GET", "/stage/me", ResponseTemplate::new(401)).await;
    let uri = bench.server.uri();
    let command = format!(
        "cd '{}'; cat printed 2>/dev/null; printf first- >> printed; echo second",
        bench.folder().display()
    );
    bench.variables = [
        ("SEGMENT_RELAY_URL".to_owned(), format!("{uri}/stage")),
        ("SEGMENT_RELAY_TOKEN_COMMAND".to_owned(), command),
    ]
    .into();
    assert_eq!(bench.run(&["whoami"]).await.ending, Ending::Done);
    assert_eq!(asked(&bench).await, 2);
    assert_eq!(bench.run(&["whoami", "--token", "given"]).await.ending, Ending::Failed);
    assert_eq!(asked(&bench).await, 3);
}

#[tokio::test]
async fn a_token_for_this_machine_goes_to_no_proxy() {
    let (bench, proxy) = (bench("local-token").await, Bench::new().await);
    issue(&bench, &["local-token"]).await;
    let mut tool = tokio::process::Command::new(env!("CARGO_BIN_EXE_segment-relay"));
    let tool = tool.args(["whoami", "--local"]).current_dir(bench.folder()).env_clear();
    let output = tool.env("HTTP_PROXY", proxy.server.uri()).env("http_proxy", proxy.server.uri()).output();
    let output = output.await.unwrap();
    assert!(proxy.server.received_requests().await.unwrap().is_empty());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let bench = Bench::new().await;
    let elsewhere =
        ResponseTemplate::new(302).insert_header("location", format!("{}/other", bench.server.uri()));
    bench.respond("GET", "/me", elsewhere).await;
    assert_eq!(bench.run(&["whoami"]).await.ending, Ending::Failed);
    assert_eq!(bench.requests().await, ["GET /me"]);
}

#[tokio::test]
async fn help_teaches() {
    let bench = Bench::new().await;
    for command in
        ["", "plan", "apply", "export", "exports schedule", "connections credentials", "runs rejects"]
    {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let ran = bench.run(&arguments).await;
        assert_eq!(ran.ending, Ending::Done);
        assert!(ran.output.contains("Example"), "{command}: {}", ran.output);
    }
    let ran = bench.run(&["exprots"]).await;
    assert_eq!(ran.ending, Ending::Failed);
    assert!(ran.errors.contains("exports") && ran.output.is_empty(), "{}", ran.errors);
}
