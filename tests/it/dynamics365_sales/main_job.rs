//! The main job: contacts come and leave, the marketing list follows, and no contact is made or changed.

use super::organisation::{Organisation, guids, rows, upload};
use crate::support::Scene;
use crate::support::messages::dead_letters;
use relay_model::Counts;
use sandbox::dynamics365_sales::{Endpoint, Guid, ListChange, ListKind, MemberType, NewList};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_follows_the_segment() {
    let scene = Scene::open_with(|mut options| {
        options.enforce_permissions = true;
        options
    })
    .await;
    tokio::join!(
        contacts_come_and_leave(&scene),
        members_of_others_are_counted_and_kept(&scene),
        an_existing_list_is_verified(&scene),
        ids_are_read_in_any_form_and_nobody_is_made(&scene),
    );
    assert_eq!(dead_letters(&scene).await, 0);
}

async fn contacts_come_and_leave(scene: &Scene) {
    let organisation = Organisation::open(scene, "main", 3_000).await;
    let mut job = organisation.job("main");
    job.segment["name"] = json!("Newsletter readers");
    job.save().await;
    upload(&job, rows(0..2_500)).await;
    let first = job.run().await;
    first.succeeded(Counts { added: 2_500, ..Counts::default() });
    let list = organisation.list_named("Newsletter readers");
    assert_eq!((list.kind, list.member_type), (ListKind::Static, MemberType::Contact));
    assert_eq!((list.members, list.members_by_api), (2_500, 2_500));
    assert_eq!(organisation.on(list.list_id), guids(0..2_500));
    assert_eq!(first.report.targets[0].members_counted, Some(2_500));
    assert!(first.report.notices.iter().any(|notice| notice.contains("was made")));
    assert!(
        !first.report.notices.iter().any(|notice| notice.contains("counts")),
        "{:?}",
        first.report.notices
    );

    // Nothing has changed: nothing is written.
    organisation.count_anew();
    let second = job.run().await;
    second.succeeded(Counts { unchanged: 2_500, ..Counts::default() });
    assert_eq!((second.report.batches, organisation.writes()), (0, 0));
    assert!(organisation.all_calls() <= 4, "{:?}", organisation.report().calls);

    // Some leave and others come; the list is renamed with its segment.
    organisation.count_anew();
    job.segment["name"] = json!("Readers");
    job.save().await;
    upload(&job, rows(100..2_600)).await;
    let third = job.run().await;
    third.succeeded(Counts { added: 100, removed: 100, unchanged: 2_400, ..Counts::default() });
    assert_eq!(organisation.list_named("Readers").list_id, list.list_id);
    assert_eq!(organisation.on(list.list_id), guids(100..2_600));
    let report = organisation.report();
    assert_eq!((report.members.added, report.members.removed, report.lists_created), (100, 100, 0));

    // The owner deletes the list between two runs: another one is made, and everybody is on it.
    organisation.owner(list.list_id, ListChange::Delete, 0);
    let fourth = job.run().await;
    fourth.succeeded(Counts { added: 2_500, ..Counts::default() });
    let other = organisation.list_named("Readers");
    assert_ne!(other.list_id, list.list_id);
    assert_eq!(organisation.on(other.list_id), guids(100..2_600));
    assert!(fourth.report.notices.iter().any(|notice| notice.contains("is gone")));
}

async fn members_of_others_are_counted_and_kept(scene: &Scene) {
    let organisation = Organisation::open(scene, "foreign", 200).await;
    let list = organisation.create_list(NewList { name: "Ours and theirs".into(), ..NewList::default() });
    let list = list.unwrap();
    let theirs: Vec<Guid> = (150..160).map(Guid::numbered).collect();
    organisation.seed_members(list, &theirs).unwrap();
    let mut job = organisation.job("foreign");
    job.export["segments"] = json!([{ "segment": "foreign", "target_list": format!("{{{list}}}") }]);
    job.export["guard"] = json!({ "removed_percent": 100 });
    job.save().await;
    upload(&job, rows(0..100)).await;
    let over = job.run().await;
    over.succeeded(Counts { added: 100, ..Counts::default() });
    let target = &over.report.targets[0];
    assert_eq!((target.members_counted, target.delivered), (Some(110), 100));
    let said = "the destination counts 110 members, and 100 of them are there by our doing";
    assert!(over.report.notices.iter().any(|notice| notice.contains(said)), "{:?}", over.report.notices);

    upload(&job, rows(90..100)).await;
    job.run().await.succeeded(Counts { removed: 90, unchanged: 10, ..Counts::default() });
    assert_eq!(organisation.on(list), guids((90..100).chain(150..160)));

    // Somebody took people off the list and out of the organisation: they are off, which is what was asked for.
    organisation
        .change_contact(Guid::numbered(90), sandbox::dynamics365_sales::ContactChange::Delete)
        .unwrap();
    upload(&job, rows(95..100)).await;
    job.run().await.succeeded(Counts { removed: 5, unchanged: 5, ..Counts::default() });
    assert_eq!(organisation.on(list), guids((95..100).chain(150..160)));
}

