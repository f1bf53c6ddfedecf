//! JSON Schemas as tables.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

use super::markdown::{anchor, append, code, sentence, table};

/// Where components of an OpenAPI document are.
const COMPONENTS: &str = "#/components/schemas/";

/// The schemas of an OpenAPI document, and the page that each is described on.
pub(super) struct Schemas<'a> {
    components: &'a Map<String, Value>,
    /// Schemas that another page describes, and the page's file name.
    elsewhere: (BTreeSet<String>, &'static str),
}

impl<'a> Schemas<'a> {
    pub(super) fn new(
        components: &'a Map<String, Value>,
        elsewhere: (BTreeSet<String>, &'static str),
    ) -> Self {
        Self { components, elsewhere }
    }

    /// A schema and all schemas that it refers to, in the order in which they are found.
    pub(super) fn closure(&self, root: &str) -> Vec<String> {
        let mut found = vec![root.to_owned()];
        let mut next = 0;
        while let Some(name) = found.get(next).cloned() {
            next += 1;
            for reference in self.components.get(&name).map(references).unwrap_or_default() {
                if !found.contains(&reference) {
                    found.push(reference);
                }
            }
        }
        found
    }

    /// Names of the schemas that are described on the page itself.
    pub(super) fn own(&self) -> impl Iterator<Item = &'a String> {
        self.components.keys().filter(|name| !self.elsewhere.0.contains(*name))
    }

    /// The section about one schema.
    pub(super) fn section(&self, name: &str, marks: &str) -> String {
        let Some(schema) = self.components.get(name) else { return String::new() };
        let mut text = format!("\n{marks} {name}\n\n");
        let about = description(schema);
        if !about.is_empty() {
            append(&mut text, &format!("{about}\n\n"));
        }
        text.push_str(&self.body(schema));
        text
    }

    fn body(&self, schema: &Value) -> String {
        let mut text = String::new();
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            text.push_str(&self.properties(schema, properties));
        } else if let Some(variants) = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(*key)?.as_array())
        {
            let rows = variants.iter().map(|variant| [self.kind(variant), description(variant)]);
            text.push_str(&table(["one of", "meaning"], rows));
        } else if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            for part in parts {
                match reference(part) {
                    Some(name) => {
                        append(&mut text, &format!("All fields of {}.\n\n", self.link(name)));
                    }
                    None => text.push_str(&self.body(part)),
                }
            }
        } else {
            append(&mut text, &format!("{}\n", sentence(&self.kind(schema))));
        }
        text
    }

    fn properties(&self, schema: &Value, properties: &Map<String, Value>) -> String {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let rank = |name: &str| required.iter().position(|each| *each == name).unwrap_or(required.len());
        let mut fields: Vec<(&String, &Value)> = properties.iter().collect();
        fields.sort_by_key(|(name, _)| rank(name));
        let rows = fields.into_iter().map(|(name, field)| {
            let is_required = required.contains(&name.as_str());
            let mut meaning = description(field);
            if let Some(value) = field.get("default") {
                append(&mut meaning, &format!(" Default: {}.", code(&value.to_string())));
            }
            let mark = if is_required { " (required)" } else { "" };
            [format!("{}{mark}", code(name)), self.kind(field), meaning]
        });
        table(["field", "type", "meaning"], rows)
    }

    /// The type in words, with links to the schemas that it names.
    pub(super) fn kind(&self, schema: &Value) -> String {
        if let Some(name) = reference(schema) {
            return self.link(name);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().map(|value| code(&plain(value))).collect::<Vec<_>>().join(", ");
        }
        if let Some(value) = schema.get("const") {
            return code(&plain(value));
        }
        for key in ["oneOf", "anyOf", "allOf"] {
            if let Some(parts) = schema.get(key).and_then(Value::as_array) {
                return parts.iter().map(|part| self.kind(part)).collect::<Vec<_>>().join(" or ");
            }
        }
        match schema.get("type") {
            Some(Value::Array(types)) => {
                let one = |kind: &Value| self.typed(kind.as_str().unwrap_or_default(), schema);
                types.iter().map(one).collect::<Vec<_>>().join(" or ")
            }
            Some(Value::String(kind)) => self.typed(kind, schema),
            _ => "any value".to_owned(),
        }
    }

    fn typed(&self, kind: &str, schema: &Value) -> String {
        match kind {
            "array" => match schema.get("items") {
                Some(items) => format!("list of {}", self.kind(items)),
                None => "list".to_owned(),
            },
            "object" => match schema.get("additionalProperties") {
                Some(values) if values.is_object() => format!("map of {}", self.kind(values)),
                _ => self.object(schema),
            },
            "null" => code("null"),
            other => format!("{other}{}", bounds(schema)),
        }
    }

    /// An object within another one: its fields by name.
    fn object(&self, schema: &Value) -> String {
        let Some(fields) = schema.get("properties").and_then(Value::as_object) else {
            return "object".to_owned();
        };
        let fields: Vec<String> =
            fields.iter().map(|(name, field)| format!("{}: {}", code(name), self.kind(field))).collect();
        format!("object with {}", fields.join("; "))
    }

    fn link(&self, name: &str) -> String {
        let (names, page) = &self.elsewhere;
        let page = if names.contains(name) { page } else { "" };
        format!("[{name}]({page}#{})", anchor(name))
    }
}

fn bounds(schema: &Value) -> String {
    let number = |key: &str| schema.get(key).filter(|value| value.is_number()).map(ToString::to_string);
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) if least != "0" => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        _ => match schema.get("format").and_then(Value::as_str) {
            Some(format @ ("date" | "date-time" | "uri" | "uuid")) => format!(" ({format})"),
            _ => String::new(),
        },
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn description(schema: &Value) -> String {
    schema.get("description").and_then(Value::as_str).map(escaped).unwrap_or_default()
}

/// A doc comment without the addresses' angle brackets and with line breaks kept as paragraphs.
fn escaped(text: &str) -> String {
    text.replace('<', "&lt;").replace('>', "&gt;").replace("&lt;http", "<http").replace("&gt;)", ">)")
}

fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix(COMPONENTS)
}

/// The schemas that one refers to, directly.
pub(super) fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(fields) => {
            let own = reference(value).map(str::to_owned);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        _ => Vec::new(),
    }
}
