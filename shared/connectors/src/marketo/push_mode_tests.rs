use super::*;
use crate::marketo::KeyForm;
use relay_model::ListId;
use serde_json::{Value, json};

fn settings(settings: Value) -> Settings {
    let Value::Object(mut settings) = settings else { panic!("settings are an object") };
    settings.insert("endpoint".to_owned(), "123-ABC-456.mktorest.com".into());
    Settings::parse(&settings).unwrap()
}

fn target(imports: Imports) -> MarketoTarget {
    MarketoTarget {
        list_id: ListId("1027".to_owned()),
        lookup_field: "email".to_owned(),
        key_form: KeyForm::Text,
        person_creation: PersonCreation::CreateMissing,
        partition: None,
        has_attributes: true,
        imports,
        way: Way::Sync,
    }
}

fn delta(rows: u64) -> DeltaSize {
    DeltaSize { upsert_rows: rows, upsert_bytes: rows * 100, fields: 3, lanes: 5 }
}

#[test]
fn a_million_people_by_calls_take_what_the_documents_rates_make_of_them() {
    let cost = by_sync(&settings(json!({})), &target(Imports::Never), delta(1_000_000));
    assert_eq!(cost, Cost { calls: 6_668, seconds: 2_668 });
    let fast = settings(json!({"rate": {"calls": 100, "window_ms": 20_000}}));
    let cost = by_sync(&fast, &target(Imports::Never), delta(1_000_000));
    assert_eq!(cost, Cost { calls: 6_668, seconds: 1_334 });
    assert_eq!(by_sync(&fast, &target(Imports::Never), delta(1)).calls, 2);
    let by_id = MarketoTarget {
        person_creation: PersonCreation::MatchOnly,
        has_attributes: false,
        lookup_field: "id".to_owned(),
        ..target(Imports::Never)
    };
    assert_eq!(by_sync(&fast, &by_id, delta(600)).calls, 2);
}

#[test]
fn a_million_people_by_files_are_a_few_calls() {
    let quick = settings(json!({"import_rows_per_second": 5_000}));
    let (cost, files) = by_import(&quick, delta(1_000_000));
    assert_eq!(files, 15, "three files of below 10 MB in each of five lanes");
    // A file takes 14 seconds: its status is polled after 5 and after 15, and the other lanes poll every 30.
    assert_eq!(cost, Cost { calls: 15 * (3 + 2) + 15, seconds: 15 * 15 });
    assert_eq!(by_import(&quick, delta(1)).1, 1);
}

#[track_caller]
fn check(connection: Value, imports: Imports, rows: u64, expected: Way) {
    let mut target = target(imports);
    let gathering = choose_push_mode(&settings(connection), &mut target, delta(rows));
    assert_eq!(target.way, expected, "{:?}", gathering.notices);
    assert_eq!(gathering.limits.is_some(), expected == Way::BulkImport);
    assert_eq!(gathering.notices.len(), 1);
}

#[test]
fn files_are_used_where_they_are_twice_as_fast_or_calls_too_dear() {
    let quick = json!({"import_rows_per_second": 5_000});
    check(json!({}), Imports::WhereFaster, 1_000_000, Way::Sync);
    check(quick.clone(), Imports::WhereFaster, 1_000_000, Way::BulkImport);
    check(quick.clone(), Imports::WhereFaster, 1_000, Way::Sync);
    check(quick, Imports::Never, 1_000_000, Way::Sync);
    check(json!({}), Imports::Always, 10, Way::BulkImport);
    check(json!({"daily_calls": 5_000}), Imports::WhereFaster, 1_000_000, Way::BulkImport);
}

#[test]
fn the_notice_has_the_figures_of_both_ways() {
    let mut target = target(Imports::WhereFaster);
    let gathering = choose_push_mode(&settings(json!({})), &mut target, delta(30_000));
    let notice = &gathering.notices[0];
    let calls =
        "30000 people to add or change: by calls 200 calls and at least 80 seconds; by 5 files about ";
    assert!(notice.starts_with(calls), "{notice}");
    assert!(notice.ends_with("chosen: calls, for files are not twice as fast"), "{notice}");
    assert_eq!(choose_push_mode(&settings(json!({})), &mut target, delta(0)), Gathering::default());
}

#[track_caller]
fn costs(target: &MarketoTarget, batches: &[(Kind, u32)], added_rows: u64, expected: (u64, u64)) {
    let batches: Vec<BatchEntry> = (0..)
        .zip(batches)
        .map(|(number, (kind, rows))| BatchEntry {
            number,
            lane: relay_model::Lane(0),
            kind: *kind,
            frames: Vec::new(),
            rows: *rows,
            request_bytes: u64::from(*rows) * 1_000,
        })
        .collect();
    let upserts = batches.iter().filter(|batch| batch.kind == Kind::Upsert);
    let size = delta(upserts.map(|batch| u64::from(batch.rows)).sum());
    let workload = Workload { batches: &batches, size, added_rows };
    let found = estimate(&settings(json!({})), target, &workload);
    assert_eq!((found.calls, found.seconds), (expected.0, Some(expected.1)), "{batches:?}");
}

#[test]
fn a_delta_costs_what_its_batches_do() {
    let written = target(Imports::Never);
    costs(&written, &[], 0, (0, 0));
    // 50 calls in 20 seconds.
    costs(&written, &[(Kind::Upsert, 3_000), (Kind::Upsert, 301)], 3_301, (24, 10));
    costs(&written, &[(Kind::Upsert, 3_000)], 0, (10, 4));
    costs(&written, &[(Kind::Upsert, 1), (Kind::Remove, 301)], 1, (4, 2));
    let matched = MarketoTarget {
        person_creation: PersonCreation::MatchOnly,
        has_attributes: false,
        lookup_field: "id".to_owned(),
        ..target(Imports::Never)
    };
    costs(&matched, &[(Kind::Upsert, 600)], 600, (2, 1));
    let imported = MarketoTarget { way: Way::BulkImport, ..target(Imports::Always) };
    let (import, _) = by_import(&settings(json!({})), delta(600));
    costs(&imported, &[(Kind::Upsert, 600)], 600, (import.calls, import.seconds));
    costs(&imported, &[(Kind::Remove, 600)], 0, (2, 1));
}
