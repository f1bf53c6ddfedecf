//! The results of a batch's rows: one object per batch, one line per row, in row order.

use super::FrameError;
use relay_model::Outcome;
use relay_model::Standing;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, Write};

/// The result of one row of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowResult {
    /// The outcome.
    #[serde(rename = "o")]
    pub outcome: Outcome,
    /// What the outcome implies for the person's membership.
    #[serde(rename = "s", default, skip_serializing_if = "follows")]
    pub standing: Standing,
    /// The destination's own id of the person, if it returned one.
    #[serde(rename = "id", default, skip_serializing_if = "Option::is_none")]
    pub destination_id: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn follows(standing: &Standing) -> bool {
    *standing == Standing::FollowsOutcome
}

impl RowResult {
    /// Creates a result with the standing that follows the outcome.
    #[must_use]
    pub const fn new(outcome: Outcome) -> Self {
        Self { outcome, standing: Standing::FollowsOutcome, destination_id: None }
    }

    /// Creates a result after which Segment Relay no longer owns the membership.
    #[must_use]
    pub const fn not_ours(outcome: Outcome) -> Self {
        Self { outcome, standing: Standing::NotOurs, destination_id: None }
    }
}

/// Encodes the results of a batch.
pub fn encode_results(results: &[RowResult]) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1)?;
    for result in results {
        serde_json::to_writer(&mut encoder, result)?;
        encoder.write_all(b"\n")?;
    }
    encoder.finish()
}

/// Decodes the results of a batch.
pub fn decode_results(packed: &[u8]) -> Result<Vec<RowResult>, FrameError> {
    let decoder = io::BufReader::new(zstd::stream::read::Decoder::with_buffer(packed)?);
    (1..)
        .zip(decoder.split(b'\n'))
        .map(|(line, text)| {
            serde_json::from_slice(&text?).map_err(|error| FrameError::Line {
                line,
                category: error.classify(),
                column: error.column(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::Reason;

    #[test]
    fn results_survive_packing() {
        let results = [
            RowResult::new(Outcome::Applied),
            RowResult::not_ours(Outcome::Skipped(Reason::new("code", "text"))),
            RowResult { destination_id: Some("7".to_owned()), ..RowResult::new(Outcome::Applied) },
        ];
        assert_eq!(decode_results(&encode_results(&results).unwrap()).unwrap(), results);
        assert_eq!(decode_results(&encode_results(&[]).unwrap()).unwrap(), []);
    }
}
