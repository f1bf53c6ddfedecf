//! Contacts are put on a list and taken off it: in calls of about ten seconds, one at a time.
//!
//! A call is done wholly or not at all, so one contact that the organisation does not take fails all of them. Who is
//! not there or not active is found before, and a call that fails all the same is looked into: contacts that have
//! gone since are left out, then halves are tried. Additions and removals may be sent again, after a timeout or a
//! crash, for the second time changes nothing.

use super::batch::{self, MOST_OPERATIONS, Operation};
use super::board::Board;
use super::classify::{self, Blame};
use super::client::{Answer, Call, Client, Session, Weight};
use super::lookup::{self, Among, PerQuery, State};
use super::metadata::{Adding, Removing};
use super::outcomes;
use super::size::Size;
use super::wire;
use super::{CALL_TIMEOUT, Dynamics365SalesTarget, failure};
use crate::{ErrorKind, NoJob, PushError, Pushed, Retry};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use relay_delivery::batch::RowResult;
use relay_model::CredentialStore;
use relay_model::batch::Kind;
use relay_model::{Outcome, Row};
use std::time::Duration;

const ADD: &str = "add contacts to the marketing list";
const REMOVE: &str = "remove contacts from the marketing list";
const READ_LIST: &str = "read the marketing list";
/// With less time than this no further call is begun.
const LEAST_TIME: Duration = Duration::from_secs(2);
/// So many contacts in a row that fail by themselves are not the contacts' fault.
const FAILURES_TO_STOP: u32 = 5;

/// Changes members of one list.
pub(super) struct Membership<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) target: &'a Dynamics365SalesTarget,
    pub(super) kind: Kind,
    pub(super) size: &'a Size,
    pub(super) per_query: &'a PerQuery,
}

/// Rows that go in one call.
struct Piece {
    rows: Vec<usize>,
    care: Care,
}

/// What has been done about a piece that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Nothing: it has not failed.
    Fresh,
    /// Its contacts were looked up again.
    LookedUp,
}

