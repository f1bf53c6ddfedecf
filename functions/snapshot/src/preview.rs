//! Previews and descriptions of segments, within a minute.

use crate::answer::{member_counts, segment_columns, source_sizes, unusable_columns};
use crate::context::{Context, TABLE_QUERY};
use crate::errors::RequestError;
use crate::governance::withheld_attributes;
use crate::uploads::unexpired_upload;
use relay_delivery::snapshot::SnapshotReader;
use relay_engine::{
    Description, Engine, EngineSettings, QueryError, SegmentQuery, SnapshotFigures, describe, evaluate,
    evaluate_first, rules,
};
use relay_model::catalog::{Origin, Segment, Selection, Source};
use relay_model::engine::{
    PREVIEW_ROWS, PreviewRows, SegmentColumn, SegmentDescription, SegmentPreview, preview_text, preview_value,
};
use relay_pipeline::StageError;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Time limit of an interactive request.
pub(crate) const TIME_LIMIT: Duration = Duration::from_mins(1);
/// Number of rows that the first members are taken from. It exceeds [`PREVIEW_ROWS`] because a member can have several
/// rows.
const ROWS_READ: usize = 50 * PREVIEW_ROWS;

/// Returns the engine settings of interactive requests.
pub(crate) fn interactive_settings() -> EngineSettings {
    EngineSettings { time_limit: TIME_LIMIT, ..EngineSettings::new(std::env::temp_dir()) }
}

/// A segment's query and the engine that evaluates it.
struct Evaluation<'a> {
    engine: Engine,
    query: Cow<'a, str>,
    member_key: &'a str,
}

impl Evaluation<'_> {
    fn query(&self, attributes: Vec<String>) -> SegmentQuery {
        SegmentQuery { text: self.query.to_string(), member_key: self.member_key.to_owned(), attributes }
    }
}

/// Returns the columns of a segment's query, and checks the fields of its rules.
pub(crate) async fn describe_segment(
    context: &Context,
    segment: &Segment,
    sources: &BTreeMap<String, Source>,
) -> Result<SegmentDescription, RequestError> {
    let deadline = Instant::now() + TIME_LIMIT;
    let evaluation = evaluation(context, segment, sources).await?;
    let description = within(deadline, checked_description(&evaluation, segment)).await;
    let description = description.map_err(|error| in_rules(error, segment))?;
    let nothing_withheld = BTreeSet::new();
    Ok(SegmentDescription {
        unusable_columns: unusable_columns(&description, &nothing_withheld),
        columns: segment_columns(description, &nothing_withheld),
    })
}

/// Counts the members of a segment and returns the first rows.
pub(crate) async fn preview(
    context: &Context,
    segment: &Segment,
    sources: &BTreeMap<String, Source>,
) -> Result<SegmentPreview, RequestError> {
    let deadline = Instant::now() + TIME_LIMIT;
    let evaluation = evaluation(context, segment, sources).await?;
    let preview =
        within(deadline, Box::pin(preview_without_rules(context, &evaluation, segment, sources))).await;
    let mut preview = preview.map_err(|error| in_rules(error, segment))?;
    if let Some(rules) = segment.rules() {
        let Evaluation { engine, member_key, .. } = &evaluation;
        preview.rules = rules::counts(engine, rules, member_key, preview.counts.rows, deadline).await;
    }
    Ok(preview)
}

async fn evaluation<'a>(
    context: &Context,
    segment: &'a Segment,
    sources: &BTreeMap<String, Source>,
) -> Result<Evaluation<'a>, RequestError> {
    match segment.origin()? {
        Origin::Selection(Selection { query, member_key }) => {
            let engine = context.engine(interactive_settings(), sources).await?;
            Ok(Evaluation { engine, query, member_key })
        }
        Origin::Upload(upload) => {
            let current = unexpired_upload(context, segment).await?;
            let engine = context.table_engine(&current.object_key, interactive_settings()).await?;
            Ok(Evaluation { engine, query: TABLE_QUERY.into(), member_key: upload.member_key_column() })
        }
    }
}

