//! What becomes of each row: told with a code and a reason, and tried again where that may help.

use super::account::Account;
use crate::support::messages::dead_letters;
use crate::support::{Scene, emails, persons};
use relay_model::Counts;
use sandbox::marketo::{DataType, Endpoint, Field, SeedLead};
use serde_json::json;

const COMPLEX: &str = "Flat \"2\", 5 High Street,\r\nOld Town";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_has_its_outcome() {
    let scene = Scene::open().await;
    tokio::join!(the_right_ones_of_a_call_are_applied(&scene), the_right_rows_of_a_file_are_applied(&scene));
    assert_eq!(dead_letters(&scene).await, 0);
}

/// An account whose people have a date.
async fn account<'a>(scene: &'a Scene, name: &str) -> Account<'a> {
    let account = Account::open(scene, name).await.lanes(1);
    account.add_field(Field::new("memberSince", DataType::Date));
    account
}

async fn the_right_ones_of_a_call_are_applied(scene: &Scene) {
    let account = account(scene, "rows").await;
    let mut people = persons(300);
    for person in &mut people {
        "2020-02-29".clone_into(&mut person.city);
    }
    "2021-02-29".clone_into(&mut people[2].city);
    COMPLEX.clone_into(&mut people[3].address);
    // The first is not there, and the second is there twice.
    let seeds = people.iter().skip(1).chain([&people[1]]);
    account.seed_leads(seeds.map(|person| SeedLead::new(person.email.as_ref().unwrap())).collect()).unwrap();
    let mut job = account.job("rows");
    job.segment["query"] = json!("SELECT customer_id, email, name, address, city FROM rows WHERE newsletter");
    job.export["mapping"] = json!([
        { "attribute": "name", "field": "firstName" },
        { "attribute": "address", "field": "address" },
        { "attribute": "city", "field": "memberSince" },
    ]);
    job.export["options"]["person_creation"] = json!("match_only");
    job.ready(&people).await;

    let first = job.run().await;
    first.succeeded(Counts { added: 297, skipped: 1, rejected: 2, ..Counts::default() });
    for (code, words) in [
        ("marketo_1004", "not in Marketo"),
        ("marketo_1007", "several people"),
        ("value_not_a_date", "memberSince"),
    ] {
        let reasons: Vec<_> = first.report.reasons.iter().filter(|reason| reason.code == code).collect();
        assert_eq!(reasons.len(), 1, "{code}: {:?}", first.report.reasons);
        assert_eq!(reasons[0].rows, 1);
        assert!(reasons[0].text.contains(words), "{:?}", reasons[0]);
    }
    assert_eq!(account.on("rows"), emails(&people[3..]));
    assert_eq!(account.person("person4@mail.example.com").fields["address"], COMPLEX);
    assert_eq!(account.person("person5@mail.example.com").fields["memberSince"], "2020-02-29");
    // The bad date costs nobody's call, its own included.
    assert_eq!((account.calls(Endpoint::SyncLeads), account.report().sync.records), (1, 299));
    assert_eq!(account.lead_count(), 300);

    // Only the two that Marketo may have learnt of are tried again. In the meantime somebody has merged the two.
    account.count_anew();
    account.delete_lead(account.leads_by("email", "person2@mail.example.com").unwrap()[1].id).unwrap();
    let second = job.run().await;
    second.succeeded(Counts { added: 1, unchanged: 297, skipped: 1, rejected: 1, ..Counts::default() });
    assert_eq!((account.calls(Endpoint::SyncLeads), account.report().sync.records), (1, 2));
    assert_eq!(account.on("rows").len(), 298);
}

async fn the_right_rows_of_a_file_are_applied(scene: &Scene) {
    let account = account(scene, "file").await;
    let mut people = persons(300);
    COMPLEX.clone_into(&mut people[3].address);
    people[4].city = "Wrong".repeat(60);
    let twice = || SeedLead::new("person2@mail.example.com");
    account.seed_leads(vec![twice(), twice()]).unwrap();
    let mut job = account.job("file");
    job.segment["query"] = json!("SELECT customer_id, email, name, address, city FROM file WHERE newsletter");
    job.export["mapping"] = json!([
        { "attribute": "address", "field": "address" },
        { "attribute": "city", "field": "city" },
    ]);
    job.export["options"]["push"] = json!("bulk_import");
    job.ready(&people).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 298, rejected: 2, ..Counts::default() });
    assert_eq!((first.because("marketo_1007"), first.because("value_too_long")), (1, 1));
    assert_eq!(account.person("person4@mail.example.com").fields["address"], COMPLEX);
    let mut expected = emails(&people);
    for refused in ["person2@mail.example.com", "person5@mail.example.com"] {
        expected.remove(refused);
    }
    assert_eq!(account.on("file"), expected);
    assert_eq!((account.calls(Endpoint::SyncLeads), account.calls(Endpoint::Import)), (0, 1));

    // Whoever came in by a file is looked up before being taken off, for a file's answer has no ids.
    for left in &mut people[10..20] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    let second = job.run().await;
    second.succeeded(Counts { removed: 10, unchanged: 288, rejected: 2, ..Counts::default() });
    assert_eq!(account.calls(Endpoint::FindLeads), 1);
    expected.retain(|email| emails(&people).contains(email));
    assert_eq!(account.on("file"), expected);
    assert_eq!(account.lead_count(), 300);
}
