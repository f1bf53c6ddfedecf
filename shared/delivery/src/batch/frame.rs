//! The encoding of a batch in a delta object: zstd over lines of JSON, the field keys first, then one row
//! per line.

use relay_model::Row;
use serde::{Deserialize, Serialize};
use std::io::{self, Read};

/// The maximum decompressed size of a frame. Batches are a few megabytes; the limit protects against
/// damaged frames.
pub const MAX_FRAME_BYTES: u64 = 256 * 1024 * 1024;

/// Level 1 halves the size in a tenth of the default level's time, and a frame is kept for days only.
const COMPRESSION_LEVEL: i32 = 1;

/// The rows of one batch, with the keys of their field numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The field keys; a row's field number is an index into them.
    pub field_keys: Vec<String>,
    /// The rows, in the order of the delta.
    pub rows: Vec<Row>,
}

/// Why a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// It cannot be decompressed.
    #[error("batch cannot be decompressed: {0}")]
    Compression(#[from] io::Error),
    /// A line cannot be parsed. The error names a position, never a value.
    #[error("batch line {line} cannot be read (category {category:?}, column {column})")]
    Line {
        /// The line, from 1.
        line: usize,
        /// The parser's error category.
        category: serde_json::error::Category,
        /// The column in the line.
        column: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u8,
    fields: Vec<String>,
}

impl Frame {
    /// Packs lines that are already JSON rows, each with its line break.
    pub(super) fn pack(field_keys: &[String], lines: &[u8]) -> io::Result<Vec<u8>> {
        let mut encoder =
            zstd::stream::write::Encoder::new(Vec::with_capacity(lines.len() / 2), COMPRESSION_LEVEL)?;
        serde_json::to_writer(&mut encoder, &Header { version: 1, fields: field_keys.to_vec() })?;
        io::Write::write_all(&mut encoder, b"\n")?;
        io::Write::write_all(&mut encoder, lines)?;
        encoder.finish()
    }

    /// Decompresses and parses a frame.
    pub fn decode(packed: &[u8]) -> Result<Self, FrameError> {
        let mut text = Vec::with_capacity(packed.len() * 4);
        zstd::stream::read::Decoder::with_buffer(packed)?.take(MAX_FRAME_BYTES).read_to_end(&mut text)?;
        let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let header: Header = parse(1, lines.next().unwrap_or_default())?;
        let rows = (2..).zip(lines).map(|(number, line)| parse(number, line)).collect::<Result<_, _>>()?;
        Ok(Self { field_keys: header.fields, rows })
    }
}

impl Frame {
    /// Decodes the frames of one batch into one.
    pub fn decode_all<'a>(packed: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, FrameError> {
        let mut whole: Option<Self> = None;
        for packed in packed {
            let frame = Self::decode(packed)?;
            match &mut whole {
                Some(whole) => whole.rows.extend(frame.rows),
                None => whole = Some(frame),
            }
        }
        Ok(whole.unwrap_or(Self { field_keys: Vec::new(), rows: Vec::new() }))
    }
}

fn parse<'a, T: Deserialize<'a>>(line: usize, text: &'a [u8]) -> Result<T, FrameError> {
    serde_json::from_slice(text).map_err(|error| FrameError::Line {
        line,
        category: error.classify(),
        column: error.column(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(Frame::decode(&packed).unwrap_err().to_string(), expected);
    }

    #[test]
    fn damage_is_named_without_values() {
        check("", "batch line 1 cannot be read (category Eof, column 0)");
        check(
            "{\"version\":1,\"fields\":[]}\n{\"member\":\"secret@example.com\"}",
            "batch line 2 cannot be read (category Data, column 31)",
        );
        assert!(
            Frame::decode(b"no frame").unwrap_err().to_string().starts_with("batch cannot be decompressed")
        );
    }
}
