use super::*;
use crate::access::ACCESS;
use std::collections::BTreeSet;

#[test]
fn the_document_and_the_table_of_roles_name_the_same_routes() {
    let mut document = crate::openapi_document();
    let mut documented = BTreeSet::new();
    for (path, item) in &mut document.paths.paths {
        documented.extend(operations(item).map(|(method, _)| format!("{method} {path}")));
    }
    let allowed = ACCESS.iter().map(|rule| format!("{} {}", rule.method, rule.path)).collect();
    assert_eq!(documented, allowed);
}

#[test]
fn every_operation_says_its_role() {
    let mut document = crate::openapi_document();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let extensions = operation.extensions.as_ref().unwrap();
            let least = extensions.get("x-least-role").unwrap().as_str().unwrap();
            let known = ["any", "viewer", "contributor", "administrator"];
            assert!(known.contains(&least), "{method} {path}: {least}");
        }
    }
}

/// Editors and clients follow references, and the schemas of definition files are taken from here by name.
#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(crate::openapi_document()).unwrap();
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    let dangling: Vec<&String> = references
        .iter()
        .filter(|reference| document.pointer(reference.trim_start_matches('#')).is_none())
        .collect();
    assert_eq!(dangling, Vec::<&String>::new());
    for name in ["Source", "Segment", "Connection", "Policy", "Export"] {
        assert!(document.pointer(&format!("/components/schemas/{name}/properties/id")).is_some(), "{name}");
    }
}

fn collect(value: &serde_json::Value, references: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(|reference| reference.as_str()).map(str::to_owned));
            fields.values().for_each(|value| collect(value, references));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

/// Property names in JSON are strings, so no other type is valid for them.
fn check_names(schema: &serde_json::Value, at: &str) {
    if let Some(wanted) = schema.pointer("/propertyNames/type") {
        assert_eq!(wanted, "string", "{at}");
    }
    match schema {
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| check_names(value, &format!("{at}/{name}")));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| check_names(value, at)),
        _ => {}
    }
}

#[test]
fn names_of_properties_are_texts() {
    let document = serde_json::to_value(crate::openapi_document()).unwrap();
    assert!(document.to_string().contains("propertyNames"), "maps are described by them");
    check_names(&document, "");
}

/// Editors complete rules by their schema, including nested groups.
#[test]
fn rules_are_described_as_they_are_written() {
    let document = serde_json::to_value(crate::openapi_document()).unwrap();
    let at = |pointer: &str| document.pointer(&format!("/components/schemas/{pointer}")).cloned();
    let reference = |name: &str| Some(serde_json::json!(format!("#/components/schemas/{name}")));
    assert_eq!(at("RuleSet/properties/rules/items/$ref"), reference("Rule"));
    for group in ["all", "any"] {
        assert_eq!(at(&format!("Rule/properties/{group}/items/$ref")), reference("RuleCondition"));
        assert_eq!(at(&format!("RuleCondition/properties/{group}/items/$ref")), reference("RuleCondition"));
    }
    for name in ["RuleSet", "Rule", "RuleRelation", "RuleCondition"] {
        assert_eq!(at(&format!("{name}/additionalProperties")), Some(false.into()), "{name}");
    }
    assert_eq!(at("RuleNumber/type"), Some("number".into()));
    assert_eq!(at("RuleCombine/enum"), Some(serde_json::json!(["union", "intersect", "except"])));
}
