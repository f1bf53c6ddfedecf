//! The lake's files: profiles as Parquet, orders as CSV.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use jiff::civil::{Date, date};
use parquet::arrow::ArrowWriter;

use super::{Order, Person};
use crate::Error;

const ROWS_A_GROUP: usize = 50_000;

/// Writes customers as Parquet, repeated by their number of copies.
pub fn write_profiles(path: &Path, persons: impl Iterator<Item = Person>) -> Result<(), Error> {
    let file = std::fs::File::create(path).map_err(Error::file(path))?;
    let mut persons = persons.flat_map(|person| std::iter::repeat_n(person.clone(), person.copies));
    let mut next = || persons.by_ref().take(ROWS_A_GROUP).collect::<Vec<_>>();
    // The first batch, even if empty, determines the writer's schema.
    let first = batch(&next())?;
    let mut writer = ArrowWriter::try_new(file, first.schema(), None).map_err(data)?;
    writer.write(&first).map_err(data)?;
    loop {
        let rows = next();
        if rows.is_empty() {
            return writer.close().map(drop).map_err(data);
        }
        writer.write(&batch(&rows)?).map_err(data)?;
    }
}

/// Writes orders as CSV.
pub fn write_orders<'a>(path: &Path, orders: impl Iterator<Item = &'a Order>) -> Result<(), Error> {
    let mut writer = csv::Writer::from_path(path).map_err(data)?;
    writer.write_record(["order_id", "customer_id", "total"]).map_err(data)?;
    for order in orders {
        let total = format!("{}.{:02}", order.cents / 100, order.cents % 100);
        writer.write_record([&order.id, &order.customer_id, &total]).map_err(data)?;
    }
    writer.flush().map_err(Error::file(path))
}

fn data(error: impl std::fmt::Display) -> Error {
    Error::Data(error.to_string())
}

fn batch(persons: &[Person]) -> Result<RecordBatch, Error> {
    let text = |value: fn(&Person) -> Option<&str>| -> ArrayRef {
        Arc::new(persons.iter().map(value).collect::<StringArray>())
    };
    let points: Int64Array = persons.iter().map(|person| person.points).collect();
    let birthdays: Date32Array = persons.iter().map(|person| person.birthday.and_then(days)).collect();
    let newsletters: BooleanArray = persons.iter().map(|person| Some(person.newsletter)).collect();
    let columns: [(&str, ArrayRef, bool); 9] = [
        ("customer_id", text(|person| Some(&person.id)), true),
        ("email", text(|person| person.email.as_deref()), true),
        ("name", text(|person| Some(&person.name)), true),
        ("address", text(|person| Some(&person.address)), true),
        ("city", text(|person| Some(&person.city)), true),
        ("points", Arc::new(points), true),
        ("birthday", Arc::new(birthdays), true),
        ("newsletter", Arc::new(newsletters), true),
        ("contact_id", text(|person| person.contact_id.as_deref()), true),
    ];
    RecordBatch::try_from_iter_with_nullable(columns).map_err(data)
}

fn days(day: Date) -> Option<i32> {
    date(1970, 1, 1).until(day).ok().map(|span| span.get_days())
}
