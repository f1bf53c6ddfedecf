//! Segments that are found: a sample of the people out of the lake, and what is learned from it.

mod described;
mod people;
mod sampling;

use crate::handler::Snapshots;
use crate::preview::Trouble;
use people::Decided;
use relay_engine::{Engine, EngineSettings, QueryError, describe};
use relay_model::catalog::{Segment, Source};
use relay_model::discovery::similar::{self, IS_MEMBER, Search};
use relay_model::discovery::suggest::{self, Setting};
use relay_model::discovery::{
    DescriptionFound, DiscoveryError, PeopleQuery, SimilarFound, SimilarRequest, SuggestionRequest,
    SuggestionsFound,
};
use relay_model::engine::{PreviewError, PreviewOf};
use sampling::{Kept, Marks, Taken, Taking};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::block_in_place;
use tokio::time::timeout;

/// How long looking may take: everybody is read once, with every column that is looked at.
const TIME_LIMIT: Duration = Duration::from_mins(4);

/// At the most one in so many people may have a further row.
const MOST_FURTHER_ONE_IN: u64 = 20;

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

impl Snapshots {
    /// Finds what a preview asks to be found; nothing where it asks for something else.
    pub(crate) async fn discover(&self, of: &PreviewOf) -> Result<Option<Discovered>, Trouble> {
        if !matches!(of, PreviewOf::Similar { .. } | PreviewOf::Suggestions(_) | PreviewOf::Words(_)) {
            return Ok(None);
        }
        let settings = EngineSettings { time_limit: TIME_LIMIT, ..EngineSettings::new(std::env::temp_dir()) };
        let sources = self.sources().await?;
        let engine = self.engine(settings, &sources).await?;
        let found = async {
            Ok(match of {
                PreviewOf::Similar { segment, request } => {
                    let segment: Segment = self.catalog.get(segment.as_str()).await?;
                    let found = self.similar(&engine, &sources, &segment, request).await?;
                    Some(Discovered::Similar(Box::new(found)))
                }
                PreviewOf::Suggestions(request) => {
                    let found = self.suggestions(&engine, &sources, request).await?;
                    Some(Discovered::Suggestions(Box::new(found)))
                }
                PreviewOf::Words(request) => {
                    let found = self.words(&engine, &sources, request).await?;
                    Some(Discovered::Words(Box::new(found)))
                }
                _ => None,
            })
        };
        let too_slow = |_| QueryError::TimeLimit { seconds: TIME_LIMIT.as_secs() };
        timeout(TIME_LIMIT, Box::pin(found)).await.map_err(too_slow)?
    }

    async fn similar(
        &self,
        engine: &Engine,
        sources: &BTreeMap<String, Source>,
        segment: &Segment,
        request: &SimilarRequest,
    ) -> Result<SimilarFound, Trouble> {
        let members = PeopleQuery::of_segment(segment)?;
        let decided = Decided::by(&self.read_by(engine, segment, sources).await?);
        let among = match &request.among {
            Some(among) => among.clone(),
            None => self.usual_population(engine, segment, sources).await?,
        };
        let (known, _) = self.people(engine, sources, &among).await?;
        let (columns, left_out) = known.choose(&request.columns, Some(&decided))?;
        let people = &known.people;
        let taking = Taking {
            query: similar::sample_query(people, &members),
            member_key: &people.member_key,
            columns: [columns.as_slice(), &[IS_MEMBER.to_owned()]].concat(),
            most_texts: similar::MOST_TEXTS,
            most: similar::SAMPLE_PEOPLE,
            marks: Marks::LastColumn,
            columns_kept: Kept::Telling,
        };
        let Taken { sample, rows, marked, further_rows } = taking.take(engine, left_out).await?;
        require_one_row_each(rows, further_rows)?;
        let (members_count, others_count) = (marked, rows.saturating_sub(marked));
        let (members, names) = (&members, known.names.as_slice());
        let search =
            Search { request, segment, members, people, members_count, others_count, further_rows, names };
        let found = block_in_place(|| similar::find(&search, &sample))?;
        // What cannot be planned had better be told now than when it is saved.
        let drafted = PeopleQuery::of_segment(&found.draft)?;
        describe(engine, &drafted.query, &drafted.member_key)
            .await
            .map_err(|error| DiscoveryError::TooLarge { why: error.to_string() })?;
        Ok(found)
    }

    async fn suggestions(
        &self,
        engine: &Engine,
        sources: &BTreeMap<String, Source>,
        request: &SuggestionRequest,
    ) -> Result<SuggestionsFound, Trouble> {
        let (known, segment) = self.people(engine, sources, &request.among).await?;
        let (mut columns, left_out) = known.choose(&request.columns, None)?;
        if let Some(goal) = &request.goal {
            known.require(goal).map_err(|error| match error {
                DiscoveryError::Labelled { .. } => error,
                other => DiscoveryError::Goal { goal: goal.clone(), why: format!("cannot be one: {other}") },
            })?;
            columns.retain(|column| column != goal);
            // It comes first, so that there is room for it.
            columns.insert(0, goal.clone());
        }
        let people = &known.people;
        let taking = Taking {
            query: people.query.clone(),
            member_key: &people.member_key,
            columns,
            most_texts: suggest::MOST_TEXTS,
            most: suggest::SAMPLE_PEOPLE,
            marks: Marks::Nowhere,
            columns_kept: Kept::Telling,
        };
        let Taken { sample, rows, further_rows, .. } = taking.take(engine, left_out).await?;
        require_one_row_each(rows, further_rows)?;
        let segment = segment.as_ref();
        let setting = Setting { request, people, segment, people_count: rows, further_rows };
        Ok(block_in_place(|| suggest::find(&setting, &sample))?)
    }
}

/// A sample has one row of a member, and a draft asks each of their rows: where many have several, it would be about others
/// than the sample. A few are told.
fn require_one_row_each(rows: u64, further_rows: u64) -> Result<(), DiscoveryError> {
    if further_rows.saturating_mul(MOST_FURTHER_ONE_IN) > rows {
        return Err(DiscoveryError::SeveralRows { rows: further_rows, people: rows });
    }
    Ok(())
}
