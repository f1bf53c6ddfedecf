//! Pages of rows, and counts.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/page-results>,
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/count-rows>

use super::answer::Answer;
use super::query::Query;
use super::tables::{Cursor, Row, Table};
use serde_json::{Map, Value, json};

/// A count says no more than this, whatever there is.
pub(super) const LARGEST_COUNT: usize = 5_000;

/// Where a page's addresses begin: the organisation's address, and the path that was called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    pub(super) organization: &'a str,
    pub(super) next_link: &'a str,
    pub(super) path: &'a str,
}

/// A page of a query; `rows` gives those behind a cursor, in their order.
pub(super) fn page<R: Row, I: Iterator<Item = R>>(
    table: &Table,
    query: &Query,
    origin: Origin<'_>,
    rows: impl Fn(Option<Cursor>) -> I,
) -> Answer {
    let matches = |row: &R| query.filter.as_ref().is_none_or(|filter| filter.matches(row));
    let size = query.page_size();
    let mut found = rows(query.behind).filter(matches);
    let mut values = Vec::new();
    let mut last = None;
    for row in found.by_ref().take(size) {
        last = Some(row.cursor());
        values.push(show(table, query.select.as_deref(), &row));
    }
    // With `$top` there is nothing behind the last row that was asked for.
    let has_more = query.top.is_none_or(|top| top > size) && found.next().is_some();
    let read = values.len();
    let mut body = Map::new();
    let columns = query.select.as_ref().map(|names| format!("({})", names.join(","))).unwrap_or_default();
    let context = format!("{}/api/data/v9.2/$metadata#{}{columns}", origin.organization, table.set);
    body.insert("@odata.context".to_owned(), context.into());
    if query.has_count {
        let (count, is_exceeded) = saturated(rows(None).filter(matches));
        body.insert("@odata.count".to_owned(), count.into());
        if query.preferences.has_total_annotations {
            body.insert("@Microsoft.Dynamics.CRM.totalrecordcount".to_owned(), count.into());
            let name = "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded";
            body.insert(name.to_owned(), is_exceeded.into());
        }
    }
    if let Some(last) = last.filter(|_| has_more) {
        let link = format!("{}{}?{}", origin.next_link, origin.path, query.next(last));
        body.insert("@odata.nextLink".to_owned(), link.into());
    }
    body.insert("value".to_owned(), Value::Array(values));
    let answer = Answer::json(200, &body).with_rows(read);
    match query.preferences.page_size {
        Some(_) => answer.with_text("preference-applied", &format!("odata.maxpagesize={size}")),
        None => answer,
    }
}

/// How many rows a query has, up to the largest count.
pub(super) fn count<R: Row>(query: &Query, rows: impl Iterator<Item = R>) -> Answer {
    let matches = |row: &R| query.filter.as_ref().is_none_or(|filter| filter.matches(row));
    let (count, _) = saturated(rows.filter(matches));
    Answer::number(count).with_rows(count)
}

/// The count, and whether there are more.
fn saturated<R>(rows: impl Iterator<Item = R>) -> (usize, bool) {
    let count = rows.take(LARGEST_COUNT + 1).count();
    (count.min(LARGEST_COUNT), count > LARGEST_COUNT)
}

/// A row with the selected columns, or all, and always its key.
pub(super) fn show(table: &Table, select: Option<&[String]>, row: &impl Row) -> Value {
    let mut object = Map::new();
    object.insert("@odata.etag".to_owned(), etag(row).into());
    let is_selected = |name: &str| match select {
        Some(names) => name == table.key || names.iter().any(|selected| selected == name),
        None => true,
    };
    for (name, _) in table.columns.iter().filter(|(name, _)| is_selected(name)) {
        object.insert((*name).to_owned(), row.cell(name).json());
    }
    Value::Object(object)
}

/// One row by itself.
pub(super) fn single(table: &Table, select: Option<&[String]>, organization: &str, row: &impl Row) -> Answer {
    let mut object = show(table, select, row);
    if let Value::Object(object) = &mut object {
        let columns = select.map(|names| format!("({})", names.join(","))).unwrap_or_default();
        let context = json!(format!("{organization}/api/data/v9.2/$metadata#{}{columns}/$entity", table.set));
        object.insert("@odata.context".to_owned(), context);
    }
    Answer::json(200, &object).with_rows(1).with_text("etag", &etag(row))
}

pub(super) fn etag(row: &impl Row) -> String {
    format!("W/\"{}\"", row.version())
}
