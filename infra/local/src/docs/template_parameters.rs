//! The page of the template's parameters, from `infra/template.yaml`.

use serde_json::Value;

use super::markdown::{append, code, sentence, table};
use crate::Error;

const INTRODUCTION: &str = "# Template parameters

Parameters of `infra/template.yaml`, as `sam deploy --parameter-overrides NAME=VALUE` takes them. A parameter without a
default is required. See [Deploy](../operations/deploy.md).
";

pub(super) fn render(template: &str) -> Result<String, Error> {
    // What comes after the parameters has CloudFormation's own tags, which are not plain YAML.
    let (head, _) = template
        .split_once("\nConditions:\n")
        .ok_or_else(|| Error::Missing("the template has no section Conditions".to_owned()))?;
    let head: Value =
        serde_saphyr::from_str(head).map_err(|error| Error::Data(format!("infra/template.yaml: {error}")))?;
    let groups = head.pointer("/Metadata/AWS::CloudFormation::Interface/ParameterGroups");
    let groups = groups.and_then(Value::as_array).ok_or_else(|| missing("ParameterGroups"))?;
    let parameters = head.get("Parameters").ok_or_else(|| missing("Parameters"))?;
    let mut text = INTRODUCTION.to_owned();
    for group in groups {
        let label = group.pointer("/Label/default").and_then(Value::as_str).unwrap_or_default();
        let names = group.get("Parameters").and_then(Value::as_array).ok_or_else(|| missing(label))?;
        let rows: Option<Vec<[String; 4]>> =
            names.iter().map(|name| Some(row(name.as_str()?, parameters.get(name.as_str()?)?))).collect();
        let rows = rows.ok_or_else(|| missing(label))?;
        let rows = table(["parameter", "default", "values", "meaning"], rows);
        append(&mut text, &format!("\n## {label}\n\n{rows}"));
    }
    Ok(text)
}

fn missing(what: &str) -> Error {
    Error::Missing(format!("infra/template.yaml: {what} is missing or names an unknown parameter"))
}

fn row(name: &str, parameter: &Value) -> [String; 4] {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let default = match parameter.get("Default").map(plain) {
        None => "required".to_owned(),
        Some(text) if text.is_empty() => "empty".to_owned(),
        Some(text) => code(&text),
    };
    let meaning = parameter.get("Description").and_then(Value::as_str).unwrap_or_default();
    let bound = |key: &str| parameter.get(key).map(plain);
    let values = match (
        parameter.get("AllowedValues").and_then(Value::as_array),
        bound("MinValue"),
        bound("MaxValue"),
    ) {
        (Some(values), ..) => values.iter().map(|value| code(&plain(value))).collect::<Vec<_>>().join(", "),
        (None, Some(least), Some(most)) => format!("{least} to {most}"),
        _ => String::new(),
    };
    [code(name), default, values, sentence(meaning)]
}
