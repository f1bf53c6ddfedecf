//! How far a request is, and what it did where. Nothing here says who the person is.

use super::{ExclusionId, PersonRequest, PersonRequestId, PersonRequestKind};
use crate::run::StopCode;
use crate::{ExportId, ListId, RunId, SegmentId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestPhase {
    /// It is being worked on, or waits for another person's erasure.
    Running,
    /// It is done.
    Succeeded,
    /// It could not be done, and it says why. What it has done stays done.
    Failed,
}

/// Why a request could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RequestFailure {
    /// The stable code.
    #[schema(value_type = String)]
    pub code: StopCode,
    /// What is wrong, and how to correct it.
    pub text: String,
}

/// How much has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SearchProgress {
    /// Objects that have been read. Where a match key is given, they are read twice.
    pub objects_read: u64,
    /// Objects that are known to be there.
    pub objects: u64,
}

/// What kind of place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceKind {
    /// What an export has delivered to a list.
    DeliveredState,
    /// A custom upload, as it was read.
    Upload,
    /// The rows that a run could not apply.
    RejectedRows,
    /// An export whose run was under way: it may put the person on its lists before the erasure's own run.
    RunUnderWay,
}

/// What an erasure did in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceAction {
    /// A run of the export was asked for: it takes the person off the list and forgets them.
    RunAskedFor,
    /// The export cannot run, so the person is still on its list: somebody has to act.
    CannotRun,
    /// The record is gone. The person is still on the list, which nobody delivers to any more: somebody has to take them
    /// off there.
    ForgottenButOnList,
    /// The record is gone.
    Forgotten,
    /// It ends by itself, and nothing reads the person out of it any more.
    EndsByItself,
}

/// A place with something about the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// What kind of place.
    pub what: PlaceKind,
    /// Of which export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportId>,
    /// For which target list, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_list: Option<ListId>,
    /// Of which segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<SegmentId>,
    /// The object in the data bucket; absent where the place is no object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_key: Option<String>,
    /// Records about the person.
    pub records: u64,
    /// Since when they are kept there, at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_since: Option<Timestamp>,
    /// When the object ends by itself; absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// What an erasure did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<PlaceAction>,
    /// The run that was asked for; of rejected rows, the run whose rows they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Why somebody has to act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Place {
    /// A place about which nothing else is known yet.
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

    /// The run that an erasure has asked for because of the place.
    #[must_use]
    pub fn asked_run(&self) -> Option<RunId> {
        self.run_id.filter(|_| self.action == Some(PlaceAction::RunAskedFor))
    }
}

/// Objects that may hold the person, are not searched, and end by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndsByItself {
    /// What they are.
    pub what: String,
    /// Where they are in the data bucket.
    pub prefix: String,
    /// When the last of those that were there is gone. S3 may take a day or two longer.
    pub until: Timestamp,
}

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PersonRequestState {
    /// The request.
    pub request_id: PersonRequestId,
    /// What is asked for.
    pub kind: PersonRequestKind,
    /// How far it is.
    pub state: RequestPhase,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How much has been read.
    pub progress: SearchProgress,
    /// Members that the person is known as.
    pub members: u64,
    /// What stands for them among those who are kept out: an erasure's.
    pub kept_out: Vec<ExclusionId>,
    /// Where something about the person is, and what was done there.
    pub places: Vec<Place>,
    /// What was not searched, because it ends by itself.
    pub ends_by_itself: Vec<EndsByItself>,
    /// Why it could not be done.
    pub failure: Option<RequestFailure>,
}

impl PersonRequestState {
    /// The state of a request that nobody has begun with.
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

    /// Notes what was done in a place; what is known of the same object already, from a try before this one, is no less
    /// true.
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