async fn an_existing_list_is_verified(scene: &Scene) {
    let organisation = Organisation::open(scene, "verified", 20).await;
    let list = |name: &str| NewList { name: name.to_owned(), ..NewList::default() };
    let make = |list: NewList| organisation.create_list(list).unwrap();
    let dynamic = make(NewList { kind: ListKind::Dynamic, ..list("dynamic") });
    let accounts = make(NewList { member_type: MemberType::Account, ..list("accounts") });
    let (locked, inactive) = (make(list("locked")), make(list("inactive")));
    organisation.owner(locked, ListChange::Lock, 0);
    organisation.owner(inactive, ListChange::Deactivate, 0);
    let mut job = organisation.job("verified");
    upload(&job, rows(0..10)).await;
    for (target, code, word) in [
        (dynamic.to_string(), "settings_invalid", "is dynamic"),
        (accounts.to_string(), "settings_invalid", "not one of contacts"),
        (locked.to_string(), "settings_invalid", "is locked"),
        (inactive.to_string(), "settings_invalid", "is inactive"),
        (Guid::random().to_string(), "list_missing", "no marketing list with this id"),
        ("newsletter".to_owned(), "list_missing", "not a GUID"),
    ] {
        job.export["segments"] = json!([{ "segment": "verified", "target_list": target }]);
        job.save().await;
        job.run().await.failed(code, &[word]);
        assert_eq!(organisation.writes(), 0, "{word}");
    }
    organisation.owner(locked, ListChange::Unlock, 0);
    job.export["segments"] = json!([{ "segment": "verified", "target_list": locked.to_string() }]);
    job.save().await;
    job.run().await.succeeded(Counts { added: 10, ..Counts::default() });
    assert_eq!(organisation.on(locked), guids(0..10));
}

async fn ids_are_read_in_any_form_and_nobody_is_made(scene: &Scene) {
    let organisation = Organisation::open(scene, "forms", 40).await;
    let change = sandbox::dynamics365_sales::ContactChange::Deactivate;
    (20..25).for_each(|number| organisation.change_contact(Guid::numbered(number), change).unwrap());
    let job = organisation.job("forms");
    job.save().await;
    let mut contacts = rows(0..30);
    contacts[1].1 = contacts[1].1.to_uppercase();
    contacts[2].1 = format!("{{{}}}", contacts[2].1);
    contacts[3].1 = contacts[3].1.replace('-', "");
    contacts[4].1 = format!(" {} ", contacts[4].1);
    "no GUID".clone_into(&mut contacts[5].1);
    contacts[6].1.remove(0);
    contacts[7].1.clear();
    // Contacts that the organisation has never had.
    contacts.extend(rows(1_000..1_003));
    // One contact by two spellings.
    contacts.push((2_000, Guid::numbered(0).to_string().to_uppercase()));
    upload(&job, contacts).await;
    let over = job.run().await;
    assert_eq!(over.because("contact_inactive"), 5);
    assert_eq!(over.because("not_in_sales"), 3);
    assert_eq!(over.because("match_key_not_a_guid"), 2);
    assert_eq!(over.report.counts.added, 22);
    assert_eq!(over.report.counts.rejected + over.report.counts.skipped, 12, "{:?}", over.report.reasons);
    let expected = guids((0..20).filter(|number| !(5..8).contains(number)).chain(25..30));
    assert_eq!(organisation.on(organisation.list_named("forms").list_id), expected);
    assert_eq!((organisation.contacts(), organisation.calls(Endpoint::CreateContact)), (40, 0));
}