/// Applies one time limit to all queries of a request.
async fn within<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, RequestError>>,
) -> Result<T, RequestError> {
    match timeout_at(deadline, work).await {
        Ok(result) => result,
        Err(_) => Err(QueryError::TimeLimit { seconds: TIME_LIMIT.as_secs() }.into()),
    }
}

async fn checked_description(
    evaluation: &Evaluation<'_>,
    segment: &Segment,
) -> Result<Description, RequestError> {
    let Evaluation { engine, query, member_key } = evaluation;
    if let Some(rules) = segment.rules()
        && let Some(error) = rules::check_columns(engine, rules, member_key).await?
    {
        return Err(error.into());
    }
    Ok(describe(engine, query, member_key).await?)
}

async fn preview_without_rules(
    context: &Context,
    evaluation: &Evaluation<'_>,
    segment: &Segment,
    sources: &BTreeMap<String, Source>,
) -> Result<SegmentPreview, RequestError> {
    let description = checked_description(evaluation, segment).await?;
    let names: Vec<String> = description.columns.iter().map(|column| column.name.clone()).collect();
    let withheld = withheld_attributes(context, &evaluation.engine, segment, &names, sources).await?;
    let unusable_columns = unusable_columns(&description, &withheld);
    let columns = segment_columns(description, &withheld);
    let (figures, first_rows) = read_members(evaluation, &columns, &withheld).await?;
    Ok(SegmentPreview {
        description: SegmentDescription { columns, unusable_columns },
        counts: member_counts(&figures),
        first_rows,
        rules: Vec::new(),
        sources: source_sizes(figures.sources),
    })
}

/// An author of rules has not written the query that they compile to, so an error in the query points at the rules.
fn in_rules(error: RequestError, segment: &Segment) -> RequestError {
    match error {
        RequestError::User(mut error) if segment.rules().is_some() => {
            error.field =
                error.field.map(|field| if field == "/query" { "/rules".to_owned() } else { field });
            RequestError::User(error)
        }
        other => other,
    }
}

/// Counts the members and reads the first rows with two queries: counting needs no attributes, and the first rows need no
/// sort of the others.
async fn read_members(
    evaluation: &Evaluation<'_>,
    columns: &[SegmentColumn],
    withheld: &BTreeSet<String>,
) -> Result<(SnapshotFigures, Vec<Map<String, Value>>), RequestError> {
    let directory = tempfile::tempdir().map_err(StageError::from)?;
    let (members, first) = (directory.path().join("members"), directory.path().join("first"));
    let figures = evaluate(&evaluation.engine, &evaluation.query(Vec::new()), &members).await?;
    let attributes = columns.iter().map(|column| column.name.clone()).collect();
    evaluate_first(&evaluation.engine, &evaluation.query(attributes), &first, ROWS_READ).await?;
    let shown_key = Some(evaluation.member_key).filter(|name| !withheld.contains(*name));
    Ok((figures, read_rows(&first, shown_key)?))
}

fn read_rows(path: &Path, shown_key: Option<&str>) -> Result<Vec<Map<String, Value>>, StageError> {
    let reader = SnapshotReader::open(File::open(path)?)?;
    let names = reader.attributes().to_vec();
    let mut rows = PreviewRows::default();
    for member in reader.take(PREVIEW_ROWS) {
        let member = member?;
        let values = names.iter().cloned().zip(member.attributes.iter().map(preview_value));
        let mut row: Map<String, Value> = values.collect();
        // A member key in a column named `member_key` is not repeated as an attribute.
        if let Some(name) = shown_key {
            row.entry(name).or_insert_with(|| preview_text(&member.key.0).into());
        }
        if !rows.add(row) {
            break;
        }
    }
    Ok(rows.into_rows())
}
