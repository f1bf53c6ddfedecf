//! What segments read, as the query engine finds it: kept from before, or asked now.

use crate::Api;
use relay_model::SegmentId;
use relay_model::catalog::{Export, Segment, Source};
use relay_model::governance::{ColumnsRead, KnownReading};
use relay_pipeline::{AskError, EngineClient, StageError};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long the query engine is waited for. API Gateway gives up after 30 seconds.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const PATIENCE: Duration = Duration::from_secs(15);
/// So many segments are looked at for one change.
const MAX_QUESTIONS: usize = 100;

/// A segment, and the attributes that an export wants of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    segment: SegmentId,
    attributes: Vec<String>,
}

impl Question {
    pub(super) fn of(segment: &Segment, export: &Export) -> Self {
        let mut attributes = export.attributes();
        // The order is nothing to what is read.
        attributes.sort();
        Self { segment: segment.id.clone(), attributes }
    }
}

/// What a segment reads, or why nobody can say.
pub(super) type Answer = Result<ColumnsRead, String>;

impl Api {
    /// The answers to the questions; without one where there are too many of them.
    pub(super) async fn readings(
        &self,
        sources: &BTreeMap<String, Source>,
        questions: &BTreeMap<Question, &Segment>,
    ) -> BTreeMap<Question, Answer> {
        let deadline = Instant::now() + PATIENCE;
        let mut asking = JoinSet::new();
        for (question, segment) in questions.iter().take(MAX_QUESTIONS) {
            let key = KnownReading::object_key(segment, &question.attributes, sources);
            let (engine, question, segment) = (self.engine.clone(), question.clone(), (*segment).clone());
            asking.spawn(async move {
                let answer = answer(&engine, &key, segment, question.attributes.clone(), deadline).await;
                (question, answer)
            });
        }
        let mut answers = BTreeMap::new();
        while let Some(answered) = asking.join_next().await {
            // A task that broke off leaves its question without an answer.
            answers.extend(answered.ok());
        }
        answers
    }
}

async fn answer(
    engine: &EngineClient,
    key: &str,
    segment: Segment,
    attributes: Vec<String>,
    deadline: Instant,
) -> Answer {
    let columns = async {
        match known(engine, key).await? {
            Some(columns) => Ok(columns),
            None => engine.lineage(segment, attributes, deadline).await,
        }
    };
    columns.await.map_err(|error: AskError| {
        if let AskError::Unavailable(error) = &error {
            tracing::warn!(%error, "column lineage is not available");
        }
        error.to_string()
    })
}

/// What was found before, by a run or for somebody else.
async fn known(engine: &EngineClient, key: &str) -> Result<Option<ColumnsRead>, StageError> {
    let Some(bytes) = engine.objects.find(key).await? else { return Ok(None) };
    // What another version wrote is found out anew.
    Ok(serde_json::from_slice::<KnownReading>(&bytes).ok().map(|known| known.columns_read))
}
