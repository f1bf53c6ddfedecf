//! A group as a segment.

use super::Setting;
use super::candidates::Candidate;
use crate::catalog::rules::{Combine, Rule, RuleSet};
use crate::catalog::{Document, Segment, SegmentKind};
use crate::discovery::population::{People, PeopleQuery};
use crate::model::{SegmentId, SourceId};
use crate::query::sources_of;

/// The longest name.
const MAX_NAME_CHARACTERS: usize = 120;
/// What the people are called in a query of their own.
const PEOPLE: &str = "suggested_people";

/// The segment of whoever fulfils all conditions: by rules where rules can say it, else by a query. Nothing where it would
/// be none that can be saved.
pub(super) fn draft(setting: &Setting<'_>, number: usize, conditions: &[Candidate<'_>]) -> Option<Segment> {
    let id = SegmentId::try_from(format!("{}-{number}", setting.request.id)).ok()?;
    let words: Vec<String> = conditions.iter().map(Candidate::words).collect();
    let name = words.join(", ").chars().take(MAX_NAME_CHARACTERS).collect();
    let kinds = [by_rules(setting, conditions), by_query(setting.people, conditions)];
    let draft =
        |kind| Segment { id: id.clone(), name: String::clone(&name), labels: Vec::new(), active: true, kind };
    kinds.into_iter().flatten().map(draft).find(|draft| draft.validate().is_ok() && draft.sources().is_ok())
}

fn rule(conditions: &[Candidate<'_>], combine: Option<Combine>) -> Rule {
    Rule {
        name: "stands out".to_owned(),
        combine,
        path: Vec::new(),
        all: Some(conditions.iter().map(Candidate::condition).collect()),
        any: None,
        at_least_rows: None,
    }
}

/// Rules over the source, or one more rule of the segment.
fn by_rules(setting: &Setting<'_>, conditions: &[Candidate<'_>]) -> Option<SegmentKind> {
    let among = &setting.request.among;
    let is_measure = |one: &Candidate<'_>| among.measures.iter().any(|measure| measure.name == one.column());
    if conditions.iter().any(is_measure) {
        return None;
    }
    match (&among.people, setting.segment.map(|segment| &segment.kind)) {
        (People::Source { source, member_key }, _) => {
            let rules =
                RuleSet { source: source.clone(), columns: Vec::new(), rules: vec![rule(conditions, None)] };
            Some(SegmentKind::Rules { rules, member_key: member_key.clone() })
        }
        (People::Segment(_), Some(SegmentKind::Rules { rules, member_key })) => {
            let mut rules = rules.clone();
            rules.rules.push(rule(conditions, Some(Combine::Intersect)));
            Some(SegmentKind::Rules { rules, member_key: member_key.clone() })
        }
        (People::Segment(_), _) => None,
    }
}

/// A query over the people's.
fn by_query(people: &PeopleQuery, conditions: &[Candidate<'_>]) -> Option<SegmentKind> {
    let PeopleQuery { query, member_key } = people;
    let taken = sources_of(query).ok()?;
    let mut name = PEOPLE.to_owned();
    while taken.contains(&name) {
        name.push('_');
    }
    let source = SourceId::try_from(name).ok()?;
    let all = RuleSet { source: source.clone(), columns: Vec::new(), rules: vec![rule(conditions, None)] };
    let selected = all.query(member_key).ok()?;
    let query = format!("WITH \"{source}\" AS ({query}\n)\n{selected}");
    Some(SegmentKind::Query { query, member_key: member_key.clone() })
}
