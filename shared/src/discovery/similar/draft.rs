//! What was learned, as a query.

use super::fit::{Model, rounded};
use super::{Feature, FeatureKind, Members, Search, UNKNOWN};
use crate::catalog::rules::{quoted_name, quoted_text};
use crate::catalog::{Document, Segment, SegmentKind};
use crate::discovery::error::DiscoveryError;
use crate::discovery::population::PeopleQuery;
use crate::discovery::sample::Sample;
use crate::model::SegmentId;

/// The column by which a sample's query tells members: it has a value for them and none for others.
pub const IS_MEMBER: &str = "is a member";
/// The column with the similarity.
const SIMILARITY: &str = "similarity";
/// The longest id.
const MAX_ID_CHARACTERS: usize = 64;

/// The people with [`IS_MEMBER`] beside their columns.
#[must_use]
pub fn sample_query(people: &PeopleQuery, members: &PeopleQuery) -> String {
    let (table, of_members) = (quoted_name("people"), quoted_name("members"));
    let key = format!("CAST({table}.{} AS VARCHAR)", quoted_name(&people.member_key));
    let member_key = quoted_name(&members.member_key);
    format!(
        "SELECT {table}.*, {of_members}.\"key\" AS {}\nFROM ({}\n) AS {table}\nLEFT JOIN (SELECT DISTINCT CAST({member_key} \
         AS VARCHAR) AS \"key\" FROM ({}\n) AS {of_members}) AS {of_members} ON {of_members}.\"key\" = {key}",
        quoted_name(IS_MEMBER),
        people.query,
        members.query
    )
}

/// The segment of whoever is similar enough.
pub(super) fn draft(
    search: &Search<'_>,
    sample: &Sample,
    model: &Model,
    least: f64,
) -> Result<Segment, DiscoveryError> {
    let Search { request, segment, people, .. } = search;
    let id = request.id.clone().map_or_else(|| like(&segment.id), Ok)?;
    let name = request.name.clone().unwrap_or_else(|| format!("Like {}", segment.name));
    let kind = SegmentKind::Query {
        query: query(search, sample, model, least),
        member_key: people.member_key.clone(),
    };
    let draft = Segment { id, name, labels: Vec::new(), active: true, kind };
    let refused = |why: String| DiscoveryError::TooLarge { why };
    draft.validate().map_err(|error| refused(error.to_string()))?;
    draft.sources().map_err(|error| refused(error.to_string()))?;
    Ok(draft)
}

fn like(id: &SegmentId) -> Result<SegmentId, DiscoveryError> {
    let id: String = format!("like-{id}").chars().take(MAX_ID_CHARACTERS).collect();
    SegmentId::try_from(id).map_err(|error| DiscoveryError::TooLarge { why: error.to_string() })
}

fn query(search: &Search<'_>, sample: &Sample, model: &Model, least: f64) -> String {
    let Search { request, members, people, .. } = search;
    let table = quoted_name("people");
    let terms = sample.features.iter().zip(&model.weights);
    let terms: Vec<String> = terms.map(|(feature, weights)| term(feature, weights, &table)).collect();
    let sum = format!("{}\n    + {}", model.intercept, terms.join("\n    + "));
    let key = |table: &str, name: &str| format!("CAST({table}.{} AS VARCHAR)", quoted_name(name));
    let of_members = quoted_name("members");
    let is_member = format!(
        "EXISTS (SELECT 1 FROM ({}\n) AS {of_members} WHERE {} = {})",
        members.query,
        key(&of_members, &members.member_key),
        key(&table, &people.member_key)
    );
    let free = |name: &String| !search.names.contains(name);
    let further = (2..).map(|number| format!("{SIMILARITY}_{number}"));
    let name = std::iter::once(SIMILARITY.to_owned()).chain(further).find(free).unwrap_or_default();
    let similarity = quoted_name(&name);
    let is_similar = format!("{table}.{similarity} >= {}", rounded(least));
    let predicate = match request.members {
        Members::LeftOut => format!("{is_similar}\n  AND NOT {is_member}"),
        Members::Included => format!("({is_similar}\n  OR {is_member})"),
    };
    format!(
        "SELECT *\nFROM (SELECT {table}.*, round(1.0 / (1.0 + exp(0.0 - ({sum}))), 4) AS {similarity}\n  FROM ({}\n) AS \
         {table}) AS {table}\nWHERE {predicate}",
        people.query
    )
}

/// What a column counts for.
fn term(feature: &Feature, weights: &[f64], table: &str) -> String {
    let column = format!("{table}.{}", quoted_name(&feature.column));
    let weight = |bin: usize| weights.get(bin).copied().unwrap_or_default();
    let unknown = weight(usize::from(UNKNOWN));
    match &feature.kind {
        FeatureKind::Texts(texts) => {
            let whens = texts.iter().zip(1..).map(|(text, bin)| (quoted_text(text), weight(bin)));
            of_texts(&column, whens, weight(texts.len() + 1), unknown)
        }
        FeatureKind::Truths(truths) => {
            let whens =
                truths.iter().zip(1..).map(|(truth, bin)| (quoted_text(&truth.to_string()), weight(bin)));
            of_texts(&column, whens, unknown, unknown)
        }
        FeatureKind::Numbers(cuts) => {
            // By way of text, as the sample has them: a FLOAT of 0.7 is 0.69999999 as a DOUBLE.
            let number = format!("TRY_CAST(CAST({column} AS VARCHAR) AS DOUBLE)");
            let beyond = cuts.iter().enumerate().rev();
            let whens =
                beyond.map(|(place, cut)| format!(" WHEN {number} >= {cut} THEN {}", weight(place + 2)));
            format!(
                "CASE WHEN isnan({number}) THEN {unknown}{} WHEN {number} IS NOT NULL THEN {} ELSE {unknown} END",
                whens.collect::<String>(),
                weight(1)
            )
        }
        FeatureKind::Days(cuts) => {
            let day = format!("TRY_CAST({column} AS DATE)");
            let beyond = cuts.iter().enumerate().rev();
            let whens = beyond
                .map(|(place, cut)| format!(" WHEN {day} < {} THEN {}", days_ago(*cut), weight(place + 2)));
            format!(
                "CASE{} WHEN {day} IS NOT NULL THEN {} ELSE {unknown} END",
                whens.collect::<String>(),
                weight(1)
            )
        }
    }
}

fn of_texts(column: &str, whens: impl Iterator<Item = (String, f64)>, others: f64, unknown: f64) -> String {
    let whens: Vec<String> = whens.map(|(text, weight)| format!(" WHEN {text} THEN {weight}")).collect();
    let whens = whens.concat();
    let among = format!("CASE CAST({column} AS VARCHAR){whens} ELSE {others} END");
    if (others - unknown).abs() < f64::EPSILON {
        return among;
    }
    format!("CASE WHEN {column} IS NULL THEN {unknown} ELSE {among} END")
}

/// The day so many days before today, which may be one that is to come.
fn days_ago(days: i32) -> String {
    if days < 0 {
        format!("CURRENT_DATE + {}", days.unsigned_abs())
    } else {
        format!("CURRENT_DATE - {days}")
    }
}
