//! Additions and changes: contacts go in batches that Omnisend works on by itself, then they get the tag.
//!
//! A batch of contacts is an upsert, so sending rows again after a lost answer changes nothing. A row counts as applied
//! when its item was done and the call that tags it was taken.

use super::answers::{Accepted, is_id};
use super::classify;
use super::client::{Call, Client, Session};
use super::contacts;
use super::job::{Failure, OmnisendJob, Submission, numbers, spans};
use super::reading::{self, Ids, NOT_FOUND};
use super::settings::Settings;
use super::tagging::{Change, Person, Tagged, Tagger};
use super::wire::{self, Outgoing, Terms};
use super::{LEAST_TIME, WRITE_SCOPE, not_encodable};
use crate::{ErrorKind, PushError, Pushed, Retry};
use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use relay_delivery::batch::{Frame, RowResult};
use relay_model::CredentialStore;
use relay_model::{Outcome, Row};
use std::time::Duration;

const SUBMIT: &str = "submit a batch of contacts";
const LOOK: &str = "look after a batch of contacts";
/// "We recommend keeping the payload size limited to a maximum of 1MB"
/// (<https://api-docs.omnisend.com/docs/how-to-sync-contacts>).
pub(super) const MAX_BODY_BYTES: u64 = 1_000_000;
/// Contacts of a batch when each of them may have to be looked up first: so many look-ups are a quarter of a minute's
/// calls, and are lost when time runs out amid them.
const LOOKED_UP_AT_A_TIME: usize = 100;
/// How often rows go again within a run.
const MAX_ROUNDS: u32 = 3;

/// Rows on their way to Omnisend.
pub(super) struct Upsert<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) settings: &'a Settings,
    pub(super) tag: &'a str,
    pub(super) frame: &'a Frame,
}

