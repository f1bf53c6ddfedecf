use super::*;
use crate::marketo::{Imports, Way};
use proptest::prelude::*;
use relay_delivery::batch::Frame;
use relay_model::{ListId, MatchKey, MemberKey, Operation};

fn target(key_form: KeyForm) -> MarketoTarget {
    MarketoTarget {
        list_id: ListId("1027".to_owned()),
        lookup_field: "email".to_owned(),
        key_form,
        person_creation: PersonCreation::CreateMissing,
        partition: None,
        has_attributes: true,
        imports: Imports::Never,
        way: Way::Sync,
    }
}

fn row(key: &str, values: Vec<(u16, FieldValue)>) -> Row {
    Row {
        member_key: MemberKey("1".to_owned()),
        match_key: MatchKey(key.to_owned()),
        operation: Operation::Add,
        is_rejoin: false,
        destination_id: None,
        values,
    }
}

#[test]
fn numbers_are_written_as_such_where_the_key_is_one() {
    let check = |key: &str, form: KeyForm, expected: &str| {
        let body = encode_sync(&[&row(key, vec![])], &[], &target(form)).unwrap();
        let body = String::from_utf8(body).unwrap();
        assert!(body.ends_with(&format!(r#""input":[{{"email":{expected}}}]}}"#)), "{body}");
    };
    check("42", KeyForm::Number, "42");
    check("42", KeyForm::Text, "\"42\"");
    check("jane@example.com", KeyForm::Number, "\"jane@example.com\"");
}

fn value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        Just(FieldValue::Clear),
        any::<bool>().prop_map(FieldValue::Boolean),
        any::<i64>().prop_map(FieldValue::Integer),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(FieldValue::Decimal),
        "[\\x00-\\x7fłß\u{1f600}\",\\\\\n]{0,24}".prop_map(FieldValue::Text),
    ]
}

proptest! {
    #[test]
    fn a_row_is_never_longer_than_is_reckoned_with(
        key in "[a-z@.,\"\n]{1,20}",
        values in proptest::collection::vec(value(), 0..4),
    ) {
        let keys: Vec<String> = (0..4).map(|number| format!("field{number}")).collect();
        let row = row(&key, (0..).zip(values).collect());
        let reckoned = row_bytes(&row, &keys);
        let target = target(KeyForm::Text);
        let body = encode_sync(&[&row], &keys, &target).unwrap();
        let empty = encode_sync(&[], &keys, &target).unwrap();
        prop_assert!(u64::try_from(body.len() - empty.len()).unwrap() <= reckoned);
        let frame = Frame { field_keys: keys, rows: vec![row] };
        let file = crate::marketo::import::csv_bytes(&frame, &target);
        prop_assert!(u64::try_from(file).unwrap() <= reckoned + 60, "{file} {reckoned}");
    }
}
