use super::*;
use crate::Scalar;
use crate::discovery::testing::{TODAY, sample, text};
use jiff::ToSpan;
use serde_json::{Value, json};

fn vocabulary() -> Vocabulary {
    let columns = [
        "city",
        "birthplace",
        "tier",
        "has_pet",
        "country",
        "points",
        "lifetime_value",
        "newsletter",
        "born",
        "lastSeen",
        "email",
    ];
    let sample = sample(2_000, &columns, |[one, two, three]| {
        let city = ["Wien", "Graz", "Bad Ischl", "Not Here"][usize::try_from(one % 4).unwrap()];
        let values = vec![
            text(city),
            text(["Linz", "Graz"][usize::try_from(two % 2).unwrap()]),
            text(["gold", "none"][usize::try_from(three % 2).unwrap()]),
            text(["yes", "no"][usize::try_from(three % 2).unwrap()]),
            text(["IN", "AT"][usize::try_from(one % 2).unwrap()]),
            Scalar::Integer(one),
            Scalar::Decimal(f64::from(i32::try_from(two).unwrap()) * 10.5),
            Scalar::Boolean(three < 50),
            Scalar::Date(TODAY - (one * 100).days()),
            Scalar::Date(TODAY - two.days()),
            text(&format!("{one}{two}{three}@example.com")),
        ];
        (false, values)
    });
    let source = |name: &str| name.to_owned().try_into().unwrap();
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    Vocabulary::of(&sample, &columns)
        .with_related(source("orders"), vec!["day".to_owned()])
        .with_related(source("calls"), vec![])
        .with_related(source("visits"), vec!["began".to_owned(), "ended".to_owned()])
}

fn found(description: &str) -> Result<DescriptionFound, DiscoveryError> {
    let request = json!({
        "id": "described", "description": description, "source": "people", "member_key": "id",
    });
    find(&serde_json::from_value(request).unwrap(), &vocabulary())
}

#[track_caller]
fn check_rules(description: &str, expected: &Value) {
    let found = found(description).unwrap();
    assert_eq!(found.not_understood, [], "{description}");
    let rules = serde_json::to_value(&found.draft.rules().unwrap().rules).unwrap();
    assert_eq!(rules, *expected, "{description}");
    found.draft.origin().unwrap();
}

/// What is said of the people themselves.
#[track_caller]
fn check(description: &str, conditions: &Value) {
    check_rules(description, &json!([{ "name": "people", "all": conditions }]));
}

#[test]
fn values_and_columns_are_recognised() {
    check("All customers that live in Wien", &json!([{ "column": "city", "is": "Wien" }]));
    check(
        "gold members in bad ischl",
        &json!([{ "column": "tier", "is": "gold" }, { "column": "city", "is": "Bad Ischl" }]),
    );
    check("people not in Wien", &json!([{ "column": "city", "is_not": "Wien" }]));
    check("whose birthplace is Graz", &json!([{ "column": "birthplace", "is": "Graz" }]));
    check("birthplace is not Graz", &json!([{ "column": "birthplace", "is_not": "Graz" }]));
    check("city \"Not Here\"", &json!([{ "column": "city", "is": "Not Here" }]));
    check("email is \"ann@example.com\"", &json!([{ "column": "email", "is": "ann@example.com" }]));
    check("people with an email", &json!([{ "column": "email", "is_null": false }]));
    check(
        "with an email, not in Wien",
        &json!([{ "column": "email", "is_null": false }, { "column": "city", "is_not": "Wien" }]),
    );
    check("birthplace not in Graz", &json!([{ "column": "birthplace", "is_not": "Graz" }]));
    check("city is not in Wien", &json!([{ "column": "city", "is_not": "Wien" }]));
    check("newsletter is not true", &json!([{ "column": "newsletter", "is": false }]));
    check("people without email", &json!([{ "column": "email", "is_null": true }]));
    check("who want the newsletter", &json!([{ "column": "newsletter", "is": true }]));
    check("without newsletter", &json!([{ "column": "newsletter", "is": false }]));
    check("newsletter is false", &json!([{ "column": "newsletter", "is": false }]));
    check(
        "in Wien or Bad Ischl, with gold",
        &json!([
            { "any": [{ "column": "city", "is": "Wien" }, { "column": "city", "is": "Bad Ischl" }] },
            { "column": "tier", "is": "gold" },
        ]),
    );
}

