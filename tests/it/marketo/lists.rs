//! Target lists: named by id, found by name, renamed, and what becomes of them without their segment.

use super::account::Account;
use crate::support::messages::dead_letters;
use crate::support::{Definitions, Over, Scene, emails, persons};
use relay_model::Counts;
use sandbox::marketo::{Endpoint, ListId, NewList, SeedLead};
use serde_json::{Value, json};

const PEOPLE: u64 = 40;
const ALL: Counts =
    Counts { added: PEOPLE, changed: 0, removed: 0, unchanged: 0, skipped: 0, rejected: 0, deferred: 0 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_found_made_renamed_and_retired() {
    let scene = Scene::open().await;
    tokio::join!(
        lists_are_named_by_their_ids(&scene),
        a_list_is_found_by_its_name(&scene),
        a_list_follows_its_segments_name(&scene),
        a_list_that_is_gone_is_made_again(&scene),
        retired(&scene, "keep", After::Kept),
        retired(&scene, "empty", After::Emptied),
        retired(&scene, "delete", After::Deleted),
        a_list_in_use_is_left_alone(&scene),
    );
    assert_eq!(dead_letters(&scene).await, 0);
}

#[track_caller]
fn notice(over: &Over, words: &[&str]) {
    let is_there = |notice: &String| words.iter().all(|word| notice.contains(word));
    assert!(over.report.notices.iter().any(is_there), "{words:?} in {:#?}", over.report.notices);
}

async fn lists_are_named_by_their_ids(scene: &Scene) {
    let account = Account::open(scene, "ids").await;
    // The lists that are there before have the lowest ids.
    let lists: Vec<ListId> =
        ["One", "Two"].map(|name| account.create_list(NewList::new(name)).unwrap()).into();
    let spellings = [lists[0].to_string(), format!("ST{}A1", lists[1])];
    for (number, spelling) in spellings.iter().enumerate() {
        let mut job = account.job(&format!("ids_{number}"));
        job.segment["query"] =
            json!("SELECT customer_id, email, name, city, points FROM ids WHERE newsletter");
        job.source["id"] = json!("ids");
        job.source["location"] = json!("s3://lake/ids_0/");
        job.export["segments"][0]["target_list"] = json!(spelling);
        if number == 0 {
            job.upload(&persons(PEOPLE)).await;
        }
        job.save().await;
        let over = job.run().await;
        over.succeeded(ALL);
        notice(&over, &["the target list is", ["\"One\"", "\"Two\""][number]]);
    }
    assert_eq!(account.on("One"), emails(&persons(PEOPLE)));
    assert_eq!(account.on("Two"), account.on("One"));
    assert_eq!(account.lists().len(), 2);
}

async fn a_list_is_found_by_its_name(scene: &Scene) {
    let account = Account::open(scene, "found").await;
    let list = account.create_list(NewList::new("found")).unwrap();
    let stranger = account.seed_leads(vec![SeedLead::new("stranger@elsewhere.example.org")]).unwrap();
    account.seed_members(list, &stranger).unwrap();
    let job = account.job("found");
    let mut people = persons(PEOPLE);
    job.ready(&people).await;
    let over = job.run().await;
    over.succeeded(ALL);
    notice(&over, &["\"found\"", "was there already"]);

    // Everybody leaves, and whoever else put on the list stays on it.
    for person in &mut people[5..] {
        person.newsletter = false;
    }
    job.upload(&people).await;
    job.run().await.succeeded(Counts { removed: PEOPLE - 5, unchanged: 5, ..Counts::default() });
    let mut expected = emails(&people);
    expected.insert("stranger@elsewhere.example.org".to_owned());
    assert_eq!((account.list("found").id, account.on("found")), (list, expected));
    assert_eq!(account.report().removals_of_seeded, 0);
}

async fn a_list_follows_its_segments_name(scene: &Scene) {
    let account = Account::open(scene, "renamed").await;
    let mut job = account.job("renamed");
    job.ready(&persons(PEOPLE)).await;
    job.run().await.succeeded(ALL);
    let list = account.list("renamed").id;
    job.segment["name"] = json!("Readers, 2nd edition");
    job.save().await;
    let over = job.run().await;
    over.succeeded(Counts { unchanged: PEOPLE, ..Counts::default() });
    notice(&over, &["\"renamed\"", "was renamed to \"Readers, 2nd edition\""]);
    assert_eq!(account.list("Readers, 2nd edition").id, list);
    assert_eq!((account.lists().len(), account.calls(Endpoint::UpdateList)), (1, 1));

    // A name that another list has is not forced upon ours.
    account.create_list(NewList::new("Taken")).unwrap();
    job.segment["name"] = json!("Taken");
    job.save().await;
    let over = job.run().await;
    over.succeeded(Counts { unchanged: PEOPLE, ..Counts::default() });
    notice(&over, &["keeps its name", "\"Taken\""]);
    assert_eq!(account.list("Readers, 2nd edition").members, 40);
}

async fn a_list_that_is_gone_is_made_again(scene: &Scene) {
    let account = Account::open(scene, "gone").await;
    let job = account.job("gone");
    let people = persons(PEOPLE);
    job.ready(&people).await;
    job.run().await.succeeded(ALL);
    account.delete_list(account.list("gone").id).unwrap();
    let over = job.run().await;
    over.succeeded(ALL);
    notice(&over, &["is not there any more"]);
    assert_eq!((account.on("gone"), account.lead_count()), (emails(&people), 40));
    job.run().await.succeeded(Counts { unchanged: PEOPLE, ..Counts::default() });
}

/// What has become of a list whose segment was taken out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Kept,
    Emptied,
    Deleted,
}

