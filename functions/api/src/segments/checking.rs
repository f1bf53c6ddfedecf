//! The check of a segment with its sources, when it is saved.

use crate::Api;
use crate::exports::exports_where;
use crate::problem::{FieldProblem, Problem};
use axum::http::StatusCode;
use relay_cloud::Saved;
use relay_model::catalog::{CustomUpload, Document, Export, Segment, Source, json_pointer};
use relay_model::engine::EngineError;
use relay_model::query::{TextError, require_sources};
use relay_pipeline::AskError;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::ToSchema;

/// How long to wait for the query engine. API Gateway closes the request after 30 seconds.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const PATIENCE: Duration = Duration::from_secs(15);

/// Whether a query is planned over its sources before a segment is saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SegmentCheck {
    /// Its columns must exist.
    #[default]
    Sources,
    /// Not before the next run.
    None,
}

/// Options of a request to save a segment.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SavingQuery {
    /// Whether the query is planned over its sources first. Default: `sources`.
    #[serde(default)]
    #[param(required = false)]
    pub(super) check: SegmentCheck,
}

impl Api {
    /// Requires that a segment's query or rules parse and only name sources in the catalog.
    pub(super) async fn require_query(&self, segment: &Segment) -> Result<(), Problem> {
        let refused = |error: TextError| {
            let place = match &error {
                TextError::UnknownSource { name, .. } => segment.place_of_source(name),
                _ => "query".to_owned(),
            };
            Problem::field(error.code(), json_pointer(&place), error.to_string())
        };
        let names = segment.sources().map_err(refused)?;
        if names.is_empty() {
            return Ok(());
        }
        let sources = self.requests.catalog.list::<Source>().await?;
        let declared = sources.into_iter().flatten().map(|saved| saved.document.id().to_owned()).collect();
        require_sources(&names, &declared).map_err(refused)
    }

    /// Runs the requested check and returns its warnings.
    pub(super) async fn check_segment(
        &self,
        check: SegmentCheck,
        segment: &Segment,
        before: Option<&Segment>,
    ) -> Result<Vec<String>, Problem> {
        match check {
            SegmentCheck::Sources => self.check_with_sources(segment, before).await,
            SegmentCheck::None => Ok(Vec::new()),
        }
    }

    /// Asks the query engine to plan the query, and returns warnings. An unavailable engine does not prevent saving, because
    /// each run asks it again.
    async fn check_with_sources(
        &self,
        segment: &Segment,
        before: Option<&Segment>,
    ) -> Result<Vec<String>, Problem> {
        match segment.upload() {
            None => {
                let columns = match self.describe(segment).await? {
                    Described::Columns(columns) => columns,
                    Described::Nothing(why) => {
                        return Ok(vec![format!("not checked with the sources: {why}")]);
                    }
                };
                let users = self.running_users(segment).await?;
                Ok(users.iter().flat_map(|user| lost_by_query(&user.document, &columns)).collect())
            }
            Some(upload) => {
                let users = self.running_users(segment).await?;
                let before = before.and_then(Segment::upload);
                Ok(users.iter().flat_map(|user| lost_by_form(&user.document, upload, before)).collect())
            }
        }
    }

    /// Returns the enabled exports that use a segment.
    async fn running_users(&self, segment: &Segment) -> Result<Vec<Saved<Export>>, Problem> {
        exports_where(self, |export| export.enabled && export.uses(&segment.id)).await
    }

    /// Asks the query engine for the columns of a query.
    async fn describe(&self, segment: &Segment) -> Result<Described, Problem> {
        let deadline = Instant::now() + PATIENCE;
        match self.engine.describe(segment.clone(), deadline).await {
            Ok(description) => {
                let columns = description.columns.into_iter().map(|column| column.name);
                Ok(Described::Columns(columns.collect()))
            }
            Err(AskError::Rejected(error)) => refused(error).map(Described::Nothing),
            Err(error) => {
                tracing::warn!(%error, "a segment is saved without a check of its query");
                Ok(Described::Nothing(error.to_string()))
            }
        }
    }
}

