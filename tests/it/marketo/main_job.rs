//! The main job: people come, change and leave, the list follows, and nobody leaves the database.

use super::account::{Account, moved};
use crate::support::messages::dead_letters;
use crate::support::{Scene, emails, persons};
use relay_model::Counts;
use sandbox::marketo::{Endpoint, FolderKind, LeadId, NewFolder, SeedLead};
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_follows_the_segment() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    tokio::join!(
        people_come_change_and_leave(&scene),
        only_those_who_are_there_are_matched(&scene),
        nobody_is_written_when_nothing_is_mapped(&scene),
        what_changes_costs_what_it_is(&scene),
    );
    assert_eq!(dead_letters(&scene).await, 0);
}

async fn people_come_change_and_leave(scene: &Scene) {
    let account = Account::open(scene, "main").await.lanes(1);
    let parent = account.create_folder(NewFolder {
        name: "Relay".to_owned(),
        kind: FolderKind::default(),
        parent: None,
        workspace: None,
        is_system: false,
    });
    let folder = parent.unwrap();
    let mut job = account.job("main");
    job.segment["name"] = json!("Newsletter readers");
    job.export["options"]["folder"] = json!("Relay");
    job.export["options"]["list_name"] = json!("CDP {segment}");
    let mut people = persons(1_000);
    job.ready(&people).await;
    // Somebody is in the database already and keeps what is not ours.
    let mut known = SeedLead::new("person1@mail.example.com");
    known.fields.insert("lastName".to_owned(), "Kept".into());
    account.seed_leads(vec![known]).unwrap();

    let first = job.run().await;
    first.succeeded(Counts { added: 1_000, ..Counts::default() });
    let list = account.list("CDP Newsletter readers");
    assert_eq!((list.folder, list.members), (folder, 1_000));
    assert_eq!(account.on(&list.name), emails(&people));
    assert_eq!(account.lead_count(), 1_000);
    let one = account.person("person1@mail.example.com");
    assert_eq!((&one.fields["lastName"], &one.fields["city"]), (&json!("Kept"), &json!("City 1")));
    assert_eq!(one.fields["loyaltyPoints"], 1);
    // A thousand people are four calls to write and four to add, and some to prepare.
    assert_eq!((account.calls(Endpoint::SyncLeads), account.calls(Endpoint::AddMembers)), (4, 4));
    assert_eq!(usize::try_from(first.report.calls).unwrap(), account.all_calls());
    assert!(first.report.notices.iter().any(|notice| notice.contains("was made in folder \"Relay\"")));

    // One in a hundred has changed: one call, since those who are on the list need not be added again.
    account.count_anew();
    moved(people.iter_mut().step_by(100));
    job.upload(&people).await;
    let second = job.run().await;
    second.succeeded(Counts { changed: 10, unchanged: 990, ..Counts::default() });
    assert_eq!(account.person("person101@mail.example.com").fields["city"], "New City 1");
    assert_eq!((account.calls(Endpoint::SyncLeads), account.calls(Endpoint::AddMembers)), (1, 0));
    assert_eq!(account.report().sync.records, 10);

    // Some leave, and stay in the database. We know who they are there: nobody is looked up.
    account.count_anew();
    for left in &mut people[..40] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    job.run().await.succeeded(Counts { removed: 40, unchanged: 960, ..Counts::default() });
    assert_eq!(account.on(&list.name), emails(&people));
    assert_eq!(account.lead_count(), 1_000);
    assert_eq!((account.calls(Endpoint::RemoveMembers), account.calls(Endpoint::FindLeads)), (1, 0));

    // Somebody else took people off the list and out of the database: they are off, which is what was asked for.
    account.count_anew();
    let off = account.person("person50@mail.example.com").id;
    account.remove_members(list.id, &[off]).unwrap();
    account.delete_lead(account.person("person51@mail.example.com").id).unwrap();
    for left in &mut people[49..52] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    job.run().await.succeeded(Counts { removed: 3, unchanged: 957, ..Counts::default() });
    assert_eq!(account.on(&list.name), emails(&people));

    // Some come back.
    for back in &mut people[..5] {
        back.newsletter = true;
    }
    job.upload(&people).await;
    job.run().await.succeeded(Counts { added: 5, unchanged: 957, ..Counts::default() });
    assert_eq!(account.on(&list.name), emails(&people));
    assert_eq!(account.report().sync.created.values().sum::<usize>(), 0);
}

