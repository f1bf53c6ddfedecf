use super::super::dialect::Dialect;
use super::super::segments;
use super::*;
use proptest::prelude::*;
use relay_model::{MatchKey, MemberKey, Operation};
use serde_json::Value;

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
    let keys = [
        "firstName",
        "lastName",
        "country",
        "countryCode",
        "properties.points",
        "properties.vip",
        "properties.since",
        "consent.email",
        "consent.email.date",
    ];
    keys.map(str::to_owned).to_vec()
}

fn text(text: &str) -> FieldValue {
    FieldValue::Text(text.to_owned())
}

fn pretty(body: &[u8]) -> String {
    serde_json::to_string_pretty(&serde_json::from_slice::<Value>(body).unwrap()).unwrap()
}

fn encoded(dialect: Dialect, rows: &[Row], tells_subscription: bool) -> String {
    let (keys, words) = (keys(), dialect.words());
    let terms = Terms::new(&keys, &words);
    let rows: Vec<Outgoing<'_>> = rows.iter().map(|row| Outgoing { row, tells_subscription }).collect();
    pretty(&encode_batch(&rows, &terms).unwrap())
}

fn everybody() -> Vec<Row> {
    let full = row(
        "jane+news@example.com",
        vec![
            (0, text("Jane \"JD\"")),
            (1, text("Łódź,\nPolska")),
            (2, text("Poland")),
            (4, FieldValue::Integer(0)),
            (5, FieldValue::Boolean(false)),
            (6, text("2026-02-28")),
            (7, FieldValue::Boolean(true)),
            (8, text("2026-01-01T00:00:00Z")),
        ],
    );
    let refused = row(
        "john@example.com",
        vec![
            (0, FieldValue::Clear),
            (2, text("de")),
            (7, FieldValue::Boolean(false)),
            (8, text("2026-01-01T00:00:00Z")),
        ],
    );
    let undated =
        row("ann@example.com", vec![(4, FieldValue::Decimal(12.5)), (7, FieldValue::Boolean(true))]);
    vec![full, refused, undated, row("bob@example.com", vec![])]
}

#[test]
fn batches_in_both_dialects() {
    insta::assert_snapshot!("batch_2026", encoded(Dialect::V2026, &everybody(), true));
    insta::assert_snapshot!("batch_v5", encoded(Dialect::V5, &everybody(), true));
}

#[test]
fn without_leave_no_channel_is_named_and_no_welcome_is_ever_asked_for() {
    for dialect in [Dialect::V2026, Dialect::V5] {
        let silent = encoded(dialect, &everybody(), false);
        assert!(!silent.contains("channels") && !silent.contains("subscribed"), "{silent}");
        for encoded in [silent, encoded(dialect, &everybody(), true)] {
            assert_eq!(encoded.matches(r#""sendWelcomeMessage": false"#).count(), 4);
            assert!(!encoded.contains("tags"), "{encoded}");
        }
    }
}

#[test]
fn calls_about_tags_and_segments() {
    let ids = encode_tagging(&["5b0c"], &["jane@example.com"], "ci: High value").unwrap();
    insta::assert_snapshot!("tagging", pretty(&ids));
    let emails = encode_tagging(&[], &["jane@example.com"], "ci: High value").unwrap();
    insta::assert_snapshot!("tagging_by_address", pretty(&emails));
    let tags = encode_tags(&["source: shopify".to_owned(), "vip".to_owned()]).unwrap();
    insta::assert_snapshot!("tags_of_one", pretty(&tags));
    let segment = segments::encode("ci: High value").to_string();
    insta::assert_snapshot!("segment", pretty(segment.as_bytes()));
}

#[test]
fn a_country_of_two_letters_is_a_code() {
    let check = |values: Vec<(u16, FieldValue)>, expected: &str| {
        let encoded = encoded(Dialect::V2026, &[row("a@example.com", values)], false);
        let contact = serde_json::from_str::<Value>(&encoded).unwrap()["items"][0].clone();
        let found = serde_json::json!([contact["country"], contact["countryCode"]]).to_string();
        assert_eq!(found, expected);
    };
    check(vec![(2, text("Germany"))], r#"["Germany",null]"#);
    check(vec![(2, text(" de "))], r#"[null,"DE"]"#);
    check(vec![(2, text("日本"))], r#"["日本",null]"#);
    check(vec![(2, text("49"))], r#"["49",null]"#);
    check(vec![(3, text("de"))], r#"[null,"DE"]"#);
    check(vec![(2, text("fr")), (3, text("DE"))], r#"[null,"DE"]"#);
    check(vec![(2, text("Germany")), (3, text("DE"))], r#"["Germany","DE"]"#);
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
        values in proptest::collection::vec(value(), 0..7),
    ) {
        let keys = keys();
        let mut values: Vec<(u16, FieldValue)> = (0..).zip(values).collect();
        values.push((7, FieldValue::Boolean(true)));
        values.push((8, text("2026-01-01T00:00:00Z")));
        let row = row(&email, values);
        for dialect in [Dialect::V2026, Dialect::V5] {
            let words = dialect.words();
            let terms = Terms::new(&keys, &words);
            let empty = encode_batch(&[], &terms).unwrap().len();
            let body = encode_batch(&[Outgoing { row: &row, tells_subscription: true }], &terms).unwrap();
            // The comma after a row counts towards the row.
            let found = u64::try_from(body.len() + 1 - empty).unwrap();
            prop_assert!(found <= row_bytes(&row, &keys), "{found} > {}", row_bytes(&row, &keys));
            prop_assert!(u64::try_from(empty).unwrap() <= BODY_FRAME_BYTES);
        }
    }
}
