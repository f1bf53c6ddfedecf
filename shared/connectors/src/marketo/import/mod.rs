//! Additions and changes by files, which Marketo works off in its own time: submitted, remembered, looked after.
//!
//! <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import>: files of
//! less than 10 MB, straight into the list, two worked off at a time and ten waiting over an account, and one at a
//! time for a list. Importing a file again writes the same values to the same people, so a submission whose answer
//! was lost is made again.

mod file;
mod report;

use super::answers::ImportStatus;
use super::call::{Body, Call, Form};
use super::client::{Client, Session};
use super::settings::Settings;
use super::{CALL_TIMEOUT, MarketoTarget, PERSON_RIGHT, failure};
use crate::{ErrorKind, PushError, Pushed};
use bytes::Bytes;
use file::ImportFile;
use http::Method;
use jiff::Timestamp;
use relay_delivery::batch::{Frame, RowResult};
use relay_model::CredentialStore;
use relay_model::{FieldValue, Outcome, Row};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const SUBMIT: &str = "import a file of people";
const LOOK: &str = "look after an import";
const READ_REPORT: &str = "read what an import refused";
/// Looks are at most so many times as far apart as the first one: a minute where that is after five seconds.
const LONGEST_LOOK: u32 = 12;

/// An import that Marketo has accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketoJob {
    /// Marketo's id of it, good for seven days.
    pub batch_id: u64,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// How often it was looked at.
    #[serde(default)]
    pub looks: u32,
}

/// Brings rows to Marketo in files.
pub(super) struct Importer<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) target: &'a MarketoTarget,
    pub(super) settings: &'a Settings,
}

/// How long after so many looks the next one is.
pub(super) fn look_after(poll: Duration, looks: u32) -> Duration {
    poll.saturating_mul(2_u32.saturating_pow(looks).min(LONGEST_LOOK))
}

/// Whether a batch can be a file at all: what clears a field in one is not documented.
pub(super) fn is_possible(frame: &Frame) -> bool {
    !frame.rows.iter().flat_map(|row| &row.values).any(|(_, value)| *value == FieldValue::Clear)
}

