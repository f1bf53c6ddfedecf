//! Among whom is looked, and with which columns.

use super::error::DiscoveryError;
use super::measure::Measure;
use crate::catalog::rules::quoted_name;
use crate::catalog::{Origin, Segment};
use crate::query::normalized;
use crate::{SegmentId, SourceId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// The most measures.
const MAX_MEASURES: usize = 10;

/// Among whom is looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PopulationForm", into = "PopulationForm")]
pub struct Population {
    /// The people.
    pub people: People,
    /// Figures of other sources, which are columns beside their own.
    pub measures: Vec<Measure>,
}

/// The people among whom is looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum People {
    /// The members of a segment, with the columns of its query.
    Segment(SegmentId),
    /// The rows of a source.
    Source {
        /// The source.
        source: SourceId,
        /// Its column with the customer id.
        member_key: String,
    },
}

/// Among whom is looked: a source with its member key, or a segment.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Population)]
struct PopulationForm {
    /// The members of this segment, with the columns of its query. An upload has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    segment: Option<SegmentId>,
    /// Instead of a segment: every row of this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    source: Option<SourceId>,
    /// The column of the source that holds the customer id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member_key: Option<String>,
    /// Figures of other sources, which are columns beside the people's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10)]
    measures: Vec<Measure>,
}

/// Why a form says of nobody who they are.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum FormError {
    #[error("has exactly one of `segment` and `source`")]
    NotOne,
    #[error("missing field `member_key`: the column of the source that holds the customer id")]
    NoMemberKey,
    #[error("`member_key` belongs to a source; a segment has its own")]
    MemberKeyOfSegment,
}

impl TryFrom<PopulationForm> for Population {
    type Error = FormError;

    fn try_from(form: PopulationForm) -> Result<Self, FormError> {
        let PopulationForm { segment, source, member_key, measures } = form;
        let people = match (segment, source, member_key) {
            (Some(segment), None, None) => People::Segment(segment),
            (Some(_), None, Some(_)) => return Err(FormError::MemberKeyOfSegment),
            (None, Some(source), Some(member_key)) => People::Source { source, member_key },
            (None, Some(_), None) => return Err(FormError::NoMemberKey),
            _ => return Err(FormError::NotOne),
        };
        Ok(Self { people, measures })
    }
}

impl From<Population> for PopulationForm {
    fn from(population: Population) -> Self {
        let (segment, source, member_key) = match population.people {
            People::Segment(segment) => (Some(segment), None, None),
            People::Source { source, member_key } => (None, Some(source), Some(member_key)),
        };
        Self { segment, source, member_key, measures: population.measures }
    }
}

impl PartialSchema for Population {
    fn schema() -> RefOr<Schema> {
        PopulationForm::schema()
    }
}

impl ToSchema for Population {
    fn name() -> Cow<'static, str> {
        PopulationForm::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        PopulationForm::schemas(schemas);
    }
}

/// The people as a query, and the column of it with the customer id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleQuery {
    /// One SELECT.
    pub query: String,
    /// The column.
    pub member_key: String,
}

impl PeopleQuery {
    /// The members of a segment.
    pub fn of_segment(segment: &Segment) -> Result<Self, DiscoveryError> {
        // What is saved compiles.
        match segment.origin().map_err(|error| DiscoveryError::TooLarge { why: error.to_string() })? {
            Origin::Selection(selection) => Ok(Self {
                query: in_parentheses(&selection.query)?,
                member_key: selection.member_key.to_owned(),
            }),
            Origin::Upload(_) => Err(DiscoveryError::Upload { segment: segment.id.to_string() }),
        }
    }

    /// The rows of a source.
    #[must_use]
    pub fn of_source(source: &SourceId, member_key: &str) -> Self {
        let query = format!("SELECT * FROM {}", quoted_name(source.as_str()));
        Self { query, member_key: member_key.to_owned() }
    }

