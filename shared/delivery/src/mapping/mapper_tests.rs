//! Mapping of rows, and invalid mappings.

use super::*;
use crate::mapping::FieldKind;
use proptest::prelude::*;
use relay_model::catalog::Document as _;
use serde_json::json;

#[expect(clippy::needless_pass_by_value, reason = "json! is expanded in the argument")]
fn export(mapping: serde_json::Value) -> Export {
    let document = json!({
        "id": "newsletter", "name": "Newsletter", "connection": "cm", "match_key": "email", "mapping": mapping,
        "segments": [{ "segment": "everybody", "target_list": "list" }]
    });
    Export::parse(&document.to_string()).unwrap()
}

fn fields() -> Vec<Field> {
    let field =
        |key: &str, kind| Field { key: key.to_owned(), label: key.trim_matches(['[', ']']).to_owned(), kind };
    vec![
        field("Name", FieldKind::Text { max_characters: 8 }),
        field("[points]", FieldKind::Number),
        field("[city]", FieldKind::Text { max_characters: 8 }),
    ]
}

fn columns() -> Vec<String> {
    ["email", "name", "points", "city"].map(str::to_owned).to_vec()
}

fn attributes(name: &str, points: Scalar) -> Vec<Scalar> {
    vec![Scalar::Text("A@example.com".to_owned()), Scalar::Text(name.to_owned()), points, Scalar::Null]
}

#[track_caller]
fn check(mapping: serde_json::Value, row: &[Scalar], expected: Result<&str, &str>) {
    let mapper = Mapper::bind(&export(mapping), MatchKeyKind::Email, &columns(), &fields(), "").unwrap();
    let key = mapper.match_key(row).unwrap();
    let found = mapper.map(key, row, &mut Warnings::default());
    let found = found.map(|mapped| serde_json::to_string(&mapped.values).unwrap());
    assert_eq!(found.as_deref().map_err(|reason| reason.text.as_ref()), expected);
}

#[test]
fn absent_and_unfit_values_follow_the_policy() {
    let points = |null: &str, invalid: &str| {
        json!([
            { "attribute": "name", "field": "name" },
            { "attribute": "points", "field": "points", "if_null": (null), "if_invalid": invalid }
        ])
    };
    let zero = attributes("Ann", Scalar::Integer(0));
    check(points("omit", "reject"), &zero, Ok(r#"[[0,"Ann"],[1,0]]"#));
    let absent = attributes("", Scalar::Null);
    check(points("omit", "reject"), &absent, Ok(r#"[[0,""]]"#));
    check(points("clear", "reject"), &absent, Ok(r#"[[0,""],[1,null]]"#));
    check(points("reject", "reject"), &absent, Err("field [points] must have a value"));
    let unfit = attributes("Ann", Scalar::Text("many".to_owned()));
    check(points("omit", "reject"), &unfit, Err("the value for field [points] is not a number"));
    check(points("omit", "omit"), &unfit, Ok(r#"[[0,"Ann"]]"#));
    check(points("omit", "truncate"), &unfit, Err("the value for field [points] is not a number"));
}

#[test]
fn adjusted_values_are_counted() {
    let mapping = json!([
        { "attribute": "name", "field": "Name", "if_invalid": "truncate" },
        { "attribute": "points", "field": "points", "if_invalid": "omit" }
    ]);
    let mapper = Mapper::bind(&export(mapping), MatchKeyKind::Email, &columns(), &fields(), "").unwrap();
    let mut warnings = Warnings::default();
    let attributes = attributes("Maximiliane", Scalar::Text("many".to_owned()));
    let row = mapper.map(MatchKey("a@example.com".to_owned()), &attributes, &mut warnings).unwrap();
    assert_eq!(row.values, [(0, FieldValue::Text("Maximili".to_owned()))]);
    assert_eq!(warnings.shortened.get("Name"), Some(&1));
    assert_eq!(warnings.left_out.get("[points]"), Some(&1));
}

#[track_caller]
fn check_bind(mapping: serde_json::Value, expected: &str) {
    let error = Mapper::bind(&export(mapping), MatchKeyKind::Email, &columns(), &fields(), "").err().unwrap();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn mappings_that_cannot_be_name_what_is_there() {
    check_bind(
        json!([{ "attribute": "name", "field": "nickname" }]),
        "mapping[0].field: the target list has no field \"nickname\"; it has: Name, [points], [city]",
    );
    check_bind(
        json!([{ "attribute": "nam", "field": "Name" }]),
        "the segment's query provides no attribute \"nam\"; it provides: email, name, points, city",
    );
    check_bind(
        json!([{ "attribute": "name", "field": "Name" }, { "attribute": "city", "field": "[name]" }]),
        "mapping[1].field: \"[name]\" is a second name of a field that is already mapped",
    );
}

fn hash(mapping: serde_json::Value, row: &[Scalar]) -> RowHash {
    let mapper = Mapper::bind(&export(mapping), MatchKeyKind::Email, &columns(), &fields(), "").unwrap();
    mapper.map(MatchKey("a@example.com".to_owned()), row, &mut Warnings::default()).unwrap().hash
}

proptest! {
    #[test]
    fn the_hash_changes_exactly_when_what_is_sent_changes(
        first in "[a-c]{0,4}", second in "[a-c]{0,4}", one in 0_i64..3, other in 0_i64..3
    ) {
        let mapping = || json!([{ "attribute": "name", "field": "Name" }, { "attribute": "points", "field": "points" }]);
        let same_row = first == second && one == other;
        let left = hash(mapping(), &attributes(&first, Scalar::Integer(one)));
        let right = hash(mapping(), &attributes(&second, Scalar::Integer(other)));
        prop_assert_eq!(left == right, same_row);
    }
}

#[test]
fn a_changed_mapping_changes_the_hash() {
    let row = attributes("Ann", Scalar::Null);
    let name = json!([{ "attribute": "name", "field": "Name" }]);
    let city = json!([{ "attribute": "name", "field": "city" }]);
    assert_ne!(hash(name, &row), hash(city, &row));
}
