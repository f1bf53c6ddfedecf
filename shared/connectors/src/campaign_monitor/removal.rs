//! Removals: people are deleted from the list, one by one, for the vendor has no call for many.
//!
//! Deleting is the mildest means: unlike unsubscribing it never reaches the client's suppression list
//! (<https://www.campaignmonitor.com/api/v3-3/subscribers/#deleting-a-subscriber>). Only who is active or has yet to
//! confirm is deleted. Whoever has unsubscribed, has bounced or was deleted by somebody else stays what they are:
//! were they deleted, a later return to the segment would look like one of our rejoiners and bring them back.
//!
//! A deletion whose answer is lost is looked after within the push: the person is then found deleted, and by us. If
//! the process ends between a deletion and the storing of its result, the next attempt finds the person deleted and
//! cannot know by whom. It then counts as somebody else's doing, which errs on the safe side: such a person is not
//! put back by us later.

use super::answers::PersonState;
use super::classify::{self, DELETED, INVALID_EMAIL, NOT_IN_LIST};
use super::client::{Call, Client, SHORT_TIMEOUT, Session};
use super::{CampaignMonitorTarget, failure};
use crate::{ErrorKind, PushError, Retry};
use bytes::Bytes;
use http::Method;
use relay_delivery::batch::{Frame, RowResult};
use relay_model::CredentialStore;
use relay_model::{Outcome, Reason, Row};
use std::time::Duration;
use url::Url;

const LOOK_UP: &str = "look up a subscriber";
const DELETE: &str = "delete a subscriber";
/// With less time than this no further person is begun.
const LEAST_TIME: Duration = Duration::from_secs(2);
/// So many rows in a row without an answer are not the rows' fault.
const FAILURES_TO_STOP: u32 = 3;

/// Removes rows, one at a time.
pub(super) struct Remover<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) target: &'a CampaignMonitorTarget,
}

impl<S: CredentialStore> Remover<'_, S> {
    /// Removes a batch. One result per row, in the rows' order.
    ///
    /// Where the destination fails in the middle, the rest is deferred rather than the batch failed: were the rows
    /// that are done sent again, they would be found deleted and taken for somebody else's doing.
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
            // Nothing is known of any row, so the queue may try the whole batch again.
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
                // Whoever did it, the person is off the list. It may have been us, in an earlier delivery of this
                // batch whose worker died: then the count is the same, and we forget that we may ask them back.
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
        self.session.patience.pause(error, attempt, self.session.context).await
    }

    async fn look_up(&self, row: &Row) -> Result<Found, PushError> {
        let call = Call { accepts: &[INVALID_EMAIL, NOT_IN_LIST], ..Call::get(LOOK_UP, self.url(row)) };
        let answer = self.client.call(&call, self.session).await?;
        Ok(match answer.code {
            Some(NOT_IN_LIST) => Found::Settled(not_in_list()),
            Some(_) => Found::Settled(classify::import_failure(INVALID_EMAIL)),
            None => found(answer.read::<PersonState>()?.state.as_str()).ok_or_else(|| answer.unreadable())?,
        })
    }

    async fn delete(&self, row: &Row) -> Result<RowResult, PushError> {
        let call = Call {
            operation: DELETE,
            method: Method::DELETE,
            url: self.url(row),
            body: Bytes::new(),
            timeout: SHORT_TIMEOUT,
            accepts: &[NOT_IN_LIST, DELETED],
            // Before it is made again, the person has to be looked up again.
            is_repeatable: false,
        };
        let answer = self.client.call(&call, self.session).await?;
        Ok(match answer.code {
            None => RowResult::new(Outcome::Applied),
            // Somebody else was faster.
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

/// What a look-up says.
enum Found {
    /// On the list by any account, and may be deleted.
    Member,
    Deleted,
    Settled(RowResult),
}

/// What a state means. None for one that is not documented.
fn found(state: &str) -> Option<Found> {
    Some(match state {
        "Active" | "Unconfirmed" => Found::Member,
        "Deleted" => Found::Deleted,
        "Unsubscribed" => {
            Found::Settled(left_alone("unsubscribed", "the person has unsubscribed by themselves"))
        }
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

/// Not on the list is what was asked for. It was not our doing, so there is nothing of ours to bring back later.
fn not_in_list() -> RowResult {
    RowResult::not_ours(Outcome::Applied)
}

/// Whether an error may be about this one row: then the next rows are tried.
fn may_be_the_row(error: &PushError) -> bool {
    error.retry != Retry::Never && matches!(error.kind, ErrorKind::Protocol | ErrorKind::Unavailable)
}

/// Whether the person may have been deleted in spite of the error.
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
