use super::*;
use crate::catalog::Document;
use crate::governance::{may_read, summary, withheld};
use proptest::prelude::*;
use serde_json::{Value, json};

fn export() -> Export {
    let document = json!({
        "id": "news", "name": "News", "connection": "mail", "match_key": "email",
        "mapping": [{ "attribute": "city", "field": "City" }], "segments": [{ "segment": "vips" }],
    });
    Export::parse(&document.to_string()).unwrap()
}

fn segment() -> Segment {
    let query = "SELECT id, email, city FROM people WHERE income > 1000";
    let document = json!({ "id": "vips", "name": "VIPs", "member_key": "id", "query": query });
    Segment::parse(&document.to_string()).unwrap()
}

fn sources(labels: &Value) -> BTreeMap<String, Source> {
    let source = |id: &str, labels: &Value| {
        let document = json!({
            "id": id, "location": format!("s3://lake/{id}/"), "format": "csv", "data_labels": labels,
        });
        (id.to_owned(), Source::parse(&document.to_string()).unwrap())
    };
    BTreeMap::from([source("people", labels), source("others", &json!({ "email": ["C12", "C2"] }))])
}

fn policy(id: &str, actions: &[&str], forbids: &[&[&str]], enabled: bool) -> Policy {
    let forbids: Vec<Value> = forbids.iter().map(|labels| json!({ "all_of": labels })).collect();
    let document = json!({
        "id": id, "name": "A rule", "summary": "The contract says so.", "marketing_actions": actions,
        "forbids": forbids, "enabled": enabled,
    });
    Policy::parse(&document.to_string()).unwrap()
}

fn actions(words: &[&str]) -> BTreeSet<MarketingAction> {
    words.iter().map(|word| MarketingAction::try_from((*word).to_owned()).unwrap()).collect()
}

/// The columns that the segment's query reads: `income` decides membership, `email` and `city` are
/// exported.
fn read() -> ColumnsRead {
    let mut read = ColumnsRead::default();
    read.add("people", "id");
    read.add("people", "income");
    read.add_leaving("people", "email", "email");
    read.add_leaving("people", "city", "city");
    read
}

/// Returns the violated policies (`C12` or ids), and whether violations could be ruled out without the
/// engine.
fn found(labels: &Value, actions: &BTreeSet<MarketingAction>, policies: &[Policy]) -> (Vec<String>, bool) {
    let (export, segment, sources) = (export(), segment(), sources(labels));
    let case = Case { export: &export, marketing_actions: actions, sources: &sources, policies };
    let name =
        |violation: &Violation| violation.violated.policy_id().map_or("C12".to_owned(), ToString::to_string);
    let names = case.violations(&segment, &read()).iter().map(name).collect();
    (names, case.is_harmless(&segment))
}

#[track_caller]
fn check(labels: &Value, forbids: &[&[&str]], expected: &[&str]) {
    let policies = [policy("rule", &["email_targeting"], forbids, true)];
    let (names, is_harmless) = found(labels, &actions(&["email_targeting", "analytics"]), &policies);
    assert_eq!(names, expected, "{labels}");
    assert!(!is_harmless || names.is_empty(), "{labels}: what is broken cannot be harmless");
}

#[test]
fn labels_of_used_columns_are_held_against_policies() {
    check(&json!({}), &[&["C2"]], &[]);
    check(&json!({ "email": ["C2"] }), &[&["C2"]], &["rule"]);
    check(&json!({ "income": ["C2"] }), &[&["C2"]], &["rule"]);
    check(&json!({ "born": ["C2"] }), &[&["C2"]], &[]);
    check(&json!({ "email": ["C4"] }), &[&["C2"]], &[]);
    // Both labels, on one column or on two that are used together.
    check(&json!({ "email": ["C2"] }), &[&["C2", "I1"]], &[]);
    check(&json!({ "email": ["C2", "I1"] }), &[&["C2", "I1"]], &["rule"]);
    check(&json!({ "email": ["I1"], "income": ["C2"] }), &[&["C2", "I1"]], &["rule"]);
    check(&json!({ "email": ["I1"], "born": ["C2"] }), &[&["C2", "I1"]], &[]);
    check(&json!({ "city": ["S2"] }), &[&["C2", "I1"], &["S2"]], &["rule"]);
    check(&json!({ "EMAIL": ["own-partner"] }), &[&["own-partner"]], &["rule"]);
}

