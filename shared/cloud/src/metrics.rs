//! Metrics as CloudWatch's embedded metric format: one line of JSON on standard output, no call, no agent.
//!
//! The form is Amazon CloudWatch's user guide, "Specification: Embedded metric format".

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// The unit of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Milliseconds.
    Milliseconds,
}

impl Unit {
    const fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

pub(crate) fn count_call() {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

/// Returns the number of calls to AWS by this process, without the SDK's own retries.
#[must_use]
pub fn calls() -> u64 {
    CALLS.load(Ordering::Relaxed)
}

/// Emits metrics with the dimension `destination`.
pub fn emit(now: Timestamp, destination: &str, metrics: &[(&str, Unit, u64)]) {
    let line = line(now, destination, metrics);
    // Metrics must not fail the work that they describe, so a closed standard output is ignored.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

fn line(now: Timestamp, destination: &str, metrics: &[(&str, Unit, u64)]) -> Value {
    let definitions: Vec<Value> =
        metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit.name() })).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": "SegmentRelay", "Dimensions": [["destination"]], "Metrics": definitions
            }]
        }),
    );
    line.insert("destination".to_owned(), json!(destination));
    for (name, _, value) in metrics {
        line.insert((*name).to_owned(), json!(value));
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_embedded_metric_format() {
        let metrics = [("rows", Unit::Count, 3), ("duration_ms", Unit::Milliseconds, 7)];
        insta::assert_json_snapshot!(line(Timestamp::UNIX_EPOCH, "campaign-monitor", &metrics), @r#"
        {
          "_aws": {
            "CloudWatchMetrics": [
              {
                "Dimensions": [
                  [
                    "destination"
                  ]
                ],
                "Metrics": [
                  {
                    "Name": "rows",
                    "Unit": "Count"
                  },
                  {
                    "Name": "duration_ms",
                    "Unit": "Milliseconds"
                  }
                ],
                "Namespace": "SegmentRelay"
              }
            ],
            "Timestamp": 0
          },
          "destination": "campaign-monitor",
          "duration_ms": 7,
          "rows": 3
        }
        "#);
    }
}
