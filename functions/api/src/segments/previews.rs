//! Previews: the member counts and the first rows of a segment.

use crate::Api;
use crate::caller::Caller;
use crate::extract::Body;
use crate::problem::{Problem, Problems};
use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use relay_cloud::AuditAction;
use relay_cloud::timestamp_now;
use relay_model::SegmentId;
use relay_model::catalog::{Document, Segment};
use relay_model::engine::{
    EngineAnswer, EngineError, EngineRequest, EngineRequestId, EngineResponse, MemberCounts, MembersDownload,
    RuleCount, SegmentColumn, SegmentDescription, SegmentPreview, SourceSize,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn router() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(request)).routes(routes!(request_of_draft)).routes(routes!(read))
}

/// Parses a preview's id.
pub(super) fn parse_id(id: &str) -> Result<EngineRequestId, Problem> {
    let malformed = |_| Problem::new(StatusCode::BAD_REQUEST, "id_malformed", "a preview's id is a UUID");
    id.parse().map_err(malformed)
}

/// A requested preview.
#[derive(Debug, Serialize, ToSchema)]
struct StartedPreview {
    /// The preview. Its result is at `/previews/{id}`.
    preview_id: EngineRequestId,
}

impl Api {
    /// Requests a preview, and records the caller in the audit log.
    async fn start_preview(
        &self,
        caller: &Caller,
        request: &EngineRequest,
    ) -> Result<(StatusCode, Json<StartedPreview>), Problem> {
        let preview_id = self.engine.send(request, timestamp_now()).await?;
        let segment = request.segment_id().as_str();
        self.record(caller, AuditAction::PreviewSegment, "segment", segment, None).await?;
        Ok((StatusCode::ACCEPTED, Json(StartedPreview { preview_id })))
    }
}

/// Requests a preview of a segment: its member count, the counts of its rules, its columns, the sources that it reads, and
/// the first rows.
#[utoipa::path(post, path = "/segments/{id}/preview", tag = "segments", params(("id" = String, Path)),
    responses((status = 202, body = StartedPreview), Problems))]
async fn request(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<StartedPreview>), Problem> {
    let id = SegmentId::try_from(id)?;
    api.saved::<Segment>(id.as_str()).await?;
    api.start_preview(&caller, &EngineRequest::saved_preview(id)).await
}

/// Requests a preview of the definition in the request. Nothing is saved.
#[utoipa::path(post, path = "/previews", tag = "segments", request_body = Segment,
    responses((status = 202, body = StartedPreview), Problems))]
async fn request_of_draft(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Body(document): Body<Segment>,
) -> Result<(StatusCode, Json<StartedPreview>), Problem> {
    document.validate()?;
    api.require_query(&document).await?;
    api.start_preview(&caller, &EngineRequest::draft_preview(document)).await
}

/// The state of a preview.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PreviewState {
    /// The query engine has not answered yet.
    Running,
    /// The result is available.
    Succeeded,
    /// The result is an error.
    Failed,
}

/// A preview and its state.
#[derive(Debug, Serialize, ToSchema)]
struct ShownPreview {
    /// The state.
    state: PreviewState,
    /// The result, once the query engine has answered.
    result: Option<PreviewResult>,
}

/// The result of a preview, or of a download, which has no first rows.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewResult {
    /// The preview.
    preview_id: EngineRequestId,
    /// The segment.
    segment: SegmentId,
    /// Members.
    rows: Option<u64>,
    /// Rows of the query without a member key, which are not members.
    rows_without_key: Option<u64>,
    /// Rows of the query beyond the first for their member key.
    duplicate_member_rows: Option<u64>,
    /// The columns that an export can map, in the order of the query.
    columns: Vec<SegmentColumn>,
    /// The other columns, each with a text that says how to make it mappable.
    unusable_columns: Vec<String>,
    /// The first 20 members by member key, at most 1 MiB, as objects from column name to value. Longer texts are cut after
    /// 200 characters.
    #[schema(value_type = Vec<Object>)]
    first_rows: Vec<Map<String, Value>>,
    /// The sources that the query reads.
    sources: Vec<SourceSize>,
    /// Size of the file of all members, in bytes. Present for a download.
    #[serde(skip_serializing_if = "Option::is_none")]
    members_file_bytes: Option<u64>,
    /// The counts of each rule, from top to bottom. Present if the segment is defined by rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<RuleCount>,
    /// Why there is no result.
    error: Option<EngineError>,
    /// When the query engine answered.
    made_at: Timestamp,
    /// Duration of the evaluation, in milliseconds.
    duration_ms: u64,
}

impl PreviewResult {
    fn with_description(self, description: SegmentDescription) -> Self {
        let SegmentDescription { columns, unusable_columns } = description;
        Self { columns, unusable_columns, ..self }
    }

    fn with_counts(self, counts: MemberCounts) -> Self {
        Self {
            rows: Some(counts.rows),
            rows_without_key: Some(counts.rows_without_key),
            duplicate_member_rows: Some(counts.duplicate_member_rows),
            ..self
        }
    }
}

