//! The S3 store over S3's own protocol, as far as it is used: ranges, paged listings, errors.

use crate::lake::Lake;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use relay_engine::{S3Store, SourceFormat};
use std::sync::Arc;
use wiremock::matchers::{header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn store(server: &MockServer) -> S3Store {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(server.uri())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("AKIDVERYSECRET", "very-secret-key", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .force_path_style(true)
        .build();
    S3Store::new(aws_sdk_s3::Client::from_conf(config), "lake")
}

fn listed(key: &str, size: usize) -> String {
    format!(
        "<Contents><Key>{key}</Key><Size>{size}</Size><ETag>\"tag\"</ETag><LastModified>2026-01-02T03:04:05Z</LastModified></Contents>"
    )
}

fn page(contents: &str, next: Option<&str>) -> ResponseTemplate {
    let next = next.map(|token| {
        format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{token}</NextContinuationToken>")
    });
    let body = format!("<ListBucketResult>{contents}{}</ListBucketResult>", next.unwrap_or_default());
    ResponseTemplate::new(200).set_body_raw(body, "application/xml")
}

fn refusal(status: u16, code: &str) -> ResponseTemplate {
    let body = format!("<Error><Code>{code}</Code><Message>AKIDVERYSECRET is not allowed</Message></Error>");
    ResponseTemplate::new(status).set_body_raw(body, "application/xml")
}

#[tokio::test]
async fn a_csv_source_is_listed_by_pages_and_read_in_the_version_that_was_listed() {
    let server = MockServer::start().await;
    let list = || Mock::given(method("GET")).and(path("/lake/")).and(query_param("prefix", "people/"));
    list()
        .and(query_param_is_missing("continuation-token"))
        .respond_with(page(
            &format!("{}{}", listed("people/", 0), listed("people/a b.csv", 12)),
            Some("more"),
        ))
        .mount(&server)
        .await;
    list()
        .and(query_param("continuation-token", "more"))
        .respond_with(page(&listed("people/é.csv", 12), None))
        .mount(&server)
        .await;
    for (key, body) in
        [("/lake/people/a%20b.csv", "id,name\n1,a\n"), ("/lake/people/%C3%A9.csv", "id,name\n2,b\n")]
    {
        Mock::given(method("GET"))
            .and(path(key))
            .and(header("range", "bytes=0-11"))
            .and(header("if-match", "\"tag\""))
            .respond_with(
                ResponseTemplate::new(206)
                    .insert_header("content-range", "bytes 0-11/12")
                    .set_body_string(body),
            )
            .expect(1)
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .and(path(key))
            .and(header("if-match", "\"tag\""))
            .respond_with(ResponseTemplate::new(200).set_body_string(body))
            .with_priority(6)
            .expect(1)
            .mount(&server)
            .await;
    }
    let lake = Lake::over(Arc::new(store(&server))).source("people", SourceFormat::Csv);
    let snapshot = lake.evaluate("SELECT * FROM people", "id", &["name"]).await.unwrap();
    assert_eq!(snapshot.rows, [["1", "a"], ["2", "b"]]);
}

#[tokio::test]
async fn ranges_and_heads() {
    let server = MockServer::start().await;
    let store = store(&server);
    for (range, first, last) in [("bytes=2-4", 2, 4), ("bytes=7-", 7, 9), ("bytes=-3", 7, 9)] {
        let answer = ResponseTemplate::new(206)
            .insert_header("content-range", format!("bytes {first}-{last}/10"))
            .set_body_string(&"0123456789"[first..=last]);
        Mock::given(method("GET"))
            .and(path("/lake/x"))
            .and(header("range", range))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    let answer = ResponseTemplate::new(200).set_body_string("0123456789");
    Mock::given(method("HEAD")).and(path("/lake/x")).respond_with(answer).mount(&server).await;
    let location = Path::from("x");
    for (range, expected) in
        [(GetRange::Bounded(2..5), "234"), (GetRange::Offset(7), "789"), (GetRange::Suffix(3), "789")]
    {
        let options = GetOptions { range: Some(range), ..GetOptions::default() };
        let answer = store.get_opts(&location, options).await.unwrap();
        assert_eq!(answer.meta.size, 10);
        assert_eq!(answer.bytes().await.unwrap(), expected);
    }
    assert_eq!(store.head(&location).await.unwrap().size, 10);
    assert!(matches!(store.put(&location, "x".into()).await, Err(Error::NotSupported { .. })));
    assert!(matches!(store.delete(&location).await, Err(Error::NotSupported { .. })));
    assert!(matches!(store.copy(&location, &Path::from("y")).await, Err(Error::NotSupported { .. })));
    assert_eq!(
        (format!("{store}"), format!("{store:?}")),
        ("s3://lake".into(), "S3Store { bucket: \"lake\", .. }".into())
    );
}

async fn check(list: ResponseTemplate, get: ResponseTemplate, expected: &str, is_transient: bool) {
    let server = MockServer::start().await;
    Mock::given(method("GET")).and(path("/lake/")).respond_with(list).mount(&server).await;
    Mock::given(method("GET")).and(path("/lake/people/a.csv")).respond_with(get).mount(&server).await;
    let lake = Lake::over(Arc::new(store(&server))).source("people", SourceFormat::Csv);
    let error = lake.evaluate("SELECT * FROM people", "id", &[]).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.is_transient()), (expected, is_transient));
}

#[tokio::test]
async fn what_s3_refuses_is_said_without_credentials() {
    let one = || page(&listed("people/a.csv", 100), None);
    let no = || ResponseTemplate::new(500);
    let denied = "source people: access to s3://lake/people/ is denied; the roles of the snapshot and engine functions need s3:ListBucket and s3:GetObject there";
    let unavailable = "source people: s3://lake could not be read just now; try again";
    let changed = "source people: object lake/people/a.csv changed while it was read; try again";
    check(refusal(403, "AccessDenied"), no(), denied, false).await;
    check(one(), refusal(403, "AccessDenied"), denied, false).await;
    check(refusal(404, "NoSuchBucket"), no(), "source people: bucket lake does not exist", false).await;
    check(one(), refusal(404, "NoSuchKey"), changed, true).await;
    check(one(), refusal(412, "PreconditionFailed"), changed, true).await;
    check(one(), refusal(503, "SlowDown"), unavailable, true).await;
    check(no(), no(), unavailable, true).await;
    // A server that ignores the range must not be taken for one that honours it.
    check(one(), ResponseTemplate::new(200).set_body_string("id\n1\n"), unavailable, true).await;
    check(page(&listed("people/a//b.csv", 1), None), no(), "source people: s3://lake/people/ has an object whose key is not a plain path (an empty part, \".\" or \"..\")", false).await;
}
