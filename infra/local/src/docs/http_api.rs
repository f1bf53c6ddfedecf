//! The page of the HTTP API, from the OpenAPI document and the table of roles.

use api::access::{ACCESS, Rule};
use api::caller::Role;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::definitions;
use super::markdown::{anchor, append, code, sentence, table};
use super::schema::Schemas;

const INTRODUCTION: &str = "# HTTP API and roles

Each request carries a token of the deployment's identity provider (see
[Identity provider](../operations/identity-provider.md)). The token's roles decide what the caller may do: one table in
the code is checked before every handler, and this is that table. Requests and responses are JSON. Errors are problem
documents (RFC 9457) with a `code`. `GET /openapi.json` returns the whole description.

A contributor's use of a connection also depends on the connection's `use_by`. Changes name the version that they are
made to in `If-Match`; new documents send `If-None-Match: *`. A repeated `POST` with the same `Idempotency-Key` is one
request.
";

const ERRORS: &str = "## Errors

An error is a problem document with `type`, `title`, `status`, `detail` and `code`, and, for a document with wrong fields,
`errors` with the JSON pointer of each.
";

pub(super) fn render(openapi: &Value) -> String {
    let components = definitions::components(openapi);
    let schemas = Schemas::new(&components, (definitions::described(&components), definitions::PAGE));
    let mut text = format!("{INTRODUCTION}\n## Roles\n\n{}\n{ERRORS}\n{}", roles(), errors(openapi));
    for (tag, operations) in by_tag(openapi) {
        append(&mut text, &format!("\n## {}\n", sentence(&tag).trim_end_matches('.')));
        for (heading, operation) in operations {
            text.push_str(&describe(&heading, operation, &schemas));
        }
    }
    text.push_str("\n## Schemas\n");
    for name in schemas.own() {
        text.push_str(&schemas.section(name, "###"));
    }
    text
}

fn roles() -> String {
    let row = |rule: &Rule| {
        let Rule { method, path, least, what } = rule;
        let heading = format!("{method} {path}");
        let link = format!("[{}](#{})", code(&heading), anchor(&heading));
        [link, sentence(what), least.map_or("any signed-in caller", Role::name).to_owned()]
    };
    table(["route", "what it does", "least role"], ACCESS.iter().map(row))
}

/// The operations by their tag, in the order of the table of roles.
fn by_tag(openapi: &Value) -> BTreeMap<String, Vec<(String, &Value)>> {
    let mut found: BTreeMap<String, Vec<(String, &Value)>> = BTreeMap::new();
    for rule in ACCESS {
        let method = rule.method.as_str().to_lowercase();
        let operation = openapi.get("paths").and_then(|paths| paths.get(rule.path)?.get(&method));
        if let Some(operation) = operation {
            let tag = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or("other");
            found
                .entry(tag.to_owned())
                .or_default()
                .push((format!("{} {}", rule.method, rule.path), operation));
        }
    }
    found
}

fn describe(heading: &str, operation: &Value, schemas: &Schemas<'_>) -> String {
    let words = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
    let role = words("x-least-role");
    let about = [sentence(words("summary")), words("description").to_owned()];
    let about: Vec<&str> = about.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let mut text = format!("\n### {heading}\n\n{}\n\nLeast role: {role}.\n", about.join("\n\n"));
    if let Some(parameters) = operation.get("parameters").and_then(Value::as_array) {
        let rows = parameters.iter().map(|parameter| {
            let field = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
            let kind = parameter.get("schema").map(|schema| schemas.kind(schema)).unwrap_or_default();
            [code(field("name")), field("in").to_owned(), kind, field("description").to_owned()]
        });
        append(&mut text, &format!("\n{}", table(["parameter", "in", "type", "meaning"], rows)));
    }
    if let Some(body) = operation.get("requestBody").and_then(content) {
        append(&mut text, &format!("\nRequest body: {}.\n", schemas.kind(body)));
    }
    let rows = responses(operation).filter(|(status, _)| !is_error(status)).map(|(status, response)| {
        let body = content(response).map(|schema| schemas.kind(schema)).unwrap_or_default();
        [status.clone(), body, about_response(response)]
    });
    append(&mut text, &format!("\n{}", table(["status", "body", "meaning"], rows)));
    text
}

fn responses(operation: &Value) -> impl Iterator<Item = (&String, &Value)> {
    operation.get("responses").and_then(Value::as_object).into_iter().flatten()
}

fn is_error(status: &str) -> bool {
    status.starts_with(['4', '5'])
}

fn about_response(response: &Value) -> String {
    response.get("description").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The errors of all operations, each once.
fn errors(openapi: &Value) -> String {
    let paths = openapi.get("paths").and_then(Value::as_object).into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let found: BTreeSet<[String; 2]> = operations
        .flat_map(|(_, operation)| responses(operation))
        .filter(|(status, _)| is_error(status))
        .map(|(status, response)| [status.clone(), about_response(response)])
        .collect();
    table(["status", "meaning"], found)
}

/// The schema of a body.
fn content(of: &Value) -> Option<&Value> {
    of.get("content")?.as_object()?.values().next()?.get("schema")
}
