//! Files that mean no good, and those that a tool has spoiled.

use super::tests::{bad_lines, by_email, check, read, refused};
use std::collections::BTreeMap;

#[test]
fn a_quote_that_is_never_closed_spoils_its_own_line() {
    check(
        "email,name\na@b.c,1\nb@b.c,\"2\nc@b.c,3\nd@b.c,4\n",
        &[&["a@b.c", "1"], &["c@b.c", "3"], &["d@b.c", "4"]],
        &[(3, "", "quote_not_closed")],
    );
    let many = (0..20_000).map(|number| format!("p{number}@b.c,x\r\n")).collect::<Vec<_>>().concat();
    let text = format!("email,name\r\na@b.c,1\r\nb@b.c,\"2\r\n{many}");
    let folder = tempfile::tempdir().unwrap();
    let ingested = read(text.as_bytes(), 10_000, &by_email(), &folder).unwrap();
    assert_eq!((ingested.rows, ingested.bad_lines), (20_001, 1));
    assert_eq!(bad_lines(&folder)[0].0, 3);
    // One that is closed by another is one value over the lines between; they are told together.
    check(
        "email,name\nb@b.c,\"2\nc@b.c,3\nd@b.c,4\"\ne@b.c,\"x\",9\nf@b.c,5\n",
        &[&["b@b.c", "2\nc@b.c,3\nd@b.c,4"], &["f@b.c", "5"]],
        &[(5, "", "too_many_values")],
    );
}

#[test]
fn lines_without_an_end_are_bounded() {
    let long = "x".repeat(70_000);
    check(
        &format!("email,name\na@b.c,1\n{long}\nb@b.c,2\nc@b.c,{long},{long}\r\nd@b.c,3\n"),
        &[&["a@b.c", "1"], &["b@b.c", "2"], &["d@b.c", "3"]],
        &[(3, "", "too_long"), (5, "", "too_long")],
    );
    // The whole rest of the file is one line, or one value in quotes.
    let endless = "x".repeat(3_000_000);
    check(&format!("email\na@b.c\n{endless}"), &[&["a@b.c"]], &[(3, "", "too_long")]);
    check(&format!("email\na@b.c\n\"{endless}"), &[&["a@b.c"]], &[(3, "", "quote_not_closed")]);
    check(
        &format!("email\na@b.c\n\"{endless}\nb@b.c"),
        &[&["a@b.c"], &["b@b.c"]],
        &[(3, "", "quote_not_closed")],
    );
    let quotes = "\"".repeat(200_001);
    check(
        &format!("email\na@b.c\n{quotes}\nb@b.c"),
        &[&["a@b.c"], &["b@b.c"]],
        &[(3, "", "quote_not_closed")],
    );
    let separators = ",".repeat(200_000);
    check(&format!("email\na@b.c\n{separators}\nb@b.c"), &[&["a@b.c"], &["b@b.c"]], &[(3, "", "too_long")]);
}

#[test]
fn quotes_that_are_never_closed_again_and_again_end_the_reading() {
    // Each line opens a quote, whether the line before left one open or not.
    let line = "a\"\"\",\"\n";
    let filler = "\n".repeat(1_000);
    let text = format!("email,b,c,d\n{}", format!("{line}{filler}").repeat(1_500));
    refused(text.as_bytes(), &by_email(), "quotes_not_closed", "line ");
}

#[test]
fn nul_and_mixed_line_ends_are_no_trouble() {
    check(
        "email,name\ra@b.c,1\r\nb@b.c,\0\nc@b.c,\"3\r\n3\"\rd@b.c,4",
        &[&["a@b.c", "1"], &["c@b.c", "3\r\n3"], &["d@b.c", "4"]],
        &[(3, "name", "nul_character")],
    );
}

#[test]
fn only_so_many_bad_lines_are_listed_and_all_are_counted() {
    let bad = "x,y,z\n".repeat(10_500);
    let folder = tempfile::tempdir().unwrap();
    let text = format!("email,name\na@b.c,1\n{bad}");
    let ingested = read(text.as_bytes(), 4096, &by_email(), &folder).unwrap();
    assert_eq!((ingested.rows, ingested.bad_lines), (1, 10_500));
    assert_eq!(ingested.bad_lines_by_code, BTreeMap::from([("too_many_values", 10_500)]));
    assert_eq!(bad_lines(&folder).len(), 10_000);
}
