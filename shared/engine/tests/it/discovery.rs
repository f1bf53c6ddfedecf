//! Segments that are found: that their drafts, evaluated by the engine, are the people whom the sample had told of.

use crate::lake::{Lake, Snapshot};
use datafusion::arrow::array::{ArrayRef, BooleanArray, Date32Array, Float32Array, Int64Array, StringArray};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use relay_model::Scalar;
use relay_model::catalog::{Document, Origin, Segment};
use relay_model::discovery::similar::{self, IS_MEMBER, Search};
use relay_model::discovery::suggest::{self, Setting};
use relay_model::discovery::{PeopleQuery, Population, Sample, Sampler};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;

const PEOPLE: u32 = 1_200;

/// Somebody: a fifth are members, and members are mostly in Wien, mostly loyal, have more points and were here lately.
struct Person {
    key: String,
    is_vip: bool,
    city: Option<&'static str>,
    is_loyal: Option<bool>,
    points: Option<i64>,
    rate: f32,
    seen: Option<Date>,
}

fn person(number: u32) -> Person {
    let hash = blake3::hash(&number.to_le_bytes());
    let draw = |place: usize, below: u8| i64::from(hash.as_bytes()[place] % below);
    let is_vip = draw(0, 5) == 0;
    let is_alike = draw(1, 10) < if is_vip { 8 } else { 2 };
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let days = if is_alike { draw(2, 20) } else { 15 + draw(2, 200) };
    Person {
        key: format!("P{number:05}"),
        is_vip,
        city: (draw(3, 10) > 0).then_some(if is_alike {
            "Wien"
        } else {
            ["Graz", "O'Fallon"][number as usize % 2]
        }),
        is_loyal: (draw(4, 10) > 0).then_some(is_alike),
        points: (draw(5, 10) > 0).then_some(draw(6, 100) - 20 + if is_alike { 30 } else { 0 }),
        rate: f32::from(hash.as_bytes()[7] % 100) / 10.0 - 3.0,
        seen: (draw(8, 10) > 0).then_some(today - days.days()),
    }
}

/// The same people as Parquet with types, and as CSV without.
async fn lake() -> Lake {
    let people: Vec<Person> = (0..PEOPLE).map(person).collect();
    let column = |name, array: ArrayRef| (name, array);
    let epoch = jiff::civil::date(1970, 1, 1);
    let days = |day: Option<Date>| day.map(|day| (day - epoch).get_days());
    let typed = vec![
        column("id", Arc::new(StringArray::from_iter_values(people.iter().map(|one| one.key.clone())))),
        column("vip", Arc::new(people.iter().map(|one| Some(one.is_vip)).collect::<BooleanArray>())),
        column("city", Arc::new(people.iter().map(|one| one.city).collect::<StringArray>())),
        column("loyal", Arc::new(people.iter().map(|one| one.is_loyal).collect::<BooleanArray>())),
        column("points", Arc::new(people.iter().map(|one| one.points).collect::<Int64Array>())),
        column("rate", Arc::new(people.iter().map(|one| Some(one.rate)).collect::<Float32Array>())),
        column("seen", Arc::new(people.iter().map(|one| days(one.seen)).collect::<Date32Array>())),
    ];
    let mut text = "id,vip,city,loyal,points,rate,seen\n".to_owned();
    let mut orders = "order,customer,total,day\n".to_owned();
    for Person { key, is_vip, city, is_loyal, points, rate, seen } in &people {
        let loyal = is_loyal.map(|loyal| loyal.to_string()).unwrap_or_default();
        // Some tools write a value that is absent as an empty text.
        let points = points.map_or_else(|| "\"\"".to_owned(), |points| points.to_string());
        let day = seen.map(|seen| seen.to_string()).unwrap_or_default();
        writeln!(text, "{key},{is_vip},{},{loyal},{points},{rate},{day}", city.unwrap_or_default()).unwrap();
        for order in 0..if *city == Some("Wien") { 3 } else { 1 } {
            writeln!(orders, "{key}-{order},{key},{},{day}", 10 * (order + 1)).unwrap();
        }
    }
    Lake::new().parquet("typed", typed).await.csv("texts", &text).await.csv("orders", &orders).await
}

