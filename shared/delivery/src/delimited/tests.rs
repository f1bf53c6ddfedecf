use super::*;
use proptest::prelude::*;

type Records = Vec<Vec<Option<String>>>;

const FORM: RecordForm = RecordForm { separator: b',', max_fields: 100, max_record_bytes: 1000 };

fn read(text: &[u8], piece_bytes: usize, separator: u8) -> Result<Records, Malformed> {
    let mut reader = RecordReader::new(RecordForm { separator, ..FORM });
    let mut records = Vec::new();
    let mut keep = |reader: &mut RecordReader| {
        let fields = (0..reader.len()).map(|index| {
            let (bytes, is_quoted) = reader.field(index).unwrap();
            (is_quoted || !bytes.is_empty()).then(|| String::from_utf8(bytes.to_vec()).unwrap())
        });
        records.push(fields.collect());
        reader.clear();
    };
    for mut piece in text.chunks(piece_bytes) {
        while !piece.is_empty() {
            let (taken, is_complete) = reader.read(piece);
            if let Some(problem) = reader.problem() {
                return Err(problem);
            }
            if is_complete {
                keep(&mut reader);
            }
            piece = &piece[taken..];
        }
    }
    let is_complete = reader.finish();
    match reader.problem() {
        Some(problem) => return Err(problem),
        None if is_complete => keep(&mut reader),
        None => {}
    }
    Ok(records)
}

#[track_caller]
fn check(text: &str, expected: &[&[Option<&str>]]) {
    let expected: Records =
        expected.iter().map(|row| row.iter().map(|field| field.map(str::to_owned)).collect()).collect();
    for piece_bytes in [1, 2, 3, 1000] {
        assert_eq!(
            read(text.as_bytes(), piece_bytes, b',').as_ref(),
            Ok(&expected),
            "{text:?} in pieces of {piece_bytes}"
        );
        let other = text.replace(',', ";");
        let found = read(other.as_bytes(), piece_bytes, b';');
        let found = found.map(|rows| {
            rows.into_iter()
                .map(|row| row.into_iter().map(|field| field.map(|field| field.replace(';', ","))).collect())
                .collect()
        });
        assert_eq!(found.as_ref(), Ok(&expected), "{other:?} in pieces of {piece_bytes}");
    }
}

#[test]
fn records_and_fields_are_found() {
    check("", &[]);
    check("a,b\n1,2\n", &[&[Some("a"), Some("b")], &[Some("1"), Some("2")]]);
    check("a,b\r\n1,2", &[&[Some("a"), Some("b")], &[Some("1"), Some("2")]]);
    check("a\rb\r", &[&[Some("a")], &[Some("b")]]);
    check("\n\na\n\n\nb\n\n", &[&[Some("a")], &[Some("b")]]);
    check(",\n", &[&[None, None]]);
    check("a,", &[&[Some("a"), None]]);
    check("\"\",\n", &[&[Some(""), None]]);
    check("x,\"\"", &[&[Some("x"), Some("")]]);
    check("\"a,\"\"b\"\"\nc\",d\n", &[&[Some("a,\"b\"\nc"), Some("d")]]);
    check("5\" pipe,\"ab\"c\n", &[&[Some("5\" pipe"), Some("abc")]]);
    check("名,🙂\n", &[&[Some("名"), Some("🙂")]]);
}

#[test]
fn malformed_input_is_named() {
    assert_eq!(read(b"a,\"b\nc", 2, b','), Err(Malformed::OpenQuote));
    assert_eq!(read(&[b','; 200], 7, b','), Err(Malformed::TooManyFields));
    for piece_bytes in [1, 7, 4096] {
        assert!(read(&[b'x'; 1000], piece_bytes, b',').is_ok());
        assert_eq!(read(&[b'x'; 1001], piece_bytes, b','), Err(Malformed::TooLong));
        assert_eq!(read(&[b'"'; 1200], piece_bytes, b','), Err(Malformed::TooLong));
        assert_eq!(
            read(format!("\"{}", "\n".repeat(1200)).as_bytes(), piece_bytes, b','),
            Err(Malformed::TooLong)
        );
    }
}

#[test]
fn a_record_with_too_many_fields_is_read_to_its_end() {
    let mut reader = RecordReader::new(RecordForm { max_fields: 2, ..FORM });
    assert_eq!(reader.read(b"a,b,\"c\nc\",d\ne,f\n"), (12, true));
    assert_eq!(
        (reader.problem(), reader.first_line(), reader.last_line()),
        (Some(Malformed::TooManyFields), 1, 2)
    );
    reader.clear();
    assert_eq!(reader.read(b"e,f\n"), (4, true));
    assert_eq!((reader.problem(), reader.len(), reader.first_line()), (None, 2, 3));
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    let mut reader = RecordReader::new(FORM);
    assert_eq!(reader.read(b"\"a\nb\"\n\nx\n"), (6, true));
    assert_eq!((reader.first_line(), reader.last_line()), (1, 2));
    reader.clear();
    assert_eq!(reader.read(b"\nx\n"), (3, true));
    assert_eq!(reader.first_line(), 4);
    // One break each: CR LF, CR, LF; and CR LF in quotes, in two pieces.
    let mut reader = RecordReader::new(FORM);
    assert_eq!(reader.read(b"a\r"), (2, true));
    reader.clear();
    assert_eq!(reader.read(b"\nb\r"), (3, true));
    assert_eq!(reader.first_line(), 2);
    reader.clear();
    assert_eq!(reader.read(b"\"c\r"), (3, false));
    assert_eq!(reader.read(b"\nc\"\n"), (4, true));
    assert_eq!((reader.first_line(), reader.last_line()), (3, 4));
}

proptest! {
    #[test]
    fn what_is_quoted_comes_back(
        rows in prop::collection::vec(prop::collection::vec("[a\",;\n\r é🙂]{0,6}", 2..4), 0..6),
        piece_bytes in 1_usize..20,
        separator in prop::sample::select(vec![',', ';', '\t', '|']),
    ) {
        let mut text = String::new();
        for row in &rows {
            let quoted: Vec<String> = row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            text.push_str(&quoted.join(&separator.to_string()));
            text.push_str("\r\n");
        }
        let expected: Records = rows.into_iter().map(|row| row.into_iter().map(Some).collect()).collect();
        prop_assert_eq!(read(text.as_bytes(), piece_bytes, u8::try_from(separator).unwrap()), Ok(expected));
    }
}