impl<S: CredentialStore> Upsert<'_, S> {
    /// Submits a batch.
    pub(super) async fn begin(&self) -> Result<Pushed<OmnisendJob>, PushError> {
        if self.frame.rows.is_empty() {
            return Ok(Pushed::Done(Vec::new()));
        }
        self.go_on(OmnisendJob::new(self.frame.rows.len(), Timestamp::now().as_second())).await
    }

    /// Brings a job as far as it will go now.
    pub(super) async fn go_on(&self, mut job: OmnisendJob) -> Result<Pushed<OmnisendJob>, PushError> {
        let before = job.clone();
        let mut ids = Ids::new();
        match self.steps(&mut job, &mut ids).await {
            Ok(Some(look_after)) => Ok(Pushed::Accepted { job, look_after }),
            Ok(None) => Ok(Pushed::Done(self.results(&job, ids))),
            // What was done is not forgotten for what comes after it having to wait.
            Err(error) if job != before => match self.later(&error) {
                Some(look_after) => Ok(Pushed::Accepted { job, look_after }),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// When to go on after an error that passes; `None` for the others.
    fn later(&self, error: &PushError) -> Option<Duration> {
        match error.retry {
            Retry::Wait(wait) | Retry::After(wait) => Some(wait),
            Retry::Backoff => Some(self.poll().max(self.settings.refused_wait())),
            Retry::Never | Retry::Pause(_) => None,
        }
    }

    fn check_time(&self) -> Result<(), PushError> {
        if self.session.context.left() < LEAST_TIME { Err(super::no_time()) } else { Ok(()) }
    }

    const fn poll(&self) -> Duration {
        Duration::from_millis(self.settings.poll_ms)
    }

    /// Gives when to go on; `None` where everything is done.
    async fn steps(&self, job: &mut OmnisendJob, ids: &mut Ids) -> Result<Option<Duration>, PushError> {
        if !job.waiting.is_empty() {
            self.submit_waiting(job).await?;
            if !job.submissions.is_empty() {
                return Ok(Some(self.poll()));
            }
        }
        if !self.read_submissions(job, ids).await? {
            return Ok(Some(self.poll()));
        }
        let again = std::mem::take(&mut job.again);
        if !again.is_empty() {
            if job.rounds < MAX_ROUNDS {
                job.waiting = spans(&again.keys().copied().collect::<Vec<_>>());
                job.rounds += 1;
                // Each time twice as long as before.
                return Ok(Some(self.settings.refused_wait() * (1 << (job.rounds - 1))));
            }
            job.failed.extend(again);
        }
        self.tag(job, ids).await?;
        Ok(None)
    }

    fn row(&self, number: u32) -> Option<&Row> {
        reading::row(self.frame, number)
    }

    async fn submit_waiting(&self, job: &mut OmnisendJob) -> Result<(), PushError> {
        let terms = Terms::new(&self.frame.field_keys, &self.client.words);
        let contacts = self.client.words.batch_contacts;
        let mut most = if terms.has_consent() { contacts.min(LOOKED_UP_AT_A_TIME) } else { contacts };
        while !job.waiting.is_empty() {
            self.check_time()?;
            let mut numbers = job.first_waiting(most);
            numbers.truncate(self.fitting(&numbers));
            let is_too_large = match numbers.as_slice() {
                [number] => self.bytes(*number) + wire::BODY_FRAME_BYTES > MAX_BODY_BYTES,
                _ => false,
            };
            let submitted = if is_too_large { None } else { self.submit(&numbers, &terms).await? };
            match (submitted, numbers.as_slice()) {
                (Some(batch_id), numbers) => {
                    job.submissions.push(Submission { batch_id, rows: spans(numbers) });
                }
                (None, [number]) => {
                    job.failed.insert(*number, Failure::TooLarge);
                }
                // The limit is only recommended, so it may be lower: halves go until they fit.
                (None, numbers) => {
                    most = (numbers.len() / 2).max(1);
                    continue;
                }
            }
            job.take_waiting(numbers.len());
        }
        Ok(())
    }

    fn bytes(&self, number: u32) -> u64 {
        self.row(number).map_or(0, |row| wire::row_bytes(row, &self.frame.field_keys))
    }

    /// How many of the rows fit into one request: one at least.
    fn fitting(&self, numbers: &[u32]) -> usize {
        let mut bytes = wire::BODY_FRAME_BYTES;
        let fits = |number: &&u32| {
            bytes = bytes.saturating_add(self.bytes(**number));
            bytes <= MAX_BODY_BYTES
        };
        numbers.iter().take_while(fits).count().max(1)
    }

    /// Submits rows as one batch; `None` where they are too many bytes.
    async fn submit(&self, numbers: &[u32], terms: &Terms<'_>) -> Result<Option<String>, PushError> {
        let mut rows = Vec::with_capacity(numbers.len());
        for row in numbers.iter().filter_map(|number| self.row(*number)) {
            rows.push(Outgoing { row, tells_subscription: self.tells_subscription(row, terms).await? });
        }
        let body = wire::encode_batch(&rows, terms).map_err(|_| not_encodable(SUBMIT))?;
        let url = self.client.url(&["batches"]);
        let call = Call::write(SUBMIT, Method::POST, url, Bytes::from(body), WRITE_SCOPE);
        let answer = match self.client.call(&call, self.session).await {
            Ok(answer) => answer,
            Err(error) if error.kind == ErrorKind::TooLarge => return Ok(None),
            Err(error) => return Err(error),
        };
        let Accepted { batch_id } = answer.read()?;
        if is_id(&batch_id) { Ok(Some(batch_id)) } else { Err(answer.unreadable()) }
    }

    async fn tells_subscription(&self, row: &Row, terms: &Terms<'_>) -> Result<bool, PushError> {
        let Some(consent_date) = terms.consent_date(row) else { return Ok(false) };
        let contact = contacts::by_email(self.client, self.session, &row.match_key.0).await?;
        Ok(contacts::may_tell_subscription(contact.as_ref(), consent_date))
    }

    /// Reads what became of the submissions; says whether all of them have ended.
    ///
    /// The last one first: it was begun last, so while it is not done the others need not be asked.
    async fn read_submissions(&self, job: &mut OmnisendJob, ids: &mut Ids) -> Result<bool, PushError> {
        let minutes = i64::from(self.settings.gives_up_after_minutes);
        let is_late = Timestamp::now().as_second() - job.since_second >= minutes * 60;
        while let Some(submission) = job.submissions.last() {
            let url = self.client.url(&["batches", &submission.batch_id, "items"]);
            let call = Call { accepts: &[NOT_FOUND], ..Call::get(LOOK, url, contacts::READ_SCOPE) };
            let answer = self.client.call(&call, self.session).await?;
            let fates = match reading::read(&answer, submission, self.frame, ids)? {
                Some(fates) => fates,
                None if is_late => {
                    numbers(&submission.rows).map(|number| (number, Failure::TooLate)).collect()
                }
                None => return Ok(false),
            };
            for (number, failure) in fates {
                let failures = if classify::may_go_again(failure) { &mut job.again } else { &mut job.failed };
                failures.insert(number, failure);
            }
            job.submissions.pop();
        }
        Ok(true)
    }

    /// Gives everybody who was done the tag, from the first row that has not got it on.
    async fn tag(&self, job: &mut OmnisendJob, ids: &Ids) -> Result<(), PushError> {
        let tagger = Tagger { client: self.client, session: self.session, tag: self.tag };
        let rows = u32::try_from(self.frame.rows.len()).unwrap_or(u32::MAX);
        let done: Vec<u32> =
            (job.tagged_rows..rows).filter(|number| !job.failed.contains_key(number)).collect();
        let people: Vec<Person<'_>> = done
            .iter()
            .filter_map(|number| {
                let row = self.row(*number)?;
                let id = ids.get(number).map(String::as_str).or(row.destination_id.as_deref());
                Some(Person { id, email: &row.match_key.0 })
            })
            .collect();
        let mut place = 0;
        while let Some(rest) = people.get(place..).filter(|rest| !rest.is_empty()) {
            self.check_time()?;
            for tagged in tagger.change(Change::Add, rest).await? {
                let Some(number) = done.get(place).copied() else { break };
                match tagged {
                    Tagged::Done => {}
                    Tagged::NotThere => drop(job.failed.insert(number, Failure::NotTold)),
                    Tagged::Failed(failure) => drop(job.failed.insert(number, failure)),
                }
                job.tagged_rows = number + 1;
                place += 1;
            }
        }
        Ok(())
    }

    fn results(&self, job: &OmnisendJob, mut ids: Ids) -> Vec<RowResult> {
        let rows = (0_u32..).zip(&self.frame.rows);
        rows.map(|(number, _)| match job.failed.get(&number) {
            Some(failure) => classify::result(*failure),
            None => RowResult { destination_id: ids.remove(&number), ..RowResult::new(Outcome::Applied) },
        })
        .collect()
    }
}
