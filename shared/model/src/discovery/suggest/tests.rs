use super::*;
use crate::Scalar;
use crate::catalog::{Document, Origin};
use crate::discovery::testing::{TODAY, sample, text};
use jiff::ToSpan;
use serde_json::{Value, json};

/// What is found among these, of whom the sample has everybody.
fn found(
    fields: &Value,
    segment: Option<&Segment>,
    sample: &Sample,
) -> Result<SuggestionsFound, DiscoveryError> {
    let mut document = json!({ "id": "found", "among": { "source": "people", "member_key": "id" } });
    for (field, value) in fields.as_object().unwrap() {
        document[field] = value.clone();
    }
    let request: SuggestionRequest = serde_json::from_value(document).unwrap();
    request.validate().unwrap();
    let source = "people".to_owned().try_into().unwrap();
    let own = segment.map_or_else(|| Ok(PeopleQuery::of_source(&source, "id")), PeopleQuery::of_segment);
    let people = own.unwrap().with(&request.among.measures);
    let people_count = u64::try_from(sample.rows()).unwrap() * 2;
    find(&Setting { request: &request, people: &people, segment, people_count, further_rows: 0 }, sample)
}

/// Whoever has gold and lives in Wien spends 100 more; nothing else has anything to do with it.
fn people() -> Sample {
    sample(6_000, &["spent", "city", "tier", "age"], |[what, noise, age]| {
        let city = ["Wien", "Graz", "Linz"][usize::try_from(what % 3).unwrap()];
        let tier = if noise % 2 == 0 { "gold" } else { "none" };
        let more = if city == "Wien" && tier == "gold" { 100 } else { 0 };
        (false, vec![Scalar::Integer(age / 2 + more), text(city), text(tier), Scalar::Integer(noise / 2)])
    })
}

#[test]
fn who_has_more_of_the_goal_is_found_by_what_they_have_in_common() {
    let found = found(&json!({ "goal": "spent" }), None, &people()).unwrap();
    let best = &found.suggestions[0];
    let mut conditions = best.conditions.clone();
    conditions.sort();
    assert_eq!(conditions, ["city is Wien", "tier is gold"]);
    let figure = &best.figures[0];
    assert_eq!((figure.column.as_str(), figure.unit, &figure.value), ("spent", FigureUnit::Average, &None));
    assert!((120.0..=130.0).contains(&figure.here), "{figure:?}");
    assert!((38.0..=44.0).contains(&figure.overall), "{figure:?}");
    // The sample is half of the people.
    assert!((1_900..=2_100).contains(&best.members_expected), "{best:?}");
    assert!((16..=18).contains(&best.percent), "{best:?}");
    let lower = found.suggestions.iter().find(|one| one.figures[0].here < one.figures[0].overall).unwrap();
    assert!(lower.conditions.iter().all(|one| !one.starts_with("age")), "{lower:?}");
    assert_eq!(found.columns, ["city", "tier", "age"]);
}

#[test]
fn an_accident_is_not_suggested() {
    let accident = sample(4_000, &["spent", "city", "age"], |[what, noise, age]| {
        (false, vec![Scalar::Integer(what), text(&format!("c{}", noise % 20)), Scalar::Integer(age)])
    });
    let found = found(&json!({ "goal": "spent" }), None, &accident).unwrap();
    assert!(found.suggestions.len() <= 1, "{:?}", found.suggestions);
}

#[test]
fn values_of_a_goal_are_more_or_less_frequent() {
    let sample = sample(4_000, &["happy", "city"], |[what, noise, _]| {
        let city = if what < 50 { "Wien" } else { "Graz" };
        let is_happy = noise < if city == "Wien" { 80 } else { 20 };
        (false, vec![text(if is_happy { "high" } else { "low" }), text(city)])
    });
    let found = found(&json!({ "goal": "happy" }), None, &sample).unwrap();
    let figures: Vec<(&str, &str, bool)> = found
        .suggestions
        .iter()
        .map(|one| {
            let figure = &one.figures[0];
            assert_eq!(figure.unit, FigureUnit::Percent);
            let is_higher = figure.here > figure.overall;
            (one.conditions[0].as_str(), figure.value.as_deref().unwrap(), is_higher)
        })
        .collect();
    for expected in [
        ("city is Wien", "high", true),
        ("city is Graz", "high", false),
        ("city is Graz", "low", true),
        ("city is Wien", "low", false),
    ] {
        assert!(figures.contains(&expected), "{figures:?}");
    }
}

#[test]
fn without_a_goal_people_are_grouped_by_how_much_they_have() {
    let sample = sample(1_000, &["points", "last", "city"], |[what, noise, _]| {
        let last = if noise < 10 { Scalar::Null } else { Scalar::Date(TODAY - noise.days()) };
        (false, vec![Scalar::Integer(what), last, text("Wien")])
    });
    let found = found(&json!({}), None, &sample).unwrap();
    let conditions: Vec<&str> = found.suggestions.iter().map(|one| one.conditions[0].as_str()).collect();
    assert_eq!(conditions.len(), 5, "{conditions:?}");
    for (condition, words) in conditions.iter().zip([
        "points at least ",
        "points less than ",
        "last within the last ",
        "last more than ",
        "last without a value",
    ]) {
        assert!(condition.starts_with(words), "{conditions:?}");
    }
    let first = &found.suggestions[0];
    assert!((18..=22).contains(&first.percent), "{first:?}");
    let units: Vec<(&str, FigureUnit)> =
        first.figures.iter().map(|figure| (figure.column.as_str(), figure.unit)).collect();
    assert_eq!(units, [("points", FigureUnit::Average), ("last", FigureUnit::DaysAgo)]);
    assert!(first.figures[0].here > 85.0 && first.figures[0].overall < 55.0, "{first:?}");
    let left: Vec<&str> = found.left_out.iter().map(|left| left.column.as_str()).collect();
    assert_eq!(left, ["city"]);
}

