//! Answers requests to the query engine.

use crate::context::Context;
use crate::download::download;
use crate::errors::RequestError;
use crate::governance::lineage;
use crate::preview::{describe_segment, interactive_settings, preview};
use jiff::Timestamp;
use relay_cloud::{Failure, Verdict};
use relay_engine::{Description, SnapshotFigures, SourceFigures};
use relay_model::catalog::Segment;
use relay_model::engine::{
    EngineAnswer, EngineError, EngineRequest, EngineRequestId, EngineResponse, MemberCounts, PreviewSubject,
    SegmentColumn, SourceSize,
};
use relay_model::run::StopCode;
use relay_pipeline::StageError;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// Pauses between the attempts to answer a request. They are short because a user waits for the answer.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// A later attempt starts within this time only. An attempt takes a minute at most, so that the last one ends within the
/// engine function's timeout of 120 s.
const RETRY_WINDOW: Duration = Duration::from_secs(30);

/// Answers a request, and retries transient errors. The message is delivered again if no attempt succeeds.
pub(crate) async fn handle_request(context: &Context, request_id: EngineRequestId) -> Verdict {
    let began = Instant::now();
    let mut pauses = PAUSES.into_iter();
    while let Err(error) = Box::pin(answer_request(context, request_id)).await {
        tracing::warn!(request.id = %request_id, error.code = error.code().as_str(), %error, "request failed");
        let is_transient = !matches!(error, StageError::Stop { .. });
        match pauses.next() {
            Some(pause) if is_transient && began.elapsed() + pause < RETRY_WINDOW => {
                tokio::time::sleep(pause).await;
            }
            _ => return Err(Failure::default()),
        }
    }
    Ok(())
}

/// Answers a request, unless it has an answer already.
async fn answer_request(context: &Context, request_id: EngineRequestId) -> Result<(), StageError> {
    if context.objects.find(&request_id.answer_key()).await?.is_some() {
        return Ok(());
    }
    let began = Instant::now();
    let bytes = context.objects.get(&request_id.request_key()).await?;
    let request: EngineRequest = serde_json::from_slice(&bytes)
        .map_err(|error| StageError::stop(StopCode::RequestDamaged, error.to_string()))?;
    let result = match Box::pin(response(context, request_id, &request)).await {
        Ok(response) => Ok(response),
        Err(RequestError::User(error)) => Err(error),
        // The API waits only seconds while a definition is saved, so the error is the answer.
        Err(RequestError::Internal(StageError::Again { code, text }))
            if matches!(request, EngineRequest::Description(_) | EngineRequest::Lineage { .. }) =>
        {
            Err(EngineError { code: code.to_string(), text, field: None })
        }
        Err(RequestError::Internal(error)) => return Err(error),
    };
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let error_code = result.as_ref().err().map(|error| error.code.clone());
    let segment = request.segment_id().clone();
    let answer = EngineAnswer { request_id, segment, result, answered_at: Timestamp::now(), duration_ms };
    let bytes = serde_json::to_vec(&answer)
        .map_err(|error| StageError::stop(StopCode::AnswerUnwritable, error.to_string()))?;
    context.objects.put(&request_id.answer_key(), bytes).await?;
    tracing::info!(request.id = %request_id, segment.id = %answer.segment, error.code = error_code, duration_ms,
        "request answered");
    Ok(())
}

async fn response(
    context: &Context,
    request_id: EngineRequestId,
    request: &EngineRequest,
) -> Result<EngineResponse, RequestError> {
    let sources = context.sources().await?;
    match request {
        EngineRequest::Preview(PreviewSubject::Saved(id)) => {
            let segment: Segment = context.catalog.get(id.as_str()).await?;
            Box::pin(preview(context, &segment, &sources)).await.map(EngineResponse::Preview)
        }
        EngineRequest::Preview(PreviewSubject::Draft(segment)) => {
            Box::pin(preview(context, segment, &sources)).await.map(EngineResponse::Preview)
        }
        EngineRequest::Description(segment) => {
            describe_segment(context, segment, &sources).await.map(EngineResponse::Description)
        }
        EngineRequest::Lineage { segment, attributes } => {
            let engine = context.engine(interactive_settings(), &sources).await?;
            let columns = lineage(context, &engine, segment, attributes, &sources).await?;
            Ok(EngineResponse::Lineage(columns))
        }
        EngineRequest::Download(id) => {
            let segment: Segment = context.catalog.get(id.as_str()).await?;
            download(context, request_id, &segment, &sources).await.map(EngineResponse::Download)
        }
    }
}

/// Returns the columns that can be mapped and may be shown.
pub(crate) fn segment_columns(description: Description, withheld: &BTreeSet<String>) -> Vec<SegmentColumn> {
    let columns = description.columns.into_iter().filter(|column| !withheld.contains(&column.name));
    columns
        .map(|column| SegmentColumn { kind: column.column_type.name().to_owned(), name: column.name })
        .collect()
}

/// Returns a text for each column that cannot be mapped or must not be shown.
pub(crate) fn unusable_columns(description: &Description, withheld: &BTreeSet<String>) -> Vec<String> {
    let unsupported = description.unusable_columns.iter().map(|column| column.problem.to_string());
    unsupported.chain(withheld.iter().map(|name| withheld_text(name))).collect()
}

fn withheld_text(name: &str) -> String {
    format!(
        "column {name} contains data labelled C12, which is neither shown nor exported; it may still decide which rows \
         are members"
    )
}

/// Returns the member counts of an evaluation.
pub(crate) const fn member_counts(figures: &SnapshotFigures) -> MemberCounts {
    MemberCounts {
        rows: figures.rows,
        rows_without_key: figures.rows_without_key,
        duplicate_member_rows: figures.duplicate_member_rows,
    }
}

/// Returns the sizes of the sources that an evaluation read.
pub(crate) fn source_sizes(sources: Vec<SourceFigures>) -> Vec<SourceSize> {
    let size = |figures: SourceFigures| SourceSize {
        source: figures.name,
        objects: u64::try_from(figures.objects).unwrap_or(u64::MAX),
        bytes: figures.bytes,
    };
    sources.into_iter().map(size).collect()
}