const COLUMNS: [&str; 5] = ["city", "loyal", "points", "rate", "seen"];

/// What a sample is that has everybody of the file. Values of the test's snapshots are texts; the types are the file's.
fn sample(found: &Snapshot, columns: &[&str], is_typed: bool) -> (Sample, u64) {
    let names: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let mut sampler = Sampler::new(&names, 30, today);
    let mut members = 0;
    for row in &found.rows {
        let values: Vec<Scalar> = row[1..]
            .iter()
            .zip(columns)
            .map(|(text, column)| match (text.as_str(), *column) {
                ("∅", _) => Scalar::Null,
                ("true" | "false", "loyal") if is_typed => Scalar::Boolean(text == "true"),
                _ => Scalar::Text(text.clone()),
            })
            .collect();
        let is_member = row.len() > columns.len() + 1 && row[columns.len() + 1] != "∅";
        members += u64::from(is_member);
        sampler.add(&row[0], is_member, values.iter());
    }
    (sampler.finish(), members)
}

fn query_of(segment: &Segment) -> String {
    match segment.origin().unwrap() {
        Origin::Selection(selection) => selection.query.into_owned(),
        Origin::Upload(_) => String::new(),
    }
}

async fn check_similar(lake: &Lake, source: &str, fields: Value) {
    let is_typed = source == "typed";
    let is_vip = if is_typed { "vip" } else { "vip = 'true'" };
    let document = json!({ "id": "vips", "name": "VIPs", "member_key": "id",
        "query": format!("SELECT id FROM {source} WHERE {is_vip}; -- all of them") });
    let segment = Segment::parse(&document.to_string()).unwrap();
    let members = PeopleQuery::of_segment(&segment).unwrap();
    let people = PeopleQuery::of_source(&source.to_owned().try_into().unwrap(), "id");
    let query = similar::sample_query(&people, &members);
    let attributes = [&COLUMNS[..], &[IS_MEMBER]].concat();
    let read = lake.evaluate(&query, "id", &attributes).await.unwrap();
    let (sample, members_count) = sample(&read, &COLUMNS, is_typed);
    let others_count = read.figures.rows - members_count;
    assert!((200..280).contains(&members_count), "{members_count}");
    let request = serde_json::from_value(fields).unwrap();
    let search = Search {
        request: &request,
        segment: &segment,
        members: &members,
        people: &people,
        members_count,
        others_count,
        further_rows: 0,
        names: &[],
    };
    let found = similar::find(&search, &sample).unwrap();
    assert!(found.told_apart_percent > 75, "{found:?}");
    assert_eq!(found.columns, COLUMNS, "{:?}", found.left_out);
    // The sample has everybody, so what it expects is exact: as long as the engine gives the scores of the model.
    let draft = lake.evaluate(&query_of(&found.draft), "id", &["similarity"]).await.unwrap();
    let is_with_members = request.members == similar::Members::Included;
    let expected = found.others_expected + if is_with_members { members_count } else { 0 };
    assert_eq!(draft.figures.rows, expected, "{}", query_of(&found.draft));
    let least = draft.rows.iter().map(|row| row[1].parse::<f64>().unwrap()).fold(1.0, f64::min);
    if is_with_members {
        assert!(least < found.least_similarity);
    } else {
        assert!(least >= found.least_similarity, "{least} {}", found.least_similarity);
        for band in &found.scores {
            let in_band = |row: &&Vec<String>| (band.from..band.below).contains(&row[1].parse().unwrap());
            if band.from >= found.least_similarity {
                let rows = u64::try_from(draft.rows.iter().filter(in_band).count()).unwrap();
                assert_eq!(rows, band.others, "{band:?}");
            }
        }
    }
}

#[tokio::test]
async fn whoever_the_model_finds_similar_is_whom_the_draft_selects() {
    let lake = lake().await;
    for source in ["typed", "texts"] {
        check_similar(&lake, source, json!({})).await;
        check_similar(&lake, source, json!({ "share_percent": 100 })).await;
        check_similar(&lake, source, json!({ "share_percent": 5, "members": "included" })).await;
    }
}

