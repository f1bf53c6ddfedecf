//! What segments read, as the query engine finds it: kept from before, or asked now.

use crate::Api;
use relay_cloud::timestamp_now;
use relay_model::SegmentId;
use relay_model::catalog::{Export, Segment, Source};
use relay_model::engine::{PreviewOf, PreviewResult};
use relay_model::governance::{ColumnsRead, KnownReading};
use relay_pipeline::{Previews, StageError};
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
            let (previews, question, segment) = (self.previews.clone(), question.clone(), (*segment).clone());
            asking.spawn(async move {
                let answer = answer(&previews, &key, segment, question.attributes.clone(), deadline).await;
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
    previews: &Previews,
    key: &str,
    segment: Segment,
    attributes: Vec<String>,
    deadline: Instant,
) -> Answer {
    let found = async {
        if let Some(read) = known(previews, key).await? {
            return Ok(Some(Ok(read)));
        }
        let of = PreviewOf::Reading { segment, attributes };
        let preview_id = previews.request(&of, timestamp_now()).await?;
        Ok(previews.wait(preview_id, deadline).await?.map(told))
    };
    match found.await {
        Ok(Some(answer)) => answer,
        Ok(None) => Err("the query engine took too long to answer".to_owned()),
        Err::<_, StageError>(error) => {
            tracing::warn!(%error, "what a segment reads cannot be found out now");
            Err("the query engine cannot be asked now".to_owned())
        }
    }
}

/// What was found before, by a run or for somebody else.
async fn known(previews: &Previews, key: &str) -> Result<Option<ColumnsRead>, StageError> {
    let Some(bytes) = previews.objects.find(key).await? else { return Ok(None) };
    // What another version wrote is found out anew.
    Ok(serde_json::from_slice::<KnownReading>(&bytes).ok().map(|known| known.columns_read))
}

fn told(result: PreviewResult) -> Answer {
    match result {
        PreviewResult { error: Some(error), .. } => Err(error.text),
        PreviewResult { columns_read: Some(read), .. } => Ok(read),
        _ => Err("the query engine did not say".to_owned()),
    }
}