    /// The same with measures beside the columns.
    #[must_use]
    pub fn with(self, measures: &[Measure]) -> Self {
        if measures.is_empty() {
            return self;
        }
        let people = quoted_name("people");
        let key = quoted_name(&self.member_key);
        let (mut columns, mut joins) = (Vec::new(), Vec::new());
        for (place, measure) in measures.iter().enumerate() {
            // A source's name has no space.
            let table = quoted_name(&format!("measure {}", place + 1));
            let name = quoted_name(&measure.name);
            columns.push(format!("{} AS {name}", measure.of_none(&format!("{table}.\"value\""))));
            joins.push(format!(
                "\nLEFT JOIN ({}) AS {table} ON {table}.\"key\" = CAST({people}.{key} AS VARCHAR)",
                measure.query()
            ));
        }
        let query = format!(
            "SELECT {people}.*, {}\nFROM ({}\n) AS {people}{}",
            columns.join(", "),
            self.query,
            joins.concat()
        );
        Self { query, ..self }
    }
}

/// A query as it can stand in parentheses. Its author's line breaks are kept where nothing is in it that ends a query or a
/// line.
fn in_parentheses(query: &str) -> Result<String, DiscoveryError> {
    if !query.contains(';') && !query.contains("--") {
        return Ok(query.trim().to_owned());
    }
    normalized(query).map_err(|error| DiscoveryError::TooLarge { why: error.to_string() })
}

impl Population {
    /// Checks what the types cannot say: the field's path from here and the problem.
    pub fn validate(&self) -> Result<(), (String, String)> {
        if let People::Source { member_key, .. } = &self.people
            && (member_key.trim().is_empty() || member_key.contains(char::is_control))
        {
            return Err(("member_key".to_owned(), "must be a column's name".to_owned()));
        }
        if self.measures.len() > MAX_MEASURES {
            return Err(("measures".to_owned(), format!("must not be more than {MAX_MEASURES}")));
        }
        for (place, measure) in self.measures.iter().enumerate() {
            measure.validate().map_err(|(field, problem)| (format!("measures[{place}].{field}"), problem))?;
            if self.measures.iter().take(place).any(|before| before.name == measure.name) {
                let problem = "is the name of a measure before it".to_owned();
                return Err((format!("measures[{place}].name"), problem));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Document;
    use serde_json::{Value, json};

    #[test]
    fn people_are_a_source_or_a_segment() {
        let check = |document: Value, words: Option<&str>| {
            let found: Result<Population, _> = serde_json::from_value(document.clone());
            match (found, words) {
                (Ok(found), None) => assert_eq!(serde_json::to_value(found).unwrap(), document),
                (Err(error), Some(words)) => assert!(error.to_string().contains(words), "{error}"),
                (found, _) => panic!("{document}: {found:?}"),
            }
        };
        check(json!({ "segment": "vips" }), None);
        check(json!({ "source": "people", "member_key": "id" }), None);
        let measure =
            json!({ "name": "n", "source": "bought", "member_key": "customer", "function": "count" });
        check(json!({ "segment": "vips", "measures": [measure] }), None);
        check(json!({ "source": "people" }), Some("missing field `member_key`"));
        check(json!({ "segment": "vips", "member_key": "id" }), Some("belongs to a source"));
        check(json!({ "segment": "vips", "source": "people" }), Some("exactly one"));
        check(json!({}), Some("exactly one"));
        check(json!({ "sauce": "people" }), Some("unknown field"));
    }

    #[test]
    fn a_segments_query_stands_in_parentheses_whatever_its_end() {
        let check = |query: &str| {
            let document = json!({ "id": "a", "name": "A", "query": query, "member_key": "id" });
            let people = PeopleQuery::of_segment(&Segment::parse(&document.to_string()).unwrap()).unwrap();
            let measure = json!({ "name": "n", "source": "bought", "member_key": "c", "function": "count" });
            let with = people.with(&[serde_json::from_value(measure).unwrap()]);
            let sources = crate::query::sources_of(&with.query).unwrap();
            assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["bought", "people"], "{query}");
        };
        check("SELECT * FROM people");
        check("SELECT * FROM people ; ");
        check("SELECT * FROM people -- all of them");
        check("SELECT * FROM people /* a */; -- b");
        check("WITH x AS (SELECT * FROM people) SELECT * FROM x ORDER BY id LIMIT 5;");
    }

    #[test]
    fn an_upload_is_nobody_in_a_source() {
        let document = json!({ "id": "a", "name": "A", "upload": { "identity_column": "email" } });
        let found = PeopleQuery::of_segment(&Segment::parse(&document.to_string()).unwrap());
        assert_eq!(found, Err(DiscoveryError::Upload { segment: "a".to_owned() }));
    }
}
