//! One segment's preview: evaluated like a run's segment, with less time, and told instead of kept.

use crate::download::MembersFile;
use crate::handler::{Snapshots, TABLE_QUERY};
use crate::stage_error::stage_error;
use jiff::Timestamp;
use relay_cloud::LookupError;
use relay_delivery::snapshot::SnapshotReader;
use relay_engine::{
    Description, Engine, EngineSettings, QueryError, SegmentQuery, SnapshotFigures, describe, evaluate,
    evaluate_first, rules,
};
use relay_model::catalog::{CatalogError, Origin, Segment, Selection};
use relay_model::engine::{
    PREVIEW_ROWS, PreviewColumn, PreviewError, PreviewId, PreviewOf, PreviewResult, PreviewRows,
    PreviewSource, RuleCount, preview_text, preview_value,
};
use relay_model::governance::ColumnsRead;
use relay_model::run::StopCode;
use relay_pipeline::StageError;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a preview may take: somebody waits for it.
const TIME_LIMIT: Duration = Duration::from_mins(1);
/// Rows that the shown members are taken from. Some members have several, of which one counts.
const ROWS_READ: usize = 50 * PREVIEW_ROWS;

/// Why a segment has no preview: what is wrong with it is told, what is wrong with us is tried again.
pub(crate) enum Trouble {
    Theirs(PreviewError),
    Ours(StageError),
}

/// What was found of a segment.
#[derive(Default)]
struct Found {
    description: Description,
    /// Columns whose values are shown to nobody.
    withheld: BTreeSet<String>,
    members: Option<Members>,
    file_bytes: Option<u64>,
    columns_read: Option<ColumnsRead>,
}

/// Who is in a segment.
struct Members {
    figures: SnapshotFigures,
    first_rows: Vec<Map<String, Value>>,
    rules: Vec<RuleCount>,
}

impl From<QueryError> for Trouble {
    fn from(error: QueryError) -> Self {
        if error.is_transient() {
            return Self::Ours(stage_error(&error));
        }
        let field = error.field().map(str::to_owned);
        Self::Theirs(PreviewError { code: error.code().to_owned(), text: error.to_string(), field })
    }
}

/// What a person's action can help is theirs; what may go better later is not.
impl From<StageError> for Trouble {
    fn from(error: StageError) -> Self {
        match error {
            StageError::Stop { code, text } => {
                Self::Theirs(PreviewError { code: code.to_string(), text, field: None })
            }
            other => Self::Ours(other),
        }
    }
}

impl From<CatalogError> for Trouble {
    fn from(error: CatalogError) -> Self {
        Self::Theirs(PreviewError { code: error.code().to_owned(), text: error.to_string(), field: None })
    }
}

impl From<LookupError> for Trouble {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Catalog(error) => error.into(),
            LookupError::Cloud(error) => StageError::from(error).into(),
        }
    }
}

impl Snapshots {
    /// Makes a preview. Asked again, it makes nothing anew.
    pub(crate) async fn preview(&self, preview_id: PreviewId) -> Result<(), StageError> {
        if self.objects.find(&preview_id.result_key()).await?.is_some() {
            return Ok(());
        }
        let began = Instant::now();
        let bytes = self.objects.get(&preview_id.request_key()).await?;
        let of: PreviewOf = serde_json::from_slice(&bytes)
            .map_err(|error| StageError::stop(StopCode::PreviewDamaged, error.to_string()))?;
        let found = match Box::pin(self.find_out(&of, preview_id)).await {
            Ok(found) => Ok(found),
            Err(Trouble::Theirs(error)) => Err(error),
            // Who saves a definition waits for a few seconds only, and had better hear why it cannot be looked at now.
            Err(Trouble::Ours(StageError::Again { code, text }))
                if matches!(of, PreviewOf::Description(_) | PreviewOf::Reading { .. }) =>
            {
                Err(PreviewError { code: code.to_string(), text, field: None })
            }
            Err(Trouble::Ours(error)) => return Err(error),
        };
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let members = found.as_ref().ok().and_then(|found| found.members.as_ref());
        let rows = members.map(|members| members.figures.rows);
        let bytes = serde_json::to_vec(&result(preview_id, &of, found, duration_ms))
            .map_err(|error| StageError::stop(StopCode::PreviewUnwritable, error.to_string()))?;
        self.objects.put(&preview_id.result_key(), bytes).await?;
        tracing::info!(preview.id = %preview_id, segment.id = %of.segment(), rows, duration_ms, "preview is made");
        Ok(())
    }

