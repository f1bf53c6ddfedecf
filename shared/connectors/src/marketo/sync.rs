//! Additions and changes by calls: people are written (or only looked up), then added to the list.
//!
//! Both are repeatable: people are written by their key, and whoever is on the list already stays on it. So sending a
//! piece again, after a timeout or a crash, changes nothing. Pieces that are done are never sent again: what goes wrong
//! later is told along with their results.

use super::answers::RecordResult;
use super::call::{Body, Call};
use super::client::{Client, Session};
use super::lookup::{self, Matches};
use super::outcomes::{self, KEY_HAS_COMMA, NOT_TOLD, TOO_LARGE};
use super::wire::{self, BODY_FRAME_BYTES};
use super::{
    CALL_TIMEOUT, MAX_BODY_BYTES, MAX_RECORDS, MarketoTarget, PERSON_RIGHT, PersonCreation, failure,
    membership,
};
use crate::{ErrorKind, PushError, Pushed, Retry};
use bytes::Bytes;
use http::Method;
use relay_delivery::batch::{Frame, RowResult};
use relay_model::CredentialStore;
use relay_model::{Operation, Outcome, Row};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

const OPERATION: &str = "write people";
/// "Sync Leads 90 s" on the vendor's side.
const WRITE_ENDS_AFTER: Duration = Duration::from_secs(90);
/// With less time than this no further piece is begun.
const LEAST_TIME: Duration = Duration::from_secs(20);

/// What is known of a row between writing it and adding it to the list.
enum Fate {
    /// It has this lead, which may still have to be put on the list.
    Lead { id: u64, is_to_be_added: bool },
    /// It ended already.
    Ended(RowResult),
}

/// Brings rows to Marketo in as few calls as the limits allow.
pub(super) struct Syncer<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) target: &'a MarketoTarget,
}

impl<S: CredentialStore> Syncer<'_, S> {
    /// Brings a batch, piece by piece.
    pub(super) async fn sync<J>(&self, frame: &Frame) -> Result<Pushed<J>, PushError> {
        let rows: Vec<&Row> = frame.rows.iter().collect();
        let mut pieces = cut(&rows, &frame.field_keys);
        let mut results: Vec<RowResult> = Vec::with_capacity(rows.len());
        while let Some(piece) = pieces.pop_front() {
            let sent = if self.session.context.left() > LEAST_TIME {
                self.sync_piece(piece, &frame.field_keys).await
            } else if results.is_empty() {
                Err(out_of_time(Retry::Backoff))
            } else {
                Err(out_of_time(Retry::Wait(Duration::ZERO)))
            };
            match sent {
                Ok(more) => results.extend(more),
                Err(error) if error.kind == ErrorKind::TooLarge => {
                    if let [_] = piece {
                        results.push(outcomes::rejected(TOO_LARGE));
                    } else {
                        let (first, second) = piece.split_at(piece.len() / 2);
                        pieces.push_front(second);
                        pieces.push_front(first);
                    }
                }
                Err(error) if results.is_empty() => return Err(error),
                Err(error) => return Ok(Pushed::Partly(results, error)),
            }
        }
        Ok(Pushed::Done(results))
    }

    async fn sync_piece(&self, rows: &[&Row], field_keys: &[String]) -> Result<Vec<RowResult>, PushError> {
        if let [row] = rows
            && wire::row_bytes(row, field_keys) + BODY_FRAME_BYTES > MAX_BODY_BYTES
        {
            return Ok(vec![outcomes::rejected(TOO_LARGE)]);
        }
        let is_only_looked_up =
            self.target.person_creation == PersonCreation::MatchOnly && !self.target.has_attributes;
        let fates =
            if is_only_looked_up { self.look_up(rows).await? } else { self.write(rows, field_keys).await? };
        self.add(fates).await
    }

    /// Finds people without writing anything.
    async fn look_up(&self, rows: &[&Row]) -> Result<Vec<Fate>, PushError> {
        // The key is the lead's id already, and adding it to the list says whether there is one.
        if self.target.lookup_field == "id" {
            let fate = |row: &&Row| match row.match_key.0.parse() {
                Ok(id) => Fate::Lead { id, is_to_be_added: true },
                Err(_) => Fate::Ended(outcomes::not_in_marketo()),
            };
            return Ok(rows.iter().map(fate).collect());
        }
        let keys: Vec<&str> = rows.iter().map(|row| row.match_key.0.as_str()).collect();
        let found = lookup::look_up(self.client, &self.target.lookup_field, &keys, self.session).await?;
        let fate = |key: &&str| {
            if !lookup::is_expressible(key) {
                return Fate::Ended(outcomes::rejected(KEY_HAS_COMMA));
            }
            match found.of(key) {
                Matches::One(id) => Fate::Lead { id, is_to_be_added: true },
                Matches::None => Fate::Ended(outcomes::not_in_marketo()),
                Matches::Several(_) | Matches::TooMany => Fate::Ended(outcomes::several()),
            }
        };
        Ok(keys.iter().map(fate).collect())
    }

    async fn write(&self, rows: &[&Row], field_keys: &[String]) -> Result<Vec<Fate>, PushError> {
        let call = call(self.client, self.target, rows, field_keys)?;
        let begun_at = Instant::now();
        let answer = self.client.call(&call, self.session).await;
        let answer = answer.map_err(|error| leave_time(error, begun_at.elapsed()))?;
        // Results come in the order of the rows and carry no key.
        let records = answer.results::<RecordResult>()?.result;
        if records.len() != rows.len() {
            return Err(answer.unreadable());
        }
        let mut fields: Vec<&str> = field_keys.iter().map(String::as_str).collect();
        fields.push(&self.target.lookup_field);
        Ok(rows.iter().zip(records).map(|(row, record)| fate(row, &record, &fields)).collect())
    }

    async fn add(&self, fates: Vec<Fate>) -> Result<Vec<RowResult>, PushError> {
        let ids: BTreeSet<u64> = fates
            .iter()
            .filter_map(|fate| match fate {
                Fate::Lead { id, is_to_be_added: true } => Some(*id),
                _ => None,
            })
            .collect();
        let told = membership::add(self.client, &self.target.list_id, &ids, self.session).await?;
        let result = |fate| match fate {
            Fate::Ended(result) => result,
            Fate::Lead { id, is_to_be_added: false } => outcomes::applied(&id.to_string()),
            Fate::Lead { id, is_to_be_added: true } => match told.get(&id) {
                Some(record) => added(id, record),
                None => outcomes::deferred(NOT_TOLD),
            },
        };
        Ok(fates.into_iter().map(result).collect())
    }
}