#[test]
fn c12_never_leaves_and_may_decide() {
    check(&json!({ "email": ["C12"] }), &[&["C2"]], &["C12"]);
    check(&json!({ "city": ["C12", "C2"] }), &[&["C2"]], &["C12", "rule"]);
    check(&json!({ "income": ["C12"] }), &[&["C2"]], &[]);
    check(&json!({ "income": ["C12"] }), &[&["C12"]], &["rule"]);
    assert_eq!(found(&json!({ "email": ["C12"] }), &actions(&[]), &[]), (vec!["C12".to_owned()], false));
}

#[test]
fn c12_columns_are_withheld() {
    let check = |labels: Value, expected: &[&str]| {
        let found = withheld(&segment(), &read(), &sources(&labels));
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{labels}");
    };
    check(json!({}), &[]);
    check(json!({ "city": ["C2"], "income": ["C12"] }), &[]);
    check(json!({ "city": ["C12"], "Email": ["C12", "I1"] }), &["city", "email"]);
}

#[test]
fn a_policy_holds_where_it_is_enabled_and_about_what_the_connection_does() {
    let labels = json!({ "email": ["C2"] });
    let check = |policy: Policy, connection: &[&str], is_broken: bool| {
        let expected = if is_broken { vec![policy.id.to_string()] } else { Vec::new() };
        assert_eq!(found(&labels, &actions(connection), &[policy]), (expected, !is_broken));
    };
    check(policy("rule", &["analytics"], &[&["C2"]], true), &["analytics"], true);
    check(policy("rule", &["analytics", "data_science"], &[&["C2"]], true), &["data_science"], true);
    check(policy("rule", &["analytics"], &[&["C2"]], true), &["data_science"], false);
    check(policy("rule", &["analytics"], &[&["C2"]], true), &[], false);
    check(policy("rule", &["analytics"], &[&["C2"]], false), &["analytics"], false);
}

#[test]
fn only_sources_that_the_query_names_are_within_reach() {
    // The labels of `others` would be forbidden.
    let policies = [policy("rule", &["analytics"], &[&["C2"]], true)];
    let (names, is_harmless) = found(&json!({}), &actions(&["analytics"]), &policies);
    assert_eq!((names.len(), is_harmless), (0, true));
    let (names, is_harmless) = found(&json!({ "born": ["C2"] }), &actions(&["analytics"]), &policies);
    assert_eq!((names.len(), is_harmless), (0, false), "the engine has to be asked whether it is read");
}

#[test]
fn a_source_is_rather_read_too_often_than_once_too_few() {
    let check = |query: &str, expected: bool| {
        let document = json!({ "id": "vips", "name": "VIPs", "member_key": "id", "query": query });
        let segment = Segment::parse(&document.to_string()).unwrap();
        let people = SourceId::try_from("people".to_owned()).unwrap();
        assert_eq!(may_read(&segment, &people), expected, "{query}");
    };
    check("SELECT id FROM people", true);
    check("SELECT id FROM others", false);
    check("WITH people AS (SELECT id FROM others) SELECT id FROM people", true);
    // The engine may resolve the first name to the source.
    check("WITH RECURSIVE a AS (SELECT id FROM people), people AS (SELECT 1) SELECT id FROM a", true);
    check("SELEC id", true);
}

#[test]
fn an_upload_has_labels_of_its_own() {
    let document = json!({ "id": "fair", "name": "Fair", "upload": {
        "identity_column": "email", "data_labels": { "city": ["C2"], "phone": ["C12"] },
    } });
    let segment = Segment::parse(&document.to_string()).unwrap();
    let (export, sources) = (export(), sources(&json!({})));
    let policies = [policy("rule", &["analytics"], &[&["C2"]], true)];
    let actions = actions(&["analytics"]);
    let case = Case { export: &export, marketing_actions: &actions, sources: &sources, policies: &policies };
    let violations = case.violations(&segment, &case.read_of_upload(&segment).unwrap());
    assert_eq!(
        violations.iter().map(Violation::lineage).collect::<Vec<_>>(),
        ["upload.city (C2, leaves as city) → segment \"fair\" → export \"news\" → connection \"mail\""]
    );
    assert!(!case.is_harmless(&segment));
}

