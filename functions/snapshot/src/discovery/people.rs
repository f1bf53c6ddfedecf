//! Among whom is looked: the people, their columns, and what must not be learned from.

use crate::handler::Snapshots;
use crate::preview::Trouble;
use relay::catalog::{Segment, SegmentKind, Source};
use relay::discovery::{
    DiscoveryError, LeftOutColumn, Measure, MeasureFunction, People, PeopleQuery, Population,
};
use relay::governance::{ColumnsRead, attributes_labelled, reads_labelled};
use relay::model::{DataLabel, SourceId};
use relay::query::{listed, suggestion};
use relay::snapshot::PreviewError;
use snapshot::{Engine, QueryError, describe};
use std::collections::{BTreeMap, BTreeSet};

/// Columns that are taken out of the lake; of those that can be used, fewer are.
pub(super) const MOST_READ: usize = 60;

/// The people, and what is known of their columns.
pub(super) struct Known {
    pub(super) people: PeopleQuery,
    /// All of them.
    pub(super) names: Vec<String>,
    /// Those that can be looked at: without the customer id, and without lists and structures.
    columns: Vec<String>,
    /// Those that are not used, whoever names them.
    labelled: BTreeSet<String>,
    /// Of each column, the columns of sources that its values are made of.
    origins: BTreeMap<String, BTreeSet<(String, String)>>,
    measures: Vec<Measure>,
}

/// What decides who is a member of a segment: the columns of sources that it reads.
pub(super) struct Decided(BTreeSet<(String, String)>);

impl Decided {
    pub(super) fn by(read: &ColumnsRead) -> Self {
        Self(read.columns().map(|(source, column, _)| (source.to_owned(), column.to_owned())).collect())
    }

    fn reads(&self, source: &str, column: &str) -> bool {
        self.0.iter().any(|(one, other)| one == source && other == column)
    }
}

/// What is wrong with the people is wrong with the request, which has no query of its own.
pub(super) fn in_request(error: QueryError) -> Trouble {
    let has_field = error.field().is_some();
    match Trouble::from(error) {
        Trouble::Theirs(found) if has_field => {
            Trouble::Theirs(PreviewError { field: Some("/among".to_owned()), ..found })
        }
        other => other,
    }
}

fn is_meant(label: &DataLabel) -> bool {
    label.is_never_exported() || label.is_no_data_science()
}

impl Snapshots {
    /// What decides who is a member of a segment. It is refused where nothing may be learned from that.
    pub(super) async fn read_by(
        &self,
        engine: &Engine,
        segment: &Segment,
        sources: &BTreeMap<String, Source>,
    ) -> Result<ColumnsRead, Trouble> {
        let read = self.reading(engine, segment, &[], sources).await?;
        if reads_labelled(segment, &read, sources, DataLabel::is_no_data_science) {
            return Err(DiscoveryError::LabelledSegment { segment: segment.id.to_string() }.into());
        }
        Ok(read)
    }

    /// Among whom is looked where nobody says: the rows of the source that the segment's member key comes from, where it is
    /// called as there.
    pub(super) async fn usual_population(
        &self,
        engine: &Engine,
        segment: &Segment,
        sources: &BTreeMap<String, Source>,
    ) -> Result<Population, Trouble> {
        let none = || DiscoveryError::NoPopulation { segment: segment.id.to_string() };
        let member_key = segment.member_key().to_owned();
        let source = if let Some(rules) = segment.rules() {
            rules.source.clone()
        } else {
            let read = self.reading(engine, segment, std::slice::from_ref(&member_key), sources).await?;
            let mut made_of = read.columns().filter(|(_, _, attributes)| attributes.contains(&member_key));
            match (made_of.next(), made_of.next()) {
                (Some((source, column, _)), None) if column == member_key => {
                    SourceId::try_from(source.to_owned()).map_err(|_| none())?
                }
                _ => return Err(none().into()),
            }
        };
        Ok(Population { people: People::Source { source, member_key }, measures: Vec::new() })
    }

