use super::*;
use crate::Scalar;
use crate::catalog::Document;
use crate::discovery::testing::{sample, text};
use serde_json::{Value, json};

fn segment() -> Segment {
    let query = "SELECT id FROM people WHERE vip -- those";
    let document = json!({ "id": "vips", "name": "VIPs", "member_key": "id", "query": query });
    Segment::parse(&document.to_string()).unwrap()
}

fn request(fields: Value) -> SimilarRequest {
    serde_json::from_value(fields).unwrap()
}

/// What is found among these, of whom the sample has everybody.
fn found(request: &SimilarRequest, sample: &Sample) -> Result<SimilarFound, DiscoveryError> {
    let segment = segment();
    let members = PeopleQuery::of_segment(&segment)?;
    let source = "people".to_owned().try_into().unwrap();
    let people = PeopleQuery::of_source(&source, "id");
    let marked = u64::try_from(sample.marks.iter().filter(|mark| **mark).count()).unwrap();
    let rows = u64::try_from(sample.rows()).unwrap();
    let (members_count, others_count) = (marked, rows - marked);
    let (segment, members, people, names) = (&segment, &members, &people, &[]);
    let search =
        Search { request, segment, members, people, members_count, others_count, further_rows: 0, names };
    find(&search, sample)
}

/// A fifth are members; four of five of them live in Wien and have 50 points more, and one of five of the others do.
fn people(people: u32) -> Sample {
    sample(people, &["city", "points", "noise"], |[who, what, noise]| {
        let is_member = who < 20;
        let is_alike = if is_member { what < 80 } else { what < 20 };
        let (city, more) = if is_alike { ("Wien", 50) } else { ("Graz", 0) };
        (is_member, vec![text(city), Scalar::Integer(noise / 2 + more), text(&format!("n{}", noise % 3))])
    })
}

#[test]
fn what_members_have_in_common_is_found() {
    let found = found(&request(json!({})), &people(5_000)).unwrap();
    // Four of five members and one of five others: 0.8 × 0.8 and half of what is the same on both sides.
    assert!((78..=82).contains(&found.told_apart_percent), "{}", found.told_apart_percent);
    assert_eq!((found.members + found.others, found.sampled), (5_000, 5_000));
    let first: Vec<(&str, &str)> =
        found.traits.iter().take(2).map(|one| (one.column.as_str(), one.value.as_str())).collect();
    assert!(first.contains(&("city", "Wien")), "{:?}", found.traits);
    let wien = found.traits.iter().find(|one| one.value == "Wien").unwrap();
    assert!(
        (78..=82).contains(&wien.members_percent) && (18..=22).contains(&wien.others_percent),
        "{wien:?}"
    );
    assert!(wien.odds > 1.5);
    let noise = found.traits.iter().filter(|one| one.column == "noise");
    noise.for_each(|one| assert!((0.7..=1.4).contains(&one.odds), "{one:?}"));
    assert_eq!(found.columns, ["city", "points", "noise"]);
}

#[test]
fn as_many_come_in_as_are_wanted_and_no_more_than_are_alike() {
    let sample = people(5_000);
    let others = 4_000.0;
    let mut before = 0;
    for share in [5_u8, 10, 20] {
        let found = found(&request(json!({ "share_percent": share })), &sample).unwrap();
        let wanted = others * f64::from(share) / 100.0;
        let expected = to_float(found.others_expected);
        assert!(found.others_expected >= before && expected <= wanted * 1.6 + 10.0, "{share}: {expected}");
        before = found.others_expected;
        assert!(found.least_similarity >= LEAST_SIMILARITY);
        assert_eq!(found.scores.iter().map(|band| band.others).sum::<u64>().abs_diff(found.others), 0);
    }
    // However many are wanted, only the one in five who is alike comes in.
    let all = found(&request(json!({ "share_percent": 100 })), &sample).unwrap();
    assert!(all.others_expected < 1_000, "{}", all.others_expected);
}

#[test]
fn where_nothing_tells_members_from_others_there_is_no_draft() {
    let nothing = sample(3_000, &["noise"], |[who, what, _]| (who < 20, vec![Scalar::Integer(what)]));
    let error = found(&request(json!({})), &nothing).unwrap_err();
    assert!(
        matches!(error, DiscoveryError::Indistinct { percent } if (40..55).contains(&percent)),
        "{error}"
    );
    let few = sample(200, &["city"], |[who, ..]| (who < 10, vec![text("Wien")]));
    let error = found(&request(json!({})), &few).unwrap_err();
    assert!(matches!(error, DiscoveryError::TooFew { least: 50, .. }), "{error}");
    let same = sample(1_000, &["city"], |[who, ..]| (who < 20, vec![text("Wien")]));
    let error = found(&request(json!({})), &same).unwrap_err();
    assert_eq!(error.code(), "discovery_without_columns");
    assert!(error.to_string().contains("city has the same value"), "{error}");
}

