//! The calls about batches.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/post_batches> and the pages beside it.

use super::answer::Answer;
use super::batch::{self, Batch, BatchStatus, Shown};
use super::clock;
use super::dialect::Dialect;
use super::errors::{self, ApiError};
use super::ids::IdSeries;
use super::options::Options;
use super::query::Query;
use super::request::Reader;
use super::world::{Brand, Target};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use url::form_urlencoded;

const STATUSES: [(&str, Option<BatchStatus>); 4] = [
    ("pending", Some(BatchStatus::Pending)),
    ("inProgress", Some(BatchStatus::InProgress)),
    ("finished", Some(BatchStatus::Finished)),
    ("stopped", Some(BatchStatus::Stopped)),
];

/// A brand's batches, in the order in which they came.
#[derive(Debug)]
pub(super) struct Batches {
    ids: IdSeries,
    all: Vec<Batch>,
    pub(super) unfinished: usize,
}

impl Batches {
    pub(super) fn new() -> Self {
        Self { ids: IdSeries::random(), all: Vec::new(), unfinished: 0 }
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Batch> {
        self.all.get_mut(usize::try_from(number).ok()?)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (String, &Batch)> {
        self.all.iter().zip(0..).map(|(batch, number)| (self.ids.id(number), batch))
    }

    fn find(&self, id: &str, options: &Options) -> Result<&Batch, ApiError> {
        let position = self.ids.number(id).and_then(|number| usize::try_from(number).ok());
        let batch = position.and_then(|position| self.all.get(position));
        batch.filter(|batch| is_kept(batch, options)).ok_or_else(|| errors::not_found("Batch"))
    }
}

fn is_kept(batch: &Batch, options: &Options) -> bool {
    batch.accepted.elapsed() < clock::scaled(options.batch_kept_ms, options.time_scale)
}

/// A batch that may be accepted.
pub(super) struct NewBatch {
    pub(super) items: Vec<Value>,
    /// The whole body.
    compressed: Arc<[u8]>,
    origin: Option<String>,
}

/// Checks the envelope and packs the body. Nothing here needs the brand.
pub(super) fn read(body: &[u8], dialect: Dialect, options: &Options) -> Result<NewBatch, ApiError> {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(body) else {
        return Err(errors::malformed());
    };
    let mut reader = Reader { dialect, options, errors: Vec::new() };
    reader.known("", &object, &["method", "endpoint", "items", "origin", "eventID"]);
    match object.get("endpoint").and_then(Value::as_str) {
        Some("contacts") => {}
        Some("products" | "events" | "categories") => {
            reader.refuse("endpoint", "invalid_value", "This server knows batches of contacts only");
        }
        _ => reader.refuse("endpoint", "invalid_value", "Must be products, contacts, events or categories"),
    }
    match object.get("method").and_then(Value::as_str) {
        Some("POST") => {}
        Some("PUT") => reader.refuse("method", "invalid_value", "Contacts are posted only"),
        _ => reader.refuse("method", "invalid_value", "Must be POST or PUT"),
    }
    let origin = reader.text("origin", object.get("origin"));
    let most = dialect.most_batch_items();
    let items = match object.remove("items") {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    if items.is_empty() || items.len() > most {
        reader.refuse("items", "invalid_length", &format!("Must have 1 to {most} items"));
    }
    if !reader.errors.is_empty() {
        return Err(errors::validation(reader.errors));
    }
    let compressed = zstd::encode_all(body, 1).map_err(|_| errors::with_status(500))?;
    Ok(NewBatch { items, compressed: compressed.into(), origin })
}

/// Accepts a batch; the number is for those who run it.
pub(super) fn create(
    target: &mut Target<'_>,
    batch: NewBatch,
    dialect: Dialect,
    now: i64,
) -> (u32, Vec<Value>, Answer) {
    let NewBatch { items, compressed, origin } = batch;
    let total = items.len();
    let batches = &mut target.brand.batches;
    let number = u32::try_from(batches.all.len()).unwrap_or(u32::MAX);
    batches.all.push(Batch {
        dialect,
        status: BatchStatus::Pending,
        accepted: Instant::now(),
        created_at: now,
        started_at: None,
        ended_at: None,
        origin,
        total,
        errors: 0,
        body: compressed,
        outcomes: Vec::new(),
    });
    batches.unfinished += 1;
    let report = &mut target.report.batches;
    report.submitted += 1;
    report.items += total;
    report.most_items = report.most_items.max(total);
    report.most_unfinished = report.most_unfinished.max(batches.unfinished);
    let answer = json!({ "batchID": batches.ids.id(number), "totalCount": total });
    (number, items, Answer::json(dialect.created(), &answer))
}

pub(super) fn one(brand: &Brand, id: &str, dialect: Dialect, options: &Options) -> Result<Answer, ApiError> {
    let batch = brand.batches.find(id, options)?;
    Ok(Answer::json(200, &batch::summary(batch, id, dialect, Shown::Counts, options)))
}

/// The body of a batch as it was sent, packed.
pub(super) fn packed(brand: &Brand, id: &str, options: &Options) -> Result<Arc<[u8]>, ApiError> {
    Ok(Arc::clone(&brand.batches.find(id, options)?.body))
}

/// The items in a packed body.
pub(super) fn unpack(packed: &[u8]) -> Result<Vec<Value>, ApiError> {
    let bytes = zstd::decode_all(packed).map_err(|_| errors::with_status(500))?;
    let mut body: Value = serde_json::from_slice(&bytes).map_err(|_| errors::with_status(500))?;
    match body.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(errors::with_status(500)),
    }
}

pub(super) fn items(
    brand: &Brand,
    id: &str,
    dialect: Dialect,
    requests: Vec<Value>,
    options: &Options,
) -> Result<Answer, ApiError> {
    let batch = brand.batches.find(id, options)?;
    let mut body = batch::summary(batch, id, dialect, Shown::Items, options);
    let (errors, responses) = batch::items(brand, batch, id, requests, options);
    body.insert("errors".to_owned(), errors.into());
    body.insert("responses".to_owned(), responses.into());
    Ok(Answer::json(200, &body))
}

pub(super) fn list(
    brand: &Brand,
    query: &Query,
    dialect: Dialect,
    host: &str,
    options: &Options,
) -> Result<Answer, ApiError> {
    let endpoints = [("contacts", true), ("products", false), ("events", false)];
    if query.get("endpoint").is_none() {
        return Err(errors::invalid("endpoint", "required", "The parameter is required"));
    }
    let is_contacts = query.word("endpoint", &endpoints, false)?;
    let offset = query.number("offset", 0, 0..=usize::MAX)?;
    let limit = query.number("limit", 100, 1..=250)?;
    let status = query.word("status", &STATUSES, None)?;
    let from = day(query, "dateFrom")?;
    let to = day(query, "dateTo")?;
    let matches = |batch: &Batch| {
        is_contacts
            && is_kept(batch, options)
            && status.is_none_or(|status| batch.status == status)
            && from.is_none_or(|from| day_of(batch.created_at) >= from)
            && to.is_none_or(|to| day_of(batch.created_at) <= to)
    };
    let end = u32::try_from(brand.batches.all.len()).unwrap_or(u32::MAX);
    let newest_first = (0..end).rev().zip(brand.batches.all.iter().rev());
    let batches = newest_first.filter(|(_, batch)| matches(batch));
    let mut page: Vec<_> = batches.skip(offset).take(limit.saturating_add(1)).collect();
    let has_more = page.len() > limit;
    page.truncate(limit);
    let rows = page.into_iter().map(|(number, batch)| {
        batch::summary(batch, &brand.batches.ids.id(number), dialect, Shown::Counts, options)
    });
    let rows: Vec<_> = rows.collect();
    let link = |offset: usize| link(query, host, dialect, offset);
    let next = has_more.then(|| link(offset.saturating_add(limit)));
    let previous = (offset > 0).then(|| link(offset.saturating_sub(limit)));
    let paging = json!({ "offset": offset, "limit": limit, "next": next, "previous": previous });
    Ok(Answer::json(200, &json!({ "batches": rows, "paging": paging })))
}

fn day(query: &Query, name: &'static str) -> Result<Option<Date>, ApiError> {
    let wrong = || errors::invalid(name, "invalid_format", "Must be yyyy-mm-dd");
    query.get(name).map(|text| text.parse().map_err(|_| wrong())).transpose()
}

fn day_of(at_ms: i64) -> Date {
    Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned(TimeZone::UTC).date()
}

fn link(query: &Query, host: &str, dialect: Dialect, offset: usize) -> String {
    let kept = query.pairs().filter(|(name, _)| *name != "offset");
    let pairs = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair("offset", &offset.to_string())
        .finish();
    format!("http://{host}{}batches?{pairs}", dialect.prefix())
}