    async fn find_out(&self, of: &PreviewOf, preview_id: PreviewId) -> Result<Found, Trouble> {
        let deadline = Instant::now() + TIME_LIMIT;
        let settings = EngineSettings { time_limit: TIME_LIMIT, ..EngineSettings::new(std::env::temp_dir()) };
        let sources = self.sources().await?;
        let segment: Segment = match of {
            PreviewOf::Saved(id) | PreviewOf::Members(id) => self.catalog.get(id.as_str()).await?,
            PreviewOf::Draft(segment) | PreviewOf::Description(segment) => segment.clone(),
            PreviewOf::Reading { segment, attributes } => {
                let engine = self.engine(settings, &sources).await?;
                let columns_read = Some(self.reading(&engine, segment, attributes, &sources).await?);
                return Ok(Found { columns_read, ..Found::default() });
            }
        };
        if matches!(of, PreviewOf::Members(_)) {
            let file = self.download(&segment, preview_id, &sources).await?;
            let MembersFile { description, withheld, figures, bytes } = file;
            let members = Some(Members { figures, first_rows: Vec::new(), rules: Vec::new() });
            return Ok(Found { description, withheld, members, file_bytes: Some(bytes), ..Found::default() });
        }
        let (engine, selection) = match segment.origin()? {
            Origin::Selection(selection) => (self.engine(settings, &sources).await?, selection),
            Origin::Upload(upload) => {
                let current = self.live_upload(&segment).await?;
                let member_key = upload.member_key_column();
                let selection = Selection { query: TABLE_QUERY.into(), member_key };
                (self.table_engine(&current.object_key, settings).await?, selection)
            }
        };
        let Selection { query, member_key } = selection;
        let looking = async {
            if let Some(rules) = segment.rules()
                && let Some(error) = rules::contradiction(&engine, rules, member_key).await?
            {
                return Err(Trouble::Theirs(error));
            }
            let mut description = describe(&engine, &query, member_key).await?;
            if matches!(of, PreviewOf::Description(_)) {
                return Ok(Found { description, ..Found::default() });
            }
            let names: Vec<String> = description.columns.iter().map(|column| column.name.clone()).collect();
            let withheld = self.withheld(&engine, &segment, &names, &sources).await?;
            description.columns.retain(|column| !withheld.contains(&column.name));
            let members = Some(look(&engine, &query, member_key, &description, &withheld).await?);
            Ok(Found { description, withheld, members, ..Found::default() })
        };
        // What is read twice has the time once.
        let mut found = match timeout_at(deadline, looking).await {
            Ok(found) => found.map_err(|trouble| in_rules(trouble, &segment))?,
            Err(_) => return Err(QueryError::TimeLimit { seconds: TIME_LIMIT.as_secs() }.into()),
        };
        if let (Some(rules), Some(members)) = (segment.rules(), &mut found.members) {
            members.rules = rules::counts(&engine, rules, member_key, members.figures.rows, deadline).await;
        }
        Ok(found)
    }
}

/// Who wrote rules has no query that could be wrong.
fn in_rules(trouble: Trouble, segment: &Segment) -> Trouble {
    match trouble {
        Trouble::Theirs(mut error) if segment.rules().is_some() => {
            error.field =
                error.field.map(|field| if field == "/query" { "/rules".to_owned() } else { field });
            Trouble::Theirs(error)
        }
        other => other,
    }
}