#[test]
fn a_violation_says_what_where_why_and_what_to_do() {
    let (export, segment) = (export(), segment());
    let sources = sources(&json!({ "city": ["C12"], "income": ["C2", "S1"], "email": ["I1"] }));
    let policies = [policy("no-mail", &["email_targeting"], &[&["C2", "I1"]], true)];
    let actions = actions(&["email_targeting", "analytics"]);
    let case = Case { export: &export, marketing_actions: &actions, sources: &sources, policies: &policies };
    let violations = case.violations(&segment, &read());
    let [never, policy] = &violations[..] else { panic!("{violations:?}") };
    assert_eq!(
        never.to_string(),
        "data labelled C12 must not be exported: people.city (C12, leaves as city) → segment \"vips\" → export \
         \"news\" → connection \"mail\". Remove the attribute from the export's mapping and match key, or derive it from \
         other columns."
    );
    assert_eq!(
        policy.to_string(),
        "policy \"no-mail\" (A rule) forbids email_targeting with data labelled C2, I1: people.email (I1, leaves as \
         email), people.income (C2, S1) → segment \"vips\" → export \"news\" → connection \"mail\". Reason given: The \
         contract says so. Remove the columns from the segment's query and the export's mapping, or have an \
         administrator change their data_labels, the connection's marketing_actions or the policy."
    );
    let many: Vec<Violation> = std::iter::repeat_n(never.clone(), 5).collect();
    assert!(summary(&many).ends_with(" And 2 more."));
}

const LABELS: [&str; 5] = ["C2", "C4", "C12", "I1", "own-a"];
const COLUMNS: [&str; 5] = ["id", "email", "city", "income", "born"];
const ACTIONS: [&str; 3] = ["analytics", "email_targeting", "own-b"];

fn some_labels() -> impl Strategy<Value = BTreeMap<&'static str, BTreeSet<&'static str>>> {
    let labels = prop::collection::btree_set(prop::sample::select(&LABELS[..]), 1..4);
    prop::collection::btree_map(prop::sample::select(&COLUMNS[..]), labels, 0..4)
}

fn some_policies() -> impl Strategy<Value = Vec<Policy>> {
    let labels = || prop::collection::vec(prop::sample::select(&LABELS[..]), 1..3);
    let actions = prop::collection::vec(prop::sample::select(&ACTIONS[..]), 1..3);
    let one = (actions, prop::collection::vec(labels(), 1..3), any::<bool>());
    prop::collection::vec(one, 0..4).prop_map(|all| {
        let mut policies = Vec::new();
        for (actions, forbids, enabled) in all {
            let forbids: Vec<&[&str]> = forbids.iter().map(Vec::as_slice).collect();
            policies.push(policy(&format!("p{}", policies.len()), &actions, &forbids, enabled));
        }
        policies
    })
}

fn some_actions() -> impl Strategy<Value = BTreeSet<MarketingAction>> {
    prop::collection::vec(prop::sample::select(&ACTIONS[..]), 0..3).prop_map(|words| actions(&words))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn another_label_never_mends_anything(
        labels in some_labels(), policies in some_policies(), actions in some_actions(),
        column in prop::sample::select(&COLUMNS[..]), label in prop::sample::select(&LABELS[..]),
    ) {
        let (before, was_harmless) = found(&json!(labels), &actions, &policies);
        let mut more = labels.clone();
        more.entry(column).or_default().insert(label);
        let (after, is_harmless) = found(&json!(more), &actions, &policies);
        prop_assert!(before.iter().all(|rule| after.contains(rule)));
        prop_assert!(was_harmless || !is_harmless);
    }

    #[test]
    fn what_is_harmless_breaks_no_rule(
        labels in some_labels(), policies in some_policies(), actions in some_actions(),
    ) {
        let (broken, is_harmless) = found(&json!(labels), &actions, &policies);
        prop_assert!(!is_harmless || broken.is_empty());
    }

    #[test]
    fn a_disabled_policy_is_as_good_as_none_and_order_does_not_matter(
        labels in some_labels(), policies in some_policies(), actions in some_actions(),
    ) {
        let (mut all, _) = found(&json!(labels), &actions, &policies);
        let mut enabled: Vec<Policy> = policies.into_iter().filter(|policy| policy.enabled).collect();
        prop_assert_eq!(&found(&json!(labels), &actions, &enabled).0, &all);
        enabled.reverse();
        let (mut reversed, _) = found(&json!(labels), &actions, &enabled);
        all.sort();
        reversed.sort();
        prop_assert_eq!(all, reversed);
    }
}
