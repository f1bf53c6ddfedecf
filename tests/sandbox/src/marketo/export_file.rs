//! What an extract is asked for, and the file that it writes.

use super::answer::Answer;
use super::errors::{self, ApiError};
use super::fields::{FieldNumber, Fields};
use super::ids::ListId;
use super::leads::Lead;
use super::people;
use super::request::Payload;
use super::world::World;
use axum::http::header;
use csv::Writer;
use serde_json::Value;
use std::ops::RangeInclusive;

/// An extract as it was asked for.
#[derive(Debug)]
pub(super) struct ExportRequest {
    pub(super) fields: Vec<String>,
    pub(super) headers: Vec<String>,
    pub(super) list: ListId,
}

/// Reads the body of the call that makes an extract.
pub(super) fn read(world: &World, payload: &Payload) -> Result<ExportRequest, ApiError> {
    let body = payload.json()?;
    let fields = body.get("fields").and_then(Value::as_array).ok_or_else(|| errors::missing("fields"))?;
    let fields: Option<Vec<String>> = fields.iter().map(|name| name.as_str().map(str::to_owned)).collect();
    let fields = fields.ok_or_else(|| errors::wrong_type("fields", "string"))?;
    if fields.is_empty() {
        return Err(errors::missing("fields"));
    }
    if let Some(format) = body.get("format").and_then(Value::as_str)
        && format != "CSV"
    {
        return Err(errors::error(1003, "Only the format CSV is supported"));
    }
    let filter = body.get("filter").and_then(Value::as_object).ok_or_else(|| errors::missing("filter"))?;
    if filter.len() != 1 {
        return Err(errors::error(1003, "Exactly one filter is allowed"));
    }
    let id = filter.get("staticListId").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
    let name = filter.get("staticListName").and_then(Value::as_str);
    let list = match (id, name) {
        (Some(id), _) => world.list_id(&id.to_string())?,
        (None, Some(name)) => {
            let found = world.lists.iter().find(|(_, list)| list.name == name);
            *found.ok_or(errors::LIST_NOT_FOUND)?.0
        }
        (None, None) => return Err(errors::EXPORT_FILTER),
    };
    let names = body.get("columnHeaderNames").and_then(Value::as_object);
    let header = |field: &String| {
        let name = names.and_then(|names| names.get(field)).and_then(Value::as_str);
        name.unwrap_or(field).to_owned()
    };
    let headers = fields.iter().map(header).collect();
    Ok(ExportRequest { fields, headers, list })
}

/// The file and the number of its records. A value that is not there is the word `null`.
pub(super) fn write<'a>(
    fields: &Fields,
    headers: &[String],
    numbers: &[FieldNumber],
    leads: impl Iterator<Item = &'a Lead>,
) -> (Vec<u8>, usize) {
    let mut writer = Writer::from_writer(Vec::new());
    let mut records = 0;
    // Writing into memory does not fail: all rows have the header's length.
    writer.write_record(headers).ok();
    for lead in leads {
        let cells = numbers.iter().map(|number| match people::shown_value(fields, lead, *number) {
            Value::String(text) => text,
            other => other.to_string(),
        });
        writer.write_record(cells).ok();
        records += 1;
    }
    (writer.into_inner().unwrap_or_default(), records)
}

/// The file, or the part of it that `Range: bytes=…` asks for.
pub(super) fn part(file: &[u8], range: Option<&str>) -> Answer {
    let Some(range) = range else {
        return Answer::csv(file.to_vec());
    };
    let length = file.len();
    let Some((range, bytes)) = parse(range, length).and_then(|range| Some((range.clone(), file.get(range)?)))
    else {
        return Answer::text(416, "Range not satisfiable");
    };
    let content_range = format!("bytes {}-{}/{length}", range.start(), range.end());
    Answer::csv(bytes.to_vec()).with_status(206).with_header(header::CONTENT_RANGE, &content_range)
}

fn parse(range: &str, length: usize) -> Option<RangeInclusive<usize>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let first = first.parse().ok()?;
    let last = if last.is_empty() { end } else { last.parse::<usize>().ok()?.min(end) };
    (first <= last).then_some(first..=last)
}
