//! The calls that the vendor's Swagger files describe.

use serde_json::Value;
use std::sync::LazyLock;

static FILES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let files = [
        include_str!("../../specifications/marketo/swagger-identity.json"),
        include_str!("../../specifications/marketo/swagger-mapi.json"),
        include_str!("../../specifications/marketo/swagger-asset.json"),
    ];
    files.iter().map(|text| serde_json::from_str(text).unwrap_or_default()).collect()
});

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let mut operations: Vec<Operation> = FILES.iter().flat_map(operations_of).collect();
    // `byName.json` before `{id}.json`.
    operations.sort_by_key(|operation| operation.template.matches('{').count());
    operations
});

/// A call of the files.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) document: &'static Value,
    method: String,
    pub(super) template: &'static str,
    segments: Vec<&'static str>,
    pub(super) description: &'static Value,
}

fn operations_of(document: &'static Value) -> Vec<Operation> {
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    paths
        .flat_map(|(template, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(|(method, description)| Operation {
                document,
                method: method.to_uppercase(),
                template,
                segments: template.split('/').collect(),
                description,
            })
        })
        .collect()
}

/// A name in braces, with whatever is behind it, such as `{id}.json`.
fn placeholder(segment: &str) -> Option<(&str, &str)> {
    segment.strip_prefix('{')?.split_once('}')
}

impl Operation {
    /// The call of this method and path.
    pub(super) fn find(method: &str, path: &str) -> Option<&'static Self> {
        let segments: Vec<&str> = path.split('/').collect();
        OPERATIONS.iter().find(|operation| {
            operation.method == method
                && operation.segments.len() == segments.len()
                && operation.segments.iter().zip(&segments).all(|(expected, found)| {
                    placeholder(expected).map_or(expected == found, |(_, end)| found.ends_with(end))
                })
        })
    }

    /// What stands in a path for the name in braces.
    pub(super) fn in_path<'a>(&self, name: &str, path: &'a str) -> Option<&'a str> {
        self.segments.iter().zip(path.split('/')).find_map(|(expected, found)| {
            let (expected, end) = placeholder(expected)?;
            (expected == name).then(|| found.strip_suffix(end)).flatten()
        })
    }

    /// The parameters that are declared, the body among them.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &'static Value> {
        self.description.get("parameters").and_then(Value::as_array).into_iter().flatten()
    }
}

/// A text of a description; empty if it is not there.
pub(super) fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
