//! Segments that keep their members: refreshes are asked for through the queue that runs begin in, by whoever saves such a
//! segment, by its schedule, by a refresh of the profiles, and by people.

use super::previews::{handle_small, part};
use super::{RunRequests, StageError};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use relay_cloud::{LookupError, OutgoingMessage};
use relay_model::SegmentId;
use relay_model::catalog::{DeploymentSettings, Origin, Segment, Selection, SettingsId};
use relay_model::run::MessageError;
use serde::{Deserialize, Serialize};

/// Asks for something to be done with the members that a segment keeps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembersMessage {
    members: MembersTask,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembersTask {
    /// The form of the message.
    pub version: u8,
    /// The segment.
    pub segment_id: SegmentId,
    /// What is to become of its members.
    pub action: MembersAction,
    /// What asks for it: the same for a doubled message.
    pub key: String,
}

/// What is to become of the members that a segment keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MembersAction {
    /// They are evaluated anew.
    Refresh,
    /// They are deleted, unless the segment is to keep members and is used.
    LetGo,
    /// They are written anew without whoever is kept out.
    LeaveOut,
}

impl MembersMessage {
    /// Asks for a segment's members.
    #[must_use]
    pub const fn new(segment_id: SegmentId, action: MembersAction, key: String) -> Self {
        Self { members: MembersTask { version: 1, segment_id, action, key } }
    }

    /// Reads a message.
    pub fn parse(body: &str) -> Result<Self, MessageError> {
        relay_model::run::parse_message(body)
    }

    /// What is to be done.
    #[must_use]
    pub fn into_task(self) -> MembersTask {
        self.members
    }
}

impl RunRequests {
    /// Asks for the segment's members to be evaluated anew, once for each `key`.
    pub async fn refresh_segment(
        &self,
        segment: &SegmentId,
        key: &str,
        now: Timestamp,
    ) -> Result<(), StageError> {
        self.send_members(segment, MembersAction::Refresh, key).await?;
        // It comes second: a message that nobody has noted is sent again, and one that was noted only is lost.
        Ok(self.ledger.note_refresh_asked(segment, key, now).await?)
    }

    /// Asks for what the segment keeps to be deleted, unless it is to keep something and is used.
    pub async fn let_go_of_members(&self, segment: &SegmentId, key: &str) -> Result<(), StageError> {
        self.send_members(segment, MembersAction::LetGo, key).await
    }

    /// Asks for the kept members to be written anew without whoever is kept out, once for each `key`.
    pub async fn leave_out_of_members(&self, segment: &SegmentId, key: &str) -> Result<(), StageError> {
        self.send_members(segment, MembersAction::LeaveOut, key).await
    }

    /// Whatever follows for the members that the segment keeps, now that this is its definition.
    pub async fn follow_segment(
        &self,
        segment: &Segment,
        version: u64,
        now: Timestamp,
    ) -> Result<(), StageError> {
        let members = self.ledger.members(&segment.id).await?;
        // Versions begin anew with a segment that is removed and made again.
        let key = format!("saved/{version}/{now}");
        match members_definition(segment) {
            Some(wanted) if members.kept.as_ref().is_some_and(|kept| kept.definition == wanted) => Ok(()),
            Some(_) => self.refresh_segment(&segment.id, &key, now).await,
            // Nothing was ever kept, nor asked for.
            None if members.kept.is_none() && members.asked_key.is_none() => Ok(()),
            None => self.let_go_of_members(&segment.id, &key).await,
        }
    }

    /// What holds for the deployment, and since when; the defaults where nobody has said anything, and where what was said
    /// cannot be read: exports have to run all the same.
    pub async fn settings(&self) -> Result<(DeploymentSettings, Option<Timestamp>), StageError> {
        match self.catalog.find::<DeploymentSettings>(SettingsId::Deployment.as_str()).await {
            Ok(found) => Ok(found.map(|saved| (saved.document, Some(saved.saved_at))).unwrap_or_default()),
            Err(LookupError::Catalog(error)) => {
                tracing::error!(%error, "the deployment's settings cannot be read, and the defaults hold");
                Ok(Default::default())
            }
            Err(LookupError::Cloud(error)) => Err(error.into()),
        }
    }

    async fn send_members(
        &self,
        segment: &SegmentId,
        action: MembersAction,
        key: &str,
    ) -> Result<(), StageError> {
        let body = serde_json::to_string(&MembersMessage::new(segment.clone(), action, key.to_owned()))
            .map_err(|error| StageError::stop("message_unwritable", error.to_string()))?;
        // A key may be longer than a deduplication id, and have characters that it cannot have.
        let deduplication_id = blake3::hash(body.as_bytes()).to_hex().to_string();
        let group = format!("members/{segment}");
        self.snapshot_queue.send(&[OutgoingMessage { group, deduplication_id, body }]).await?;
        Ok(())
    }
}

/// What a segment's kept members are evaluated from, as a hash; `None` for a segment that keeps none.
#[must_use]
pub fn members_definition(segment: &Segment) -> Option<String> {
    segment.schedule.as_ref()?;
    let Ok(Origin::Selection(Selection { query, member_key })) = segment.origin() else { return None };
    let mut hasher = blake3::Hasher::new();
    // The length keeps one text's end from being the other's beginning.
    hasher.update(&u64::try_from(query.len()).unwrap_or(u64::MAX).to_be_bytes());
    hasher.update(query.as_bytes()).update(member_key.as_bytes());
    Some(hasher.finalize().to_hex().to_string())
}

/// Parts a delivery of the queue: messages about kept members, and the others.
#[must_use]
pub fn part_members(event: SqsEvent) -> (SqsEvent, SqsEvent) {
    part(event, |body| MembersMessage::parse(body).is_ok())
}

/// Handles messages about kept members.
pub async fn handle_members<F, R>(event: SqsEvent, work: F) -> SqsBatchResponse
where
    F: Fn(MembersTask) -> R,
    R: Future<Output = Result<(), StageError>>,
{
    let parse = |body: &str| MembersMessage::parse(body).map(MembersMessage::into_task);
    handle_small(event, parse, |task: &MembersTask| work(task.clone())).await
}
