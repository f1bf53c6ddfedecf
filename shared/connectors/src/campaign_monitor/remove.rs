//! Removals: deletes people from the list one by one, because the vendor has no call for many.
//!
//! Deleting is the mildest means: unlike unsubscribing it never reaches the client's suppression list
//! (<https://www.campaignmonitor.com/api/v3-3/subscribers/#deleting-a-subscriber>). Only people who are active or have
//! yet to confirm are deleted. People who have unsubscribed, have bounced or were deleted by another party are left as
//! they are: if an export deleted them, their return to the segment would put them back on the list.
//!
//! If the response to a deletion is lost, the same push looks the person up again and finds them deleted by this export.
//! If the process ends before it stores the result, the next attempt finds the person deleted and cannot know by which
//! party. It then assumes another party, which is the safe side: the person is not put back later.

use super::client::{Call, Client, Session, get_call};
use super::errors::{self, DELETED, INVALID_EMAIL, NOT_IN_LIST};
use super::wire::responses::PersonState;
use super::{CampaignMonitorTarget, failure};
use crate::{ErrorKind, PushError, Retry};
use http::Method;
use relay_delivery::batch::{Frame, RowResult};
use relay_model::CredentialStore;
use relay_model::{Outcome, Reason, Row};
use std::time::Duration;
use url::Url;

const LOOK_UP: &str = "look up a subscriber";
const DELETE: &str = "delete a subscriber";
/// The least time that has to be left to begin another person.
const LEAST_TIME: Duration = Duration::from_secs(2);
/// The batch stops after this many consecutive rows without a response: the rows are not the cause.
const FAILURES_TO_STOP: u32 = 3;

/// Removes rows, one at a time.
pub(super) struct Remover<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) target: &'a CampaignMonitorTarget,
}

