//! Decodes a CSV to UTF-8 in steps. Invalid characters become a byte that is invalid in UTF-8, so that only their line is bad.

/// Replaces an invalid character. This byte never occurs in UTF-8.
const INVALID: u8 = 0xFF;
/// The characters 0x80 to 0x9F of Windows-1252; NUL if a byte is not assigned.
/// <https://encoding.spec.whatwg.org/index-windows-1252.txt>
const WINDOWS_1252: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“',
    '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// The character encoding of a CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8WithMark,
    /// UTF-16, little endian, with a byte order mark.
    Utf16LittleEndian,
    /// UTF-16, big endian, with a byte order mark.
    Utf16BigEndian,
    /// The default of spreadsheets on Western European Windows.
    Windows1252,
}

impl Encoding {
    /// Returns the encoding of a byte order mark and the mark's length; `None` if there is no mark.
    pub(crate) fn of_mark(first_bytes: &[u8]) -> Option<(Self, usize)> {
        match first_bytes {
            [0xEF, 0xBB, 0xBF, ..] => Some((Self::Utf8WithMark, 3)),
            [0xFF, 0xFE, ..] => Some((Self::Utf16LittleEndian, 2)),
            [0xFE, 0xFF, ..] => Some((Self::Utf16BigEndian, 2)),
            _ => None,
        }
    }

    /// Returns the name for reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8WithMark => "UTF-8 with a byte order mark",
            Self::Utf16LittleEndian => "UTF-16 (little endian)",
            Self::Utf16BigEndian => "UTF-16 (big endian)",
            Self::Windows1252 => "Windows-1252 (assumed, because it is not UTF-8 and has no byte order mark)",
        }
    }
}

/// Decodes one CSV.
#[derive(Debug)]
pub(crate) struct Decoder {
    encoding: Encoding,
    /// The first byte of a UTF-16 code unit whose second byte is in the next step.
    half_unit: Option<u8>,
    /// The first code unit of a surrogate pair.
    high_surrogate: Option<u16>,
}

impl Decoder {
    pub(crate) const fn new(encoding: Encoding) -> Self {
        Self { encoding, half_unit: None, high_surrogate: None }
    }

    pub(crate) const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Decodes bytes and appends the text to `out`.
    pub(crate) fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Utf8 | Encoding::Utf8WithMark => out.extend_from_slice(bytes),
            Encoding::Windows1252 if bytes.is_ascii() => out.extend_from_slice(bytes),
            Encoding::Windows1252 => {
                for byte in bytes {
                    push_windows_1252(*byte, out);
                }
            }
            Encoding::Utf16LittleEndian | Encoding::Utf16BigEndian => {
                for byte in bytes {
                    match self.half_unit.take() {
                        None => self.half_unit = Some(*byte),
                        Some(first) if self.encoding == Encoding::Utf16LittleEndian => {
                            self.push_unit(u16::from_le_bytes([first, *byte]), out);
                        }
                        Some(first) => self.push_unit(u16::from_be_bytes([first, *byte]), out),
                    }
                }
            }
        }
    }

    /// Ends the text. An incomplete character at the end is invalid.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.half_unit.take().is_some() || self.high_surrogate.take().is_some() {
            out.push(INVALID);
        }
    }

    fn push_unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        if let Some(high) = self.high_surrogate.take() {
            if let Some(Ok(character)) = char::decode_utf16([high, unit]).next() {
                push_character(character, out);
                return;
            }
            out.push(INVALID);
        }
        match (char::from_u32(u32::from(unit)), unit) {
            (Some(character), _) => push_character(character, out),
            (None, 0xD800..=0xDBFF) => self.high_surrogate = Some(unit),
            (None, _) => out.push(INVALID),
        }
    }
}

fn push_windows_1252(byte: u8, out: &mut Vec<u8>) {
    let named = byte.checked_sub(0x80).and_then(|index| WINDOWS_1252.get(usize::from(index)));
    match named {
        Some('\0') => out.push(INVALID),
        Some(character) => push_character(*character, out),
        None => push_character(char::from(byte), out),
    }
}

fn push_character(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(encoding: Encoding, bytes: &[u8], expected: &[u8]) {
        for piece_bytes in [1, 2, 3, 100] {
            let mut decoder = Decoder::new(encoding);
            let mut out = Vec::new();
            for piece in bytes.chunks(piece_bytes) {
                decoder.decode(piece, &mut out);
            }
            decoder.finish(&mut out);
            assert_eq!(out, expected, "{encoding:?} in pieces of {piece_bytes}");
        }
    }

    #[test]
    fn characters_are_the_same_whatever_they_are_written_in() {
        let text = "Zoë,名,🙂\r\n";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        check(Encoding::Utf8, text.as_bytes(), text.as_bytes());
        check(Encoding::Utf16LittleEndian, &little, text.as_bytes());
        check(Encoding::Utf16BigEndian, &big, text.as_bytes());
        check(Encoding::Windows1252, b"Zo\xeb \x80 \x9f \xff", "Zoë € Ÿ ÿ".as_bytes());
    }

    #[test]
    fn what_is_no_character_is_no_utf8() {
        check(Encoding::Windows1252, b"a\x81b", b"a\xffb");
        check(Encoding::Utf16LittleEndian, b"a\0\x3d\xd8b\0", b"a\xffb");
        check(Encoding::Utf16LittleEndian, b"\x42\xdea\0", b"\xffa");
        check(Encoding::Utf16LittleEndian, b"a\0\x3d\xd8", b"a\xff");
        check(Encoding::Utf16LittleEndian, b"a\0b", b"a\xff");
    }

    #[test]
    fn marks_tell_the_encoding() {
        let check = |bytes: &[u8], expected| assert_eq!(Encoding::of_mark(bytes), expected, "{bytes:?}");
        check(b"\xef\xbb\xbfa", Some((Encoding::Utf8WithMark, 3)));
        check(b"\xff\xfea\0", Some((Encoding::Utf16LittleEndian, 2)));
        check(b"\xfe\xff\0a", Some((Encoding::Utf16BigEndian, 2)));
        check(b"\xef\xbb", None);
        check(b"", None);
        check(b"email", None);
    }
}
