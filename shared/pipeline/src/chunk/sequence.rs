//! The sequence that a delivery and a dry run share. It checks the cap, prepares the target lists, computes
//! their deltas, checks the cap and the guard, and retires lists.

use super::accounts::Accounts;
use super::cap::{check_cap_before_calls, resting};
use super::context::Context;
use super::delta::{Output, TargetDelta, TargetWork, compute_delta};
use super::lists::Lists;
use super::retire::{Retirement, retirements};
use super::{Connector, StageError};
use relay_model::ListId;
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Receives the deltas of a run: a delivery stores them, a dry run renders them.
pub(super) trait Receiver<C: Connector> {
    /// The sink that the rows of a delta are written to.
    type Output: Output;

    /// Restricts the delta of a target list to some members, by digest. `None` if it is about all of them.
    fn only(&mut self, list: &ListId) -> Option<HashSet<u128>>;

    /// Receives the result of a cap check. Returns the text of an exceeded cap if the run continues
    /// nevertheless.
    fn cap_checked(&self, checked: Result<(), StageError>) -> Result<Option<String>, StageError>;

    /// Receives the delta of a target list that the export names.
    async fn receive(
        &mut self,
        context: &Context<'_, C>,
        delta: TargetDelta<C::Target, <Self::Output as Output>::Made>,
    ) -> Result<(), StageError>;

    /// Returns whether lists of removed segments are retired, given whether the guard holds the run.
    fn retires(&self, is_held: bool) -> bool;

    /// Retires one list whose segment was removed from the export. Breaks if the run has left this step
    /// meanwhile.
    async fn retire(
        &mut self,
        context: &Context<'_, C>,
        retirement: Retirement,
        accounts: &mut Accounts,
    ) -> Result<ControlFlow<()>, StageError>;
}

/// The results of the two checks.
pub(super) struct Checked {
    /// Why the run exceeds the cap, if it does and continues all the same.
    pub(super) over_cap: Option<String>,
    /// Why the guard holds the run, if it does.
    pub(super) held: Option<String>,
}

/// Computes the deltas of a run and checks them. `None` if the run has left this step meanwhile.
pub(super) async fn compute<C: Connector, R: Receiver<C>>(
    context: &Context<'_, C>,
    receiver: &mut R,
) -> Result<Option<Checked>, StageError> {
    let export = context.export();
    let (ledger, catalog) = (&context.chunk.ledger, &context.chunk.catalog);
    let mut accounts = Accounts::new(C::LIMITS, export, resting(ledger, context.definitions).await?);
    let over_before_calls = receiver.cap_checked(check_cap_before_calls(context, &accounts).await)?;
    let lists = Lists { catalog, ledger };
    let lists = lists.prepare_lists(context.connector, export, context.calls).await?;
    for list in &lists {
        // The members that were delivered to an earlier list of the segment are not on its new list.
        let pointer = if list.is_another() { None } else { ledger.delivered(&export.id, &list.list).await? };
        let only = receiver.only(&list.list);
        let work =
            TargetWork { list: &list.list, label: &list.label, prepared: &list.prepared, pointer, only };
        let delta = compute_delta::<C, R::Output>(context, work, &mut accounts).await?;
        receiver.receive(context, delta).await?;
    }
    // A delivery ends at the first check that it fails, so its figures are the ones to report.
    let over_cap = over_before_calls.or(receiver.cap_checked(accounts.check_cap())?);
    let held = accounts.held(context.segments);
    if receiver.retires(held.is_some()) {
        for retirement in retirements(ledger, context.definitions).await? {
            if receiver.retire(context, retirement, &mut accounts).await?.is_break() {
                return Ok(None);
            }
        }
    }
    Ok(Some(Checked { over_cap, held }))
}