async fn check_suggestions(lake: &Lake, source: &str, columns: &[&str], fields: Value) -> Vec<String> {
    let mut document = json!({ "id": "found", "among": { "source": source, "member_key": "id" } });
    for (field, value) in fields.as_object().unwrap() {
        document[field] = value.clone();
    }
    let request: suggest::SuggestionRequest = serde_json::from_value(document).unwrap();
    let Population { measures, .. } = &request.among;
    let people = PeopleQuery::of_source(&source.to_owned().try_into().unwrap(), "id").with(measures);
    let read = lake.evaluate(&people.query, "id", columns).await.unwrap();
    let (sample, _) = sample(&read, columns, source == "typed");
    let setting = Setting {
        request: &request,
        people: &people,
        segment: None,
        people_count: read.figures.rows,
        further_rows: 0,
    };
    let found = suggest::find(&setting, &sample).unwrap();
    for suggestion in &found.suggestions {
        let draft = lake.evaluate(&query_of(&suggestion.draft), "id", &[]).await;
        let rows = draft.unwrap().figures.rows;
        assert_eq!(rows, suggestion.members_expected, "{:?}", suggestion.conditions);
    }
    found.suggestions.into_iter().map(|one| one.conditions.join(", ")).collect()
}

#[tokio::test]
async fn whoever_is_in_a_suggested_group_is_whom_its_draft_selects() {
    let lake = lake().await;
    for source in ["typed", "texts"] {
        let by_points = check_suggestions(&lake, source, &COLUMNS, json!({ "goal": "points" })).await;
        assert!(by_points.iter().any(|one| one.contains("loyal is true")), "{by_points:?}");
        let by_city = check_suggestions(&lake, source, &COLUMNS, json!({ "goal": "city" })).await;
        assert!(by_city.iter().any(|one| one.contains("loyal is true")), "{by_city:?}");
        let extents = check_suggestions(&lake, source, &COLUMNS, json!({})).await;
        assert!(extents.iter().any(|one| one == "seen without a value"), "{extents:?}");
        assert!(extents.len() >= 6, "{extents:?}");
    }
}

#[tokio::test]
async fn measures_are_columns_like_any_other() {
    let lake = lake().await;
    let measure = |name: &str, fields: Value| {
        let mut measure = json!({ "name": name, "source": "orders", "member_key": "customer" });
        for (field, value) in fields.as_object().unwrap() {
            measure[field] = value.clone();
        }
        measure
    };
    let measures = json!([
        measure("orders", json!({ "function": "count" })),
        measure("recent", json!({ "function": "count", "day": "day", "within_last_days": 20 })),
        measure("spent", json!({ "function": "sum", "column": "total" })),
        measure("mean", json!({ "function": "average", "column": "total" })),
        measure("last", json!({ "function": "latest", "day": "day" })),
    ]);
    let among = json!({ "source": "texts", "member_key": "id", "measures": measures });
    let columns = ["orders", "recent", "spent", "mean", "last", "city"];
    let population: Population = serde_json::from_value(among.clone()).unwrap();
    population.validate().unwrap();
    let people =
        PeopleQuery::of_source(&"texts".to_owned().try_into().unwrap(), "id").with(&population.measures);
    let read = lake.evaluate(&people.query, "id", &columns).await.unwrap();
    assert_eq!(read.figures.rows, u64::from(PEOPLE));
    for row in &read.rows {
        let [orders, recent, spent, mean, last, city] = &row[1..] else { panic!("{row:?}") };
        let (count, sum, average) = if city == "Wien" { ("3", 60.0, 20.0) } else { ("1", 10.0, 10.0) };
        let figures = [spent.parse(), mean.parse()].map(Result::unwrap);
        assert_eq!((orders.as_str(), figures), (count, [sum, average]), "{row:?}");
        assert_eq!(recent == "0", last == "∅" || recent == "0", "{row:?}");
    }
    let found = check_suggestions(&lake, "texts", &columns, json!({ "among": among, "goal": "spent" })).await;
    assert!(found.iter().any(|one| one.contains("orders at least 3")), "{found:?}");
    let extents = check_suggestions(&lake, "texts", &columns, json!({ "among": among })).await;
    assert!(extents.iter().any(|one| one.starts_with("last more than ")), "{extents:?}");
}