/// What became of a lead that was to be added to the list.
fn added(id: u64, record: &RecordResult) -> RowResult {
    match record.status.as_deref() {
        // Whoever is on the list already is skipped without a reason.
        Some("added" | "memberof" | "skipped") if record.reasons.is_empty() => {
            outcomes::applied(&id.to_string())
        }
        _ => outcomes::skipped(&record.reasons, &[]),
    }
}

/// The call that writes rows.
pub(super) fn call<S: CredentialStore>(
    client: &Client<S>,
    target: &MarketoTarget,
    rows: &[&Row],
    field_keys: &[String],
) -> Result<Call, PushError> {
    let body = wire::encode_sync(rows, field_keys, target)
        .map_err(|_| failure(OPERATION, ErrorKind::InvalidRequest, "the rows cannot be written as JSON"))?;
    let url = client.url(&["rest", "v1", "leads.json"]);
    let call = Call::get(OPERATION, url, PERSON_RIGHT);
    let body = Body::Json(Bytes::from(body));
    // Two writes of one new person at the same time make two people, so a write that may still be at work is not
    // repeated at once.
    Ok(Call { method: Method::POST, body, timeout: CALL_TIMEOUT, is_repeatable: false, ..call })
}

/// Where our time ended before Marketo's, the next attempt waits until the first cannot be at work any more.
fn leave_time(error: PushError, elapsed: Duration) -> PushError {
    let is_unanswered = error.kind == ErrorKind::Timeout && error.status.is_none();
    match WRITE_ENDS_AFTER.checked_sub(elapsed) {
        Some(left) if is_unanswered => PushError { retry: Retry::After(left), ..error },
        _ => error,
    }
}

fn fate(row: &Row, record: &RecordResult, fields: &[&str]) -> Fate {
    let id = record.id.as_ref().and_then(|id| id.parse::<u64>().ok());
    match (record.status.as_deref(), id) {
        (Some("created" | "updated"), Some(id)) => {
            // A change of somebody who is on the list by our doing needs no second call.
            let is_ours = row.operation == Operation::Change && row.destination_id == record.id;
            Fate::Lead { id, is_to_be_added: !is_ours }
        }
        (Some("skipped"), _) => Fate::Ended(outcomes::skipped(&record.reasons, fields)),
        _ => Fate::Ended(RowResult::new(Outcome::Deferred(NOT_TOLD))),
    }
}

/// Cuts rows into pieces within the limits. A row that is too large by itself is a piece of its own.
fn cut<'r>(rows: &'r [&'r Row], field_keys: &[String]) -> VecDeque<&'r [&'r Row]> {
    let mut pieces = VecDeque::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let mut bytes = BODY_FRAME_BYTES;
        let fits = |row: &&&Row| {
            bytes = bytes.saturating_add(wire::row_bytes(row, field_keys));
            bytes <= MAX_BODY_BYTES
        };
        let count = rest.iter().take(MAX_RECORDS).take_while(fits).count().max(1);
        let (piece, more) = rest.split_at(count);
        pieces.push_back(piece);
        rest = more;
    }
    pieces
}

fn out_of_time(retry: Retry) -> PushError {
    PushError { retry, ..failure(OPERATION, ErrorKind::Timeout, "no time is left for further people") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: ErrorKind, status: Option<u16>, elapsed_seconds: u64, expected: Retry) {
        let error = PushError { retry: Retry::Backoff, status, ..failure(OPERATION, kind, "") };
        let found = leave_time(error, Duration::from_secs(elapsed_seconds)).retry;
        assert_eq!(found, expected, "{kind:?} {status:?} {elapsed_seconds}");
    }

    #[test]
    fn a_write_without_an_answer_is_given_its_whole_time() {
        check(ErrorKind::Timeout, None, 30, Retry::After(Duration::from_mins(1)));
        check(ErrorKind::Timeout, None, 110, Retry::Backoff);
        check(ErrorKind::Timeout, Some(200), 30, Retry::Backoff);
        check(ErrorKind::Unavailable, None, 30, Retry::Backoff);
    }
}
