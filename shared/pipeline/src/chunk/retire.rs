//! Target lists of segments that were removed from the export.

use super::context::Context;
use super::waiting::waiting;
use super::{RunDefinitions, StageError};
use relay_cloud::ledger::Ledger;
use relay_connectors::{CallContext, Connector, ErrorKind, Prepared, Retired, WantedList};
use relay_model::ListId;
use relay_model::catalog::{Export, SegmentRemoval};

/// A list that the export no longer names, and what happens to it.
pub(super) struct Retirement {
    list: ListId,
    /// The destination's id of the list, if the export created it.
    own: Option<ListId>,
}

impl Retirement {
    /// Returns the label of the list for people.
    pub(super) const fn label(&self) -> &ListId {
        &self.list
    }

    /// Returns whether the export created the list.
    pub(super) const fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Returns the destination's id of the list.
    fn list_id(&self) -> ListId {
        self.own.clone().unwrap_or_else(|| self.list.clone())
    }

    /// Prepares the list for the removal of all its members. `None` if the list no longer exists.
    pub(super) async fn prepare<C: Connector>(
        &self,
        connector: &C,
        export: &Export,
        context: &CallContext,
    ) -> Result<Option<Prepared<C::Target>>, StageError> {
        let wanted = WantedList::Existing(self.list_id());
        match waiting(context, || connector.prepare(export, &wanted, context)).await {
            Ok(prepared) => Ok(Some(prepared)),
            Err(error) if error.kind == ErrorKind::ListMissing => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns the lists that the export delivered to, no longer names, and has to empty or delete.
pub(super) async fn retirements(
    ledger: &Ledger,
    RunDefinitions { export, left_alone, .. }: &RunDefinitions,
) -> Result<Vec<Retirement>, StageError> {
    if export.when_segment_removed == SegmentRemoval::Keep {
        return Ok(Vec::new());
    }
    let named = export.target_lists();
    let mut retirements = Vec::new();
    for list in ledger.delivered_lists(&export.id).await? {
        if !named.contains(&list) && !left_alone.contains(&list) {
            let own = ledger.known_list(&export.id, &list).await?;
            let own = own.filter(|_| list.0.starts_with("segment:"));
            retirements.push(Retirement { list, own });
        }
    }
    Ok(retirements)
}

/// Deletes the list if the export is configured to delete it and created it. Returns what happened.
pub(super) async fn delete<C: Connector>(
    context: &Context<'_, C>,
    retirement: &Retirement,
) -> Result<Deletion, StageError> {
    let export = context.export();
    let Some(own) = retirement.own.as_ref().filter(|_| export.when_segment_removed == SegmentRemoval::Delete)
    else {
        return Ok(Deletion::NotWanted);
    };
    match waiting(context.calls, || context.connector.retire(own, context.calls)).await? {
        Retired::Gone => {
            context.chunk.ledger.forget_list(&export.id, &retirement.list).await?;
            Ok(Deletion::Done)
        }
        Retired::InUse => Ok(Deletion::InUse),
        Retired::NotOffered => Ok(Deletion::NotWanted),
    }
}

/// The result of deleting a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deletion {
    /// The list is deleted.
    Done,
    /// Something else uses the list.
    InUse,
    /// The export only empties the list, or the list is not the export's to delete.
    NotWanted,
}

impl Deletion {
    /// Returns the result as text for people.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Done => "so it was deleted",
            Self::InUse => "but something else uses the list, so it was left alone",
            Self::NotWanted => "so it is emptied",
        }
    }
}
