//! Keeps one row for each member, out of rows sorted by member key.
//!
//! The row that is kept must not depend on the order in which the engine merges rows. It is the least by all columns,
//! NULLs first. A sort by all columns would have the same result but need twice the memory, although duplicates are rare.

use crate::errors::QueryError;
use datafusion::arrow::array::{Array, AsArray, BooleanArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::row::{OwnedRow, RowConverter, Rows, SortField};

/// Keeps one row for each member of batches that are sorted by their first column.
pub(crate) struct Members {
    schema: SchemaRef,
    converter: RowConverter,
    /// The best row of the last member, which can have more rows in the next batch.
    waiting: Option<Waiting>,
    pub(crate) rows_without_key: u64,
    pub(crate) duplicate_rows: u64,
}

struct Waiting {
    key: String,
    row: RecordBatch,
}

/// The best row so far of the current member. Its order is computed only when it has to be compared.
struct Best<'a> {
    key: &'a str,
    /// Its index in the batch. `None` for the waiting row.
    index: Option<usize>,
    order: Option<OwnedRow>,
}

impl Members {
    /// Returns an empty state for rows of this schema.
    pub(crate) fn new(schema: SchemaRef) -> Result<Self, QueryError> {
        let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(fields).map_err(|_| internal())?;
        Ok(Self { schema, converter, waiting: None, rows_without_key: 0, duplicate_rows: 0 })
    }

    /// Returns the members whose rows are complete, in order.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<Vec<RecordBatch>, QueryError> {
        let keys =
            batch.columns().first().and_then(|keys| keys.as_string_opt::<i32>()).ok_or_else(internal)?;
        let is_keyed = |index: usize| keys.is_valid(index) && !keys.value(index).is_empty();
        let mut orders: Option<Rows> = None;
        let mut is_member = vec![false; keys.len()];
        let waiting = self.waiting.take();
        let mut best = waiting.as_ref().map(|waiting| Best { key: &waiting.key, index: None, order: None });
        let mut is_waiting_member = false;
        for index in 0..keys.len() {
            if !is_keyed(index) {
                self.rows_without_key += 1;
                continue;
            }
            let key = keys.value(index);
            match &mut best {
                Some(best) if best.key == key => {
                    self.duplicate_rows += 1;
                    let orders = self.orders(&mut orders, batch)?;
                    let order = orders.row(index);
                    let best_order = match (best.order.take(), best.index) {
                        (Some(order), _) => order,
                        (None, Some(index)) => orders.row(index).owned(),
                        (None, None) => {
                            let row = waiting.as_ref().map(|waiting| &waiting.row).ok_or_else(internal)?;
                            self.convert(row)?.row(0).owned()
                        }
                    };
                    if order < best_order.row() {
                        best.index = Some(index);
                        best.order = Some(order.owned());
                    } else {
                        best.order = Some(best_order);
                    }
                }
                _ => {
                    if let Some(done) = best.replace(Best { key, index: Some(index), order: None }) {
                        match done.index {
                            Some(index) => mark(&mut is_member, index),
                            None => is_waiting_member = true,
                        }
                    }
                }
            }
        }
        let next = best.map(|best| (best.key.to_owned(), best.index));
        let mut members = Vec::new();
        match (next, waiting) {
            (Some((_, None)), waiting) => self.waiting = waiting,
            (Some((key, Some(index))), waiting) => {
                members.extend(waiting.filter(|_| is_waiting_member).map(|waiting| waiting.row));
                self.waiting = Some(Waiting { key, row: self.with_schema(&batch.slice(index, 1))? });
            }
            (None, _) => {}
        }
        if is_member.contains(&true) {
            let kept = filter_record_batch(batch, &BooleanArray::from(is_member)).map_err(|_| internal())?;
            members.push(self.with_schema(&kept)?);
        }
        Ok(members)
    }

    /// Returns the last member, after all rows.
    pub(crate) fn last(&mut self) -> Option<RecordBatch> {
        self.waiting.take().map(|waiting| waiting.row)
    }

    /// Returns the rows of a batch in comparable form. Computed once, and only for batches with duplicates.
    fn orders<'a>(&self, orders: &'a mut Option<Rows>, batch: &RecordBatch) -> Result<&'a Rows, QueryError> {
        match orders {
            Some(orders) => Ok(orders),
            None => Ok(orders.insert(self.convert(batch)?)),
        }
    }

    fn convert(&self, batch: &RecordBatch) -> Result<Rows, QueryError> {
        self.converter.convert_columns(batch.columns()).map_err(|_| internal())
    }

    /// Applies the snapshot's schema, which has stricter nullability than the engine's.
    fn with_schema(&self, batch: &RecordBatch) -> Result<RecordBatch, QueryError> {
        RecordBatch::try_new(self.schema.clone(), batch.columns().to_vec()).map_err(|_| internal())
    }
}

fn mark(is_member: &mut [bool], index: usize) {
    if let Some(is_member) = is_member.get_mut(index) {
        *is_member = true;
    }
}

fn internal() -> QueryError {
    QueryError::Internal { kind: "members".to_owned() }
}