/// The outcome of a description.
enum Described {
    /// The columns that an export can map.
    Columns(BTreeSet<String>),
    /// No columns, and the reason.
    Nothing(String),
}

/// Refuses a definition with a wrong field. Returns the text of any other error.
fn refused(error: EngineError) -> Result<String, Problem> {
    let EngineError { code, text, field } = error;
    let Some(field) = field else { return Ok(text) };
    let detail =
        format!("{field}: {text} (to save it all the same: ?check=none, or --no-check of segment-relay)");
    let errors = vec![FieldProblem { field, problem: text }];
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &code, detail).with_errors(errors))
}

fn lost_by_query(export: &Export, columns: &BTreeSet<String>) -> Vec<String> {
    let lost = export.attributes().into_iter().filter(|attribute| !columns.contains(attribute));
    let warning = |attribute| {
        let id = &export.id;
        format!(
            "export \"{id}\" maps attribute \"{attribute}\", but the query has no such column that can be mapped: its \
             runs fail until the mapping or the query is changed"
        )
    };
    lost.map(warning).collect()
}

/// An upload definition need not name all columns of its files, so only columns that it named before can be lost.
fn lost_by_form(export: &Export, form: &CustomUpload, before: Option<&CustomUpload>) -> Vec<String> {
    let named = form.named_columns();
    let was_unnamed =
        |attribute: &str| before.is_some_and(|before| !before.named_columns().contains(attribute));
    let lost = export
        .attributes()
        .into_iter()
        .filter(|attribute| !named.contains(attribute.as_str()) && !was_unnamed(attribute));
    let warning = |attribute| {
        let id = &export.id;
        format!(
            "export \"{id}\" maps attribute \"{attribute}\", which the upload definition does not name: its runs fail if a \
             file has no column {attribute}"
        )
    };
    lost.map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn export() -> Export {
        let document = json!({
            "id": "news", "name": "News", "match_key": "email", "segments": [{ "segment": "all" }],
            "mapping": [{ "attribute": "city", "field": "City" }, { "attribute": "email", "field": "Mail" }],
        });
        Export::parse(&document.to_string()).unwrap()
    }

    fn form(columns: &[&str]) -> CustomUpload {
        let columns: serde_json::Map<_, _> =
            columns.iter().map(|name| ((*name).to_owned(), json!("text"))).collect();
        serde_json::from_value(json!({ "identity_column": "email", "columns": columns })).unwrap()
    }

    /// The attributes that the warnings name.
    #[track_caller]
    fn check(found: &[String], expected: &[&str]) {
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (warning, attribute) in found.iter().zip(expected) {
            let words = format!("export \"news\" maps attribute \"{attribute}\", ");
            assert!(warning.starts_with(&words), "{warning}");
        }
    }

    #[test]
    fn what_an_export_maps_and_the_query_has_not_is_told() {
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        check(&lost_by_query(&export(), &columns(&["city", "email", "name"])), &[]);
        check(&lost_by_query(&export(), &columns(&["City", "email"])), &["city"]);
        check(&lost_by_query(&export(), &columns(&[])), &["email", "city"]);
    }

    #[test]
    fn what_a_form_names_no_more_is_told() {
        check(&lost_by_form(&export(), &form(&["city"]), None), &[]);
        check(&lost_by_form(&export(), &form(&[]), None), &["city"]);
        check(&lost_by_form(&export(), &form(&[]), Some(&form(&["city"]))), &["city"]);
        check(&lost_by_form(&export(), &form(&[]), Some(&form(&["town"]))), &[]);
    }

    #[test]
    fn only_what_the_author_wrote_is_refused() {
        let error = |field: Option<&str>| EngineError {
            code: "query_unknown_column".to_owned(),
            text: "there is no column emial".to_owned(),
            field: field.map(str::to_owned),
        };
        assert_eq!(refused(error(None)), Ok("there is no column emial".to_owned()));
        let problem = refused(error(Some("/query"))).unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.code()), (422, "query_unknown_column"));
        let field = &problem.fields()[0];
        assert_eq!((field.field.as_str(), field.problem.as_str()), ("/query", "there is no column emial"));
        assert!(problem.detail().contains("?check=none"));
    }
}
