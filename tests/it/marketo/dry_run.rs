//! A dry run over Marketo: no list is made, nobody is written, and the day's calls are told.

use super::account::{Account, moved};
use crate::support::messages::dead_letters;
use crate::support::{Scene, persons};
use relay_model::Counts;
use sandbox::marketo::Endpoint;
use serde_json::json;

const WRITES: [Endpoint; 7] = [
    Endpoint::SyncLeads,
    Endpoint::AddMembers,
    Endpoint::RemoveMembers,
    Endpoint::CreateList,
    Endpoint::UpdateList,
    Endpoint::DeleteList,
    Endpoint::Import,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_makes_nothing_and_tells_the_days_calls() {
    let scene = Scene::open().await;
    let mut account = Account::open(&scene, "look").await.lanes(1);
    account.connection["settings"]["daily_calls"] = json!(9);
    let mut job = account.job("look");
    let mut people = persons(700);
    job.ready(&people).await;
    let writes =
        |account: &Account<'_>| WRITES.into_iter().map(|endpoint| account.calls(endpoint)).sum::<usize>();

    let found = job.dry_run("first").await;
    let added = Counts { added: 700, ..Counts::default() };
    assert_eq!(
        (found.counts, writes(&account), account.lists().len(), account.lead_count()),
        (added, 0, 0, 0)
    );
    assert!(
        found.notices.iter().any(|notice| notice.contains("would be made in folder")),
        "{:?}",
        found.notices
    );
    assert_eq!(found.targets[0].label, "look");
    assert_eq!(usize::try_from(found.calls_spent).unwrap(), account.all_calls());
    // 700 people are three calls to write and three to add.
    assert_eq!((found.calls_estimated, found.seconds_estimated), (found.calls_spent + 6, Some(1)));
    let quota = found.quota.unwrap();
    assert_eq!((quota.limit_today, quota.used_today > 0), (9, true));
    assert!(found.warnings.iter().any(|warning| warning.contains("today's 9")), "{:?}", found.warnings);
    let text = serde_json::to_string(&found).unwrap();
    for person in &people {
        assert!(!text.contains(person.email.as_ref().unwrap()) && !text.contains(&person.name));
    }

    // The run makes the list, which is one call more.
    job.connection["settings"]["daily_calls"] = json!(1_000);
    job.save().await;
    let over = job.run().await;
    over.succeeded(added);
    assert_eq!(over.report.calls, found.calls_estimated + 1);

    // Two have moved and some have left: those who are on the list are not added again.
    moved(people.iter_mut().take(2));
    for left in &mut people[600..620] {
        left.newsletter = false;
    }
    job.upload(&people).await;
    // Another name would rename the list.
    job.segment["name"] = json!("Renamed");
    job.save().await;
    account.count_anew();
    let found = job.dry_run("second").await;
    let changed = Counts { changed: 2, removed: 20, unchanged: 678, ..Counts::default() };
    assert_eq!((found.counts, writes(&account)), (changed, 0));
    assert_eq!(found.calls_estimated, found.calls_spent + 2);
    assert!(found.notices.iter().any(|notice| notice.contains("would be renamed to \"Renamed\"")));
    assert_eq!(account.list("look").members, 700);
    let over = job.run().await;
    over.succeeded(changed);
    assert_eq!((over.report.calls, account.list("Renamed").members), (found.calls_estimated + 1, 680));
    assert_eq!(dead_letters(&scene).await, 0);
}