impl From<EngineAnswer> for PreviewResult {
    fn from(answer: EngineAnswer) -> Self {
        let EngineAnswer { request_id, segment, result, answered_at, duration_ms } = answer;
        let empty = Self {
            preview_id: request_id,
            segment,
            rows: None,
            rows_without_key: None,
            duplicate_member_rows: None,
            columns: Vec::new(),
            unusable_columns: Vec::new(),
            first_rows: Vec::new(),
            sources: Vec::new(),
            members_file_bytes: None,
            rules: Vec::new(),
            error: None,
            made_at: answered_at,
            duration_ms,
        };
        match result {
            Err(error) => Self { error: Some(error), ..empty },
            Ok(EngineResponse::Preview(preview)) => {
                let SegmentPreview { description, counts, first_rows, rules, sources } = preview;
                let described = empty.with_description(description).with_counts(counts);
                Self { first_rows, sources, rules, ..described }
            }
            Ok(EngineResponse::Description(description)) => empty.with_description(description),
            Ok(EngineResponse::Download(download)) => {
                let MembersDownload { description, counts, sources, file_bytes } = download;
                let described = empty.with_description(description).with_counts(counts);
                Self { sources, members_file_bytes: Some(file_bytes), ..described }
            }
            // The API asks for lineage itself and gives its request's id to no caller.
            Ok(EngineResponse::Lineage(_)) => empty,
        }
    }
}

/// Returns the result of a preview. It holds profiles, and expires after a day.
#[utoipa::path(get, path = "/previews/{id}", tag = "segments", params(("id" = String, Path)),
    responses((status = 200, body = ShownPreview), Problems))]
async fn read(State(api): State<Api>, Path(id): Path<String>) -> Result<Json<ShownPreview>, Problem> {
    let preview_id = parse_id(&id)?;
    if let Some(answer) = api.engine.answer(preview_id).await? {
        let state = if answer.result.is_err() { PreviewState::Failed } else { PreviewState::Succeeded };
        return Ok(Json(ShownPreview { state, result: Some(answer.into()) }));
    }
    if !api.engine.is_requested(preview_id).await? {
        let detail = format!(
            "preview {preview_id} was never requested, or it has expired: previews expire after a day"
        );
        return Err(Problem::new(StatusCode::NOT_FOUND, "preview_missing", detail));
    }
    Ok(Json(ShownPreview { state: PreviewState::Running, result: None }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(result: Result<EngineResponse, EngineError>) -> EngineAnswer {
        EngineAnswer {
            request_id: "01938f5e-7c00-7000-8000-000000000001".parse().unwrap(),
            segment: "vips".to_owned().try_into().unwrap(),
            result,
            answered_at: Timestamp::UNIX_EPOCH,
            duration_ms: 7,
        }
    }

    fn description() -> SegmentDescription {
        let columns = vec![SegmentColumn { name: "email".to_owned(), kind: "text".to_owned() }];
        SegmentDescription { columns, unusable_columns: vec!["column tags is a list".to_owned()] }
    }

    #[track_caller]
    fn check(result: Result<EngineResponse, EngineError>, fields: &Value) {
        let mut expected = json!({
            "preview_id": "01938f5e-7c00-7000-8000-000000000001", "segment": "vips", "rows": null,
            "rows_without_key": null, "duplicate_member_rows": null, "columns": [], "unusable_columns": [],
            "first_rows": [], "sources": [], "error": null, "made_at": "1970-01-01T00:00:00Z", "duration_ms": 7,
        });
        for (name, value) in fields.as_object().unwrap() {
            expected[name] = value.clone();
        }
        assert_eq!(serde_json::to_value(PreviewResult::from(answer(result))).unwrap(), expected);
    }

    #[test]
    fn answers_are_shown_with_the_fields_that_they_have() {
        let counts = MemberCounts { rows: 3, rows_without_key: 1, duplicate_member_rows: 2 };
        let source = SourceSize { source: "people".to_owned(), objects: 2, bytes: 10 };
        let rule = RuleCount { name: "all".to_owned(), members: Some(4), after: None };
        let columns = json!([{ "name": "email", "type": "text" }]);
        let sources = json!([{ "source": "people", "objects": 2, "bytes": 10 }]);
        let preview = SegmentPreview {
            description: description(),
            counts,
            first_rows: vec![Map::from_iter([("email".to_owned(), "a@example.com".into())])],
            rules: vec![rule],
            sources: vec![source.clone()],
        };
        let shown = json!({
            "rows": 3, "rows_without_key": 1, "duplicate_member_rows": 2, "columns": columns,
            "unusable_columns": ["column tags is a list"], "first_rows": [{ "email": "a@example.com" }],
            "rules": [{ "name": "all", "members": 4, "after": null }], "sources": sources,
        });
        check(Ok(EngineResponse::Preview(preview)), &shown);
        let download =
            MembersDownload { description: description(), counts, sources: vec![source], file_bytes: 99 };
        let shown = json!({
            "rows": 3, "rows_without_key": 1, "duplicate_member_rows": 2, "columns": columns,
            "unusable_columns": ["column tags is a list"], "sources": sources, "members_file_bytes": 99,
        });
        check(Ok(EngineResponse::Download(download)), &shown);
        let shown = json!({ "columns": columns, "unusable_columns": ["column tags is a list"] });
        check(Ok(EngineResponse::Description(description())), &shown);
        let error = EngineError {
            code: "source_missing".to_owned(),
            text: "there is no object".to_owned(),
            field: None,
        };
        let shown = json!({ "error": { "code": "source_missing", "text": "there is no object" } });
        check(Err(error), &shown);
    }
}
