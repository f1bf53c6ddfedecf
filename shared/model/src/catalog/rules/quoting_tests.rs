//! User input becomes a name or a literal in the query, and nothing else.

use super::{Combine, Condition, Number, Relation, Rule, RuleSet, Value};
use crate::query::sources_of;
use proptest::prelude::*;
use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, Tokenizer};
use std::collections::BTreeSet;

/// Generates any text, with a bias to characters that are special in SQL.
fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "['\"\\\\;%_$@`\\[\\]{}()*/ -]{1,12}",
        Just("' OR 1=1 --".to_owned()),
        Just("\"; SELECT * FROM secrets; --".to_owned()),
        Just("/*".to_owned()),
        Just("\\'".to_owned()),
    ]
}

fn named() -> impl Strategy<Value = String> {
    anything().prop_map(|text| format!("x{}", text.replace(char::is_control, "")))
}

fn source() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["people", "orders", "lines", "secret_less", "select", "from"])
        .prop_map(str::to_owned)
}

fn condition() -> impl Strategy<Value = Condition> {
    let number = || (-1_000_000_i64..1_000_000).prop_map(|number| Number(number.into()));
    let leaf = (named(), anything(), number(), 0..6).prop_map(|(column, text, number, operator)| {
        let text = format!("t{text}");
        let column = Some(column);
        let value = Value::Text(text.clone());
        match operator {
            0 => Condition { column, is: Some(value), ..Condition::default() },
            1 => Condition { column, none_of: Some(vec![value.clone(), value]), ..Condition::default() },
            2 => Condition { column, not_contains: Some(text), ..Condition::default() },
            3 => Condition { column, more_than: Some(number), ..Condition::default() },
            4 => Condition { column, within_last_days: Some(7), ..Condition::default() },
            _ => Condition { column, starts_with: Some(text), ..Condition::default() },
        }
    });
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop::collection::vec(inner, 1..3)
            .prop_map(|any| Condition { any: Some(any), ..Condition::default() })
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let relation = (source(), named(), named()).prop_map(|(source, left, right)| Relation {
        source: source.try_into().unwrap(),
        on: [(left, right)].into(),
    });
    let combine = prop::sample::select(vec![Combine::Union, Combine::Intersect, Combine::Except]);
    let parts =
        (combine, prop::collection::vec(relation, 0..3), prop::collection::vec(condition(), 1..3), 1..3_u32);
    parts.prop_map(|(combine, path, all, rows)| Rule {
        name: String::new(),
        combine: Some(combine),
        at_least_rows: (!path.is_empty()).then_some(rows),
        path,
        all: Some(all),
        any: None,
    })
}

/// Returns a query's tokens without its names and texts.
fn shape(query: &str) -> Vec<String> {
    let tokens = Tokenizer::new(&GenericDialect {}, query).tokenize().unwrap();
    let one = |token: Token| match token {
        Token::SingleQuotedString(_) => "text".to_owned(),
        Token::Word(word) if word.quote_style == Some('"') => "name".to_owned(),
        other => other.to_string(),
    };
    tokens.into_iter().map(one).collect()
}

/// Returns the same rules with harmless column names and texts.
fn harmless(set: &RuleSet, key: &str) -> RuleSet {
    let name = |name: &str, other: String| if name == key { "key".to_owned() } else { other };
    let mut set = set.clone();
    for (place, column) in set.columns.iter_mut().enumerate() {
        *column = name(column, format!("c{place}"));
    }
    for rule in &mut set.rules {
        rule.all.iter_mut().flatten().for_each(harmless_condition);
        for relation in &mut rule.path {
            let pairs = std::mem::take(&mut relation.on).into_iter();
            relation.on = pairs.map(|(left, _)| (name(&left, "l".to_owned()), "r".to_owned())).collect();
        }
    }
    set
}

fn harmless_condition(condition: &mut Condition) {
    condition.any.iter_mut().flatten().for_each(harmless_condition);
    condition.column.iter_mut().for_each(|column| *column = "c".to_owned());
    let Condition { is, none_of, not_contains, starts_with, .. } = condition;
    for value in is.iter_mut().chain(none_of.iter_mut().flatten()) {
        *value = Value::Text("t".to_owned());
    }
    for text in not_contains.iter_mut().chain(starts_with) {
        *text = "t".to_owned();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn whatever_is_written_the_query_is_one_select_over_the_named_sources(
        source in source(), key in named(), columns in prop::collection::btree_set(named(), 0..3),
        mut rules in prop::collection::vec(rule(), 1..4),
    ) {
        for (place, rule) in rules.iter_mut().enumerate() {
            rule.name = format!("rule {place}");
        }
        rules[0].combine = None;
        let columns = columns.into_iter().collect();
        let set = RuleSet { source: source.try_into().unwrap(), columns, rules };
        prop_assert_eq!(set.validate(&key), Ok(()));
        let query = set.query(&key).unwrap();
        let named: BTreeSet<String> = set.named_sources().map(|(_, source)| source.to_owned()).collect();
        prop_assert_eq!(sources_of(&query).unwrap(), named, "{}", query);
        // Input becomes nothing but a name or a literal.
        let harmless = harmless(&set, &key);
        prop_assert_eq!(shape(&query), shape(&harmless.query("key").unwrap()));
    }
}
