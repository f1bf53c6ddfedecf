//! The files that the delta of a delivery is written to.

use super::delta::Output;
use relay_delivery::batch::DeltaWriter;
use relay_delivery::delta::{Phase, Settled, Sink};
use relay_model::batch::{BatchEntry, BatchLimits};
use relay_model::{ListId, Row};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use tempfile::NamedTempFile;

/// Receives a delta: rows become batches, settled rows become two compressed files.
pub(super) struct DeltaSink {
    frames: NamedTempFile,
    writer: DeltaWriter<BufWriter<File>>,
    members: SettledFile,
    removals: SettledFile,
}

struct SettledFile {
    file: NamedTempFile,
    encoder: zstd::stream::write::Encoder<'static, BufWriter<File>>,
}

/// The finished files; they are deleted when this is dropped.
pub(super) struct DeltaFiles {
    pub(super) frames: NamedTempFile,
    pub(super) members: NamedTempFile,
    pub(super) removals: NamedTempFile,
}

impl SettledFile {
    fn new() -> io::Result<Self> {
        let file = NamedTempFile::new()?;
        let encoder = zstd::stream::write::Encoder::new(BufWriter::new(file.reopen()?), 1)?;
        Ok(Self { file, encoder })
    }

    fn write(&mut self, settled: &Settled) -> io::Result<()> {
        serde_json::to_writer(&mut self.encoder, settled)?;
        self.encoder.write_all(b"\n")
    }

    fn finish(self) -> io::Result<NamedTempFile> {
        self.encoder.finish()?.flush()?;
        Ok(self.file)
    }
}

impl Output for DeltaSink {
    type Made = DeltaFiles;

    fn begin(
        _list: ListId,
        field_keys: Vec<String>,
        lanes: u16,
        limits: BatchLimits,
        measure: fn(&Row, &[String]) -> u64,
    ) -> io::Result<Self> {
        let frames = NamedTempFile::new()?;
        let writer = DeltaWriter::new(BufWriter::new(frames.reopen()?), &field_keys, lanes, limits, measure);
        Ok(Self { frames, writer, members: SettledFile::new()?, removals: SettledFile::new()? })
    }

    fn finish(self) -> io::Result<(Vec<BatchEntry>, DeltaFiles)> {
        let batches = self.writer.finish()?;
        let (members, removals) = (self.members.finish()?, self.removals.finish()?);
        Ok((batches, DeltaFiles { frames: self.frames, members, removals }))
    }
}

impl Sink for DeltaSink {
    fn send(&mut self, row: Row) -> io::Result<()> {
        self.writer.push(&row)
    }

    fn settle(&mut self, phase: Phase, settled: Settled) -> io::Result<()> {
        match phase {
            Phase::Members => self.members.write(&settled),
            Phase::Removals => self.removals.write(&settled),
        }
    }
}
