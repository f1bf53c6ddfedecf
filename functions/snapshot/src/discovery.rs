//! Segments that are found: a sample of the people out of the lake, and what is learned from it.

mod described;
mod sampling;

use crate::handler::Snapshots;
use crate::preview::Trouble;
use relay::catalog::{Segment, SegmentKind, Source};
use relay::discovery::similar::{self, IS_MEMBER, Search};
use relay::discovery::suggest::{self, Setting};
use relay::discovery::{
    DescriptionFound, DiscoveryError, LeftOutColumn, People, PeopleQuery, Population, SimilarFound,
    SimilarRequest, SuggestionRequest, SuggestionsFound,
};
use relay::governance::{ColumnsRead, attributes_labelled, reads_labelled};
use relay::model::{DataLabel, SourceId};
use relay::query::{listed, suggestion};
use relay::snapshot::{PreviewError, PreviewOf};
use relay::stages::StageError;
use sampling::{Marks, Taking};
use snapshot::{Engine, EngineSettings, QueryError, SegmentQuery, describe, evaluate};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long looking may take: everybody is read once, with every column that is looked at.
const TIME_LIMIT: Duration = Duration::from_mins(4);
/// Columns that are taken out of the lake; of those that can be used, fewer are.
const MOST_READ: usize = 60;

/// What was found.
pub(crate) enum Discovered {
    Similar(Box<SimilarFound>),
    Suggestions(Box<SuggestionsFound>),
    Words(Box<DescriptionFound>),
}

impl From<DiscoveryError> for Trouble {
    fn from(error: DiscoveryError) -> Self {
        let (code, field) = (error.code().to_owned(), error.field().map(str::to_owned));
        Self::Theirs(PreviewError { code, text: error.to_string(), field })
    }
}

/// The people, and what is known of their columns.
struct Known {
    people: PeopleQuery,
    /// Their columns without the customer id.
    columns: Vec<String>,
    /// Those that are not used, whoever names them.
    labelled: BTreeSet<String>,
}

impl Snapshots {
    /// Finds what a preview asks to be found; nothing where it asks for something else.
    pub(crate) async fn discover(&self, of: &PreviewOf) -> Result<Option<Discovered>, Trouble> {
        let settings = EngineSettings { time_limit: TIME_LIMIT, ..EngineSettings::new(std::env::temp_dir()) };
        Ok(Some(match of {
            PreviewOf::Similar { segment, request } => {
                let sources = self.sources().await?;
                let engine = self.engine(settings, &sources).await?;
                let segment: Segment = self.catalog.get(segment.as_str()).await?;
                let found = Box::pin(self.similar(&engine, &sources, &segment, request)).await?;
                Discovered::Similar(Box::new(found))
            }
            PreviewOf::Suggestions(request) => {
                let sources = self.sources().await?;
                let engine = self.engine(settings, &sources).await?;
                let found = Box::pin(self.suggestions(&engine, &sources, request)).await?;
                Discovered::Suggestions(Box::new(found))
            }
            PreviewOf::Words(request) => {
                let sources = self.sources().await?;
                let engine = self.engine(settings, &sources).await?;
                let found = Box::pin(self.words(&engine, &sources, request)).await?;
                Discovered::Words(Box::new(found))
            }
            _ => return Ok(None),
        }))
    }

