//! Segments described in everyday words: what the words can be about, out of the lake.

use super::sampling::{Marks, Taking};
use super::{MOST_READ, in_request};
use crate::handler::Snapshots;
use crate::preview::Trouble;
use relay::catalog::Source;
use relay::discovery::words::{self, Vocabulary, is_spoken_of};
use relay::discovery::{DescriptionFound, DescriptionRequest, People, Population};
use relay::stages::StageError;
use snapshot::{ColumnType, Engine, SegmentQuery, SourceColumn, evaluate, source_columns};
use std::collections::BTreeMap;

impl Snapshots {
    /// Reads a description with the words that the people's columns have, and those of the sources that it speaks of.
    pub(super) async fn words(
        &self,
        engine: &Engine,
        sources: &BTreeMap<String, Source>,
        request: &DescriptionRequest,
    ) -> Result<DescriptionFound, Trouble> {
        let DescriptionRequest { source, member_key, description, .. } = request;
        let people = People::Source { source: source.clone(), member_key: member_key.clone() };
        let (known, _) = self.people(engine, sources, &Population { people, measures: Vec::new() }).await?;
        let columns: Vec<String> = known.usable().take(MOST_READ).cloned().collect();
        let query = SegmentQuery {
            text: known.people.query.clone(),
            member_key: member_key.clone(),
            attributes: columns.clone(),
        };
        let directory = tempfile::tempdir().map_err(StageError::from)?;
        let path = directory.path().join("people");
        let figures = evaluate(engine, &query, &path).await.map_err(in_request)?;
        let (most_texts, most) = (words::MOST_TEXTS, words::SAMPLE_PEOPLE);
        let taking = Taking { path, columns: columns.clone(), most_texts, most, marks: Marks::Nowhere };
        let (sample, _) = taking.take(figures.rows).await?;
        let mut vocabulary = Vocabulary::of(&sample, &columns);
        for other in sources.values() {
            if other.id == *source || !is_spoken_of(&other.id, description) {
                continue;
            }
            let columns = source_columns(engine, other.id.as_str()).await.map_err(in_request)?;
            if columns.iter().any(|column| column.name == *member_key) {
                let days = self.days_of(engine, other, member_key, &columns).await?;
                vocabulary = vocabulary.with_related(other.id.clone(), days);
            }
        }
        Ok(words::find(request, &vocabulary)?)
    }

    /// The columns of a source that hold days: by their type, or by a sample of what stands in them where they are texts.
    async fn days_of(
        &self,
        engine: &Engine,
        source: &Source,
        member_key: &str,
        columns: &[SourceColumn],
    ) -> Result<Vec<String>, Trouble> {
        let is_allowed = |name: &str| {
            let labels = source.data_labels.of(name);
            !labels.iter().any(|label| label.is_never_exported() || label.is_no_data_science())
        };
        let of = |wanted: &[ColumnType]| -> Vec<String> {
            let fits = |column: &&SourceColumn| column.column_type.is_some_and(|one| wanted.contains(&one));
            let named = columns.iter().filter(fits).map(|column| column.name.clone());
            named.filter(|name| name != member_key && is_allowed(name)).take(MOST_READ).collect()
        };
        let typed = of(&[ColumnType::Date, ColumnType::Moment, ColumnType::LocalMoment]);
        if !typed.is_empty() {
            return Ok(typed);
        }
        let texts = of(&[ColumnType::Text]);
        let text = relay::discovery::PeopleQuery::of_source(&source.id, member_key).query;
        let query = SegmentQuery { text, member_key: member_key.to_owned(), attributes: texts.clone() };
        let directory = tempfile::tempdir().map_err(StageError::from)?;
        let path = directory.path().join("rows");
        let figures = evaluate(engine, &query, &path).await.map_err(in_request)?;
        let (most_texts, most) = (1, words::SAMPLE_PEOPLE);
        let taking = Taking { path, columns: texts, most_texts, most, marks: Marks::Nowhere };
        let (sample, _) = taking.take(figures.rows).await?;
        Ok(sample.days)
    }
}
