//! A list that was created for an export is deleted on request, unless something else uses it.

use crate::harness::{Calls, Harness, RetiringHarness};
use crate::people::removals;
use crate::stage::{Stage, assert_applied};
use futures_util::future::join_all;
use relay_connectors::{Connector, PushError, Retired, Retry};
use relay_model::batch::Kind;
use sandbox::faults::FaultKind;

/// How many runs try to delete one list.
const TRIES: usize = 4;

async fn retire<H: Harness>(stage: &Stage<H>) -> Result<Retired, PushError> {
    let connector = stage.connector();
    connector.retire(stage.list(), &stage.allowance().context(&connector)).await
}

/// A destination without deletion of lists reports that, and nothing changes.
pub(crate) async fn a_list_that_cannot_be_deleted_stays<H: Harness>() {
    let stage = Stage::<H>::open().await;
    stage.deliver(0..5).await;
    let before = (stage.members().await, stage.harness.lists(), stage.harness.calls());
    assert_eq!(retire(&stage).await, Ok(Retired::NotOffered));
    assert_eq!((stage.members().await, stage.harness.lists(), stage.harness.calls()), before);
}

pub(crate) async fn a_list_in_use_is_not_deleted<H: RetiringHarness>() {
    let stage = Stage::<H>::open().await;
    let (rows, results) = stage.deliver(0..5).await;
    let before = (stage.members().await, stage.harness.lists());
    stage.harness.begin_use(stage.list());
    assert_eq!(retire(&stage).await, Ok(Retired::InUse));
    assert_eq!((stage.members().await, stage.harness.lists()), before);
    // The list can still be used.
    assert_applied(&stage.settle(Kind::Remove, &removals(&rows, &results)).await.results);

    stage.harness.end_use(stage.list());
    assert_eq!(retire(&stage).await, Ok(Retired::Gone));
    assert_eq!(stage.harness.lists().len(), before.1.len() - 1);
}

pub(crate) async fn an_unused_list_is_deleted_and_its_people_stay<H: RetiringHarness>() {
    let stage = Stage::<H>::open().await;
    stage.deliver(0..5).await;
    let (people, mut lists) = (stage.harness.people(), stage.harness.lists());
    assert_eq!(retire(&stage).await, Ok(Retired::Gone));
    let left = stage.harness.lists();
    lists.retain(|list| left.contains(list));
    assert_eq!((left.len(), stage.harness.people()), (lists.len(), people), "only the list is deleted");
    // A repeated deletion succeeds.
    assert_eq!(retire(&stage).await, Ok(Retired::Gone));
    assert_eq!(stage.harness.lists(), left);
}

pub(crate) async fn a_list_deleted_by_others_counts_as_deleted<H: RetiringHarness>() {
    let stage = Stage::<H>::open().await;
    stage.harness.delete_list(stage.list());
    let lists = stage.harness.lists();
    assert_eq!(retire(&stage).await, Ok(Retired::Gone));
    assert_eq!(stage.harness.lists(), lists);
}

/// After errors and lost responses exactly this list is deleted.
pub(crate) async fn errors_delete_no_other_list<H: RetiringHarness>() {
    let faults = [
        FaultKind::TooManyRequests,
        FaultKind::Status(503),
        FaultKind::DropConnection,
        FaultKind::DropAfterProcessing,
        FaultKind::BadJson,
    ];
    join_all(faults.map(|fault| async move {
        let stage = Stage::<H>::open_with_little_time().await;
        let lists = stage.harness.lists().len();
        stage.harness.fault(Calls::Any, &fault, 2);
        let mut last = None;
        for _ in 0..TRIES {
            match retire(&stage).await {
                Ok(retired) => {
                    last = Some(retired);
                    break;
                }
                Err(error) => assert_ne!(error.retry, Retry::Never, "{fault:?}: {error}"),
            }
        }
        assert_eq!((last, stage.harness.lists().len()), (Some(Retired::Gone), lists - 1), "{fault:?}");
    }))
    .await;
}
