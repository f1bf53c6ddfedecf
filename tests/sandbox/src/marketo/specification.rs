//! The vendor's Swagger files, and whether requests and answers are as they say.
//!
//! The files are <https://github.com/AdobeDocs/marketo-apis>, `static/swagger-{identity,mapi,asset}.json`, unchanged,
//! under the Apache licence 2.0 that is beside them.

use super::operations::{Operation, word};
use super::request::{Parameters, Payload};
use super::schema::{Check, Direction};
use serde_json::{Map, Value};

/// What of a request is not as the files say: short texts without values.
///
/// `path` is without, `query` is what is behind the `?`.
#[must_use]
pub fn check_request(
    method: &str,
    path: &str,
    query: &str,
    content_type: Option<&str>,
    body: &[u8],
) -> Vec<String> {
    let query = Parameters::parse(query.as_bytes());
    check_read(method, path, &query, &Payload::read(content_type, body))
}

/// As [`check_request`], of a request that was read already.
pub(super) fn check_read(method: &str, path: &str, query: &Parameters, payload: &Payload) -> Vec<String> {
    // A POST can stand for a GET whose parameters are too long for a URL: the vendor's page of error codes says so,
    // not the files. Its parameters may be in the form.
    let form = payload.form();
    let is_get = method == "POST" && query.get("_method").or(form.get("_method")) == Some("GET");
    let (method, query) = if is_get { ("GET", query.clone().joined(form)) } else { (method, query.clone()) };
    let Some(operation) = Operation::find(method, path) else {
        return vec![format!("{method} of a path that is not in the specification")];
    };
    let mut check = Check::new(operation.document, Direction::Request);
    for parameter in operation.parameters() {
        check_parameter(&mut check, operation, parameter, path, &query, payload);
    }
    for name in query.names() {
        let is_declared = operation.parameters().any(|parameter| word(parameter, "name") == name);
        let is_declared = is_declared || (is_get && name == "_method");
        if !is_declared {
            check.violations.push(format!("undeclared parameter {name}"));
        }
    }
    let label = format!("{method} {}", operation.template);
    check.violations.into_iter().map(|violation| format!("{label}: {violation}")).collect()
}

fn check_parameter(
    check: &mut Check<'static>,
    operation: &Operation,
    parameter: &'static Value,
    path: &str,
    query: &Parameters,
    payload: &Payload,
) {
    let name = word(parameter, "name");
    let is_required = parameter.get("required").and_then(Value::as_bool) == Some(true);
    match word(parameter, "in") {
        "path" => check_texts(check, name, parameter, &[operation.in_path(name, path).unwrap_or_default()]),
        // The ids of leads can be in the query or in the body; the files demand both of a removal.
        "query" if name == "id" && query.get(name).is_none() && !matches!(payload, Payload::Nothing) => {}
        "query" => match query.get(name) {
            None if is_required => check.violations.push(format!("no parameter {name}")),
            None => {}
            Some(_) if word(parameter, "type") == "array" => {
                check_texts(check, name, parameter.get("items").unwrap_or(parameter), &query.all(name));
            }
            Some(text) => check_texts(check, name, parameter, &[text]),
        },
        "body" => check_body(check, parameter, is_required && query.get("id").is_none(), payload),
        "formData" if word(parameter, "type") == "file" => match payload {
            Payload::Multipart(..) => {}
            _ => check.violations.push(format!("no multipart body with {name}")),
        },
        "formData" => match payload.form().get(name) {
            None if is_required => check.violations.push(format!("no parameter {name}")),
            None => {}
            Some(text) => check_texts(check, name, parameter, &[text]),
        },
        _ => {}
    }
}

fn check_body(check: &mut Check<'static>, parameter: &'static Value, is_required: bool, payload: &Payload) {
    let Some(schema) = parameter.get("schema") else {
        return;
    };
    match payload {
        Payload::Nothing if is_required => check.violations.push("no body".to_owned()),
        Payload::Nothing => {}
        Payload::Json(value) => check.value(schema, value, "body"),
        // The asset API takes forms, which its files show as bodies.
        Payload::Form(form) => {
            let value = form_as_value(check.document, schema, form);
            check.value(schema, &value, "body");
        }
        Payload::BadJson => check.violations.push("body is not JSON".to_owned()),
        Payload::Multipart(..) | Payload::Other => {
            check.violations.push("body of another content type".to_owned());
        }
    }
}

/// A form as the object that it stands for: numbers, booleans and folders, which are JSON, are read.
fn form_as_value(document: &Value, schema: &Value, form: &Parameters) -> Value {
    let definition = word(schema, "$ref").rsplit('/').next().unwrap_or_default();
    let definition = document.get("definitions").and_then(|definitions| definitions.get(definition));
    let members = form.names().map(|name| {
        let text = form.get(name).unwrap_or_default();
        let property = definition.and_then(|definition| definition.get("properties")?.get(name));
        let is_text = property.is_none_or(|property| word(property, "type") == "string");
        let read = serde_json::from_str(text).ok().filter(|_| !is_text);
        (name.to_owned(), read.unwrap_or_else(|| text.into()))
    });
    Value::Object(members.collect::<Map<_, _>>())
}