#[test]
fn the_draft_is_a_query_that_can_be_saved() {
    let sample = people(2_000);
    let check = |fields: Value, id: &str, name: &str, words: &str| {
        let draft = found(&request(fields), &sample).unwrap().draft;
        assert_eq!((draft.id.as_str(), draft.name.as_str(), draft.member_key()), (id, name, "id"));
        assert_eq!(draft.sources().unwrap().into_iter().collect::<Vec<_>>(), ["people"]);
        let origin = draft.origin().unwrap();
        let crate::catalog::Origin::Selection(selection) = origin else { panic!("{origin:?}") };
        assert!(selection.query.contains(words), "{}", selection.query);
    };
    check(json!({}), "like-vips", "Like VIPs", "\n  AND NOT EXISTS (");
    check(json!({ "members": "included", "id": "more", "name": "More" }), "more", "More", "\n  OR EXISTS (");
}

#[test]
fn what_people_have_as_values_is_a_literal() {
    let odd = sample(2_000, &["ci\"ty"], |[who, what, _]| {
        let is_alike = if who < 20 { what < 80 } else { what < 20 };
        (who < 20, vec![text(if is_alike { "O'Fallon; DROP" } else { "Graz" })])
    });
    let draft = found(&request(json!({})), &odd).unwrap().draft;
    let crate::catalog::Origin::Selection(selection) = draft.origin().unwrap() else { panic!() };
    assert!(selection.query.contains("CASE CAST(\"people\".\"ci\"\"ty\" AS VARCHAR) WHEN 'Graz' THEN "));
    assert!(selection.query.contains(" WHEN 'O''Fallon; DROP' THEN "), "{}", selection.query);
}

#[test]
fn the_largest_model_is_a_query_that_can_be_planned() {
    let columns: Vec<String> =
        (0..25).map(|place| format!("a column with quite a long name {place}")).collect();
    let names: Vec<&str> = columns.iter().map(String::as_str).collect();
    let check = |value: &dyn Fn(i64, i64) -> Scalar| {
        let sample = sample(6_000, &names, |[who, what, noise]| {
            let is_alike = if who < 30 { what < 80 } else { what < 20 };
            let values = (0..25).map(|place| value(i64::from(is_alike), noise + place));
            (who < 30, values.collect())
        });
        found(&request(json!({ "share_percent": 100 })), &sample).map(|found| found.columns.len())
    };
    let day = |days: i64| Scalar::Date(crate::discovery::testing::TODAY - jiff::Span::new().days(days));
    let number = |alike: i64, noise: i64| Scalar::Integer(alike * 50 + noise % 50);
    assert_eq!(check(&number), Ok(25));
    assert_eq!(
        check(&|alike, noise| Scalar::Decimal(-0.5 - f64::from(i32::try_from(alike * 50 + noise).unwrap()))),
        Ok(25)
    );
    assert_eq!(check(&|alike, noise| day(alike * 50 + noise % 50)), Ok(25));
    assert_eq!(check(&|alike, noise| text(&format!("a rather long value {alike} {}", noise % 15))), Ok(25));
}

#[test]
fn requests_are_held_against_their_bounds() {
    let check = |fields: Value, field: Option<&str>| {
        let found = request(fields).validate();
        assert_eq!(found.err().map(|(field, _)| field).as_deref(), field);
    };
    let measure = json!({ "name": "n", "source": "bought", "member_key": "c", "function": "sum" });
    check(json!({}), None);
    check(json!({ "share_percent": 0 }), Some("share_percent"));
    check(json!({ "share_percent": 101 }), Some("share_percent"));
    check(json!({ "columns": vec!["a"; 26] }), Some("columns"));
    check(json!({ "among": { "segment": "a", "measures": [measure] } }), Some("among.measures[0].column"));
}

#[test]
fn a_few_members_have_to_be_told_apart_better() {
    let mut drafts = 0;
    for people in (1_500..3_500).step_by(200) {
        let few = sample(people, &["city", "points"], |[who, what, noise]| {
            (who < 4, vec![text(&format!("c{}", what % 4)), Scalar::Integer(noise)])
        });
        match found(&request(json!({})), &few) {
            Ok(_) => drafts += 1,
            Err(error) => assert!(matches!(error, DiscoveryError::Indistinct { .. }), "{error}"),
        }
    }
    assert!(drafts <= 1, "of 10 in which nothing is to be found: {drafts}");
}

#[test]
fn the_similarity_takes_a_free_name() {
    let sample = people(2_000);
    let segment = segment();
    let source = "people".to_owned().try_into().unwrap();
    let (members, people) =
        (&PeopleQuery::of_segment(&segment).unwrap(), &PeopleQuery::of_source(&source, "id"));
    let (request, names) = (&request(json!({})), &["similarity".to_owned(), "similarity_2".to_owned()]);
    let (segment, members_count, others_count) = (&segment, 400, 1_600);
    let search =
        Search { request, segment, members, people, members_count, others_count, further_rows: 0, names };
    let draft = find(&search, &sample).unwrap().draft;
    let crate::catalog::Origin::Selection(selection) = draft.origin().unwrap() else { panic!() };
    assert!(selection.query.contains("AS \"similarity_3\""), "{}", selection.query);
}