    async fn similar(
        &self,
        engine: &Engine,
        sources: &BTreeMap<String, Source>,
        segment: &Segment,
        request: &SimilarRequest,
    ) -> Result<SimilarFound, Trouble> {
        let members = PeopleQuery::of_segment(segment)?;
        let read = self.reading(engine, segment, &[], sources).await?;
        if reads_labelled(segment, &read, sources, DataLabel::is_no_data_science) {
            return Err(DiscoveryError::LabelledSegment { segment: segment.id.to_string() }.into());
        }
        let among = match &request.among {
            Some(among) => among.clone(),
            None => usual_population(segment)?,
        };
        let (known, _) = self.people(engine, sources, &among).await?;
        let decides = deciding(&read, &among.people);
        let (columns, mut left_out) = known.choose(&request.columns, &decides)?;
        let query = SegmentQuery {
            text: similar::sample_query(&known.people, &members),
            member_key: known.people.member_key.clone(),
            attributes: [columns.as_slice(), &[IS_MEMBER.to_owned()]].concat(),
        };
        let directory = tempfile::tempdir().map_err(StageError::from)?;
        let path = directory.path().join("people");
        let figures = evaluate(engine, &query, &path).await.map_err(in_request)?;
        let most_texts = similar::MOST_TEXTS;
        let most = similar::SAMPLE_PEOPLE;
        let taking = Taking { path, columns, most_texts, most, marks: Marks::LastColumn };
        let (mut sample, members_count) = taking.take(figures.rows).await?;
        left_out.append(&mut sample.left_out);
        sample.left_out = left_out;
        let others_count = figures.rows.saturating_sub(members_count);
        let people = &known.people;
        let search = Search { request, segment, members: &members, people, members_count, others_count };
        Ok(similar::find(&search, &sample)?)
    }

    async fn suggestions(
        &self,
        engine: &Engine,
        sources: &BTreeMap<String, Source>,
        request: &SuggestionRequest,
    ) -> Result<SuggestionsFound, Trouble> {
        let (known, segment) = self.people(engine, sources, &request.among).await?;
        let (mut columns, mut left_out) = known.choose(&request.columns, &BTreeSet::new())?;
        if let Some(goal) = &request.goal {
            known.require(goal).map_err(|error| match error {
                DiscoveryError::Labelled { .. } => error,
                other => DiscoveryError::Goal { goal: goal.clone(), why: format!("cannot be one: {other}") },
            })?;
            columns.retain(|column| column != goal);
            // It comes first, so that there is room for it.
            columns.insert(0, goal.clone());
        }
        let member_key = known.people.member_key.clone();
        let query =
            SegmentQuery { text: known.people.query.clone(), member_key, attributes: columns.clone() };
        let directory = tempfile::tempdir().map_err(StageError::from)?;
        let path = directory.path().join("people");
        let figures = evaluate(engine, &query, &path).await.map_err(in_request)?;
        let most_texts = suggest::MOST_TEXTS;
        let most = suggest::SAMPLE_PEOPLE;
        let taking = Taking { path, columns, most_texts, most, marks: Marks::Nowhere };
        let (mut sample, _) = taking.take(figures.rows).await?;
        left_out.append(&mut sample.left_out);
        sample.left_out = left_out;
        let setting =
            Setting { request, people: &known.people, segment: segment.as_ref(), people_count: figures.rows };
        Ok(suggest::find(&setting, &sample)?)
    }

    /// The people of a population, and the segment whose members they are.
    async fn people(
        &self,
        engine: &Engine,
        sources: &BTreeMap<String, Source>,
        among: &Population,
    ) -> Result<(Known, Option<Segment>), Trouble> {
        let (own, segment) = match &among.people {
            People::Segment(id) => {
                let segment: Segment = self.catalog.get(id.as_str()).await?;
                (PeopleQuery::of_segment(&segment)?, Some(segment))
            }
            People::Source { source, member_key } => (PeopleQuery::of_source(source, member_key), None),
        };
        let described = describe(engine, &own.query, &own.member_key).await.map_err(in_request)?;
        let mut names = described
            .columns
            .iter()
            .map(|column| column.name.clone())
            .chain(described.unusable_columns.iter().map(|column| column.name.clone()));
        if let Some(measure) = among.measures.iter().find(|measure| names.any(|name| name == measure.name)) {
            return Err(DiscoveryError::MeasureIsColumn { name: measure.name.clone() }.into());
        }
        let people = own.with(&among.measures);
        let described = describe(engine, &people.query, &people.member_key).await.map_err(in_request)?;
        let columns: Vec<String> = described.columns.into_iter().map(|column| column.name).collect();
        let labelled = self.labelled(engine, &people, &columns, sources).await?;
        let columns = columns.into_iter().filter(|column| *column != people.member_key).collect();
        Ok((Known { people, columns, labelled }, segment))
    }