impl<S: CredentialStore> Remover<'_, S> {
    /// Removes a batch. Returns one result per row, in the rows' order.
    ///
    /// If the destination fails in the middle, the remaining rows are deferred instead of the batch failing. Otherwise the
    /// removed rows would be sent again, found deleted and taken for another party's deletions.
    pub(super) async fn remove(&self, frame: &Frame) -> Result<Vec<RowResult>, PushError> {
        let mut results = Vec::with_capacity(frame.rows.len());
        let mut failures = 0;
        let mut is_any_known = false;
        let mut last_failure: Option<PushError> = None;
        let mut is_stopped = false;
        for row in &frame.rows {
            if !is_stopped {
                match self.remove_in_time(row).await {
                    Ok(result) => {
                        failures = 0;
                        is_any_known = true;
                        results.push(result);
                        continue;
                    }
                    Err(error) => {
                        failures += 1;
                        is_stopped = !may_be_the_row(&error) || failures >= FAILURES_TO_STOP;
                        last_failure = Some(error);
                    }
                }
            }
            results.extend(
                last_failure.as_ref().map(|error| RowResult::new(Outcome::Deferred(deferral(error)))),
            );
        }
        match last_failure {
            // Nothing is known of any row, so the queue may send the whole batch again.
            Some(error) if !is_any_known && (is_stopped || error.kind != ErrorKind::Protocol) => Err(error),
            _ => Ok(results),
        }
    }

    async fn remove_in_time(&self, row: &Row) -> Result<RowResult, PushError> {
        if self.session.context.left() < LEAST_TIME {
            let error = failure(DELETE, ErrorKind::Timeout, "no time is left for further people");
            return Err(PushError { retry: Retry::Backoff, ..error });
        }
        self.remove_row(row).await
    }

    async fn remove_row(&self, row: &Row) -> Result<RowResult, PushError> {
        let mut attempt = 0;
        let mut have_we_deleted = false;
        loop {
            let found = match self.look_up(row).await {
                Ok(found) => found,
                Err(error) if have_we_deleted && self.may_go_on(&error, attempt).await => {
                    attempt += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match found {
                Found::Member => {}
                Found::Deleted if have_we_deleted => return Ok(RowResult::new(Outcome::Applied)),
                Found::Settled(result) => return Ok(result),
                // The person is off the list, which was requested. If an earlier delivery of this batch deleted them and
                // its worker died, the count is the same, and the person is not put back later.
                Found::Deleted => return Ok(not_in_list()),
            }
            match self.delete(row).await {
                Ok(result) => return Ok(result),
                Err(error) => {
                    have_we_deleted |= says_nothing_of_the_deletion(&error);
                    if !self.may_go_on(&error, attempt).await {
                        return Err(error);
                    }
                    attempt += 1;
                }
            }
        }
    }

    async fn may_go_on(&self, error: &PushError, attempt: u32) -> bool {
        self.session.pause(error, attempt).await
    }

    async fn look_up(&self, row: &Row) -> Result<Found, PushError> {
        let call = Call { accepts: &[INVALID_EMAIL, NOT_IN_LIST], ..get_call(LOOK_UP, self.url(row)) };
        let answer = self.client.call(&call, self.session).await?;
        Ok(match answer.code {
            Some(NOT_IN_LIST) => Found::Settled(not_in_list()),
            Some(_) => Found::Settled(errors::import_failure(INVALID_EMAIL)),
            None => found(answer.read::<PersonState>()?.state.as_str()).ok_or_else(|| answer.unreadable())?,
        })
    }

    async fn delete(&self, row: &Row) -> Result<RowResult, PushError> {
        let call = Call {
            method: Method::DELETE,
            accepts: &[NOT_IN_LIST, DELETED],
            // The person has to be looked up again before the deletion is sent again.
            is_repeatable: false,
            ..get_call(DELETE, self.url(row))
        };
        let answer = self.client.call(&call, self.session).await?;
        Ok(match answer.code {
            None => RowResult::new(Outcome::Applied),
            // Another party has deleted the person meanwhile.
            Some(_) => not_in_list(),
        })
    }

    fn url(&self, row: &Row) -> Url {
        let list = format!("{}.json", self.target.list_id);
        let mut url = self.client.url(&["subscribers", &list]);
        url.query_pairs_mut().append_pair("email", &row.match_key.0);
        url
    }
}

/// The result of a look-up.
enum Found {
    /// The person is on the list and may be deleted.
    Member,
    Deleted,
    Settled(RowResult),
}

/// Returns what a state means; `None` for a state that is not documented.
fn found(state: &str) -> Option<Found> {
    Some(match state {
        "Active" | "Unconfirmed" => Found::Member,
        "Deleted" => Found::Deleted,
        "Unsubscribed" => Found::Settled(left_alone("unsubscribed", "the person has unsubscribed")),
        "Bounced" => {
            Found::Settled(left_alone("bounced", "mail to the person has bounced; the list keeps that"))
        }
        "Suppressed" => Found::Settled(left_alone("suppressed", "the person is on the suppression list")),
        _ => return None,
    })
}

fn left_alone(state: &'static str, text: &'static str) -> RowResult {
    RowResult::not_ours(Outcome::Skipped(Reason::made(format!("campaign_monitor_{state}"), text)))
}

/// The person is not on the list, which was requested. No export took them off, so no export puts them back later.
fn not_in_list() -> RowResult {
    RowResult::not_ours(Outcome::Applied)
}

/// Returns whether an error may be about this one row, so that the next rows are tried.
fn may_be_the_row(error: &PushError) -> bool {
    error.retry != Retry::Never && matches!(error.kind, ErrorKind::Protocol | ErrorKind::Unavailable)
}

/// Returns whether the person may have been deleted in spite of the error.
fn says_nothing_of_the_deletion(error: &PushError) -> bool {
    matches!(error.kind, ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Protocol)
}

fn deferral(error: &PushError) -> Reason {
    let text = format!("{}; the next run tries again", error.message);
    match error.code {
        Some(code) if error.kind == ErrorKind::Protocol => {
            Reason::made(format!("campaign_monitor_{code}"), text)
        }
        _ => Reason::made(error.kind.code(), text),
    }
}
