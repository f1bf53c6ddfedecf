//! JSON Schemas of all kinds of document, derived from the API's OpenAPI description.

use std::collections::BTreeSet;
use std::path::Path;

use relay_model::catalog::Kind;
use serde_json::{Map, Value, json};

use super::FileError;

/// Hidden, so that it is not read as definitions.
const FOLDER: &str = ".schemas";
/// The location of components in an `OpenAPI` document, and of definitions in a JSON Schema.
const COMPONENTS: &str = "#/components/schemas/";
const DEFINITIONS: &str = "#/$defs/";

/// Returns the name of a kind's schema in the API's description.
#[must_use]
pub const fn component(kind: Kind) -> &'static str {
    match kind {
        Kind::Settings => "DeploymentSettings",
        Kind::Source => "Source",
        Kind::Segment => "Segment",
        Kind::Connection => "Connection",
        Kind::Policy => "Policy",
        Kind::Export => "Export",
    }
}

/// Returns the line that tells editors where a file's schema is.
pub(crate) fn comment(kind: Kind) -> String {
    format!("# yaml-language-server: $schema=../{FOLDER}/{}.json\n", kind.name())
}

/// Builds a schema for each kind of document. The error names the missing component.
pub(crate) fn schemas(openapi: &Value) -> Result<Vec<(Kind, Value)>, String> {
    let components = openapi
        .pointer("/components/schemas")
        .and_then(Value::as_object)
        .ok_or("the API's description has no components/schemas")?;
    Kind::ALL.into_iter().map(|kind| Ok((kind, schema(kind, components)?))).collect()
}

fn schema(kind: Kind, components: &Map<String, Value>) -> Result<Value, String> {
    let root = component(kind);
    let mut definitions = Map::new();
    let mut seen = BTreeSet::from([root.to_owned()]);
    let mut pending = vec![root.to_owned()];
    while let Some(name) = pending.pop() {
        let found = components.get(&name);
        let mut found =
            found.ok_or_else(|| format!("the API's description has no component {name}"))?.clone();
        redirect(&mut found, &mut |referenced| {
            if seen.insert(referenced.to_owned()) {
                pending.push(referenced.to_owned());
            }
        });
        definitions.insert(name, found);
    }
    Ok(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("A {} of Segment Relay", kind.name()),
        "$ref": format!("{DEFINITIONS}{root}"),
        "$defs": definitions,
    }))
}

/// Redirects references from components to definitions, and reports each to `found`.
fn redirect(value: &mut Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| redirect(item, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().and_then(|text| text.strip_prefix(COMPONENTS)) {
                    Some(referenced) if name == "$ref" => {
                        found(referenced);
                        *value = Value::String(format!("{DEFINITIONS}{referenced}"));
                    }
                    _ => redirect(value, found),
                }
            }
        }
        _ => {}
    }
}

/// Writes the schemas and returns their paths.
pub(crate) fn write_schemas(folder: &Path, schemas: &[(Kind, Value)]) -> Result<Vec<String>, FileError> {
    let folder = folder.join(FOLDER);
    std::fs::create_dir_all(&folder).map_err(FileError::file(&folder))?;
    let write = |(kind, schema): &(Kind, Value)| {
        let path = folder.join(format!("{}.json", kind.name()));
        std::fs::write(&path, format!("{schema:#}\n")).map_err(FileError::file(&path))?;
        Ok(path.display().to_string())
    };
    schemas.iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_what_it_refers_to() {
        let plain = json!({"type": "object"});
        let mut openapi = json!({"components": {"schemas": {
            "DeploymentSettings": plain, "Source": plain, "Segment": plain, "Connection": plain, "Policy": plain, "Guard": plain, "Problem": plain,
            "Export": {"properties": {"guard": {"$ref": "#/components/schemas/Guard"}, "parent": {"$ref": "#/components/schemas/Export"}}},
        }}});
        let found = schemas(&openapi).unwrap();
        let (_, export) = found.iter().find(|(kind, _)| *kind == Kind::Export).unwrap();
        assert_eq!(export["$ref"], "#/$defs/Export");
        assert_eq!(export["$defs"]["Export"]["properties"]["guard"]["$ref"], "#/$defs/Guard");
        let names: Vec<&String> = export["$defs"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["Export", "Guard"]);

        openapi["components"]["schemas"].as_object_mut().unwrap().remove("Guard");
        assert_eq!(schemas(&openapi).unwrap_err(), "the API's description has no component Guard");
        assert_eq!(schemas(&json!({})).unwrap_err(), "the API's description has no components/schemas");
    }
}