impl<S: CredentialStore> Importer<'_, S> {
    /// Submits a batch as one file.
    pub(super) async fn submit(&self, frame: &Frame) -> Result<Pushed<MarketoJob>, PushError> {
        let file = ImportFile::of(frame, self.target)
            .map_err(|_| failure(SUBMIT, ErrorKind::InvalidRequest, "the rows cannot be written as CSV"))?;
        let answer = self.client.call(&submit_call(self.client, self.target, &file), self.session).await?;
        let Some(status) = answer.results::<ImportStatus>()?.result.into_iter().next() else {
            return Err(answer.unreadable());
        };
        tracing::info!(batch = status.batch_id, rows = frame.rows.len(), "import submitted");
        let job = MarketoJob { batch_id: status.batch_id, submitted_at: Timestamp::now(), looks: 0 };
        Ok(Pushed::Accepted { job, look_after: look_after(self.settings.poll, 0) })
    }

    /// Looks after an import, and reads its reports once it has ended.
    pub(super) async fn look(&self, job: MarketoJob, frame: &Frame) -> Result<Pushed<MarketoJob>, PushError> {
        let url = self.client.url(&["bulk", "v1", "leads", "batch", &format!("{}.json", job.batch_id)]);
        let answer = self.client.call(&Call::get(LOOK, url, PERSON_RIGHT), self.session).await?;
        let Some(status) = answer.results::<ImportStatus>()?.result.into_iter().next() else {
            return Err(answer.unreadable());
        };
        match status.status.to_ascii_lowercase().as_str() {
            "complete" | "completed" => {
                let results = self.results(&status, frame).await?;
                Ok(Pushed::Done(with_known_ids(results, frame)))
            }
            "failed" => {
                let message = format!(
                    "the import (batch {}) failed as a whole; its rows go again with the next run",
                    job.batch_id
                );
                Err(failure(LOOK, ErrorKind::Unavailable, message))
            }
            // Queued, importing, and whatever else is not an end.
            _ => {
                let elapsed = Timestamp::now().duration_since(job.submitted_at).unsigned_abs();
                if elapsed > self.settings.import_gives_up_after {
                    let message = format!(
                        "the import (batch {}) has not ended within {} minutes \
                         (settings.import_gives_up_after_minutes); its rows go again with the next run",
                        job.batch_id,
                        self.settings.import_gives_up_after.as_secs() / 60
                    );
                    return Err(failure(LOOK, ErrorKind::Timeout, message));
                }
                let looks = job.looks.saturating_add(1);
                let look_after = look_after(self.settings.poll, looks);
                Ok(Pushed::Accepted { job: MarketoJob { looks, ..job }, look_after })
            }
        }
    }

    async fn results(&self, status: &ImportStatus, frame: &Frame) -> Result<Vec<RowResult>, PushError> {
        let file = ImportFile::of(frame, self.target)
            .map_err(|_| failure(LOOK, ErrorKind::InvalidRequest, "the rows cannot be written as CSV"))?;
        if status.num_of_rows_with_warning > 0 {
            self.tell_warnings(status, &file).await?;
        }
        if status.num_of_rows_failed == 0 && report::adds_up(status, frame.rows.len()) {
            return Ok(vec![RowResult::new(Outcome::Applied); frame.rows.len()]);
        }
        let failures = if status.num_of_rows_failed == 0 {
            Bytes::new()
        } else {
            self.report(status.batch_id, "failures.json").await?
        };
        Ok(report::results(status, &file, &failures))
    }

    /// Rows with a warning are applied; what was bent is told by its count.
    async fn tell_warnings(&self, status: &ImportStatus, file: &ImportFile) -> Result<(), PushError> {
        let warnings = self.report(status.batch_id, "warnings.json").await?;
        let told = report::count(file, &warnings);
        tracing::warn!(
            batch = status.batch_id,
            warnings = status.num_of_rows_with_warning,
            told,
            "rows were imported with a warning"
        );
        Ok(())
    }

    async fn report(&self, batch_id: u64, name: &str) -> Result<Bytes, PushError> {
        let url = self.client.url(&["bulk", "v1", "leads", "batch", &batch_id.to_string(), name]);
        let call =
            Call { form: Form::File, timeout: CALL_TIMEOUT, ..Call::get(READ_REPORT, url, PERSON_RIGHT) };
        Ok(self.client.call(&call, self.session).await?.body)
    }
}

/// An import does not tell lead ids; whoever had one keeps it.
fn with_known_ids(results: Vec<RowResult>, frame: &Frame) -> Vec<RowResult> {
    let with_id = |(result, row): (RowResult, &Row)| match result.outcome {
        Outcome::Applied => RowResult { destination_id: row.destination_id.clone(), ..result },
        _ => result,
    };
    results.into_iter().zip(&frame.rows).map(with_id).collect()
}

/// The call that submits a file.
fn submit_call<S: CredentialStore>(client: &Client<S>, target: &MarketoTarget, file: &ImportFile) -> Call {
    let mut url = client.url(&["bulk", "v1", "leads.json"]);
    url.query_pairs_mut()
        .append_pair("format", "csv")
        .append_pair("listId", &target.list_id.0)
        .append_pair("lookupField", &target.lookup_field);
    if let Some(partition) = &target.partition {
        url.query_pairs_mut().append_pair("partitionName", partition);
    }
    let boundary = file.boundary();
    let body = Bytes::from(file.multipart(&boundary));
    Call {
        method: Method::POST,
        body: Body::Multipart { boundary, body },
        timeout: CALL_TIMEOUT,
        // What may have been accepted is not submitted again at once: the list would be busy with it.
        is_repeatable: false,
        ..Call::get(SUBMIT, url, PERSON_RIGHT)
    }
}

/// How large a batch's file is.
#[cfg(test)]
pub(super) fn csv_bytes(frame: &Frame, target: &MarketoTarget) -> usize {
    ImportFile::of(frame, target).unwrap().bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_apart_up_to_a_minute() {
        let check = |looks: u32, seconds: u64| {
            assert_eq!(look_after(Duration::from_secs(5), looks), Duration::from_secs(seconds), "{looks}");
        };
        check(0, 5);
        check(1, 10);
        check(3, 40);
        check(4, 60);
        check(u32::MAX, 60);
    }
}
