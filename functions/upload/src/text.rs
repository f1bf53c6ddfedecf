//! The text of a CSV, decoded in steps into a small window.

use crate::decode::{Decoder, Encoding};
use crate::ingest::IngestError;
use crate::parts::PartError;
use bytes::{Buf, Bytes};

/// Bytes of the file that are decoded in one step.
const STEP_BYTES: usize = 64 * 1024;

/// The parts of a file, in order.
pub(crate) type Parts<'a> = &'a mut dyn Iterator<Item = Result<Bytes, PartError>>;

/// A text with a window of it in memory.
pub(crate) struct Text<'a> {
    parts: Parts<'a>,
    part: Bytes,
    decoder: Decoder,
    is_at_end: bool,
    window: Vec<u8>,
}

impl<'a> Text<'a> {
    /// Starts after the byte order mark, in the encoding of the mark, or in `without_mark` if there is none.
    pub(crate) fn begin(parts: Parts<'a>, without_mark: Encoding) -> Result<Self, IngestError> {
        let mut first: Vec<u8> = Vec::new();
        while first.len() < 3 {
            match parts.next() {
                Some(part) => first.extend_from_slice(&part?),
                None => break,
            }
        }
        let (encoding, mark_bytes) = Encoding::of_mark(&first).unwrap_or((without_mark, 0));
        let part = Bytes::from(first).slice(mark_bytes..);
        let decoder = Decoder::new(encoding);
        Ok(Self { parts, part, decoder, is_at_end: false, window: Vec::new() })
    }

    pub(crate) const fn encoding(&self) -> Encoding {
        self.decoder.encoding()
    }

    /// Returns the text in memory.
    pub(crate) fn window(&self) -> &[u8] {
        &self.window
    }

    /// Drops this many bytes from the start of the window.
    pub(crate) fn forget(&mut self, bytes: usize) {
        self.window.drain(..bytes.min(self.window.len()));
    }

    /// Decodes the next step into the window; `false` at the end.
    pub(crate) fn extend(&mut self) -> Result<bool, IngestError> {
        while self.part.is_empty() {
            match self.parts.next() {
                Some(part) => self.part = part?,
                None if self.is_at_end => return Ok(false),
                None => {
                    self.is_at_end = true;
                    let before = self.window.len();
                    self.decoder.finish(&mut self.window);
                    return Ok(self.window.len() > before);
                }
            }
        }
        let step = STEP_BYTES.min(self.part.len());
        self.decoder.decode(self.part.get(..step).unwrap_or_default(), &mut self.window);
        self.part.advance(step);
        Ok(true)
    }
}
