//! Removals: people are taken off the list, and never out of the database.

use super::MarketoTarget;
use super::answers::RecordResult;
use super::classify::{LEAD_NOT_FOUND, NOT_IN_LIST};
use super::client::{Client, Session};
use super::lookup::{self, Matches};
use super::outcomes::{self, KEY_HAS_COMMA, NOT_TOLD};
use super::{MAX_RECORDS, membership};
use crate::{PushError, Pushed};
use relay_delivery::batch::{Frame, RowResult};
use relay_model::CredentialStore;
use relay_model::{Outcome, Row};
use std::collections::BTreeSet;

/// Takes rows off the list.
pub(super) struct Remover<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) target: &'a MarketoTarget,
}

/// The leads that a row stands for.
enum Leads {
    Ids(BTreeSet<u64>),
    Ended(RowResult),
}

impl<S: CredentialStore> Remover<'_, S> {
    /// Removes a batch, piece by piece.
    pub(super) async fn remove<J>(&self, frame: &Frame) -> Result<Pushed<J>, PushError> {
        let mut results: Vec<RowResult> = Vec::with_capacity(frame.rows.len());
        for piece in frame.rows.chunks(MAX_RECORDS) {
            match self.remove_piece(piece).await {
                Ok(more) => results.extend(more),
                Err(error) if results.is_empty() => return Err(error),
                Err(error) => return Ok(Pushed::Partly(results, error)),
            }
        }
        Ok(Pushed::Done(results))
    }

    async fn remove_piece(&self, rows: &[Row]) -> Result<Vec<RowResult>, PushError> {
        let leads = self.leads(rows).await?;
        let ids: BTreeSet<u64> = leads
            .iter()
            .flat_map(|leads| match leads {
                Leads::Ids(ids) => ids.iter().copied().collect(),
                Leads::Ended(_) => Vec::new(),
            })
            .collect();
        let told = membership::remove(self.client, &self.target.list_id, &ids, self.session).await?;
        let result = |leads| match leads {
            Leads::Ended(result) => result,
            Leads::Ids(ids) => {
                let records: Vec<_> = ids.iter().map(|id| told.get(id)).collect();
                removed(&records)
            }
        };
        Ok(leads.into_iter().map(result).collect())
    }

    /// What we have been told when the row was added counts; only rows without it are looked up.
    async fn leads(&self, rows: &[Row]) -> Result<Vec<Leads>, PushError> {
        let known = |row: &Row| {
            let key = (self.target.lookup_field == "id").then_some(&row.match_key.0);
            row.destination_id.as_ref().or(key).and_then(|id| id.parse::<u64>().ok())
        };
        let keys: Vec<&str> =
            rows.iter().filter(|row| known(row).is_none()).map(|row| row.match_key.0.as_str()).collect();
        let found = lookup::look_up(self.client, &self.target.lookup_field, &keys, self.session).await?;
        let leads = |row: &Row| {
            if let Some(id) = known(row) {
                return Leads::Ids(BTreeSet::from([id]));
            }
            if !lookup::is_expressible(&row.match_key.0) {
                return Leads::Ended(outcomes::rejected(KEY_HAS_COMMA));
            }
            match found.of(&row.match_key.0) {
                Matches::One(id) => Leads::Ids(BTreeSet::from([id])),
                // Whichever of them was put on the list leaves it; for the others nothing changes.
                Matches::Several(ids) => Leads::Ids(ids),
                // Nobody is there whom we could take off.
                Matches::None => Leads::Ended(RowResult::not_ours(Outcome::Applied)),
                Matches::TooMany => Leads::Ended(outcomes::several()),
            }
        };
        Ok(rows.iter().map(leads).collect())
    }
}

fn removed(records: &[Option<&RecordResult>]) -> RowResult {
    let mut has_left = false;
    for record in records {
        let Some(record) = record else {
            return outcomes::deferred(NOT_TOLD);
        };
        let code = record.reasons.first().map(|reason| reason.code.0);
        match (record.status.as_deref(), code) {
            (Some("removed"), None) => has_left = true,
            // Off the list is what was asked for, whoever did it; and whoever is gone is on no list.
            (_, Some(NOT_IN_LIST | LEAD_NOT_FOUND)) | (Some("skipped" | "notmemberof"), None) => {}
            _ => return outcomes::skipped(&record.reasons, &[]),
        }
    }
    if has_left { RowResult::new(Outcome::Applied) } else { RowResult::not_ours(Outcome::Applied) }
}
