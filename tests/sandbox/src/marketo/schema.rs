//! Checks a JSON value against a schema of the Swagger files, as far as these use schemas: type, required, enum,
//! items, properties and references.

use serde_json::Value;

/// What is being checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// A client's request: what is not declared is wrong.
    Request,
    /// The server's answer: what is not declared is allowed.
    Answer,
}

/// The places where a value is not as its schema says. No text has any of the value in it, apart from the
/// names of properties.
#[derive(Debug)]
pub(super) struct Check<'a> {
    /// The file that references lead into.
    pub(super) document: &'a Value,
    pub(super) direction: Direction,
    pub(super) violations: Vec<String>,
}

impl<'a> Check<'a> {
    pub(super) fn new(document: &'a Value, direction: Direction) -> Self {
        Self { document, direction, violations: Vec::new() }
    }

    /// Checks a value that is at this place.
    pub(super) fn value(&mut self, schema: &'a Value, value: &Value, place: &str) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let name = reference.rsplit('/').next().unwrap_or_default();
            match self.document.get("definitions").and_then(|definitions| definitions.get(name)) {
                Some(definition) => self.typed(definition, name, value, place),
                None => self.violations.push(format!("{place} has a schema that is missing")),
            }
            return;
        }
        self.typed(schema, "", value, place);
    }

    fn typed(&mut self, schema: &'a Value, name: &str, value: &Value, place: &str) {
        let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
        let is_of_type = match kind {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        };
        if !is_of_type {
            self.violations.push(format!("{place} is not of type {kind}"));
            return;
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.iter().any(|allowed| self.is_same(allowed, value))
        {
            self.violations.push(format!("{place} is none of the allowed words"));
        }
        match value {
            Value::Array(rows) => {
                if let Some(items) = schema.get("items") {
                    let place = format!("{place}[]");
                    for row in rows {
                        self.value(items, row, &place);
                    }
                }
            }
            Value::Object(members) => self.members(schema, name, members, place),
            _ => {}
        }
    }

    /// A recorded answer writes the type of a folder in capitals, so that answers may.
    fn is_same(&self, allowed: &Value, value: &Value) -> bool {
        match (self.direction, allowed.as_str(), value.as_str()) {
            (Direction::Answer, Some(allowed), Some(value)) => allowed.eq_ignore_ascii_case(value),
            _ => allowed == value,
        }
    }

    fn members(
        &mut self,
        schema: &'a Value,
        name: &str,
        members: &serde_json::Map<String, Value>,
        place: &str,
    ) {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for wanted in required.filter_map(Value::as_str) {
            let may_be_left_out = self.direction == Direction::Answer && is_left_out(name, wanted);
            if !may_be_left_out && !members.contains_key(wanted) {
                self.violations.push(format!("{place} has no {wanted}"));
            }
        }
        let Some(properties) = schema.get("properties") else {
            return;
        };
        for (member, value) in members {
            match properties.get(member) {
                Some(_) if is_misdescribed(name, member) => {}
                Some(schema) => self.value(schema, value, &format!("{place}.{member}")),
                // A lead has whatever fields the instance has.
                None if self.direction == Direction::Answer || name == "Lead" => {}
                None => self.violations.push(format!("{place} has an undeclared {member}")),
            }
        }
    }
}

/// What recorded answers of the vendor leave out although the files require it.
fn is_left_out(definition: &str, property: &str) -> bool {
    match definition {
        // The envelope of a success has no errors, that of a refusal no result, and most have no warnings.
        _ if definition.starts_with("ResponseOf") => matches!(property, "errors" | "warnings" | "result"),
        // The answer to creating one has `computedUrl` in place of `url`, and the description only if there is one.
        "StaticListResponse" => matches!(property, "description" | "url"),
        // The answer to a search by name has no address.
        "FolderResponse" => property == "url",
        // While an import is queued nothing is processed.
        "ImportLeadResponse" => property == "numOfLeadsProcessed",
        _ => false,
    }
}

/// What the files describe otherwise than their own text or recorded answers do.
fn is_misdescribed(definition: &str, property: &str) -> bool {
    match (definition, property) {
        // The text says pairs of a field and its header, the schema an object with `name` and `value`.
        ("ExportLeadRequest", "columnHeaderNames")
        // A recorded folder of lists has the type `List`, which is not among the allowed words.
        | ("FolderResponse", "folderType") => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(value: &Value, direction: Direction, expected: &[&str]) {
        let document = json!({ "definitions": {
            "Row": { "type": "object", "required": ["id"], "properties": { "id": { "type": "integer" } } },
            "Lead": { "type": "object", "properties": { "id": { "type": "integer" } } },
        } });
        let schema = json!({ "type": "object", "required": ["input"], "properties": {
            "input": { "type": "array", "items": { "$ref": "#/definitions/Row" } },
            "lead": { "$ref": "#/definitions/Lead" },
            "word": { "type": "string", "enum": ["one", "Two"] },
        } });
        let mut check = Check::new(&document, direction);
        check.value(&schema, value, "body");
        assert_eq!(check.violations, expected, "{value}");
    }

    #[test]
    fn the_subset_that_the_files_use() {
        use Direction::{Answer, Request};
        check(&json!({ "input": [{ "id": 1 }] }), Request, &[]);
        check(&json!({}), Request, &["body has no input"]);
        check(&json!({ "input": 1 }), Request, &["body.input is not of type array"]);
        check(&json!({ "input": [{ "id": "1" }] }), Request, &["body.input[].id is not of type integer"]);
        check(&json!({ "input": [{ "id": 1.5 }] }), Request, &["body.input[].id is not of type integer"]);
        check(&json!({ "input": [{}] }), Request, &["body.input[] has no id"]);
        check(&json!({ "input": [], "more": 1 }), Request, &["body has an undeclared more"]);
        check(&json!({ "input": [], "more": 1 }), Answer, &[]);
        check(&json!({ "input": [], "lead": { "id": 1, "email": null } }), Request, &[]);
        check(&json!({ "input": [], "word": "two" }), Request, &["body.word is none of the allowed words"]);
        check(&json!({ "input": [], "word": "two" }), Answer, &[]);
    }
}
