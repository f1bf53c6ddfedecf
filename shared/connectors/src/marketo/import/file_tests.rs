use super::*;
use crate::marketo::{Imports, KeyForm, PersonCreation, Way};
use relay_model::{ListId, MatchKey, MemberKey, Operation, Row};

fn file(rows: Vec<Vec<(u16, FieldValue)>>) -> ImportFile {
    let target = MarketoTarget {
        list_id: ListId("1027".to_owned()),
        lookup_field: "email".to_owned(),
        key_form: KeyForm::Text,
        person_creation: PersonCreation::CreateMissing,
        partition: None,
        has_attributes: true,
        imports: Imports::Always,
        way: Way::BulkImport,
    };
    let row = |values| Row {
        member_key: MemberKey("1".to_owned()),
        match_key: MatchKey("jane@example.com".to_owned()),
        operation: Operation::Add,
        is_rejoin: false,
        destination_id: None,
        values,
    };
    let field_keys = ["firstName", "score", "isVip"].map(str::to_owned).to_vec();
    ImportFile::of(&Frame { field_keys, rows: rows.into_iter().map(row).collect() }, &target).unwrap()
}

#[track_caller]
fn check(values: Vec<(u16, FieldValue)>, expected: &str) {
    let csv = String::from_utf8(file(vec![values]).csv).unwrap();
    assert_eq!(csv, format!("email,firstName,score,isVip\n{expected}\n"));
}

#[test]
fn values_are_quoted_and_nothing_is_taken_for_absent() {
    let text = |text: &str| FieldValue::Text(text.to_owned());
    check(vec![], "jane@example.com,,,");
    check(vec![(0, text("Acme, Inc"))], "jane@example.com,\"Acme, Inc\",,");
    check(vec![(0, text("Jane \"JD\"\nDoe"))], "jane@example.com,\"Jane \"\"JD\"\"\nDoe\",,");
    check(vec![(0, text("Łódź ß"))], "jane@example.com,Łódź ß,,");
    check(vec![(1, FieldValue::Integer(0)), (2, FieldValue::Boolean(false))], "jane@example.com,,0,false");
    check(
        vec![(1, FieldValue::Decimal(12.5)), (2, FieldValue::Boolean(true))],
        "jane@example.com,,12.5,true",
    );
}

#[test]
fn a_file_is_one_part_of_a_body() {
    let file = file(vec![vec![(0, FieldValue::Text("Jane".to_owned()))]]);
    insta::assert_snapshot!(
        "import_multipart",
        String::from_utf8(file.multipart("----------relay")).unwrap().replace('\r', "<CR>")
    );
}

#[test]
fn boundaries_differ_and_are_as_long_as_a_boundary_may_be() {
    let file = file(vec![vec![]]);
    let (one, other) = (file.boundary(), file.boundary());
    assert_ne!(one, other);
    assert!(one.len() <= 70, "{one}");
}
