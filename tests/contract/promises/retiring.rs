//! A list that was made for an export goes when it is asked to, unless something else uses it.

use crate::harness::{Calls, Harness, RetiringHarness};
use crate::people::removals;
use crate::stage::{Stage, assert_applied};
use futures_util::future::join_all;
use relay_connectors::{Connector, PushError, Retired, Retry};
use relay_model::batch::Kind;
use sandbox::faults::FaultKind;

/// How often one list is tried, as one run after the other does.
const TRIES: usize = 4;

async fn retire<H: Harness>(stage: &Stage<H>) -> Result<Retired, PushError> {
    let connector = stage.connector();
    connector.retire(stage.list(), &stage.allowance().context(&connector)).await
}

/// Where lists cannot be deleted that is said, and nothing is done.
pub(crate) async fn a_list_that_cannot_be_deleted_stays<H: Harness>() {
    let stage = Stage::<H>::open().await;
    stage.deliver(0..5).await;
    let before = (stage.members().await, stage.harness.lists(), stage.harness.calls());
    assert_eq!(retire(&stage).await, Ok(Retired::NotOffered));
    assert_eq!((stage.members().await, stage.harness.lists(), stage.harness.calls()), before);
}

pub(crate) async fn a_list_that_is_used_is_left_alone<H: RetiringHarness>() {
    let stage = Stage::<H>::open().await;
    let (rows, results) = stage.deliver(0..5).await;
    let before = (stage.members().await, stage.harness.lists());
    stage.harness.begin_use(stage.list());
    assert_eq!(retire(&stage).await, Ok(Retired::InUse));
    assert_eq!((stage.members().await, stage.harness.lists()), before);
    // It is as good as before.
    assert_applied(&stage.settle(Kind::Remove, &removals(&rows, &results)).await.results);

    stage.harness.end_use(stage.list());
    assert_eq!(retire(&stage).await, Ok(Retired::Gone));
    assert_eq!(stage.harness.lists().len(), before.1.len() - 1);
}

pub(crate) async fn a_list_that_nothing_uses_goes_and_nobody_with_it<H: RetiringHarness>() {
    let stage = Stage::<H>::open().await;
    stage.deliver(0..5).await;
    let (people, mut lists) = (stage.harness.people(), stage.harness.lists());
    assert_eq!(retire(&stage).await, Ok(Retired::Gone));
    let left = stage.harness.lists();
    lists.retain(|list| left.contains(list));
    assert_eq!((left.len(), stage.harness.people()), (lists.len(), people), "only the list is deleted");
    // What is gone is gone.
    assert_eq!(retire(&stage).await, Ok(Retired::Gone));
    assert_eq!(stage.harness.lists(), left);
}

pub(crate) async fn a_list_that_somebody_else_has_deleted_is_gone<H: RetiringHarness>() {
    let stage = Stage::<H>::open().await;
    stage.harness.delete_list(stage.list());
    let lists = stage.harness.lists();
    assert_eq!(retire(&stage).await, Ok(Retired::Gone));
    assert_eq!(stage.harness.lists(), lists);
}

/// Whatever goes wrong or is lost, the list goes in the end, and none but it.
pub(crate) async fn a_storm_deletes_no_other_list<H: RetiringHarness>() {
    let storms = [
        FaultKind::TooManyRequests,
        FaultKind::Status(503),
        FaultKind::DropConnection,
        FaultKind::DropAfterProcessing,
        FaultKind::BadJson,
    ];
    join_all(storms.map(|storm| async move {
        let stage = Stage::<H>::open_in_a_hurry().await;
        let lists = stage.harness.lists().len();
        stage.harness.fault(Calls::Any, &storm, 2);
        let mut last = None;
        for _ in 0..TRIES {
            match retire(&stage).await {
                Ok(retired) => {
                    last = Some(retired);
                    break;
                }
                Err(error) => assert_ne!(error.retry, Retry::Never, "{storm:?}: {error}"),
            }
        }
        assert_eq!((last, stage.harness.lists().len()), (Some(Retired::Gone), lists - 1), "{storm:?}");
    }))
    .await;
}
