//! The target lists of a run: prepared, and owned by its export.

use super::StageError;
use super::waiting::waiting;
use relay_cloud::ledger::{Ledger, ListOwner};
use relay_cloud::{CatalogStore, LookupError};
use relay_connectors::{CallContext, Connector, Intent, Prepared, WantedList};
use relay_model::ListId;
use relay_model::catalog::{CatalogError, Export, Segment};
use relay_model::run::StopCode;

/// A target list, ready for a delta.
pub(crate) struct PreparedList<T> {
    /// The id of the list in the ledger and in reports.
    pub(super) list: ListId,
    /// The label of the list for people.
    pub(crate) label: String,
    pub(crate) prepared: Prepared<T>,
    /// The destination's id of the segment's list in earlier runs.
    known: Option<ListId>,
}

impl<T> PreparedList<T> {
    /// Returns whether the segment's list differs from the list of earlier deliveries.
    pub(super) fn is_another(&self) -> bool {
        self.known.as_ref().is_some_and(|known| *known != self.prepared.list_id)
    }
}

/// The clients that preparing target lists needs.
pub(crate) struct Lists<'a> {
    pub(crate) catalog: &'a CatalogStore,
    pub(crate) ledger: &'a Ledger,
}

impl Lists<'_> {
    /// Prepares every target list and claims it for this export. Returns an error that names the owner if
    /// another export owns it.
    pub(crate) async fn prepare_lists<C: Connector>(
        &self,
        connector: &C,
        export: &Export,
        context: &CallContext,
    ) -> Result<Vec<PreparedList<C::Target>>, StageError> {
        let mut lists: Vec<PreparedList<C::Target>> = Vec::new();
        // Every list is verified before the first row is sent to any of them.
        for (list, wanted) in self.wanted_lists(export).await? {
            let prepared = waiting(context, || connector.prepare(export, &wanted, context)).await?;
            let label = wanted.label().to_owned();
            if let Some(other) = lists.iter().find(|other| other.prepared.list_id == prepared.list_id) {
                let text = format!(
                    "\"{label}\" and \"{}\" are the same target list; write its id the same way for both segments, and \
                     their members become one union",
                    other.label
                );
                return Err(StageError::stop(StopCode::ListNamedTwice, text));
            }
            let known = wanted.known().cloned();
            lists.push(PreparedList { list, label, prepared, known });
        }
        for list in &lists {
            match context.intent() {
                Intent::Deliver => self.own_list(export, list).await?,
                Intent::Look => self.check_owner(export, list).await?,
            }
        }
        Ok(lists)
    }

    /// Returns an error that names the owner if a delivery to the list would be refused.
    async fn check_owner<T>(&self, export: &Export, list: &PreparedList<T>) -> Result<(), StageError> {
        let ours = ListOwner { export: export.id.clone(), list: list.list.clone() };
        match self.ledger.list_owner(export.connection()?, &list.prepared.list_id).await? {
            Some(owner) if owner != ours && self.names(export, &owner).await? => {
                Err(taken(&list.label, &owner))
            }
            _ => Ok(()),
        }
    }

    async fn wanted_lists(&self, export: &Export) -> Result<Vec<(ListId, WantedList)>, StageError> {
        let mut wanted: Vec<(ListId, WantedList)> = Vec::new();
        for entry in &export.segments {
            let list = entry.list();
            if wanted.iter().any(|(known, _)| *known == list) {
                continue;
            }
            let is_own = entry.target_list.is_none();
            let list_wanted = if is_own {
                let segment: Segment = self.catalog.get(entry.segment.as_str()).await?;
                let known = self.ledger.known_list(&export.id, &list).await?;
                WantedList::OfSegment { segment: segment.id, name: segment.name, known }
            } else {
                WantedList::Existing(list.clone())
            };
            wanted.push((list, list_wanted));
        }
        Ok(wanted)
    }

    async fn own_list<T>(&self, export: &Export, list: &PreparedList<T>) -> Result<(), StageError> {
        let is_another = list.is_another();
        let PreparedList { list, label, prepared: Prepared { list_id, .. }, .. } = list;
        let ours = ListOwner { export: export.id.clone(), list: list.clone() };
        let owner = self.ledger.own_list(export.connection()?, list_id, &ours).await?;
        if owner != ours
            && (self.names(export, &owner).await? || !self.take(export, list_id, &owner, &ours).await?)
        {
            return Err(taken(label, &owner));
        }
        if is_another {
            // The members of the previous list are not on this one.
            self.ledger.forget_list(&export.id, list).await?;
        }
        if list != list_id {
            self.ledger.remember_list(&export.id, list, list_id).await?;
        }
        Ok(())
    }

    /// Returns whether the owner's definition still names the list.
    async fn names(&self, export: &Export, owner: &ListOwner) -> Result<bool, StageError> {
        if owner.export == export.id {
            return Ok(export.target_lists().contains(&owner.list));
        }
        match self.catalog.get::<Export>(owner.export.as_str()).await {
            Ok(other) => {
                Ok(other.connection == export.connection && other.target_lists().contains(&owner.list))
            }
            Err(LookupError::Catalog(CatalogError::Missing { .. })) => Ok(false),
            Err(LookupError::Catalog(_)) => Ok(true),
            Err(LookupError::Cloud(error)) => Err(error.into()),
        }
    }

    async fn take(
        &self,
        export: &Export,
        list_id: &ListId,
        from: &ListOwner,
        to: &ListOwner,
    ) -> Result<bool, StageError> {
        Ok(self.ledger.take_list(export.connection()?, list_id, from, to).await?)
    }
}

fn taken(label: &str, owner: &ListOwner) -> StageError {
    let text = format!(
        "target list \"{label}\" already belongs to export \"{}\": two exports that mirror one list would remove each \
         other's members; put both segments into one export",
        owner.export
    );
    StageError::stop(StopCode::ListTaken, text)
}
