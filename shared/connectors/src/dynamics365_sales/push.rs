//! Adds contacts to a list and removes them, in calls of about ten seconds, one call at a time.
//!
//! A call succeeds or fails as a whole, so one contact that the organisation refuses fails all of them. Contacts that do
//! not exist or are inactive are found before. If a call fails all the same, contacts that were deleted since are left
//! out, and then halves are tried. Additions and removals may be sent again after a timeout or a crash: the second time
//! changes nothing.

use super::batch::{self, MOST_OPERATIONS, Operation};
use super::call_size::CallSize;
use super::client::{Answer, Call, Client, JSON, Session, Weight, get_call};
use super::errors::rows;
use super::errors::{self, Blame};
use super::lookup::{self, Among, PerQuery, State};
use super::metadata::{Adding, Removing};
use super::progress::BatchProgress;
use super::remove::REMOVAL;
use super::wire;
use super::{CALL_TIMEOUT, Dynamics365SalesTarget, failure};
use crate::{ErrorKind, NoJob, PushError, Pushed, Retry};
use http::Method;
use relay_delivery::batch::RowResult;
use relay_model::CredentialStore;
use relay_model::batch::Kind;
use relay_model::{Outcome, Row};
use std::time::Duration;

const READ_LIST: &str = "read the marketing list";
/// The least time that has to be left to begin another call.
const LEAST_TIME: Duration = Duration::from_secs(2);
/// The batch stops after this many consecutive contacts that fail alone: the contacts are not the cause.
const FAILURES_TO_STOP: u32 = 5;

/// The calls that change members in one direction.
pub(super) struct Direction {
    /// Names the operation in errors.
    pub(super) operation: &'static str,
    /// The action that changes many members in one call.
    pub(super) many: &'static str,
    /// The action that changes one member.
    pub(super) one: &'static str,
}

/// Additions
/// (<https://learn.microsoft.com/dotnet/api/microsoft.crm.sdk.messages.addlistmemberslistrequest>).
const ADDITION: Direction = Direction {
    operation: "add contacts to the marketing list",
    many: "AddListMembersList",
    one: "AddMemberList",
};

/// Changes members of one list.
pub(super) struct Membership<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) target: &'a Dynamics365SalesTarget,
    pub(super) kind: Kind,
    pub(super) size: &'a CallSize,
    pub(super) per_query: &'a PerQuery,
}

/// The rows of one call.
struct Piece {
    rows: Vec<usize>,
    care: Care,
}

/// How far the failure of a piece was handled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// It has not failed.
    Fresh,
    /// Its contacts were looked up again.
    LookedUp,
}