/// Counts without attributes, for which the engine need not carry any, and takes the first rows with all of them, for
/// which it need not sort any other.
async fn look(
    engine: &Engine,
    text: &str,
    member_key: &str,
    description: &Description,
    withheld: &BTreeSet<String>,
) -> Result<Members, Trouble> {
    let query =
        |attributes| SegmentQuery { text: text.to_owned(), member_key: member_key.to_owned(), attributes };
    let directory = tempfile::tempdir().map_err(StageError::from)?;
    let figures = evaluate(engine, &query(Vec::new()), &directory.path().join("members")).await?;
    let attributes = description.columns.iter().map(|column| column.name.clone()).collect();
    let path = directory.path().join("first");
    evaluate_first(engine, &query(attributes), &path, ROWS_READ).await?;
    let shown_key = Some(member_key).filter(|name| !withheld.contains(*name));
    let first_rows = read_rows(&path, shown_key)?;
    Ok(Members { figures, first_rows, rules: Vec::new() })
}

fn read_rows(path: &Path, shown_key: Option<&str>) -> Result<Vec<Map<String, Value>>, StageError> {
    let reader = SnapshotReader::open(File::open(path)?)?;
    let names = reader.attributes().to_vec();
    let mut rows = PreviewRows::default();
    for member in reader.take(PREVIEW_ROWS) {
        let member = member?;
        let values = names.iter().cloned().zip(member.attributes.iter().map(preview_value));
        let mut row: Map<String, Value> = values.collect();
        // A member key that is called `member_key` is no attribute beside itself.
        if let Some(name) = shown_key {
            row.entry(name).or_insert_with(|| preview_text(&member.key.0).into());
        }
        if !rows.add(row) {
            break;
        }
    }
    Ok(rows.into_rows())
}

fn result(
    preview_id: PreviewId,
    of: &PreviewOf,
    found: Result<Found, PreviewError>,
    duration_ms: u64,
) -> PreviewResult {
    let nothing = PreviewResult {
        preview_id,
        segment: of.segment().clone(),
        rows: None,
        rows_without_key: None,
        duplicate_member_rows: None,
        columns: Vec::new(),
        unusable_columns: Vec::new(),
        first_rows: Vec::new(),
        sources: Vec::new(),
        columns_read: None,
        members_file_bytes: None,
        rules: Vec::new(),
        error: None,
        made_at: Timestamp::now(),
        duration_ms,
    };
    let Found { description, withheld, members, file_bytes, columns_read } = match found {
        Ok(found) => found,
        Err(error) => return PreviewResult { error: Some(error), ..nothing },
    };
    let described = PreviewResult {
        columns: description.columns.into_iter().map(column).collect(),
        unusable_columns: description
            .unusable_columns
            .iter()
            .map(|one| one.problem.to_string())
            .chain(withheld.iter().map(|name| never_shown(name)))
            .collect(),
        columns_read,
        ..nothing
    };
    let Some(Members { figures, first_rows, rules }) = members else { return described };
    PreviewResult {
        rows: Some(figures.rows),
        rows_without_key: Some(figures.rows_without_key),
        duplicate_member_rows: Some(figures.duplicate_member_rows),
        first_rows,
        rules,
        sources: figures.sources.into_iter().map(source).collect(),
        members_file_bytes: file_bytes,
        ..described
    }
}

fn never_shown(name: &str) -> String {
    format!(
        "the column {name} is made of data labelled C12, which is neither shown nor exported; it may decide who is a member"
    )
}

fn column(column: relay_engine::OutputColumn) -> PreviewColumn {
    PreviewColumn { kind: column.column_type.name().to_owned(), name: column.name }
}

fn source(figures: relay_engine::SourceFigures) -> PreviewSource {
    let objects = u64::try_from(figures.objects).unwrap_or(u64::MAX);
    PreviewSource { source: figures.name, objects, bytes: figures.bytes }
}