fn check_texts(check: &mut Check<'static>, name: &str, schema: &'static Value, texts: &[&str]) {
    for text in texts {
        let value = match word(schema, "type") {
            "integer" | "boolean" | "number" => serde_json::from_str(text).unwrap_or_else(|_| (*text).into()),
            _ => Value::from(*text),
        };
        check.value(schema, &value, &format!("parameter {name}"));
    }
}

/// What of an answer is not as the files say. Answers that are no JSON are not described by the files.
#[must_use]
pub fn check_answer(method: &str, path: &str, body: &Value) -> Vec<String> {
    let Some(operation) = Operation::find(method, path) else {
        return vec![format!("{method} of a path that is not in the specification")];
    };
    let schema =
        operation.description.get("responses").and_then(|responses| responses.get("200")?.get("schema"));
    let Some(schema) = schema else {
        return vec!["the specification describes no answer".to_owned()];
    };
    let mut check = Check::new(operation.document, Direction::Answer);
    check.value(schema, body, "answer");
    check.violations
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: Option<&str> = Some("application/json");
    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    #[track_caller]
    fn check(request: &str, content_type: Option<&str>, body: &str, expected: &[&str]) {
        let (method, uri) = request.split_once(' ').unwrap();
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let found = check_request(method, path, query, content_type, body.as_bytes());
        let texts: Vec<&str> =
            found.iter().filter_map(|text| text.split_once(": ")).map(|(_, text)| text).collect();
        assert_eq!((texts.len(), texts.as_slice()), (found.len(), expected), "{request} {body} {found:?}");
    }

    #[test]
    fn requests_with_queries() {
        check("GET /rest/v1/leads.json?filterType=email&filterValues=a,b", None, "", &[]);
        check("GET /rest/v1/leads.json?filterType=email", None, "", &["no parameter filterValues"]);
        check("POST /rest/v1/leads.json?_method=GET", FORM, "filterType=email&filterValues=a", &[]);
        check("POST /rest/v1/leads.json", FORM, "_method=GET&filterType=email&filterValues=a", &[]);
        check(
            "GET /rest/v1/lists.json?access_token=x&id=1,b",
            None,
            "",
            &["parameter id is not of type integer", "undeclared parameter access_token"],
        );
        check("GET /rest/v1/lists/ST1A1.json", None, "", &["parameter listId is not of type integer"]);
        check(
            "GET /identity/oauth/token?client_id=a&client_secret=b&grant_type=client_credentials",
            None,
            "",
            &[],
        );
        check(
            "POST /identity/oauth/token?client_id=a&client_secret=b&grant_type=password",
            None,
            "",
            &["parameter grant_type is none of the allowed words"],
        );
    }

    #[test]
    fn requests_with_bodies() {
        let leads = "POST /rest/v1/leads.json";
        check(leads, JSON, r#"{"action":"createOnly","input":[{"email":"a","id":1}]}"#, &[]);
        check(
            leads,
            JSON,
            r#"{"action":"merge"}"#,
            &["body has no input", "body.action is none of the allowed words"],
        );
        check(leads, JSON, r#"{"input":[],"lookup":"email"}"#, &["body has an undeclared lookup"]);
        check(leads, JSON, "{", &["body is not JSON"]);
        check(leads, None, "", &["no body"]);
        let members = "/rest/v1/lists/7/leads.json";
        check(&format!("DELETE {members}?id=1&id=2"), None, "", &[]);
        check(&format!("DELETE {members}"), JSON, r#"{"input":[{"id":1}]}"#, &[]);
        check(&format!("DELETE {members}"), None, "", &["no body", "no parameter id"]);
        check(&format!("POST {members}?id=x"), None, "", &["parameter id is not of type integer"]);
        let create = "POST /rest/asset/v1/staticLists.json";
        check(create, FORM, r#"name=12&folder={"id":12,"type":"Folder"}"#, &[]);
        check(create, FORM, "name=a&folder=12", &["body.folder is not of type object"]);
        check("POST /bulk/v1/leads.json?format=csv&listId=7", None, "", &["no multipart body with file"]);
        check(
            "POST /bulk/v1/leads.json?format=xml",
            Some("multipart/form-data; boundary=b"),
            "-",
            &["parameter format is none of the allowed words"],
        );
    }

    #[test]
    fn paths_that_are_not_there() {
        let expected = ["GET of a path that is not in the specification"];
        assert_eq!(check_request("GET", "/rest/v1/nothing.json", "", None, b""), expected);
        assert_eq!(check_answer("GET", "/rest/v1/nothing.json", &Value::Null), expected);
    }
}
