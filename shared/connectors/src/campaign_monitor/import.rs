//! Additions and changes: imports of up to 1,000 people a call.
//!
//! An import is an upsert and the call returns when everybody is on the list
//! (<https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>), so sending a batch again,
//! after a timeout or a crash, changes nothing. That holds for rejoiners too: whoever was put back by a call whose
//! answer was lost is active at the next attempt, is updated by the first import and never reaches the second; and
//! whoever has unsubscribed in between is refused by the first import and left alone.

use super::answers::{Failure, ImportResult, WithFailures};
use super::classify::{self, DELETED, IMPORT_HAD_FAILURES};
use super::client::{Call, Client, Session};
use super::wire::{self, Terms};
use super::{CALL_TIMEOUT, CampaignMonitorTarget, MAX_IMPORT_ROWS};
use crate::{ErrorKind, PushError};
use bytes::Bytes;
use http::Method;
use relay_delivery::batch::{Frame, RowResult};
use relay_model::CredentialStore;
use relay_model::{Outcome, Reason, Row};
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

const OPERATION: &str = "import subscribers";
/// Room for what a body has beside its rows.
const FRAME_BYTES: u64 = 200;

const TOO_LARGE: Reason = Reason::new(
    "row_too_large",
    "the row alone is larger than a request may be (max_body_bytes in the connection's settings, or the vendor's limit)",
);
const NOT_NAMED: Reason = Reason::new(
    "failure_not_named",
    "Campaign Monitor reported failures without saying for whom; the next run tries again",
);

/// What an import said of one row.
enum Fate {
    Applied,
    Failed(i64),
    NotNamed,
    TooLarge,
}

/// Imports rows in as few calls as the limits allow.
pub(super) struct Importer<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) target: &'a CampaignMonitorTarget,
    pub(super) max_body_bytes: u64,
}

