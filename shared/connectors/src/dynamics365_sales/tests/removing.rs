//! Removals.

use super::*;

const NOT_ON_LIST: (OutcomeKind, &str, Standing) = (OutcomeKind::Removed, "", Standing::NotOurs);

fn listed(contacts: std::ops::Range<u32>) -> Dataverse {
    let dataverse = Dataverse::with(contacts.clone());
    dataverse.world().members = contacts.map(contact).collect();
    dataverse
}

#[tokio::test]
async fn members_are_taken_off_in_one_call() {
    let dataverse = listed(0..10);
    dataverse.world().contacts.insert(contact(2), false);
    let server = organisation(&dataverse).await;
    let results = done(remove(&sales(&server), 0..9).await);
    assert_eq!(told(&results, Operation::Remove), [REMOVED; 9]);
    assert_eq!(dataverse.world().members, [contact(9)].into());
    assert_eq!(server.received_requests().await.unwrap().len(), 2, "a token and a call");
}

#[tokio::test]
async fn who_is_off_the_list_already_is_where_they_should_be() {
    let dataverse = listed(0..10);
    dataverse.world().members.remove(&contact(4));
    dataverse.world().members.remove(&contact(5));
    let server = organisation(&dataverse).await;
    let results = done(remove(&sales(&server), 0..12).await);
    let told = told(&results, Operation::Remove);
    assert_eq!(told[3..6], [REMOVED, NOT_ON_LIST, NOT_ON_LIST]);
    // The last two are no longer contacts.
    assert_eq!(told[9..], [REMOVED, NOT_ON_LIST, NOT_ON_LIST]);
    assert_eq!(dataverse.world().members.len(), 0);
    assert_eq!(sizes(&server, REMOVE_PATH).await, [12, 8]);
    // A single removal needs no lookup.
    let results = done(remove(&sales(&server), [1]).await);
    assert_eq!(super::told(&results, Operation::Remove), [NOT_ON_LIST]);
    assert_eq!(calls(&server, BATCH_PATH).await.len(), 1);
}

#[tokio::test]
async fn one_by_one_where_the_organisation_has_no_other_way() {
    let dataverse = listed(0..4);
    dataverse.world().members.remove(&contact(1));
    let server = organisation(&dataverse).await;
    let target = Dynamics365SalesTarget { removing: Removing::OneByOneAsListMember, ..target() };
    let frame = frame(0..4, Operation::Remove);
    let results = done(sales(&server).push(&target, Kind::Remove, &frame, &context()).await);
    assert_eq!(told(&results, Operation::Remove), [REMOVED, NOT_ON_LIST, REMOVED, REMOVED]);
    assert_eq!(dataverse.world().members.len(), 0);
    assert_eq!(calls(&server, BATCH_PATH).await.len(), 1);
}
