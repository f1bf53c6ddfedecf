//! Definitions written to files and read back are unchanged.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::files::{Existing, Values, read_folder, write_folder};

fn slug() -> impl Strategy<Value = String> {
    // Words with a special meaning in YAML are valid identifiers too.
    prop_oneof![
        "[a-z0-9][a-z0-9_-]{0,6}",
        Just("true".to_owned()),
        Just("null".to_owned()),
        "[0-9]{1,3}",
        "0x[0-9]"
    ]
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-zA-Z0-9 ,:#'\"$&{}-]{1,20}"].prop_map(|text| format!("n{text}"))
}

fn query() -> impl Strategy<Value = String> {
    prop_oneof![
        "SELECT [a-z ,\n]{1,40}\n?",
        "SELECT [ -~\n\t]{0,60}",
        any::<String>().prop_map(|text| format!("S{text}"))
    ]
}

fn free() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e6_f64..1e6).prop_map(Value::from),
        words().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            fields(inner).prop_map(Value::from),
        ]
    })
}

fn fields(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(words(), values, 0..3).prop_map(|fields| fields.into_iter().collect())
}

fn source() -> impl Strategy<Value = Value> {
    let format = prop::sample::select(vec!["parquet", "csv", "ndjson"]);
    let parts = ("[a-z]{3,8}", "[a-z0-9 #:/]{0,8}", format, data_labels());
    parts.prop_map(|(bucket, prefix, format, labels)| {
        let location = format!("s3://{bucket}/x{prefix}");
        json!({"location": location, "format": format, "data_labels": labels})
    })
}

fn data_labels() -> impl Strategy<Value = BTreeMap<String, BTreeSet<&'static str>>> {
    let labels = prop::collection::btree_set(prop::sample::select(vec!["C2", "I1", "own-a"]), 1..3);
    prop::collection::btree_map("[a-zA-Z][ -~]{0,8}", labels, 0..3)
}

fn policy() -> impl Strategy<Value = Value> {
    let words = || prop::sample::select(vec!["C2", "C12", "S1", "own-a", "own-0"]);
    let forbids = prop::collection::btree_set(prop::collection::btree_set(words(), 1..3), 1..3);
    let actions = prop::sample::select(vec!["analytics", "email_targeting", "own-b"]);
    let parts =
        (self::words(), self::words(), prop::collection::btree_set(actions, 1..3), forbids, any::<bool>());
    parts.prop_map(|(name, summary, actions, forbids, enabled)| {
        let forbids: Vec<Value> = forbids.into_iter().map(|labels| json!({"all_of": labels})).collect();
        json!({"name": name, "summary": summary, "marketing_actions": actions, "forbids": forbids, "enabled": enabled})
    })
}

fn labels() -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set("[a-zA-Z0-9:#-]{1,6}", 0..3)
}

fn condition() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        (-1e6_f64..1e6).prop_map(|number| ((number * 100.0).round() / 100.0).into())
    ];
    let leaf = (words(), words(), number, 0..5).prop_map(|(column, text, number, operator)| {
        let column = column.replace(char::is_control, "");
        match operator {
            0 => json!({"column": column, "is": text, "case": "ignore"}),
            1 => json!({"column": column, "none_of": [number, 1]}),
            2 => json!({"column": column, "on": "2026-01-31"}),
            3 => json!({"column": column, "is_null": false}),
            _ => json!({"column": column, "more_than": number}),
        }
    });
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop::collection::vec(inner, 1..3).prop_map(|any| json!({ "any": any }))
    })
}

fn rules() -> impl Strategy<Value = Value> {
    let conditions = || prop::collection::vec(condition(), 1..3);
    (conditions(), conditions(), prop::sample::select(vec!["union", "intersect", "except"]), 1..3_u32)
        .prop_map(|(first, second, combine, rows)| {
            let path = json!([{ "source": "orders", "on": { "id": "person", "no": "yes" } }]);
            json!({ "source": "people", "columns": ["email"], "rules": [
                { "name": "one", "any": first },
                { "name": "two", "combine": combine, "path": path, "all": second, "at_least_rows": rows },
            ] })
        })
}

fn segment() -> impl Strategy<Value = Value> {
    let selected = prop_oneof![
        query().prop_map(|query| ("query", json!(query))),
        rules().prop_map(|rules| ("rules", rules))
    ];
    (words(), labels(), selected, words()).prop_map(|(name, labels, (kind, selected), key)| {
        json!({"name": name, "labels": labels, kind: selected, "member_key": key})
    })
}

fn connection() -> impl Strategy<Value = Value> {
    let destination =
        prop::sample::select(vec!["marketo", "campaign-monitor", "omnisend", "dynamics365-sales"]);
    let consent = prop::option::of(
        (words(), words())
            .prop_map(|(by, text)| json!({"by": by, "at": "2026-01-01T00:00:00Z", "text": text})),
    );
    let parts = (words(), destination, "[A-Za-z0-9/_+=.@-]{1,20}", consent, fields(free()));
    parts.prop_map(|(name, destination, secret, consent, settings)| {
        json!({
            "name": name, "destination": destination, "secret": secret, "consent": consent, "settings": settings,
        })
    })
}

