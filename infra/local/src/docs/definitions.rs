//! The page of the definitions, from the schemas of the OpenAPI document.

use std::collections::BTreeSet;

use relay_model::catalog::Kind;
use serde_json::{Map, Value};

use super::schema::Schemas;

pub(super) const PAGE: &str = "definitions.md";

const INTRODUCTION: &str = "# Definitions

Everything that an operator defines is a document: YAML or JSON in a folder of files, JSON over the HTTP API. `segment-relay
schema FOLDER` writes the JSON Schemas that this page is made from, for editors.
";

/// The schemas of the kinds of definition, in the order in which a folder is applied.
fn roots() -> Vec<(Kind, &'static str)> {
    Kind::ALL.into_iter().map(|kind| (kind, relay_cli::files::component(kind))).collect()
}

pub(super) fn components(openapi: &Value) -> Map<String, Value> {
    openapi.pointer("/components/schemas").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Names of all schemas that the page describes.
pub(super) fn described(components: &Map<String, Value>) -> BTreeSet<String> {
    let schemas = Schemas::new(components, (BTreeSet::new(), ""));
    roots().into_iter().flat_map(|(_, root)| schemas.closure(root)).collect()
}

pub(super) fn render(openapi: &Value) -> String {
    let components = components(openapi);
    let schemas = Schemas::new(&components, (BTreeSet::new(), ""));
    let roots = roots();
    let mut text = INTRODUCTION.to_owned();
    let mut done: BTreeSet<String> = roots.iter().map(|(_, root)| (*root).to_owned()).collect();
    for (kind, root) in roots {
        text.push_str(&schemas.section(root, "##"));
        if kind == Kind::Connection || kind == Kind::Export {
            text.push_str(DESTINATIONS);
        }
        for name in schemas.closure(root) {
            if done.insert(name.clone()) {
                text.push_str(&schemas.section(&name, "###"));
            }
        }
    }
    text
}

const DESTINATIONS: &str = "
Settings and options of the destinations: [Marketo Engage](../destinations/marketo.md),
[Campaign Monitor](../destinations/campaign-monitor.md), [Omnisend](../destinations/omnisend.md),
[Dynamics 365 Sales](../destinations/dynamics365-sales.md).
";
