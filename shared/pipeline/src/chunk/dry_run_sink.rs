//! The sink of a dry run: counts, batches and a few masked rows of the delta.

use super::delta::Output;
use relay_delivery::batch::DeltaWriter;
use relay_delivery::delta::{Phase, Settled, Sink};
use relay_model::batch::{BatchEntry, BatchLimits};
use relay_model::run::{ReasonCount, SAMPLES_A_KIND, Sample, SampleKind};
use relay_model::{Counts, ListId, Operation, Outcome, OutcomeKind, Row};
use std::collections::{BTreeMap, HashMap};
use std::io;

/// Receives a delta. Rows become batches as in a delivery, and are discarded.
pub(super) struct DryRunSink {
    list: ListId,
    field_keys: Vec<String>,
    writer: DeltaWriter<io::Sink>,
    counts: Counts,
    samples: BTreeMap<SampleKind, Vec<Sample>>,
    reasons: HashMap<(OutcomeKind, String), (String, u64)>,
}

/// What a dry run reports about a delta.
pub(super) struct Rendered {
    /// Rows that would be sent, counted as applied.
    pub(super) counts: Counts,
    pub(super) samples: Vec<Sample>,
    /// Why rows would not be sent, the most frequent first.
    pub(super) reasons: Vec<ReasonCount>,
}

impl Output for DryRunSink {
    type Made = Rendered;

    fn begin(
        list: ListId,
        field_keys: Vec<String>,
        lanes: u16,
        limits: BatchLimits,
        measure: fn(&Row, &[String]) -> u64,
    ) -> io::Result<Self> {
        let writer = DeltaWriter::new(io::sink(), &field_keys, lanes, limits, measure);
        let (samples, reasons) = (BTreeMap::new(), HashMap::new());
        Ok(Self { list, field_keys, writer, counts: Counts::default(), samples, reasons })
    }

    fn finish(self) -> io::Result<(Vec<BatchEntry>, Rendered)> {
        let reason = |((kind, code), (text, rows))| ReasonCount { kind, code, text, rows };
        let mut reasons: Vec<ReasonCount> = self.reasons.into_iter().map(reason).collect();
        reasons.sort_by(|one, other| {
            other.rows.cmp(&one.rows).then_with(|| (one.kind, &one.code).cmp(&(other.kind, &other.code)))
        });
        let samples = self.samples.into_values().flatten().collect();
        Ok((self.writer.finish()?, Rendered { counts: self.counts, samples, reasons }))
    }
}

impl DryRunSink {
    fn has_room(&self, kind: SampleKind) -> bool {
        self.samples.get(&kind).is_none_or(|samples| samples.len() < SAMPLES_A_KIND)
    }
}

impl Sink for DryRunSink {
    fn send(&mut self, row: Row) -> io::Result<()> {
        self.counts.count(Outcome::Applied.kind(row.operation), 1);
        let kind = match row.operation {
            Operation::Add => SampleKind::Added,
            Operation::Change => SampleKind::Changed,
            Operation::Remove => SampleKind::Removed,
        };
        if self.has_room(kind) {
            let sample = Sample::new(self.list.clone(), kind, &row.member_key, &row.match_key);
            let sample = sample.with_fields(&self.field_keys, &row.values);
            self.samples.entry(kind).or_default().push(sample);
        }
        self.writer.push(&row)
    }

    fn settle(&mut self, _phase: Phase, settled: Settled) -> io::Result<()> {
        let Some(reason) = settled.outcome.reason() else { return Ok(()) };
        let kind = settled.outcome.kind(settled.operation);
        let key = (kind, reason.code.to_string());
        self.reasons.entry(key).or_insert_with(|| (reason.text.to_string(), 0)).1 += 1;
        if kind == OutcomeKind::Rejected && self.has_room(SampleKind::Rejected) {
            let (list, kind) = (self.list.clone(), SampleKind::Rejected);
            let sample = Sample::new(list, kind, &settled.member_key, &settled.match_key);
            let sample = Sample { reason: Some(reason.clone()), ..sample };
            self.samples.entry(kind).or_default().push(sample);
        }
        Ok(())
    }
}