fn schedule() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("off")),
        (1_u32..44_640).prop_map(|minutes| json!({"every_minutes": minutes})),
        (0..24, 0..60).prop_map(|(hour, minute)| {
            json!({"daily": {"at": format!("{hour:02}:{minute:02}:00"), "time_zone": "Europe/Rome"}})
        }),
    ]
}

fn mapping() -> impl Strategy<Value = Vec<Value>> {
    let absent = prop::sample::select(vec!["omit", "clear", "reject"]);
    let invalid = prop::sample::select(vec!["omit", "truncate", "reject"]);
    prop::collection::btree_map(words(), (words(), absent, invalid), 0..4).prop_map(|fields| {
        let field = |(field, (attribute, absent, invalid))| {
            json!({"attribute": attribute, "field": field, "if_null": absent, "if_invalid": invalid})
        };
        fields.into_iter().map(field).collect()
    })
}

fn export(segments: Vec<String>, connections: Vec<String>) -> impl Strategy<Value = Value> {
    let lists = prop::collection::btree_map(prop::sample::select(segments), prop::option::of(words()), 1..3);
    let limits = (prop::option::of(1_u64..), 0_u8..=100, any::<u64>(), any::<bool>());
    let removal = prop::sample::select(vec!["keep", "empty", "delete"]);
    let parts = (words(), prop::sample::select(connections), words(), mapping(), lists, limits, schedule());
    (parts, removal, labels(), fields(free())).prop_map(
        |((name, connection, key, mapping, lists, limits, schedule), removal, labels, options)| {
            let (rows, removed_percent, removed_rows, enabled) = limits;
            let list =
                |(segment, list): (String, Option<String>)| json!({"segment": segment, "target_list": list});
            json!({
                "name": name, "labels": labels, "connection": connection, "match_key": key, "mapping": mapping,
                "segments": lists.into_iter().map(list).collect::<Vec<_>>(),
                "cap": {"rows": rows}, "schedule": schedule, "enabled": enabled, "options": options,
                "guard": {"removed_percent": removed_percent, "removed_rows": removed_rows},
                "when_segment_removed": removal,
            })
        },
    )
}

fn named(documents: BTreeMap<String, Value>, kind: Kind) -> Vec<(Kind, Value)> {
    let named = |(id, mut document): (String, Value)| {
        document["id"] = id.into();
        (kind, document)
    };
    documents.into_iter().map(named).collect()
}

fn catalog() -> impl Strategy<Value = Vec<(Kind, Value)>> {
    let sources = prop::collection::btree_map("[a-z][a-z0-9_]{0,6}", source(), 0..3);
    let segments = prop::collection::btree_map(slug(), segment(), 1..3);
    let connections = prop::collection::btree_map(slug(), connection(), 1..3);
    let policies = prop::collection::btree_map(slug(), policy(), 0..3);
    (sources, segments, connections, policies).prop_flat_map(|(sources, segments, connections, policies)| {
        let (segment_ids, connection_ids) =
            (segments.keys().cloned().collect(), connections.keys().cloned().collect());
        let exports = prop::collection::btree_map(slug(), export(segment_ids, connection_ids), 0..3);
        (Just(sources), Just(segments), Just(connections), Just(policies), exports).prop_map(
            |(sources, segments, connections, policies, exports)| {
                let mut all = named(sources, Kind::Source);
                all.extend(named(segments, Kind::Segment));
                all.extend(named(connections, Kind::Connection));
                all.extend(named(policies, Kind::Policy));
                all.extend(named(exports, Kind::Export));
                all
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn exported_definitions_show_no_difference(documents in catalog()) {
        let folder = tempfile::tempdir().unwrap();
        write_folder(folder.path(), &documents, &Values::new(), Existing::Keep).unwrap();
        let read = read_folder(folder.path(), &Values::new());
        let read = read.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read.len(), documents.len());
        let saved = |(kind, document): &(Kind, Value)| {
            let document = whole(*kind, document).unwrap();
            (*kind, Saved { id: document["id"].as_str().unwrap().to_owned(), document, version: 1 })
        };
        let there: Vec<_> = documents.iter().map(saved).collect();
        let plan = make(&read, &there, Leftovers::Remove, &Kind::ALL).map_err(|faults| TestCaseError::fail(faults.join("\n")))?;
        prop_assert_eq!(plan.steps, []);
        prop_assert_eq!(plan.unchanged, documents.len());
        // Writing again touches no file.
        let again = write_folder(folder.path(), &documents, &Values::new(), Existing::Keep).unwrap();
        prop_assert!(again.iter().all(|written| matches!(written, crate::files::Written::Same(_))), "{again:?}");
    }
}
