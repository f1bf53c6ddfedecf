//! Many people in reasonable time and memory.

use crate::client::Fixture;
use sandbox::marketo::{LeadId, Options, SeedLead};
use serde_json::{Value, json};

#[tokio::test]
async fn twenty_thousand_people() {
    let fixture = Fixture::with(Options { rate_calls: 1000, ..Options::default() }).await;
    let seeds = (0..20_000).map(|number| SeedLead {
        lists: vec![fixture.list],
        ..SeedLead::new(&format!("p{number}@example.com"))
    });
    fixture.sandbox.seed_leads(seeds.collect()).unwrap();
    let batch = |first: usize| {
        let record = |number: usize| json!({ "email": format!("p{number}@example.com"), "firstName": "F" });
        (first..first + 300).map(record).collect::<Vec<Value>>()
    };
    let updated = fixture.sync(batch(19_700)).await.statuses();
    assert!(updated.iter().all(|status| status == "updated") && updated.len() == 300);
    let created = fixture.sync(batch(20_000)).await.statuses();
    assert!(created.iter().all(|status| status == "created"));
    let page = fixture.sandbox.members(fixture.list, LeadId::from(19_990), 100).unwrap();
    assert_eq!(
        (page.len(), page.first(), page.last()),
        (10, Some(&LeadId::from(19_991)), Some(&LeadId::from(20_000)))
    );
    assert_eq!(fixture.sandbox.lead_count(), 20_300);
}
