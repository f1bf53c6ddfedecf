use super::*;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::fs::File;
use tempfile::TempDir;

type Rows = Vec<Vec<Option<String>>>;

fn form(definition: &Json) -> CustomUpload {
    serde_json::from_value(definition.clone()).unwrap()
}

pub(super) fn by_email() -> CustomUpload {
    form(&json!({ "identity_column": "email" }))
}

/// Reads a file that comes in pieces of so many bytes, as the handler does.
pub(super) fn read(
    bytes: &[u8],
    piece_bytes: usize,
    form: &CustomUpload,
    folder: &TempDir,
) -> Result<Ingested, IngestError> {
    let parts = || bytes.chunks(piece_bytes).map(|piece| Ok(Bytes::copy_from_slice(piece)));
    match ingest(&mut parts(), form, Encoding::Utf8, folder.path()) {
        Err(IngestError::NotUtf8) => ingest(&mut parts(), form, Encoding::Windows1252, folder.path()),
        result => result,
    }
}

/// The table as text.
fn rows(folder: &TempDir) -> Rows {
    let file = File::open(folder.path().join(TABLE)).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| match column.data_type() {
                // Microseconds: the time zones' names are not built in.
                DataType::Timestamp(..) => cast(&cast(column, &DataType::Int64).unwrap(), &DataType::Utf8),
                _ => cast(column, &DataType::Utf8),
            })
            .map(Result::unwrap)
            .collect();
        for row in 0..batch.num_rows() {
            let text = |column: &ArrayRef| {
                let column = column.as_string::<i32>();
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            rows.push(columns.iter().map(text).collect());
        }
    }
    rows
}

/// The list of bad lines: line, column and code.
pub(super) fn bad_lines(folder: &TempDir) -> Vec<(u64, String, String)> {
    let mut list = csv::Reader::from_path(folder.path().join(BAD_LINES)).unwrap();
    let lines = list.records().map(|line| {
        let line = line.unwrap();
        assert!(!line[4].is_empty(), "{line:?}");
        (line[0].parse().unwrap(), line[2].to_owned(), line[3].to_owned())
    });
    lines.collect()
}