#[test]
fn drafts_are_rules_where_rules_can_say_it() {
    let segment = |fields: Value| {
        let mut document = json!({ "id": "all", "name": "All", "member_key": "id" });
        for (field, value) in fields.as_object().unwrap() {
            document[field] = value.clone();
        }
        Segment::parse(&document.to_string()).unwrap()
    };
    let of_people = json!({ "segment": "all" });
    let by_rules = segment(json!({ "rules": { "source": "people", "rules": [{ "name": "everybody" }] } }));
    let by_query = segment(
        json!({ "query": "WITH suggested_people AS (SELECT * FROM people) SELECT * FROM suggested_people;" }),
    );
    let measure = json!({ "name": "tier", "source": "bought", "member_key": "c", "function": "count" });
    let measured = json!({ "segment": "all", "measures": [measure] });
    let check = |fields: Value, segment: Option<&Segment>, rules: Option<usize>, sources: &[&str]| {
        let mut fields = fields;
        fields["goal"] = json!("spent");
        let found = found(&fields, segment, &people()).unwrap();
        let draft = &found.suggestions[0].draft;
        assert_eq!(draft.id.as_str(), "found-1");
        assert_eq!(draft.rules().map(|rules| rules.rules.len()), rules, "{draft:?}");
        let Origin::Selection(selection) = draft.origin().unwrap() else { panic!("{draft:?}") };
        assert!(selection.query.contains("= 'Wien'"), "{}", selection.query);
        assert_eq!(draft.sources().unwrap().iter().map(String::as_str).collect::<Vec<_>>(), sources);
        draft.validate().unwrap();
    };
    check(json!({}), None, Some(1), &["people"]);
    check(json!({ "among": of_people }), Some(&by_rules), Some(2), &["people"]);
    check(json!({ "among": of_people }), Some(&by_query), None, &["people"]);
    check(json!({ "among": measured }), Some(&by_rules), None, &["bought", "people"]);
}

#[test]
fn what_cannot_be_a_goal_is_told() {
    let check = |fields: Value, sample: &Sample, words: &str| {
        let error = found(&fields, None, sample).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    };
    let cities = sample(1_000, &["city", "name"], |[what, noise, _]| {
        (false, vec![text(&format!("c{}", what % 12)), text(&format!("n{noise}"))])
    });
    check(json!({ "goal": "city" }), &cities, "the goal city has 12 different values");
    check(json!({ "goal": "name" }), &cities, "the goal name has more than 30 different values");
    check(json!({ "goal": "age" }), &cities, "the goal age is not there");
    check(json!({}), &cities, "add measures, or say a goal");
    let few = sample(50, &["city"], |[what, ..]| (false, vec![text(&format!("c{}", what % 2))]));
    check(json!({ "goal": "city" }), &few, "100 people there are, and it takes 200");
}

#[test]
fn a_condition_that_makes_no_difference_is_not_told() {
    // Whoever lives in city 0 has a bit more; eight other columns have nothing to do with it.
    let columns = ["spent", "city", "a", "b", "c", "d", "e"];
    for people in [3_000, 3_500, 4_000] {
        let sample = sample(people, &columns, |[what, noise, other]| {
            let city = what % 5;
            let more = if city == 0 { 40 } else { 0 };
            let mut values = vec![Scalar::Integer(noise + more), text(&format!("c{city}"))];
            values.extend((0..5).map(|place| text(&format!("v{}", (other / (place + 1)) % 4))));
            (false, values)
        });
        let found = found(&json!({ "goal": "spent" }), None, &sample).unwrap();
        assert_eq!(found.suggestions[0].conditions, ["city is c0"], "{:?}", found.suggestions);
        let others = found.suggestions.iter().flat_map(|one| &one.conditions);
        let of_others = others.filter(|one| !one.starts_with("city")).count();
        assert_eq!(of_others, 0, "{:?}", found.suggestions);
    }
}

#[test]
fn a_few_with_very_much_are_no_group() {
    let mut accidents = 0;
    for people in (1_000..3_000).step_by(100) {
        let sample = sample(people, &["spent", "city", "age"], |[what, noise, age]| {
            let spent = 2_f64.powf(f64::from(i32::try_from(what).unwrap()) / 8.0);
            (false, vec![Scalar::Decimal(spent), text(&format!("c{}", noise % 20)), Scalar::Integer(age)])
        });
        accidents += found(&json!({ "goal": "spent" }), None, &sample).unwrap().suggestions.len();
    }
    assert!(accidents <= 1, "{accidents} of 20");
}

#[test]
fn what_a_handful_have_is_not_told() {
    let sample = sample(300, &["seen", "income"], |[what, noise, _]| {
        let seen = if what < 3 { Scalar::Null } else { Scalar::Date(TODAY - noise.days()) };
        let income = if what == 1 { Scalar::Decimal(84_300.17) } else { Scalar::Null };
        (false, vec![seen, income])
    });
    let handful = sample.features[0].numbers.iter().filter(|number| number.is_nan()).count();
    assert!((1..10).contains(&handful), "{handful}");
    let found = found(&json!({}), None, &sample).unwrap();
    assert!(!format!("{found:?}").contains("84300"), "{found:?}");
    assert!(found.suggestions.iter().all(|one| !one.conditions[0].contains("without")), "{found:?}");
}
