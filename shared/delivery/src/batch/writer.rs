//! Splits a delta into batches by lane, kind, rows and bytes.

use super::Frame;
use relay_model::batch::{BatchEntry, BatchLimits, FramePlace, Kind};
use relay_model::{Lane, Row};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// The rows of an incomplete batch.
#[derive(Default)]
struct Open {
    lines: Vec<u8>,
    rows: u32,
    request_bytes: u64,
}

/// Writes a delta object. Holds one open batch per lane and kind, whatever the number of rows.
pub struct DeltaWriter<W: Write> {
    sink: W,
    field_keys: Vec<String>,
    lanes: u16,
    limits: BatchLimits,
    measure: fn(&Row, &[String]) -> u64,
    open: BTreeMap<(Kind, Lane), Open>,
    entries: Vec<BatchEntry>,
    offset_bytes: u64,
}

impl<W: Write> DeltaWriter<W> {
    /// Starts a delta object. `measure` returns the maximum number of request bytes for a row.
    pub fn new(
        sink: W,
        field_keys: &[String],
        lanes: u16,
        limits: BatchLimits,
        measure: fn(&Row, &[String]) -> u64,
    ) -> Self {
        Self {
            sink,
            field_keys: field_keys.to_vec(),
            lanes,
            limits,
            measure,
            open: BTreeMap::new(),
            entries: Vec::new(),
            offset_bytes: 0,
        }
    }

    /// Appends a row to the open batch of its lane.
    pub fn push(&mut self, row: &Row) -> io::Result<()> {
        let place = (Kind::from(row.operation), row.match_key.lane(self.lanes));
        let row_bytes = (self.measure)(row, &self.field_keys);
        let (max_rows, max_bytes) = match place.0 {
            Kind::Upsert => (self.limits.upsert_rows, self.limits.upsert_bytes),
            Kind::Remove => (self.limits.remove_rows, u64::MAX),
        };
        let open = self.open.entry(place).or_default();
        if open.rows > 0
            && (open.rows >= max_rows || open.request_bytes.saturating_add(row_bytes) > max_bytes)
        {
            self.close(place)?;
        }
        let open = self.open.entry(place).or_default();
        serde_json::to_writer(&mut open.lines, row)?;
        open.lines.push(b'\n');
        open.rows += 1;
        open.request_bytes = open.request_bytes.saturating_add(row_bytes);
        Ok(())
    }

    /// Writes the open batches and returns the positions of all batches.
    pub fn finish(mut self) -> io::Result<Vec<BatchEntry>> {
        for place in self.open.keys().copied().collect::<Vec<_>>() {
            self.close(place)?;
        }
        self.sink.flush()?;
        Ok(self.entries)
    }

    fn close(&mut self, place: (Kind, Lane)) -> io::Result<()> {
        let Some(open) = self.open.remove(&place) else {
            return Ok(());
        };
        let (kind, lane) = place;
        let packed = Frame::pack(&self.field_keys, &open.lines)?;
        self.sink.write_all(&packed)?;
        let length_bytes = u64::try_from(packed.len()).map_err(io::Error::other)?;
        let number = u32::try_from(self.entries.len()).map_err(io::Error::other)?;
        let offset_bytes = self.offset_bytes;
        let frames = vec![FramePlace { offset_bytes, length_bytes }];
        let (rows, request_bytes) = (open.rows, open.request_bytes);
        self.entries.push(BatchEntry { number, lane, kind, frames, rows, request_bytes });
        self.offset_bytes += length_bytes;
        Ok(())
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
