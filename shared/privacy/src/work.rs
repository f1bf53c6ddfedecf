//! Processes one request from its beginning to its end.

use super::{find_state, put_state};
use jiff::{SignedDuration, Timestamp};
use relay_cloud::Objects;
use relay_model::privacy::{
    EndsByItself, Found, FoundPlace, PersonRequest, PersonRequestId, PersonRequestKind, PersonRequestState,
    RequestFailure, RequestPhase, Wanted,
};
use relay_model::run::StopCode;
use relay_pipeline::{RunRequests, StageError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// The pauses before work is retried after a transient error.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];
/// The part of an invocation's time that is reserved for recording a timeout.
const LAST_WORDS: Duration = Duration::from_secs(20);
/// How often the progress of a request is stored.
const NEWS_EVERY: Duration = Duration::from_secs(2);
/// For how many days dry runs and previews are kept, as in the deployment template.
const DRY_RUN_DAYS: u16 = 7;
const PREVIEW_DAYS: u16 = 1;

/// Processes requests about single people.
#[derive(Clone, Debug)]
pub struct People {
    /// Starts runs; also holds the catalog and the ledger.
    pub requests: RunRequests,
    /// The data bucket.
    pub objects: Objects,
    /// How long data is kept.
    pub retention: Retention,
}

/// How long data is kept, in days.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Snapshots, deltas and results of runs, and uploaded files.
    pub run_data_days: u16,
    /// Reports and their lists of rejected rows.
    pub report_days: u16,
}

/// A request in progress.
pub(super) struct Work<'a> {
    pub(super) people: &'a People,
    pub(super) request: &'a PersonRequest,
    pub(super) wanted: Wanted,
    pub(super) state: PersonRequestState,
    told: Instant,
}

impl People {
    /// Processes a request. After a crash, a repeated call starts over, and keeps the recorded actions.
    ///
    /// Returns an error only if the outcome could not be stored with the request.
    pub async fn run(&self, request_id: PersonRequestId, deadline: Instant) -> Result<(), StageError> {
        let Some(bytes) = self.objects.find(&request_id.request_key()).await? else { return Ok(()) };
        // The contents of a request are confidential, so no error repeats them.
        let request: PersonRequest = serde_json::from_slice(&bytes)
            .map_err(|_| StageError::stop(StopCode::RequestDamaged, "a stored request cannot be read"))?;
        let state = find_state(&self.objects, request_id).await?;
        let state = state.unwrap_or_else(|| PersonRequestState::new(request_id, &request));
        let wanted = Wanted::new(&request.person);
        let mut work = Work { people: self, request: &request, wanted, state, told: Instant::now() };
        let ended = match timeout_at(deadline - LAST_WORDS, Box::pin(work.persevere())).await {
            Ok(ended) => ended,
            Err(_) => Err(StageError::stop(
                StopCode::TookTooLong,
                "there is more to be read than one invocation has time for; an erasure keeps the person out already",
            )),
        };
        let mut state = work.state;
        state.ended_at = Some(Timestamp::now());
        state.state = match ended {
            Ok(()) => RequestPhase::Succeeded,
            Err(error) => {
                tracing::error!(request.id = %request_id, error.code = error.code().as_str(), %error, "request failed");
                let failure = RequestFailure { code: error.code(), text: error.to_string() };
                state.failure = Some(failure);
                RequestPhase::Failed
            }
        };
        put_state(&self.objects, &state).await?;
        // This object was the last one with the identity of the person.
        self.objects.delete(&request_id.request_key()).await?;
        tracing::info!(request.id = %request_id, kind = state.kind.name(), state = ?state.state,
            objects = state.progress.objects_read, places = state.places.len(), "request is over");
        Ok(())
    }

    /// Returns the data that is not searched: it expires by itself, and a search would have to read much of
    /// it.
    fn ends_by_itself(&self, now: Timestamp) -> Vec<EndsByItself> {
        let ends = |prefix: &str, what: &str, days| EndsByItself {
            what: what.to_owned(),
            prefix: prefix.to_owned(),
            until: after(now, days),
        };
        let run_data = self.retention.run_data_days;
        vec![
            ends("snapshots/", "members of earlier runs", run_data),
            ends("deltas/", "rows of earlier runs", run_data),
            ends("results/", "what became of the rows of earlier runs", run_data),
            ends("uploads/", "files as they were put", run_data),
            ends("dry-runs/", "masked samples of dry runs", DRY_RUN_DAYS),
            ends("previews/", "first rows of segments, and downloaded members", PREVIEW_DAYS),
        ]
    }
}

/// Returns the time `days` days later.
pub(super) fn after(at: Timestamp, days: u16) -> Timestamp {
    at.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MAX)
}

impl Work<'_> {
    async fn persevere(&mut self) -> Result<(), StageError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let Err(error) = Box::pin(self.all()).await else { return Ok(()) };
            let (StageError::Again { .. }, Some(pause)) = (&error, pauses.next()) else { return Err(error) };
            tracing::warn!(request.id = %self.state.request_id, error.code = error.code().as_str(), %error, "request is tried again");
            sleep(pause).await;
        }
    }

    async fn all(&mut self) -> Result<(), StageError> {
        self.state.progress = relay_model::privacy::SearchProgress::default();
        self.state.ends_by_itself = self.people.ends_by_itself(Timestamp::now());
        self.wanted = Wanted::new(&self.request.person);
        if self.wanted.is_by_match_key() {
            let members = self.search().await?.into_iter().flat_map(|(_, members)| members);
            self.wanted.members = members.filter(|member| !member.0.is_empty()).collect();
        }
        self.state.members = u64::try_from(self.wanted.members.len()).unwrap_or(u64::MAX);
        match self.request.kind {
            PersonRequestKind::Export => self.export().await,
            PersonRequestKind::Erasure => self.erase().await,
        }
    }

    async fn export(&mut self) -> Result<(), StageError> {
        let places: Vec<FoundPlace> = self.search().await?.into_iter().map(|(found, _)| found).collect();
        self.state.places = places.iter().map(|found| found.place.clone()).collect();
        let found = Found {
            request_id: self.state.request_id,
            made_at: Timestamp::now(),
            members: self.wanted.members.clone(),
            places,
            ends_by_itself: self.state.ends_by_itself.clone(),
        };
        let bytes = serde_json::to_vec_pretty(&found)
            .map_err(|_| StageError::stop(StopCode::FoundUnwritable, "what was found cannot be written"))?;
        Ok(self.people.objects.put(&self.state.request_id.found_key(), bytes).await?)
    }

    /// Counts an object that was read, and stores the progress from time to time.
    pub(super) async fn has_read(&mut self) -> Result<(), StageError> {
        self.state.progress.objects_read += 1;
        if self.told.elapsed() >= NEWS_EVERY {
            self.told = Instant::now();
            put_state(&self.people.objects, &self.state).await?;
        }
        Ok(())
    }

    /// Records what was done in a place, so that the record survives a crash.
    pub(super) async fn note(&mut self, place: relay_model::privacy::Place) -> Result<(), StageError> {
        self.state.note(place);
        put_state(&self.people.objects, &self.state).await
    }
}