impl<S: CredentialStore> Importer<'_, S> {
    /// Imports a batch. One result per row, in the rows' order.
    pub(super) async fn import(&self, frame: &Frame) -> Result<Vec<RowResult>, PushError> {
        let terms = Terms::new(&frame.field_keys, &self.target.day_fields, self.target.consent_to_track);
        let rows: Vec<&Row> = frame.rows.iter().collect();
        let fates = self.import_rows(&rows, &frame.field_keys, &terms, false).await?;

        // Only whom we took off the list ourselves, and who is still deleted and nothing else, is put back.
        let is_back = |(row, fate): &(&&Row, &Fate)| row.is_rejoin && matches!(fate, Fate::Failed(DELETED));
        let rejoiners: Vec<&Row> = rows.iter().zip(&fates).filter(is_back).map(|(row, _)| *row).collect();
        let second = self.import_rows(&rejoiners, &frame.field_keys, &terms, true).await?;
        let mut second = second.into_iter();
        let results = rows.iter().zip(fates).map(|(row, fate)| {
            let fate = if is_back(&(row, &fate)) { second.next().unwrap_or(Fate::NotNamed) } else { fate };
            result(&fate)
        });
        Ok(results.collect())
    }

    async fn import_rows(
        &self,
        rows: &[&Row],
        field_keys: &[String],
        terms: &Terms<'_>,
        resubscribe: bool,
    ) -> Result<Vec<Fate>, PushError> {
        let mut fates = Vec::with_capacity(rows.len());
        let mut pieces = self.cut(rows, field_keys);
        while let Some(piece) = pieces.pop_front() {
            let is_too_large = match piece {
                [row] => wire::row_bytes(row, field_keys) + FRAME_BYTES > self.max_body_bytes,
                _ => false,
            };
            if is_too_large {
                fates.push(Fate::TooLarge);
                continue;
            }
            match self.import_piece(piece, terms, resubscribe).await {
                Ok(more) => fates.extend(more),
                // The limit is not documented, so it may be lower than what is set: halves go until they fit.
                Err(error) if error.kind == ErrorKind::TooLarge => {
                    if piece.len() == 1 {
                        fates.push(Fate::TooLarge);
                    } else {
                        let (first, second) = piece.split_at(piece.len() / 2);
                        pieces.push_front(second);
                        pieces.push_front(first);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(fates)
    }

    /// Cuts rows into pieces within the limits. A row that is too large by itself is a piece of its own.
    fn cut<'r>(&self, rows: &'r [&'r Row], field_keys: &[String]) -> VecDeque<&'r [&'r Row]> {
        let mut pieces = VecDeque::new();
        let mut rest = rows;
        while !rest.is_empty() {
            let mut bytes = FRAME_BYTES;
            let fits = |row: &&&Row| {
                bytes = bytes.saturating_add(wire::row_bytes(row, field_keys));
                bytes <= self.max_body_bytes
            };
            let count = rest.iter().take(MAX_IMPORT_ROWS).take_while(fits).count().max(1);
            let (piece, more) = rest.split_at(count);
            pieces.push_back(piece);
            rest = more;
        }
        pieces
    }

    async fn import_piece(
        &self,
        rows: &[&Row],
        terms: &Terms<'_>,
        resubscribe: bool,
    ) -> Result<Vec<Fate>, PushError> {
        let body = wire::encode_import(rows, terms, resubscribe).map_err(|_| not_encodable())?;
        let call = Call {
            operation: OPERATION,
            method: Method::POST,
            url: self.client.url(&["subscribers", &self.target.list_id.0, "import.json"]),
            body: Bytes::from(body),
            timeout: CALL_TIMEOUT,
            accepts: &[IMPORT_HAD_FAILURES],
            is_repeatable: true,
        };
        let answer = self.client.call(&call, self.session).await?;
        let result: ImportResult = if answer.code == Some(IMPORT_HAD_FAILURES) {
            answer.read::<WithFailures>()?.result_data
        } else {
            answer.read()?
        };
        Ok(fates(rows, result))
    }
}

/// Matches the failures to the rows by address, without regard to case.
fn fates(rows: &[&Row], result: ImportResult) -> Vec<Fate> {
    let adds_up = check_sums(rows.len(), &result);
    let failures = result.failure_details.unwrap_or_default();
    if failures.is_empty() && !adds_up {
        // Fewer people were taken than were sent, and it is not known who: nobody may be called applied.
        return rows.iter().map(|_| Fate::NotNamed).collect();
    }
    if failures.is_empty() {
        return rows.iter().map(|_| Fate::Applied).collect();
    }
    let mut codes: HashMap<String, (i64, bool)> = HashMap::with_capacity(failures.len());
    for Failure { email_address, code } in failures {
        let email = email_address.unwrap_or_default();
        codes.entry(email.trim().to_lowercase()).or_insert((code.0, false));
    }
    let mut fates: Vec<Fate> = rows
        .iter()
        .map(|row| match codes.get_mut(lower(&row.match_key.0).as_ref()) {
            Some((code, is_named)) => {
                *is_named = true;
                Fate::Failed(*code)
            }
            None => Fate::Applied,
        })
        .collect();
    let not_named = codes.values().filter(|(_, is_named)| !is_named).count();
    if not_named > 0 {
        // Some of these rows failed and it is not known which, so none of them may be called applied.
        tracing::warn!(
            not_named,
            rows = rows.len(),
            "import reported failures for addresses that were not sent"
        );
        for fate in &mut fates {
            if matches!(fate, Fate::Applied) {
                *fate = Fate::NotNamed;
            }
        }
    }
    fates
}

fn lower(email: &str) -> Cow<'_, str> {
    // Match keys are in lower case already; this only makes sure.
    if email.chars().any(char::is_uppercase) {
        Cow::Owned(email.to_lowercase())
    } else {
        Cow::Borrowed(email)
    }
}

/// The vendor's sums have to add up, and batches have no duplicates. A difference is told by counts only. Says whether
/// as many people are accounted for as were sent.
fn check_sums(rows: usize, result: &ImportResult) -> bool {
    let failed = result.failure_details.as_ref().map_or(0, Vec::len);
    let duplicates = result.duplicate_emails_in_submission.as_ref().map_or(0, Vec::len);
    let unique = usize::try_from(result.total_unique_emails_submitted).unwrap_or(usize::MAX);
    let known = result
        .total_existing_subscribers
        .saturating_add(result.total_new_subscribers)
        .saturating_add(u64::try_from(failed).unwrap_or(u64::MAX));
    if known != result.total_unique_emails_submitted || duplicates > 0 || unique != rows {
        tracing::warn!(
            rows,
            unique,
            duplicates,
            failed,
            existing = result.total_existing_subscribers,
            new = result.total_new_subscribers,
            "the sums of an import do not add up"
        );
    }
    u64::try_from(rows).is_ok_and(|rows| known >= rows)
}

fn result(fate: &Fate) -> RowResult {
    match fate {
        Fate::Applied => RowResult::new(Outcome::Applied),
        Fate::Failed(code) => classify::import_failure(*code),
        Fate::NotNamed => RowResult::new(Outcome::Deferred(NOT_NAMED)),
        Fate::TooLarge => RowResult::new(Outcome::Rejected(TOO_LARGE)),
    }
}

fn not_encodable() -> PushError {
    super::failure(OPERATION, ErrorKind::InvalidRequest, "the rows cannot be written as JSON")
}
