//! Progress and results of a request. It contains nothing that identifies the person.

use super::{ExclusionId, PersonRequest, PersonRequestId, PersonRequestKind};
use crate::run::StopCode;
use crate::{ExportId, ListId, RunId, SegmentId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The phase of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestPhase {
    /// It is in progress, or waits for another erasure.
    Running,
    /// It has succeeded.
    Succeeded,
    /// It has failed, with a reason. Completed parts are not undone.
    Failed,
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestFailure {
    /// The stable code.
    #[schema(value_type = String)]
    pub code: StopCode,
    /// What is wrong, and how to fix it.
    pub text: String,
}

/// The progress of the search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchProgress {
    /// The number of objects read. For a match key, objects are read twice.
    pub objects_read: u64,
    /// The number of objects to read.
    pub objects: u64,
}

/// The kind of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// The state that an export has delivered to a list.
    DeliveredState,
    /// A custom upload, as parsed.
    Upload,
    /// The rows that a run could not apply.
    RejectedRows,
    /// An export with a run in progress, which may add the person to its lists before the erasure's own
    /// run.
    RunUnderWay,
}

/// What an erasure did in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceAction {
    /// A run of the export was requested; it removes the person from the list and from the delivered state.
    RunAskedFor,
    /// The export cannot run, so the person is still on its list: an operator has to act.
    CannotRun,
    /// The record is erased. The person is still on the list, which no export delivers to any more: an
    /// operator has to remove them there.
    ForgottenButOnList,
    /// The record is erased.
    Forgotten,
    /// The object expires, and no process reads the person from it any more.
    EndsByItself,
}

/// A place with data about the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// The kind of place.
    pub what: PlaceKind,
    /// The export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportId>,
    /// The target list, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_list: Option<ListId>,
    /// The segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentId>,
    /// The object in the data bucket, if the place is an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_key: Option<String>,
    /// The number of records about the person.
    pub records: u64,
    /// The latest time at which they were stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_since: Option<Timestamp>,
    /// When the object expires, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// What an erasure did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<PlaceAction>,
    /// The run that was requested; for rejected rows, the run that they belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Why an operator has to act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Place {
    /// Creates a place with only its kind.
    #[must_use]
    pub const fn new(what: PlaceKind) -> Self {
        Self {
            what,
            export: None,
            target_list: None,
            segment: None,
            object_key: None,
            records: 0,
            kept_since: None,
            ends_at: None,
            action: None,
            run_id: None,
            reason: None,
        }
    }

    /// Returns the run that an erasure has requested because of the place.
    #[must_use]
    pub fn asked_run(&self) -> Option<RunId> {
        self.run_id.filter(|_| self.action == Some(PlaceAction::RunAskedFor))
    }
}

/// Objects that may contain the person, are not searched, and expire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndsByItself {
    /// The kind of objects.
    pub what: String,
    /// Their prefix in the data bucket.
    pub prefix: String,
    /// When the last of the existing ones expires. S3 may take a day or two longer.
    pub until: Timestamp,
}

/// The state of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonRequestState {
    /// The request.
    pub request_id: PersonRequestId,
    /// The kind of request.
    pub kind: PersonRequestKind,
    /// The phase.
    pub state: RequestPhase,
    /// The caller.
    pub requested_by: String,
    /// The time of the request.
    pub requested_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The progress of the search.
    pub progress: SearchProgress,
    /// The number of members that the person is known as.
    pub members: u64,
    /// The exclusions that an erasure has created.
    pub kept_out: Vec<ExclusionId>,
    /// The places with data about the person, and what was done there.
    pub places: Vec<Place>,
    /// The objects that were not searched, because they expire.
    pub ends_by_itself: Vec<EndsByItself>,
    /// Why it failed.
    pub failure: Option<RequestFailure>,
}

impl PersonRequestState {
    /// Creates the initial state of a request.
    #[must_use]
    pub fn new(request_id: PersonRequestId, request: &PersonRequest) -> Self {
        Self {
            request_id,
            kind: request.kind,
            state: RequestPhase::Running,
            requested_by: request.by.clone(),
            requested_at: request.at,
            ended_at: None,
            progress: SearchProgress::default(),
            members: 0,
            kept_out: Vec::new(),
            places: Vec::new(),
            ends_by_itself: Vec::new(),
            failure: None,
        }
    }

    /// Records what was done in a place, and keeps what an earlier attempt recorded for the same object.
    pub fn note(&mut self, place: Place) {
        let is_known = self.places.iter().any(|known| {
            known.action == place.action
                && (known.what, &known.object_key, &known.export)
                    == (place.what, &place.object_key, &place.export)
        });
        if !is_known {
            self.places.push(place);
        }
    }
}