impl<S: CredentialStore> Membership<'_, S> {
    /// Works a batch off. One result per row, in the rows' order.
    pub(super) async fn push(&self, rows: &[Row]) -> Result<Pushed<NoJob>, PushError> {
        let mut board = Board::new(rows);
        let ended = self.work(&mut board).await;
        board.close(ended)
    }

    async fn work(&self, board: &mut Board<'_>) -> Result<(), PushError> {
        let all = board.open(0..board.len());
        // Who is no member any more needs no look-up: removing somebody who is there is the rule.
        if self.kind == Kind::Upsert {
            self.sort_out(board, &all).await?;
        }
        let rest = board.open(all);
        let mut rest = rest.as_slice();
        let mut failed: Vec<Piece> = Vec::new();
        let mut failures = 0;
        loop {
            let piece = if let Some(piece) = failed.pop() {
                piece
            } else if rest.is_empty() {
                return Ok(());
            } else {
                let (now, later) = rest.split_at(self.next(rest.len()));
                rest = later;
                Piece { rows: now.to_vec(), care: Care::Fresh }
            };
            self.require_time(piece.rows.len())?;
            let refused = self.change(board, &piece.rows).await?;
            if board.open(piece.rows.iter().copied()).len() < piece.rows.len() {
                failures = 0;
            }
            // The last is popped first, and results are wanted in the rows' order.
            for (rows, error) in refused.into_iter().rev() {
                let refused = Piece { rows, care: piece.care };
                failed.extend(self.look_into(board, refused, error, &mut failures).await?.into_iter().rev());
            }
        }
    }

    fn next(&self, left: usize) -> usize {
        let next = self.size.next(left);
        if self.is_one_by_one() { next.min(MOST_OPERATIONS) } else { next }
    }

    const fn is_one_by_one(&self) -> bool {
        match self.kind {
            Kind::Upsert => matches!(self.target.adding, Adding::OneByOne),
            Kind::Remove => !matches!(self.target.removing, Removing::Many),
        }
    }

    const fn operation(&self) -> &'static str {
        match self.kind {
            Kind::Upsert => ADD,
            Kind::Remove => REMOVE,
        }
    }

    fn require_time(&self, members: usize) -> Result<(), PushError> {
        if self.session.context.left() >= LEAST_TIME.max(self.size.expected(members)) {
            return Ok(());
        }
        let error = failure(self.operation(), ErrorKind::Timeout, "no time is left for further contacts");
        Err(PushError { retry: Retry::Backoff, ..error })
    }

    /// Changes the list for `rows`, and gives those that were refused, each group with its error.
    async fn change(
        &self,
        board: &mut Board<'_>,
        rows: &[usize],
    ) -> Result<Vec<(Vec<usize>, PushError)>, PushError> {
        let contacts = board.contacts(rows);
        if self.is_one_by_one() {
            let answer = self.change_one_by_one(&contacts).await?;
            self.size.took(rows.len(), answer.took);
            let mut refused: Vec<(Vec<usize>, PushError)> = Vec::new();
            for (row, part) in rows.iter().zip(batch::parts(&answer, rows.len())?) {
                let Err(error) = part.judge(self.operation()) else {
                    board.settle(*row, RowResult::new(Outcome::Applied));
                    continue;
                };
                // Those that are said not to be there are looked up together.
                let is_alike = |(_, other): &&mut (Vec<usize>, PushError)| {
                    other.code == error.code && classify::blame(&error) == Blame::Missing
                };
                match refused.iter_mut().find(is_alike) {
                    Some((rows, _)) => rows.push(*row),
                    None => refused.push((vec![*row], error)),
                }
            }
            if refused.iter().any(|(_, error)| error.status == Some(429)) {
                self.session.context.throttled().await;
            }
            return Ok(refused);
        }
        match self.change_many(&contacts).await {
            Ok(answer) => {
                self.size.took(rows.len(), answer.took);
                for row in rows {
                    board.settle(*row, RowResult::new(Outcome::Applied));
                }
                Ok(Vec::new())
            }
            Err(error) => Ok(vec![(rows.to_vec(), error)]),
        }
    }

    async fn change_many(&self, contacts: &[&str]) -> Result<Answer, PushError> {
        let action = match self.kind {
            Kind::Upsert => "AddListMembersList",
            Kind::Remove => "RemoveListMembersList",
        };
        let body = wire::encode_members(&self.target.list_id.0, contacts).map_err(|_| {
            failure(self.operation(), ErrorKind::InvalidRequest, "the contacts cannot be written")
        })?;
        let call = Call {
            operation: self.operation(),
            method: Method::POST,
            url: self.client.url(action),
            headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body: Bytes::from(body),
            timeout: CALL_TIMEOUT,
            weight: Weight::Heavy,
        };
        self.client.call(&call, self.session).await
    }

    async fn change_one_by_one(&self, contacts: &[&str]) -> Result<Answer, PushError> {
        let action = match self.kind {
            Kind::Upsert => "AddMemberList",
            Kind::Remove => "RemoveMemberList",
        };
        let url = self.client.url(&format!("lists({})/Microsoft.Dynamics.CRM.{action}", self.target.list_id));
        let body = |contact: &&str| match self.kind {
            Kind::Upsert => wire::encode_addition(contact),
            Kind::Remove => wire::encode_removal(self.target.removing, contact),
        };
        let operation =
            |contact| Operation { method: Method::POST, url: url.clone(), body: Some(body(contact)) };
        let operations: Vec<Operation> = contacts.iter().map(operation).collect();
        let batch = self.client.url("$batch");
        let call = batch::call(self.operation(), batch, &operations, Weight::Heavy);
        self.client.call(&Call { timeout: CALL_TIMEOUT, ..call }, self.session).await
    }

    /// What is to be tried of a piece that was refused.
    async fn look_into(
        &self,
        board: &mut Board<'_>,
        piece: Piece,
        error: PushError,
        failures: &mut u32,
    ) -> Result<Vec<Piece>, PushError> {
        let blame = classify::blame(&error);
        if classify::code_of(&error) == Some(classify::EXECUTION_TIME) {
            self.size.too_many(piece.rows.len());
        }
        match blame {
            Blame::Call => return Err(error),
            Blame::NotMember if piece.rows.len() == 1 => {
                piece.rows.iter().for_each(|row| board.settle(*row, outcomes::not_on_list()));
                return Ok(Vec::new());
            }
            Blame::Missing | Blame::NotMember if piece.care == Care::Fresh => {
                if blame == Blame::Missing {
                    self.require_list().await?;
                }
                self.sort_out(board, &piece.rows).await?;
                let rows = board.open(piece.rows.iter().copied());
                if rows.len() < piece.rows.len() {
                    let again = Piece { rows, care: Care::LookedUp };
                    return Ok(if again.rows.is_empty() { Vec::new() } else { vec![again] });
                }
            }
            Blame::Size => self.size.too_many(piece.rows.len()),
            Blame::Missing | Blame::NotMember | Blame::Members => {}
        }
        if let [row] = piece.rows.as_slice() {
            *failures += 1;
            if *failures >= FAILURES_TO_STOP {
                return Err(error);
            }
            board.settle(*row, outcomes::refused(blame, &error));
            return Ok(Vec::new());
        }
        let (first, second) = piece.rows.split_at(piece.rows.len() / 2);
        let half = |rows: &[usize]| Piece { rows: rows.to_vec(), care: Care::LookedUp };
        Ok(vec![half(first), half(second)])
    }

    /// Settles the rows that there is nothing to do for.
    async fn sort_out(&self, board: &mut Board<'_>, rows: &[usize]) -> Result<(), PushError> {
        if rows.is_empty() {
            return Ok(());
        }
        let contacts = board.contacts(rows);
        let among = match self.kind {
            Kind::Upsert => Among::Contacts,
            Kind::Remove => Among::MembersOf(&self.target.list_id.0),
        };
        let found = lookup::look_up(self.client, self.per_query, among, &contacts, self.session).await?;
        for (row, contact) in rows.iter().zip(contacts) {
            match (self.kind, found.get(contact)) {
                (Kind::Upsert, Some(State::Active)) | (Kind::Remove, Some(_)) => {}
                (Kind::Upsert, Some(State::Inactive)) => board.settle(*row, outcomes::inactive()),
                (Kind::Upsert, None) => board.settle(*row, outcomes::not_in_sales()),
                (Kind::Remove, None) => board.settle(*row, outcomes::not_on_list()),
            }
        }
        Ok(())
    }

    /// A call fails in the same way whether a contact is gone or the list is.
    async fn require_list(&self) -> Result<(), PushError> {
        let mut url = self.client.url(&format!("lists({})", self.target.list_id));
        url.set_query(Some("$select=listid"));
        match self.client.call(&Call::get(READ_LIST, url), self.session).await {
            Err(error) if classify::blame(&error) == Blame::Missing => {
                let message = "the marketing list was deleted while the run was under way; a segment's own list is made \
                               anew by the next run, another has to be chosen";
                Err(PushError { message: message.to_owned(), ..error })
            }
            other => other.map(drop),
        }
    }
}