/// The file's rows and bad lines, whatever pieces it comes in.
#[track_caller]
pub(super) fn check_bytes(
    bytes: &[u8],
    form: &CustomUpload,
    expected: &[&[&str]],
    bad: &[(u64, &str, &str)],
) -> Ingested {
    let mut found = None;
    for piece_bytes in [1, 7, 64, 1 << 20] {
        if bytes.len() > 10_000 && piece_bytes < 64 {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let ingested = read(bytes, piece_bytes, form, &folder);
        assert!(ingested.is_ok(), "{ingested:?} in pieces of {piece_bytes}");
        let texts = rows(&folder);
        let texts: Vec<Vec<&str>> = texts
            .iter()
            .map(|row| row.iter().map(|field| field.as_deref().unwrap_or("∅")).collect())
            .collect();
        assert_eq!(texts, expected, "in pieces of {piece_bytes}");
        let expected_bad: Vec<_> = bad
            .iter()
            .map(|(line, column, code)| (*line, (*column).to_owned(), (*code).to_owned()))
            .collect();
        assert_eq!(bad_lines(&folder), expected_bad, "in pieces of {piece_bytes}");
        found = ingested.ok();
    }
    found.unwrap()
}

#[track_caller]
pub(super) fn check(text: &str, expected: &[&[&str]], bad: &[(u64, &str, &str)]) -> Ingested {
    check_bytes(text.as_bytes(), &by_email(), expected, bad)
}

#[track_caller]
pub(super) fn refused(bytes: &[u8], form: &CustomUpload, code: &str, words: &str) {
    let folder = tempfile::tempdir().unwrap();
    match read(bytes, 1 << 16, form, &folder) {
        Err(IngestError::Refused(refusal)) => {
            assert_eq!(refusal.code(), code, "{refusal}");
            let text = refusal.to_string();
            assert!(text.contains(words), "{text}");
            assert!(!text.contains("person"), "no value of the file is told: {text}");
        }
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn separators_are_found_by_the_header() {
    let rows: &[&[&str]] = &[&["a@b.c", "Zoë"], &["d@e.f", "∅"]];
    for separator in [",", ";", "\t", "|"] {
        let text = format!("email{separator}name\r\na@b.c{separator}Zoë\r\nd@e.f{separator}\r\n");
        let ingested = check(&text, rows, &[]);
        assert_eq!(ingested.separator.to_string(), separator);
        assert_eq!(ingested.columns.len(), 2);
    }
    assert_eq!(check("email\na@b.c\n", &[&["a@b.c"]], &[]).separator, ',');
    // The names' own separators are in quotes.
    check("\"a,b,c\";email\n1;a@b.c\n", &[&["1", "a@b.c"]], &[]);
    assert_eq!(check("sep=;\r\nemail;name\r\na@b.c;x\r\n", &[&["a@b.c", "x"]], &[]).separator, ';');
    check("SEP=:\nemail:name\na@b.c:x\n:y\n", &[&["a@b.c", "x"]], &[(4, "email", "identity_missing")]);
    check("\n\r\nemail,name\n\na@b.c,x\n,x\n", &[&["a@b.c", "x"]], &[(6, "email", "identity_missing")]);
}

#[test]
fn encodings_are_told_by_the_mark_or_by_the_text() {
    let text = "email,name\na@b.c,Zoë 名\n";
    let rows: &[&[&str]] = &[&["a@b.c", "Zoë 名"]];
    let with = |mark: &[u8], bytes: Vec<u8>| [mark.to_vec(), bytes].concat();
    let units: Vec<u16> = text.encode_utf16().collect();
    let little = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let read = |bytes: &[u8]| check_bytes(bytes, &by_email(), rows, &[]).encoding;
    assert_eq!(read(text.as_bytes()), Encoding::Utf8);
    assert_eq!(read(&with(b"\xef\xbb\xbf", text.into())), Encoding::Utf8WithMark);
    assert_eq!(read(&with(b"\xff\xfe", little)), Encoding::Utf16LittleEndian);
    assert_eq!(read(&with(b"\xfe\xff", big)), Encoding::Utf16BigEndian);
    let old = check_bytes(b"email,name\na@b.c,Zo\xeb \x80\n", &by_email(), &[&["a@b.c", "Zoë €"]], &[]);
    assert_eq!(old.encoding, Encoding::Windows1252);
    let old = check_bytes(b"email,stra\xdfe\na@b.c,x\n", &by_email(), &[&["a@b.c", "x"]], &[]);
    assert_eq!((old.encoding, old.columns[1].name.as_str()), (Encoding::Windows1252, "straße"));
}

#[test]
fn one_damaged_line_does_not_change_the_others_characters() {
    let text = b"email,name\na@b.c,Zo\xc3\xab\nd@e.f,Zo\xeb\ng@h.i,\xe5\x90\x8d\n";
    let rows: &[&[&str]] = &[&["a@b.c", "Zoë"], &["g@h.i", "名"]];
    let ingested = check_bytes(text, &by_email(), rows, &[(3, "name", "not_text")]);
    assert_eq!(ingested.encoding, Encoding::Utf8);
    let unpaired = b"\xff\xfee\0m\0a\0i\0l\0\n\0a\0\n\0\x3d\xd8\n\0b\0\n\0";
    check_bytes(unpaired, &by_email(), &[&["a"], &["b"]], &[(3, "email", "not_text")]);
}

#[test]
fn the_header_keeps_the_rules() {
    let form = by_email();
    let refused = |text: &str, code: &str, words: &str| refused(text.as_bytes(), &form, code, words);
    refused("", "file_empty", "it has no header row");
    refused("\n\n\r\n", "file_empty", "it has no header row");
    refused("email,First Name\n", "column_name_invalid", "column 2 in the header row must not have a space");
    refused("email,first-name\n", "column_name_invalid", "must not have a dash");
    refused("email,,x\n", "column_name_invalid", "column 2 in the header row must not be empty");
    refused("email,name,email\n", "column_named_twice", "columns 1 and 3");
    refused("person1@example.com,person\n", "column_name_invalid", "is the header row missing");
    refused("name,city\nperson,x\n", "column_missing", "no column \"email\"");
    refused("name:email\n", "column_missing", "it has 1 columns, separated by a comma");
    refused("\"email,name\na@b.c,person\n", "header_quote_not_closed", "is not closed");
    refused("PK\u{3}\u{4}xl/person.xml\n", "column_name_invalid", "is this no CSV");
    refused("e\0m\0a\0i\0l\0\n\0", "file_not_text", "UTF-16 needs a byte order mark");
    let columns = |count: usize| (1..count).map(|number| format!(",c{number}")).collect::<Vec<_>>().concat();
    refused(&format!("email{}\n", columns(26)), "too_many_columns", "26 columns; the maximum is 25");
    refused(&format!("email{}\n", columns(3_000_000)), "header_too_long", "longer than 64 KiB");
    refused(&"\n".repeat(100_000), "header_too_long", "64 KiB");
    refused(&"x".repeat(1 << 20), "header_too_long", "64 KiB");
    check(&format!("email{}\n", columns(25)), &[], &[]);
    check(" email , name \na@b.c,x\n", &[&["a@b.c", "x"]], &[]);
    let typed = self::form(&json!({ "identity_column": "email", "columns": { "points": "integer" } }));
    tests::refused(b"email,name\n", &typed, "column_missing", "no column \"points\"");
}

#[test]
fn bad_lines_are_told_one_by_one() {
    check(
        "email,name\na@b.c,1\nonly\na,b,c\n,2\nd@e.f,3",
        &[&["a@b.c", "1"], &["d@e.f", "3"]],
        &[(3, "", "too_few_values"), (4, "", "too_many_values"), (5, "email", "identity_missing")],
    );
    let form = form(&json!({
        "identity_column": "email", "member_key_column": "id",
        "columns": { "points": "integer", "share": "decimal", "is_vip": "boolean", "born": "date", "seen": "datetime" },
    }));
    let text = "id;email;points;share;is_vip;born;seen\n\
        1;a@b.c;7;12,5;yes;1990-02-01;2026-11-21T10:00:00Z\n\
        2;b@b.c;;;;;\n\
        3;c@b.c;seven;;;;\n\
        4;d@b.c;;12,5%;;;\n\
        5;e@b.c;;;maybe;;\n\
        6;f@b.c;;;;1.2.1990;\n\
        7;g@b.c;;;;;yesterday\n\
        \"\";h@b.c;;;;;\n";
    check_bytes(
        text.as_bytes(),
        &form,
        &[
            &["1", "a@b.c", "7", "12.5", "true", "1990-02-01", "1795255200000000"],
            &["2", "b@b.c", "∅", "∅", "∅", "∅", "∅"],
        ],
        &[
            (4, "points", "not_an_integer"),
            (5, "share", "not_a_decimal"),
            (6, "is_vip", "not_a_boolean"),
            (7, "born", "not_a_date"),
            (8, "seen", "not_a_datetime"),
            (9, "id", "member_key_missing"),
        ],
    );
}

#[test]
fn a_file_without_members_is_accepted() {
    assert_eq!(check("email,name\n", &[], &[]).rows, 0);
    assert_eq!(check("email,name", &[], &[]).rows, 0);
    assert_eq!(check("email,name\n,\n", &[], &[]).empty_rows, 1);
    assert_eq!(check("email,name\n\"\",\"\"\r\n", &[], &[]).empty_rows, 1);
    // But not where every line is bad.
    refused(
        b"email,name\n,x\n,y\nz\n",
        &by_email(),
        "no_good_line",
        "none of the 3 lines is valid; the most frequent error is identity_missing",
    );
}

#[test]
fn an_empty_value_is_absent_and_a_quoted_one_is_empty() {
    check("email,a,b\nx@y.z,,\"\"\n", &[&["x@y.z", "∅", ""]], &[]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_a_writer_of_csv_writes_is_read_back(
        values in prop::collection::vec(prop::collection::vec("[a\",;|\t\n\r =é🙂]{0,6}", 3), 1..8),
        separator in prop::sample::select(b",;\t|".to_vec()),
        has_windows_breaks in any::<bool>(),
        is_utf16 in any::<bool>(),
        piece_bytes in 1_usize..40,
    ) {
        let terminator = if has_windows_breaks { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().delimiter(separator).terminator(terminator).from_writer(Vec::new());
        writer.write_record(["email", "first", "second", "third"]).unwrap();
        for (number, row) in values.iter().enumerate() {
            let email = format!("p{number}@b.c");
            writer.write_record(std::iter::once(&email).chain(row)).unwrap();
        }
        let mut bytes = writer.into_inner().unwrap();
        if is_utf16 {
            let text = String::from_utf8(bytes).unwrap();
            bytes = std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        }
        let folder = tempfile::tempdir().unwrap();
        let ingested = read(&bytes, piece_bytes, &by_email(), &folder).unwrap();
        prop_assert_eq!(ingested.bad_lines, 0);
        let expected: Rows = values.iter().enumerate().map(|(number, row)| {
            let email = Some(format!("p{number}@b.c"));
            // The writer does not quote an empty value among others, and without quotes it is absent.
            let row = row.iter().map(|value| (!value.is_empty()).then(|| value.clone()));
            std::iter::once(email).chain(row).collect()
        }).collect();
        prop_assert_eq!(rows(&folder), expected);
    }
}
