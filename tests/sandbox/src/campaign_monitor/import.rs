//! The call that imports up to a thousand subscribers.
//!
//! <https://www.campaignmonitor.com/api/v3-3/subscribers/#importing-many-subscribers>

use super::answer::Answer;
use super::email;
use super::errors::{self, ApiError};
use super::options::{ConsentErrors, DuplicateRows, Options};
use super::report::ImportReport;
use super::subscriber::Origin;
use super::upsert::{self, Applied, SentSubscriber, Terms};
use super::world::Target;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

const MOST_ROWS: usize = 1000;

/// The request's body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ImportRequest {
    subscribers: Option<Vec<SentSubscriber>>,
    #[serde(default)]
    resubscribe: bool,
    // The documents spell it with a capital R, two of the vendor's own clients without.
    #[serde(
        default,
        alias = "QueueSubscriptionBasedAutoresponders",
        rename = "QueueSubscriptionBasedAutoResponders"
    )]
    _queue: bool,
    #[serde(default, rename = "RestartSubscriptionBasedAutoresponders")]
    _restart: bool,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ImportResult {
    failure_details: Vec<Failure>,
    total_unique_emails_submitted: usize,
    total_existing_subscribers: usize,
    total_new_subscribers: usize,
    duplicate_emails_in_submission: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    email_address: String,
    code: u16,
    message: &'static str,
}

/// Rows to apply, each with its address in the form for comparing.
pub(super) struct Import {
    rows: Vec<(String, SentSubscriber)>,
    resubscribe: bool,
    submitted: usize,
    duplicates: Vec<String>,
}

/// Reads and checks all that needs no look at the list.
pub(super) fn read(body: &[u8], options: &Options) -> Result<Import, ApiError> {
    let request: ImportRequest = serde_json::from_slice(body).map_err(|_| errors::MALFORMED)?;
    let sent = request.subscribers.unwrap_or_default();
    if sent.is_empty() {
        return Err(errors::NO_ROWS);
    }
    if sent.len() > MOST_ROWS {
        return Err(errors::TOO_MANY_ROWS);
    }
    if options.consent_errors == ConsentErrors::WholeCall {
        sent.iter().try_for_each(|row| upsert::consent_to_track(row).map(drop))?;
    }
    let submitted = sent.len();
    let mut rows: Vec<(String, SentSubscriber)> = Vec::with_capacity(submitted);
    let mut duplicates: Vec<String> = Vec::new();
    let mut positions: HashMap<String, (usize, bool)> = HashMap::with_capacity(submitted);
    for row in sent {
        let key = email::key(row.address());
        let Some((position, reported)) = positions.get_mut(&key) else {
            positions.insert(key.clone(), (rows.len(), false));
            rows.push((key, row));
            continue;
        };
        if !*reported {
            duplicates.push(row.address().to_owned());
            *reported = true;
        }
        if options.duplicate_rows == DuplicateRows::LastCounts
            && let Some(kept) = rows.get_mut(*position)
        {
            kept.1 = row;
        }
    }
    Ok(Import { rows, resubscribe: request.resubscribe, submitted, duplicates })
}

/// Imports the rows and says what became of them.
pub(super) fn apply(target: &mut Target<'_>, list_id: &str, import: Import, now: i64) -> Answer {
    let Import { rows, resubscribe, submitted, duplicates } = import;
    let terms = Terms { resubscribe, origin: Origin::Import, now };
    let mut result = ImportResult {
        total_unique_emails_submitted: rows.len(),
        duplicate_emails_in_submission: duplicates,
        ..ImportResult::default()
    };
    for (key, row) in rows {
        if resubscribe {
            upsert::note_resubscribe(target, list_id, &key, row.address());
        }
        let address = row.address().to_owned();
        match upsert::upsert(target, key, row, terms) {
            Ok(Applied::New) => result.total_new_subscribers += 1,
            Ok(Applied::Existing) => result.total_existing_subscribers += 1,
            Err(ApiError { code, message, .. }) => {
                result.failure_details.push(Failure { email_address: address, code, message });
            }
        }
    }
    count(&mut target.report.import, &result, submitted, resubscribe);
    if result.failure_details.is_empty() {
        Answer::json(201, &result)
    } else {
        Answer::error_with(errors::IMPORT_HAD_FAILURES, result)
    }
}

fn count(report: &mut ImportReport, result: &ImportResult, submitted: usize, resubscribe: bool) {
    report.calls += 1;
    report.most_rows = report.most_rows.max(submitted);
    report.rows += submitted;
    report.new += result.total_new_subscribers;
    report.existing += result.total_existing_subscribers;
    report.duplicates += submitted.saturating_sub(result.total_unique_emails_submitted);
    report.resubscribing_calls += usize::from(resubscribe);
    for failure in &result.failure_details {
        *report.failures.entry(failure.code).or_default() += 1;
    }
}
