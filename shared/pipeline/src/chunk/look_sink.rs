//! Takes a delta that is only told: counts, batches and some rows, masked.

use relay_delivery::batch::DeltaWriter;
use relay_delivery::delta::{Phase, Settled, Sink};
use relay_model::batch::{BatchEntry, BatchLimits};
use relay_model::run::{ReasonCount, SAMPLES_A_KIND, Sample, SampleKind};
use relay_model::{Counts, ListId, Operation, Outcome, OutcomeKind, Row};
use std::collections::{BTreeMap, HashMap};
use std::io;

/// Receives a delta. Rows become batches as in a delivery, and go nowhere.
pub(super) struct LookSink {
    list: ListId,
    field_keys: Vec<String>,
    writer: DeltaWriter<io::Sink>,
    counts: Counts,
    samples: BTreeMap<SampleKind, Vec<Sample>>,
    reasons: HashMap<(OutcomeKind, String), (String, u64)>,
}

/// What a delta comes to.
pub(super) struct Looked {
    pub(super) batches: Vec<BatchEntry>,
    /// Rows that would be sent, taken for applied.
    pub(super) counts: Counts,
    pub(super) samples: Vec<Sample>,
    /// Why rows would not be sent, the most frequent first.
    pub(super) reasons: Vec<ReasonCount>,
    /// How many fields are mapped.
    pub(super) fields: usize,
}

impl LookSink {
    pub(super) fn new(
        list: ListId,
        field_keys: Vec<String>,
        lanes: u16,
        limits: BatchLimits,
        measure: fn(&Row, &[String]) -> u64,
    ) -> Self {
        let writer = DeltaWriter::new(io::sink(), &field_keys, lanes, limits, measure);
        let (samples, reasons) = (BTreeMap::new(), HashMap::new());
        Self { list, field_keys, writer, counts: Counts::default(), samples, reasons }
    }

    pub(super) fn finish(self) -> io::Result<Looked> {
        let reason = |((kind, code), (text, rows))| ReasonCount { kind, code, text, rows };
        let mut reasons: Vec<ReasonCount> = self.reasons.into_iter().map(reason).collect();
        reasons.sort_by(|one, other| {
            other.rows.cmp(&one.rows).then_with(|| (one.kind, &one.code).cmp(&(other.kind, &other.code)))
        });
        Ok(Looked {
            batches: self.writer.finish()?,
            counts: self.counts,
            samples: self.samples.into_values().flatten().collect(),
            reasons,
            fields: self.field_keys.len(),
        })
    }

    fn has_room(&self, kind: SampleKind) -> bool {
        self.samples.get(&kind).is_none_or(|samples| samples.len() < SAMPLES_A_KIND)
    }
}

impl Sink for LookSink {
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
