//! Segments: made from conditions, built for a while, and then a view of the contacts.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/get_segments> and the pages beside it.

use super::answer::Answer;
use super::clock;
use super::contact::Contact;
use super::cursor::{PageQuery, Place, Sort};
use super::errors::{self, ApiError, FieldError};
use super::ids::IdSeries;
use super::query::Query;
use super::segment_rules::Rule;
use super::world::{Brand, Target};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;

const LONGEST_NAME: usize = 256;
const SORTS: [(&str, Sort); 2] = [("createdAt", Sort::CreatedAt), ("name", Sort::Name)];

/// A brand's segments by number.
#[derive(Debug)]
pub(super) struct Segments {
    ids: IdSeries,
    all: BTreeMap<u32, Segment>,
    created: u32,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) rule: Rule,
    condition_groups: Value,
    ready_at: Instant,
    created_at: i64,
    updated_at: i64,
}

impl Segment {
    fn is_building(&self) -> bool {
        Instant::now() < self.ready_at
    }
}

impl Segments {
    pub(super) fn new() -> Self {
        Self { ids: IdSeries::random(), all: BTreeMap::new(), created: 0 }
    }

    pub(super) fn get(&self, id: &str) -> Option<&Segment> {
        self.all.get(&self.ids.number(id)?)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = (String, &str)> {
        self.all.iter().map(|(number, segment)| (self.ids.id(*number), segment.name.as_str()))
    }

    fn number(&self, id: &str) -> Result<u32, ApiError> {
        let number = self.ids.number(id).filter(|number| self.all.contains_key(number));
        number.ok_or_else(|| errors::not_found("Segment"))
    }

    fn show(&self, number: u32) -> Value {
        self.all.get(&number).map_or(Value::Null, |segment| {
            json!({
                "segmentID": self.ids.id(number),
                "name": segment.name,
                "conditionGroups": segment.condition_groups,
                "status": if segment.is_building() { "building" } else { "ready" },
                "isStarred": false,
                "createdAt": clock::show(segment.created_at),
                "updatedAt": clock::show(segment.updated_at),
                "archivedAt": null,
            })
        })
    }
}

/// The ids of the segments that a contact is in.
pub(super) fn of_contact(brand: &Brand, contact: &Contact) -> Value {
    let segments = brand.segments.all.iter();
    segments
        .filter(|(_, segment)| segment.rule.matcher(&brand.tags).matches(contact))
        .map(|(number, _)| brand.segments.ids.id(*number))
        .collect()
}

/// A name and conditions, from a body.
fn read(body: &Value) -> Result<(String, Value, Rule), ApiError> {
    let mut problems = Vec::new();
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        problems.push(FieldError::new("name", "invalid_length", "Must have 1 to 256 characters"));
    }
    let groups = body.get("conditionGroups").cloned().unwrap_or_default();
    match Rule::read(&groups) {
        Ok(rule) if problems.is_empty() => Ok((name.to_owned(), groups, rule)),
        Ok(_) => Err(errors::validation(problems)),
        Err(error) => {
            problems.push(error);
            Err(errors::validation(problems))
        }
    }
}

pub(super) fn create(target: &mut Target<'_>, body: &Value, now: i64) -> Result<Answer, ApiError> {
    let (name, condition_groups, rule) = read(body)?;
    let build = clock::scaled(target.options.segment_build_ms, target.options.time_scale);
    let segments = &mut target.brand.segments;
    let number = segments.created;
    segments.created = number.saturating_add(1);
    let ready_at = Instant::now() + build;
    let segment = Segment { name, rule, condition_groups, ready_at, created_at: now, updated_at: now };
    segments.all.insert(number, segment);
    target.report.segments_created += 1;
    Ok(Answer::json(201, &segments.show(number)))
}

pub(super) fn update(target: &mut Target<'_>, id: &str, body: &Value, now: i64) -> Result<Answer, ApiError> {
    let (name, condition_groups, rule) = read(body)?;
    let build = clock::scaled(target.options.segment_build_ms, target.options.time_scale);
    let segments = &mut target.brand.segments;
    let number = segments.number(id)?;
    if let Some(segment) = segments.all.get_mut(&number) {
        if segment.is_building() {
            return Err(errors::conflict("Segment is currently being built and cannot be updated"));
        }
        let created_at = segment.created_at;
        let ready_at = Instant::now() + build;
        *segment = Segment { name, rule, condition_groups, ready_at, created_at, updated_at: now };
    }
    Ok(Answer::json(200, &segments.show(number)))
}

pub(super) fn delete(brand: &mut Brand, id: &str) -> Result<Answer, ApiError> {
    let number = brand.segments.number(id)?;
    if brand.segments.all.get(&number).is_some_and(Segment::is_building) {
        return Err(errors::conflict("Segment is currently being built and cannot be deleted"));
    }
    brand.segments.all.remove(&number);
    Ok(Answer::empty(204))
}

pub(super) fn one(brand: &Brand, id: &str) -> Result<Answer, ApiError> {
    let number = brand.segments.number(id)?;
    Ok(Answer::json(200, &brand.segments.show(number)))
}

pub(super) fn statistics(brand: &Brand, id: &str) -> Result<Answer, ApiError> {
    let segment = brand.segments.get(id).ok_or_else(|| errors::not_found("Segment"))?;
    let matcher = segment.rule.matcher(&brand.tags);
    let count = brand.contacts.iter().filter(|contact| matcher.matches(contact)).count();
    Ok(Answer::json(200, &json!({ "contactsCount": count })))
}

pub(super) fn list(brand: &Brand, query: &Query) -> Result<Answer, ApiError> {
    let page_query = PageQuery::parse(query, 10, 50, &SORTS)?;
    let segments = brand.segments.all.iter().map(|(number, segment)| {
        let key = if page_query.sort == Sort::Name { segment.name.clone() } else { String::new() };
        Place { key, number: *number }
    });
    let page = page_query.page(page_query.walk(segments.collect()).into_iter());
    let rows: Vec<Value> = page.rows.iter().map(|place| brand.segments.show(place.number)).collect();
    let paging = json!({
        "limit": page_query.limit,
        "hasMore": page.after.is_some(),
        "cursors": { "after": page.after, "before": page.before },
    });
    Ok(Answer::json(200, &json!({ "segments": rows, "paging": paging })))
}
