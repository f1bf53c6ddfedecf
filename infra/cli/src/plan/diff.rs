//! Field-by-field differences between two documents.

use serde_json::Value;

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Difference {
    /// Its path: `guard.removed_percent`, `mapping[2].field`.
    pub(crate) field: String,
    /// The current value; none if the field is new.
    pub(crate) before: Option<Value>,
    /// The new value; none if the field is removed.
    pub(crate) after: Option<Value>,
}

/// Returns every field that differs, ordered by name.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    let before = before.filter(|value| !value.is_null());
    let after = after.filter(|value| !value.is_null());
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let new = after.keys().filter(|name| !before.contains_key(*name));
            let mut names: Vec<&String> = before.keys().chain(new).collect();
            names.sort_unstable();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, before.get(name), after.get(name), found);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => compare_items(path, before, after, found),
        (before, after) => {
            found.push(Difference { field: path.to_owned(), before: before.cloned(), after: after.cloned() });
        }
    }
}

/// Ignores the common prefix and suffix, so that an insertion in the middle does not make all later items
/// differ.
fn compare_items(path: &str, before: &[Value], after: &[Value], found: &mut Vec<Difference>) {
    let (begin, old, new) = middle(before, after);
    let is_rewritten = old.len() == new.len();
    if is_rewritten {
        for (index, (before, after)) in old.iter().zip(new).enumerate() {
            compare(&format!("{path}[{}]", begin + index), Some(before), Some(after), found);
        }
        return;
    }
    for (index, item) in old.iter().enumerate() {
        compare(&format!("{path}[{}]", begin + index), Some(item), None, found);
    }
    for (index, item) in new.iter().enumerate() {
        compare(&format!("{path}[{}]", begin + index), None, Some(item), found);
    }
}

/// Returns the index of the first difference and the differing middle of each list.
pub(crate) fn middle<'a, T: PartialEq>(before: &'a [T], after: &'a [T]) -> (usize, &'a [T], &'a [T]) {
    let begin = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let before = before.get(begin..).unwrap_or_default();
    let after = after.get(begin..).unwrap_or_default();
    let end = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    let cut = |items: &'a [T]| items.get(..items.len().saturating_sub(end)).unwrap_or_default();
    (begin, cut(before), cut(after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(before: &Value, after: &Value, expected: &[(&str, Value, Value)]) {
        let option = |value: &Value| (!value.is_null()).then(|| value.clone());
        let expected: Vec<Difference> = expected
            .iter()
            .map(|(field, before, after)| Difference {
                field: (*field).to_owned(),
                before: option(before),
                after: option(after),
            })
            .collect();
        assert_eq!(differences(before, after), expected);
    }

    #[test]
    fn fields_are_compared_one_by_one() {
        let null = Value::Null;
        check(&json!({"a": 1, "b": null}), &json!({"a": 1}), &[]);
        check(
            &json!({"guard": {"removed_percent": 30, "removed_rows": 100}}),
            &json!({"guard": {"removed_percent": 50, "removed_rows": 100}}),
            &[("guard.removed_percent", json!(30), json!(50))],
        );
        check(
            &json!({"a": null, "b": 2, "c": "off"}),
            &json!({"a": {"x": 1}, "c": {"daily": 1}}),
            &[
                ("a", null.clone(), json!({"x": 1})),
                ("b", json!(2), null),
                ("c", json!("off"), json!({"daily": 1})),
            ],
        );
        check(&json!(1), &json!(1.5), &[("", json!(1), json!(1.5))]);
    }

    #[test]
    fn items_are_followed() {
        let null = Value::Null;
        let field = |name: &str| json!({"field": name});
        check(
            &json!({"mapping": [field("a"), field("b"), field("c")]}),
            &json!({"mapping": [field("a"), field("c")]}),
            &[("mapping[1]", field("b"), null.clone())],
        );
        check(
            &json!({"mapping": [field("a"), field("c")]}),
            &json!({"mapping": [field("a"), field("x"), field("y"), field("c")]}),
            &[("mapping[1]", null.clone(), field("x")), ("mapping[2]", null, field("y"))],
        );
        check(
            &json!({"mapping": [field("a"), field("b")]}),
            &json!({"mapping": [field("a"), field("x")]}),
            &[("mapping[1].field", json!("b"), json!("x"))],
        );
    }
}
