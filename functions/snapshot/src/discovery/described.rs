//! Segments described in everyday words: what the words can be about, out of the lake.

use super::people::{MOST_READ, in_request};
use super::sampling::{Kept, Marks, Taking};
use crate::handler::Snapshots;
use crate::preview::Trouble;
use relay_engine::{ColumnType, Engine, SourceColumn, source_columns};
use relay_model::catalog::Source;
use relay_model::discovery::words::{self, Vocabulary, is_spoken_of};
use relay_model::discovery::{DescriptionFound, DescriptionRequest, People, PeopleQuery, Population};
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
            columns_kept: Kept::All,
        };
        let sample = taking.take(engine, Vec::new()).await?.sample;
        let mut vocabulary = Vocabulary::of(&sample, &columns);
        for other in sources.values() {
            let is_theirs = other.id == *source || is_labelled(other, member_key);
            if is_theirs || !is_spoken_of(&other.id, description) {
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
        let is_allowed = |name: &String| !is_labelled(source, name);
        let of = |wanted: &[ColumnType]| -> Vec<String> {
            let fits = |column: &&SourceColumn| column.column_type.is_some_and(|one| wanted.contains(&one));
            let named = columns.iter().filter(fits).map(|column| column.name.clone());
            named.filter(|name| name != member_key).take(MOST_READ).collect()
        };
        let typed = of(&[ColumnType::Date, ColumnType::Moment, ColumnType::LocalMoment]);
        // Where a day must not be used, another one must not be taken for it: nobody knows which is meant.
        if typed.iter().any(is_allowed) && !typed.iter().all(is_allowed) {
            return Ok(typed);
        }
        let texts: Vec<String> = of(&[ColumnType::Text]).into_iter().filter(is_allowed).collect();
        let taking = Taking {
            query: PeopleQuery::of_source(&source.id, member_key).query,
            member_key,
            columns: texts,
            most_texts: 1,
            most: words::SAMPLE_PEOPLE,
            marks: Marks::Nowhere,
            columns_kept: Kept::All,
        };
        let sample = taking.take(engine, Vec::new()).await?.sample;
        Ok(typed.into_iter().filter(is_allowed).chain(sample.days).collect())
    }
}

/// Whether nothing is learned from a column of a source, or it never leaves.
fn is_labelled(source: &Source, column: &str) -> bool {
    let labels = source.data_labels.of(column);
    labels.iter().any(|label| label.is_never_exported() || label.is_no_data_science())
}
