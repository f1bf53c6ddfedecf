//! Segments described in everyday words: what the words can be about, out of the lake.

use super::people::{MOST_READ, in_request};
use super::sampling::{Marks, Taking};
use crate::handler::Snapshots;
use crate::preview::Trouble;
use relay::catalog::Source;
use relay::discovery::words::{self, Vocabulary, is_spoken_of};
use relay::discovery::{DescriptionFound, DescriptionRequest, People, PeopleQuery, Population};
use snapshot::{ColumnType, Engine, SourceColumn, source_columns};
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
        let taking = Taking {
            query: known.people.query.clone(),
            member_key,
            columns: columns.clone(),
            most_texts: words::MOST_TEXTS,
            most: words::SAMPLE_PEOPLE,
            marks: Marks::Nowhere,
        };
        let sample = taking.take(engine, Vec::new()).await?.sample;
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
        let taking = Taking {
            query: PeopleQuery::of_source(&source.id, member_key).query,
            member_key,
            columns: texts,
            most_texts: 1,
            most: words::SAMPLE_PEOPLE,
            marks: Marks::Nowhere,
        };
        let sample = taking.take(engine, Vec::new()).await?.sample;
        Ok(sample.days)
    }
}