/// An export of two segments of the same people to two lists.
async fn two_segments<'a>(account: &Account<'a>, name: &str, when_removed: &str) -> (Definitions<'a>, Value) {
    let mut job = account.job(name);
    let other = format!("{name}_other");
    job.ready(&persons(PEOPLE)).await;
    let (own, mut second) = (job.segment.clone(), job.segment.clone());
    second["id"] = json!(other);
    second["name"] = json!(other);
    job.segment = second;
    job.save().await;
    job.segment = own;
    let both = json!([{ "segment": name }, { "segment": other }]);
    job.export["segments"] = both.clone();
    job.export["when_segment_removed"] = json!(when_removed);
    job.export["guard"] = json!({ "removed_percent": 100, "removed_rows": 1_000 });
    job.save().await;
    job.run().await.succeeded(Counts { added: 2 * PEOPLE, ..Counts::default() });
    (job, both)
}

async fn retired(scene: &Scene, when_removed: &str, after: After) {
    let name = format!("retired_{when_removed}");
    let other = format!("{name}_other");
    let account = Account::open(scene, &name).await;
    let (mut job, both) = two_segments(&account, &name, when_removed).await;
    let everybody = emails(&persons(PEOPLE));
    assert_eq!((account.on(&name), account.on(&other)), (everybody.clone(), everybody.clone()));

    job.export["segments"].as_array_mut().unwrap().pop();
    job.save().await;
    let over = job.run().await;
    let removed = if after == After::Emptied { PEOPLE } else { 0 };
    over.succeeded(Counts { removed, unchanged: PEOPLE, ..Counts::default() });
    match after {
        After::Kept => assert_eq!(account.on(&other), everybody),
        After::Emptied => {
            notice(&over, &[&other, "is emptied"]);
            assert_eq!(account.list(&other).members, 0);
        }
        After::Deleted => {
            notice(&over, &[&other, "was deleted"]);
            assert_eq!((account.lists().len(), account.report().lists_deleted), (1, 1));
        }
    }
    assert_eq!((account.on(&name), account.lead_count()), (everybody.clone(), 40));
    // Nothing is left to be done.
    account.count_anew();
    job.run().await.succeeded(Counts { unchanged: PEOPLE, ..Counts::default() });
    assert_eq!((account.calls(Endpoint::RemoveMembers), account.calls(Endpoint::DeleteList)), (0, 0));

    // The segment comes back: what is there still is not sent again.
    job.export["segments"] = both;
    job.save().await;
    let back = if after == After::Kept { 0 } else { PEOPLE };
    job.run().await.succeeded(Counts { added: back, unchanged: 2 * PEOPLE - back, ..Counts::default() });
    assert_eq!(account.on(&other), everybody);
}

async fn a_list_in_use_is_left_alone(scene: &Scene) {
    let account = Account::open(scene, "used").await;
    let (mut job, _) = two_segments(&account, "used", "delete").await;
    account.begin_list_use(account.list("used_other").id).unwrap();
    job.export["segments"].as_array_mut().unwrap().pop();
    job.save().await;
    let over = job.run().await;
    over.succeeded(Counts { unchanged: PEOPLE, ..Counts::default() });
    notice(&over, &["used_other", "something else uses the list"]);
    assert_eq!(account.on("used_other"), emails(&persons(PEOPLE)));

    // Once nothing uses it any more, it goes.
    account.end_list_use(account.list("used_other").id).unwrap();
    let over = job.run().await;
    notice(&over, &["used_other", "was deleted"]);
    assert_eq!(account.lists().len(), 1);
}
