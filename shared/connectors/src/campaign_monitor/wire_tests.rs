use super::*;
use proptest::prelude::*;
use relay_model::{MatchKey, MemberKey, Operation};

fn row(email: &str, values: Vec<(u16, FieldValue)>) -> Row {
    Row {
        member_key: MemberKey("1".to_owned()),
        match_key: MatchKey(email.to_owned()),
        operation: Operation::Add,
        is_rejoin: false,
        destination_id: None,
        values,
    }
}

fn keys() -> Vec<String> {
    ["Name", "[city]", "MobileNumber", "[born]", "[points]", "[is \"vip\"]"].map(str::to_owned).to_vec()
}

fn encoded(rows: &[&Row], resubscribe: bool) -> String {
    let keys = keys();
    let terms = Terms::new(&keys, &["[born]".to_owned()], ConsentToTrack::Unchanged);
    let body = encode_import(rows, &terms, resubscribe).unwrap();
    serde_json::to_string_pretty(&serde_json::from_slice::<serde_json::Value>(&body).unwrap()).unwrap()
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}

#[test]
fn a_row_with_everything() {
    let row = row(
        "jane+news@example.com",
        vec![
            (0, text("Jane \"JD\" Doe")),
            (1, text("Łódź,\nPolska")),
            (2, text("+15555550100")),
            (3, text("2026/02/28")),
            (4, FieldValue::Integer(0)),
            (5, FieldValue::Boolean(false)),
        ],
    );
    insta::assert_snapshot!("import_all_fields", encoded(&[&row], false));
}

#[test]
fn a_row_with_nothing_but_its_address_and_one_that_empties_fields() {
    let cleared = row(
        "john@example.com",
        vec![
            (0, FieldValue::Clear),
            (1, FieldValue::Clear),
            (3, FieldValue::Clear),
            (4, FieldValue::Decimal(12.5)),
            (5, text("")),
        ],
    );
    insta::assert_snapshot!(
        "import_required_only",
        encoded(&[&row("jane@example.com", vec![]), &cleared], true)
    );
}

#[test]
fn the_body_is_written_as_documented_byte_for_byte() {
    let keys = keys();
    let terms = Terms::new(&keys, &[], ConsentToTrack::No);
    let body =
        encode_import(&[&row("a@example.com", vec![(4, FieldValue::Integer(-7))])], &terms, false).unwrap();
    let expected = concat!(
        r#"{"Subscribers":[{"EmailAddress":"a@example.com","ConsentToTrack":"No","#,
        r#""CustomFields":[{"Key":"[points]","Value":"-7"}]}],"Resubscribe":false,"#,
        r#""QueueSubscriptionBasedAutoResponders":false,"RestartSubscriptionBasedAutoresponders":false}"#,
    );
    assert_eq!(String::from_utf8(body).unwrap(), expected);
}

fn value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        Just(FieldValue::Clear),
        any::<bool>().prop_map(FieldValue::Boolean),
        any::<i64>().prop_map(FieldValue::Integer),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(FieldValue::Decimal),
        "(.|\\n){0,40}".prop_map(FieldValue::Text),
    ]
}

proptest! {
    #[test]
    fn a_row_is_never_larger_than_it_was_measured(
        email in "(.|\\n){0,40}",
        values in proptest::collection::vec(value(), 0..6),
    ) {
        let keys = keys();
        let row = row(&email, (0..).zip(values).collect());
        let terms = Terms::new(&keys, &["[born]".to_owned()], ConsentToTrack::Unchanged);
        let empty = encode_import(&[], &terms, false).unwrap().len();
        let body = encode_import(&[&row], &terms, false).unwrap();
        let found = u64::try_from(body.len() - empty).unwrap();
        prop_assert!(found <= row_bytes(&row, &keys), "{found} > {}", row_bytes(&row, &keys));
        serde_json::from_slice::<serde_json::Value>(&body).unwrap();
    }

    #[test]
    fn texts_are_measured_exactly(text in "(.|\\n){0,60}") {
        let written = serde_json::to_string(&text).unwrap();
        prop_assert_eq!(text_bytes(&text), u64::try_from(written.len()).unwrap());
    }
}