impl<S: CredentialStore> Membership<'_, S> {
    /// Pushes a batch. Returns one result per row, in the rows' order.
    pub(super) async fn push(&self, rows: &[Row]) -> Result<Pushed<NoJob>, PushError> {
        let mut progress = BatchProgress::new(rows);
        let ended = self.work(&mut progress).await;
        progress.close(ended)
    }

    async fn work(&self, progress: &mut BatchProgress<'_>) -> Result<(), PushError> {
        let all = progress.open(0..progress.len());
        // Removals need no look-up: nearly all contacts to remove are members.
        if self.kind == Kind::Upsert {
            self.sort_out(progress, &all).await?;
        }
        let rest = progress.open(all);
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
            let refused = self.change(progress, &piece.rows).await?;
            if progress.open(piece.rows.iter().copied()).len() < piece.rows.len() {
                failures = 0;
            }
            // The last piece is popped first, and results have to be in the rows' order.
            for (rows, error) in refused.into_iter().rev() {
                let refused = Piece { rows, care: piece.care };
                failed
                    .extend(self.look_into(progress, refused, error, &mut failures).await?.into_iter().rev());
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

    const fn direction(&self) -> Direction {
        match self.kind {
            Kind::Upsert => ADDITION,
            Kind::Remove => REMOVAL,
        }
    }

    const fn operation(&self) -> &'static str {
        self.direction().operation
    }

    fn require_time(&self, members: usize) -> Result<(), PushError> {
        if self.session.context.left() >= LEAST_TIME.max(self.size.expected(members)) {
            return Ok(());
        }
        let error = failure(self.operation(), ErrorKind::Timeout, "no time is left for further contacts");
        Err(PushError { retry: Retry::Backoff, ..error })
    }

    /// Changes the list for `rows`. Returns the refused rows, each group with its error.
    async fn change(
        &self,
        progress: &mut BatchProgress<'_>,
        rows: &[usize],
    ) -> Result<Vec<(Vec<usize>, PushError)>, PushError> {
        let contacts = progress.contacts(rows);
        if self.is_one_by_one() {
            let answer = self.change_one_by_one(&contacts).await?;
            self.size.took(rows.len(), answer.took);
            let mut refused: Vec<(Vec<usize>, PushError)> = Vec::new();
            for (row, part) in rows.iter().zip(batch::parts(&answer, rows.len())?) {
                let Err(error) = part.judge(self.operation()) else {
                    progress.settle(*row, RowResult::new(Outcome::Applied));
                    continue;
                };
                // Contacts that do not exist any more are looked up together.
                let is_alike = |(_, other): &&mut (Vec<usize>, PushError)| {
                    other.code == error.code && errors::blame(&error) == Blame::Missing
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
                    progress.settle(*row, RowResult::new(Outcome::Applied));
                }
                Ok(Vec::new())
            }
            Err(error) => Ok(vec![(rows.to_vec(), error)]),
        }
    }

    async fn change_many(&self, contacts: &[&str]) -> Result<Answer, PushError> {
        let body = wire::encode_members(&self.target.list_id.0, contacts).map_err(|_| {
            failure(self.operation(), ErrorKind::InvalidRequest, "the contacts cannot be written")
        })?;
        let call = get_call(self.operation(), self.client.url(self.direction().many)).with_body(
            Method::POST,
            JSON,
            body,
        );
        let call = Call { timeout: CALL_TIMEOUT, details: Weight::Heavy, ..call };
        self.client.call(&call, self.session).await
    }

    async fn change_one_by_one(&self, contacts: &[&str]) -> Result<Answer, PushError> {
        let action = self.direction().one;
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

    /// Returns what is tried next of a piece that was refused.
    async fn look_into(
        &self,
        progress: &mut BatchProgress<'_>,
        piece: Piece,
        error: PushError,
        failures: &mut u32,
    ) -> Result<Vec<Piece>, PushError> {
        let blame = errors::blame(&error);
        if errors::code_of(&error) == Some(errors::EXECUTION_TIME) {
            self.size.too_many(piece.rows.len());
        }
        match blame {
            Blame::Call => return Err(error),
            Blame::NotMember if piece.rows.len() == 1 => {
                piece.rows.iter().for_each(|row| progress.settle(*row, rows::not_on_list()));
                return Ok(Vec::new());
            }
            Blame::Missing | Blame::NotMember if piece.care == Care::Fresh => {
                if blame == Blame::Missing {
                    self.require_list().await?;
                }
                self.sort_out(progress, &piece.rows).await?;
                let rows = progress.open(piece.rows.iter().copied());
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
            progress.settle(*row, rows::refused(blame, &error));
            return Ok(Vec::new());
        }
        let (first, second) = piece.rows.split_at(piece.rows.len() / 2);
        let half = |rows: &[usize]| Piece { rows: rows.to_vec(), care: Care::LookedUp };
        Ok(vec![half(first), half(second)])
    }

    /// Settles the rows that need no call.
    async fn sort_out(&self, progress: &mut BatchProgress<'_>, rows: &[usize]) -> Result<(), PushError> {
        if rows.is_empty() {
            return Ok(());
        }
        let contacts = progress.contacts(rows);
        let among = match self.kind {
            Kind::Upsert => Among::Contacts,
            Kind::Remove => Among::MembersOf(&self.target.list_id.0),
        };
        let found = lookup::look_up(self.client, self.per_query, among, &contacts, self.session).await?;
        for (row, contact) in rows.iter().zip(contacts) {
            match (self.kind, found.get(contact)) {
                (Kind::Upsert, Some(State::Active)) | (Kind::Remove, Some(_)) => {}
                (Kind::Upsert, Some(State::Inactive)) => progress.settle(*row, rows::inactive()),
                (Kind::Upsert, None) => progress.settle(*row, rows::not_in_sales()),
                (Kind::Remove, None) => progress.settle(*row, rows::not_on_list()),
            }
        }
        Ok(())
    }

    /// Checks that the list exists: a call fails in the same way if a contact or the list was deleted.
    async fn require_list(&self) -> Result<(), PushError> {
        let mut url = self.client.url(&format!("lists({})", self.target.list_id));
        url.set_query(Some("$select=listid"));
        match self.client.call(&get_call(READ_LIST, url), self.session).await {
            Err(error) if errors::blame(&error) == Blame::Missing => {
                let message = "the marketing list was deleted during the run; the next run creates a segment's own list again, \
                               for any other list choose another target";
                Err(PushError { message: message.to_owned(), ..error })
            }
            other => other.map(drop),
        }
    }
}
