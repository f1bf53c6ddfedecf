//! A million contacts, by hand: `cargo test -p sandbox --test omnisend -- --ignored --nocapture`.

use crate::client::{Fixture, quick, send};
use sandbox::omnisend::{Dialect, Options, SeedContact, Status};
use serde_json::{Value, json};
use std::time::Instant;

fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// As text, so that the time measured is the server's.
fn item(number: usize) -> String {
    format!(
        r#"{{"identifiers":[{{"type":"email","id":"person{number}@example.com","sendWelcomeMessage":false}}],
        "firstName":"Somebody","lastName":"Number {number}","address":"1234 Main Street","city":"Los Angeles",
        "state":"California","country":"United States","postalCode":"90001","tags":["ci: one","source: test"],
        "customProperties":{{"tier":"gold"}}}}"#
    )
}

#[tokio::test]
#[ignore = "takes a minute or two: it is a measurement"]
async fn a_million_contacts_in_batches() {
    const CONTACTS: usize = 1_000_000;
    let fixture = Fixture::with(Dialect::V5, Options { largest_body_bytes: 4_000_000, ..quick() }).await;
    let seeds = (0..CONTACTS / 2).map(|number| {
        SeedContact::new(format!("person{number}@example.com"), Status::Subscribed).tagged(&["theirs"])
    });
    let begin = Instant::now();
    fixture.sandbox.seed_contacts(&fixture.brand.brand_id, seeds.collect()).unwrap();
    println!("seeded {} in {:?}, {} MB", CONTACTS / 2, begin.elapsed(), resident_megabytes());
    let begin = Instant::now();
    for first in (0..CONTACTS).step_by(1000) {
        let items: Vec<String> = (first..first + 1000).map(item).collect();
        let body = format!(r#"{{"method":"POST","endpoint":"contacts","items":[{}]}}"#, items.join(","));
        let headers = [("X-API-KEY", fixture.brand.api_key.as_str())];
        let reply = send(&fixture.sandbox.base_url(), "POST", "/v5/batches", &headers, &body).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        fixture.settle_batches().await;
    }
    println!("wrote {CONTACTS} in {:?}, {} MB", begin.elapsed(), resident_megabytes());
    let begin = Instant::now();
    let page = fixture.check("GET", "/contacts?tag=none&limit=250", Value::Null, 200).await;
    println!("looked for nobody in {:?}", begin.elapsed());
    assert_eq!(page["contacts"], json!([]));
    let report = fixture.sandbox.report();
    assert_eq!((report.contacts.created, report.contacts.updated), (CONTACTS / 2, CONTACTS / 2));
    assert_eq!(report.tags.foreign_lost_by_writes, CONTACTS / 2);
}