    /// The columns that are made of data labelled C9 or C12.
    async fn labelled(
        &self,
        engine: &Engine,
        people: &PeopleQuery,
        columns: &[String],
        sources: &BTreeMap<String, Source>,
    ) -> Result<BTreeSet<String>, Trouble> {
        let is_meant = |label: &DataLabel| label.is_never_exported() || label.is_no_data_science();
        let mut labels = sources.values().flat_map(|source| source.data_labels.columns());
        if !labels.any(|(_, labels)| labels.iter().any(is_meant)) {
            return Ok(BTreeSet::new());
        }
        let kind = SegmentKind::Query { query: people.query.clone(), member_key: people.member_key.clone() };
        let segment = Segment {
            id: "people".to_owned().try_into().map_err(|_| QueryError::Internal { kind: "id".to_owned() })?,
            name: String::new(),
            labels: Vec::new(),
            active: true,
            schedule: None,
            kind,
        };
        let read = self.reading(engine, &segment, columns, sources).await?;
        Ok(attributes_labelled(&segment, &read, sources, is_meant))
    }
}

/// What is wrong with the people is wrong with the request, which has no query of its own.
fn in_request(error: QueryError) -> Trouble {
    let has_field = error.field().is_some();
    match Trouble::from(error) {
        Trouble::Theirs(found) if has_field => {
            Trouble::Theirs(PreviewError { field: Some("/among".to_owned()), ..found })
        }
        other => other,
    }
}

/// Among whom is looked where nobody says: the rows of the source that the segment is made of.
fn usual_population(segment: &Segment) -> Result<Population, DiscoveryError> {
    let none = || DiscoveryError::NoPopulation { segment: segment.id.to_string() };
    let source = if let Some(rules) = segment.rules() {
        rules.source.clone()
    } else {
        let mut named = segment.sources().map_err(|_| none())?.into_iter();
        match (named.next(), named.next()) {
            (Some(only), None) => SourceId::try_from(only).map_err(|_| none())?,
            _ => return Err(none()),
        }
    };
    let people = People::Source { source, member_key: segment.member_key().to_owned() };
    Ok(Population { people, measures: Vec::new() })
}

/// The columns that decide who is a member: in them nobody else can be alike.
fn deciding(read: &ColumnsRead, people: &People) -> BTreeSet<String> {
    let is_theirs = |name: &str| match people {
        People::Source { source, .. } => source.as_str() == name,
        People::Segment(_) => true,
    };
    read.columns().filter(|(source, ..)| is_theirs(source)).map(|(_, column, _)| column.to_owned()).collect()
}

impl Known {
    /// The columns that may be looked at.
    fn usable(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().filter(|column| !self.labelled.contains(*column))
    }

    /// The columns that are looked at: those that are named, or all that may be, and why the others are not.
    fn choose(
        &self,
        named: &[String],
        decides: &BTreeSet<String>,
    ) -> Result<(Vec<String>, Vec<LeftOutColumn>), DiscoveryError> {
        if !named.is_empty() {
            named.iter().try_for_each(|column| self.require(column))?;
            let mut seen = BTreeSet::new();
            return Ok((named.iter().filter(|column| seen.insert(*column)).cloned().collect(), Vec::new()));
        }
        let (mut columns, mut left_out) = (Vec::new(), Vec::new());
        for column in &self.columns {
            let why = if self.labelled.contains(column) {
                "is made of data labelled C9 or C12"
            } else if decides.contains(column) {
                "decides who is a member; name it in columns to use it all the same"
            } else if columns.len() >= MOST_READ {
                "is beyond the first 60; name the columns to look at"
            } else {
                columns.push(column.clone());
                continue;
            };
            left_out.push(LeftOutColumn { column: column.clone(), why: why.to_owned() });
        }
        Ok((columns, left_out))
    }

    fn require(&self, column: &String) -> Result<(), DiscoveryError> {
        if self.labelled.contains(column) {
            return Err(DiscoveryError::Labelled { column: column.clone() });
        }
        if self.columns.contains(column) {
            return Ok(());
        }
        let close = suggestion(column, &self.columns);
        let columns = listed(&self.columns);
        Err(DiscoveryError::UnknownColumn { column: format!("{column}{close}"), columns })
    }
}