    /// The people of a population, and the segment whose members they are.
    pub(super) async fn people(
        &self,
        engine: &Engine,
        sources: &BTreeMap<String, Source>,
        among: &Population,
    ) -> Result<(Known, Option<Segment>), Trouble> {
        let (own, segment) = match &among.people {
            People::Segment(id) => {
                let segment: Segment = self.catalog.get(id.as_str()).await?;
                let own = PeopleQuery::of_segment(&segment)?;
                self.read_by(engine, &segment, sources).await?;
                (own, Some(segment))
            }
            People::Source { source, member_key } => (PeopleQuery::of_source(source, member_key), None),
        };
        let described = describe(engine, &own.query, &own.member_key).await.map_err(in_request)?;
        let mut names: BTreeSet<String> =
            described.columns.iter().map(|column| column.name.clone()).collect();
        names.extend(described.unusable_columns.iter().map(|column| column.name.clone()));
        if let Some(measure) = among.measures.iter().find(|measure| names.contains(&measure.name)) {
            return Err(DiscoveryError::MeasureIsColumn { name: measure.name.clone() }.into());
        }
        names.extend(among.measures.iter().map(|measure| measure.name.clone()));
        let people = own.with(&among.measures);
        let described = describe(engine, &people.query, &people.member_key).await.map_err(in_request)?;
        let mut columns: Vec<String> = described.columns.into_iter().map(|column| column.name).collect();
        let made_of = as_segment(&people)?;
        let read = self.reading(engine, &made_of, &columns, sources).await.map_err(in_request)?;
        let mut labelled = attributes_labelled(&made_of, &read, sources, is_meant);
        let measures = among.measures.clone();
        labelled.extend(measures.iter().filter(|one| is_labelled(one, sources)).map(|one| one.name.clone()));
        let mut origins: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        for (source, column, attributes) in read.columns() {
            for attribute in attributes {
                let of = origins.entry(attribute.clone()).or_default();
                of.insert((source.to_owned(), column.to_owned()));
            }
        }
        columns.retain(|column| *column != people.member_key);
        let names = names.into_iter().collect();
        Ok((Known { people, names, columns, labelled, origins, measures }, segment))
    }
}

/// The people's query as a segment, for whoever finds out what a segment reads.
fn as_segment(people: &PeopleQuery) -> Result<Segment, Trouble> {
    let PeopleQuery { query, member_key } = people.clone();
    let id = "people".to_owned().try_into().map_err(|_| QueryError::Internal { kind: "id".to_owned() })?;
    let kind = SegmentKind::Query { query, member_key };
    Ok(Segment { id, name: String::new(), labels: Vec::new(), active: true, kind })
}

/// The columns of its source that a measure reads.
fn columns_of(measure: &Measure) -> impl Iterator<Item = &String> {
    std::iter::once(&measure.member_key).chain(&measure.column).chain(&measure.day)
}

/// Whether a measure reads anything that is not learned from: a count has no value of it, and tells of it all the same.
fn is_labelled(measure: &Measure, sources: &BTreeMap<String, Source>) -> bool {
    let labels = sources.get(measure.source.as_str()).map(|source| &source.data_labels);
    labels.is_some_and(|labels| columns_of(measure).any(|column| labels.of(column).iter().any(is_meant)))
}

impl Known {
    /// The columns that may be looked at.
    pub(super) fn usable(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().filter(|column| !self.labelled.contains(*column))
    }

    /// The columns that are looked at: those that are named, or all that may be, and why the others are not. In what
    /// decides who is a member, nobody else can be alike.
    pub(super) fn choose(
        &self,
        named: &[String],
        decided: Option<&Decided>,
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
            } else if decided.is_some_and(|decided| self.decides(column, decided)) {
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

    fn decides(&self, column: &str, decided: &Decided) -> bool {
        let of_column = self.origins.get(column);
        if of_column.is_some_and(|origins| origins.iter().any(|(source, one)| decided.reads(source, one))) {
            return true;
        }
        let Some(measure) = self.measures.iter().find(|measure| measure.name == *column) else {
            return false;
        };
        let source = measure.source.as_str();
        let is_counted = measure.function == MeasureFunction::Count;
        let mut read =
            measure.column.iter().chain(&measure.day).chain(is_counted.then_some(&measure.member_key));
        read.any(|one| decided.reads(source, one))
    }

    pub(super) fn require(&self, column: &String) -> Result<(), DiscoveryError> {
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