/// A second run after one person in a hundred has changed costs about a hundredth of the calls.
async fn what_changes_costs_what_it_is(scene: &Scene) {
    let account = Account::open(scene, "hundredth").await.lanes(1);
    let job = account.job("hundredth");
    let mut people = persons(15_000);
    job.ready(&people).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 15_000, ..Counts::default() });
    let pushed = || account.calls(Endpoint::SyncLeads) + account.calls(Endpoint::AddMembers);
    assert_eq!(pushed(), 100);

    account.count_anew();
    moved(people.iter_mut().step_by(100));
    job.upload(&people).await;
    let second = job.run().await;
    second.succeeded(Counts { changed: 150, unchanged: 14_850, ..Counts::default() });
    assert_eq!((pushed(), account.report().sync.records), (1, 150));
    // The list and the account's usage are read in every run.
    assert!(second.report.calls <= 4, "{} of {} calls", second.report.calls, first.report.calls);
}

async fn only_those_who_are_there_are_matched(scene: &Scene) {
    let account = Account::open(scene, "matched").await.lanes(1);
    let people = persons(400);
    let known: Vec<SeedLead> =
        people.iter().step_by(2).map(|person| SeedLead::new(person.email.as_ref().unwrap())).collect();
    account.seed_leads(known).unwrap();
    let mut job = account.job("matched");
    job.export["options"] = json!({ "person_creation": "match_only" });
    job.ready(&people).await;
    let over = job.run().await;
    over.succeeded(Counts { added: 200, skipped: 200, ..Counts::default() });
    assert_eq!(over.because("marketo_1004"), 200);
    assert_eq!((account.lead_count(), account.list("matched").members), (200, 200));
    assert_eq!(account.on("matched"), emails(people.iter().step_by(2)));
    assert_eq!(account.person("person1@mail.example.com").fields["city"], "City 1");

    // Whoever is there by now is found by the next run, which knows those whom it has matched.
    account.count_anew();
    account.seed_leads(vec![SeedLead::new("person2@mail.example.com")]).unwrap();
    job.run().await.succeeded(Counts { added: 1, skipped: 199, unchanged: 200, ..Counts::default() });
    assert_eq!(account.report().sync.records, 200);
    assert_eq!(account.lead_count(), 201);
}

async fn nobody_is_written_when_nothing_is_mapped(scene: &Scene) {
    let account = Account::open(scene, "unwritten").await.lanes(1);
    let people = persons(20);
    let known: Vec<SeedLead> =
        people[..10].iter().map(|person| SeedLead::new(person.email.as_ref().unwrap())).collect();
    let ids = account.seed_leads(known).unwrap();
    let before = account.everybody();
    let mut job = account.job("unwritten");
    job.export["mapping"] = json!([]);
    job.export["options"] = json!({ "person_creation": "match_only" });
    job.ready(&people).await;
    job.run().await.succeeded(Counts { added: 10, skipped: 10, ..Counts::default() });
    assert_eq!((account.calls(Endpoint::SyncLeads), account.calls(Endpoint::FindLeads)), (0, 1));
    let list = account.list("unwritten").id;
    let members: BTreeSet<_> =
        account.members(list, LeadId::default(), usize::MAX).unwrap().into_iter().collect();
    assert_eq!(members, ids.iter().copied().collect());
    assert_eq!(account.everybody(), before);

    // By Marketo's own ids there is nobody to be looked up either.
    account.count_anew();
    let mut by_id = account.job("unwritten_by_id");
    by_id.export["match_key"] = json!("points");
    by_id.export["mapping"] = json!([]);
    by_id.export["options"] = json!({ "person_creation": "match_only", "lookup_field": "id" });
    let mut people = persons(10);
    for (person, id) in people.iter_mut().zip(&ids) {
        person.points = Some(id.get().into());
    }
    people[9].points = Some(99_999_999);
    by_id.ready(&people).await;
    let over = by_id.run().await;
    over.succeeded(Counts { added: 9, skipped: 1, ..Counts::default() });
    assert_eq!(over.because("marketo_1004"), 1);
    assert_eq!((account.calls(Endpoint::FindLeads), account.calls(Endpoint::AddMembers)), (0, 1));
    assert_eq!((account.on("unwritten_by_id").len(), account.everybody()), (9, before));
}