#[test]
fn numbers_and_days_are_compared() {
    check("with more than 1,000 points", &json!([{ "column": "points", "more_than": 1000 }]));
    check("points over 100", &json!([{ "column": "points", "more_than": 100 }]));
    check("points >= 100", &json!([{ "column": "points", "at_least": 100 }]));
    check("a lifetime value of at least 500", &json!([{ "column": "lifetime_value", "at_least": 500 }]));
    check("between 5 and 10.5 points", &json!([{ "column": "points", "between": [5, 10.5] }]));
    check("100 or fewer points", &json!([{ "column": "points", "at_most": 100 }]));
    check("points not over 5", &json!([{ "column": "points", "at_most": 5 }]));
    check("not more than 5 points", &json!([{ "column": "points", "at_most": 5 }]));
    check("born before 1990", &json!([{ "column": "born", "before": "1990-01-01" }]));
    check("born on 1990-05-06", &json!([{ "column": "born", "on": "1990-05-06" }]));
    check("last seen within the last 30 days", &json!([{ "column": "lastSeen", "within_last_days": 30 }]));
    check("last seen in the past year", &json!([{ "column": "lastSeen", "within_last_days": 365 }]));
    check("last seen more than 6 months ago", &json!([{ "column": "lastSeen", "before_last_days": 180 }]));
}

#[test]
fn other_sources_are_spoken_of() {
    let orders = |fields: &Value| {
        let mut rule =
            json!({ "name": "orders (2)", "path": [{ "source": "orders", "on": { "id": "id" } }] });
        for (field, value) in fields.as_object().unwrap() {
            rule[field] = value.clone();
        }
        json!([{ "name": "people" }, rule])
    };
    check_rules(
        "newsletter, no orders",
        &json!([
            { "name": "people", "all": [{ "column": "newsletter", "is": true }] },
            { "name": "orders (2)", "combine": "except", "path": [{ "source": "orders", "on": { "id": "id" } }] },
        ]),
    );
    check_rules("who ordered", &orders(&json!({ "combine": "intersect" })));
    let recent = json!([{ "column": "day", "within_last_days": 90 }]);
    check_rules(
        "with at least 3 orders in the last 90 days",
        &orders(&json!({ "combine": "intersect", "at_least_rows": 3, "all": recent })),
    );
    check_rules("no orders in the last 90 days", &orders(&json!({ "combine": "except", "all": recent })));
    check_rules("fewer than 3 orders", &orders(&json!({ "combine": "except", "at_least_rows": 3 })));
    check_rules("not fewer than 3 orders", &orders(&json!({ "combine": "intersect", "at_least_rows": 3 })));
}

#[test]
fn what_is_not_understood_is_told_and_not_guessed() {
    let check = |description: &str, words: &str, why: &str| {
        let told = match found(description) {
            Ok(found) => {
                found.not_understood.iter().map(|one| format!("{}: {}", one.words, one.why)).collect()
            }
            Err(error) => vec![error.to_string()],
        };
        assert!(told.iter().any(|one| one.contains(words) && one.contains(why)), "{description}: {told:?}");
    };
    check("rich customers in Wien", "rich", "is neither a column");
    check("customers in Graz", "Graz", "is a value of city and of birthplace");
    check("more than 5 city", "more than 5 city", "it holds none");
    check("gold with calls since 2026", "calls since 2026", "has no column with days");
    check("gold with visits since 2026", "visits since 2026", "several columns with days: began, ended");
    check("gold with 3 orders", "3 orders", "at least, more than");
    check("gold or at least 2 orders", "or at least 2 orders", "make two segments");
    check("gold rich or Wien", "or", "stands behind nothing");
    check("not born before 1990 in Wien", "born before 1990", "cannot be said with not");
    check("gold in Wien or born before 1990", "or born before 1990", "in several ways");
    check("not in Wien or Bad Ischl", "or Bad Ischl", "say not for each");
    check("in Wien and Bad Ischl", "Bad Ischl", "put an or between them");
    check("with at least 18446744073709551615 orders", "orders", "can be counted as");
    check("something else", "something", "is neither");
    check("newsletter not without email", "not", "says no to nothing");
    check("not in Wien, Bad Ischl", "Bad Ischl", "stands behind a not");
    check("birthplace not in Graz, Wien", "Wien", "stands behind a not");
    check("excluding gold customers in Wien", "Wien", "stands behind a not");
    check("gold but no recent orders", "no recent", "is neither");
    check("gold but no recent orders", "orders", "belongs to something that is not understood");
    check("who are not customers, and live in Wien", "not", "says no to nothing");
    check("gold, Wien never", "never", "says no to nothing");
    check("gold and points != 5", "!", "is neither");
    check("points over 12,50 and gold", "12,50", "is neither");
    check("city is not Vienna with gold", "city is", "no value that is known");
    check("has_pet and gold", "has_pet", "say which one");
    check("born more than 200 years ago and gold", "200", "is neither");
    check("gold (or silver)", "(", "is neither");
    check("at least 3 orders or gold", "or gold", "another source");
}

#[test]
fn whatever_is_written_is_read_without_harm() {
    for description in [
        "",
        "or",
        "not",
        "between 5 and",
        "more than",
        "\"",
        "points points points",
        "or or not no 5 5 , >",
        "„",
    ] {
        let outcome = found(description);
        assert!(outcome.is_err() || outcome.is_ok_and(|found| found.draft.origin().is_ok()), "{description}");
    }
}
