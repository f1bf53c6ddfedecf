//! The problem details of a change that breaks a rule.

use crate::problem::{FieldProblem, Problem};
use axum::http::StatusCode;
use relay_model::ExportId;
use relay_model::catalog::Export;
use relay_model::governance::{Violation, summary};
use std::collections::BTreeSet;

/// How many exports the problem names at most.
const NAMED_EXPORTS: usize = 20;

/// The place in the request that is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    /// An export, by its own fields.
    Export(&'a Export),
    /// A field of a definition that exports depend on, as a JSON pointer.
    Field(&'a str),
}

/// Returns an error if there are violations.
pub(crate) fn refuse(violations: &[Violation], place: Place<'_>) -> Result<(), Problem> {
    if violations.is_empty() {
        return Ok(());
    }
    let (detail, errors) = match place {
        Place::Export(export) => {
            let errors = violations.iter().flat_map(|violation| of_export(export, violation)).collect();
            (summary(violations), errors)
        }
        Place::Field(field) => {
            let exports: BTreeSet<&ExportId> = violations.iter().map(|violation| &violation.export).collect();
            let mut names: Vec<String> =
                exports.iter().take(NAMED_EXPORTS).map(|id| format!("\"{id}\"")).collect();
            if exports.len() > NAMED_EXPORTS {
                names.push(format!("{} more", exports.len() - NAMED_EXPORTS));
            }
            let detail = format!(
                "this change would stop enabled exports: {}. Change or disable them first. {}",
                names.join(", "),
                summary(violations)
            );
            let error = |violation: &Violation| FieldProblem {
                field: field.to_owned(),
                problem: violation.to_string(),
            };
            (detail, violations.iter().take(NAMED_EXPORTS).map(error).collect())
        }
    };
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "policy_violated", detail).with_errors(errors))
}

/// Returns the fields of an export that cause a violation: those that export the data, or the segment that filters by it.
fn of_export(export: &Export, violation: &Violation) -> Vec<FieldProblem> {
    let leaving: BTreeSet<&str> =
        violation.columns.iter().flat_map(|column| &column.leaves_as).map(String::as_str).collect();
    let mut fields = Vec::new();
    if leaving.contains(export.match_key.as_str()) {
        fields.push("/match_key".to_owned());
    }
    let mapped = export.mapping.iter().enumerate();
    let mapped = mapped.filter(|(_, mapping)| leaving.contains(mapping.attribute.as_str()));
    fields.extend(mapped.map(|(index, _)| format!("/mapping/{index}/attribute")));
    // A column that only decides about membership is not a field of the export.
    if violation.columns.iter().any(|column| column.leaves_as.is_empty()) {
        let index = export.segments.iter().position(|entry| entry.segment == violation.segment);
        fields.push(format!("/segments/{}/segment", index.unwrap_or_default()));
    }
    let problem = violation.to_string();
    fields.into_iter().map(|field| FieldProblem { field, problem: problem.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_model::catalog::Document;
    use serde_json::{Value, json};

    fn export() -> Export {
        let document = json!({
            "id": "news", "name": "News", "connection": "mail", "match_key": "email",
            "segments": [{ "segment": "all" }, { "segment": "vips" }],
            "mapping": [{ "attribute": "city", "field": "City" }, { "attribute": "email", "field": "Mail" }],
        });
        Export::parse(&document.to_string()).unwrap()
    }

    fn violation(columns: &[(&str, &[&str])], export: &str) -> Violation {
        let columns: Vec<Value> = columns
            .iter()
            .map(|(column, attributes)| {
                json!({ "source": "people", "column": column, "data_labels": ["C2"], "leaves_as": attributes })
            })
            .collect();
        serde_json::from_value(json!({
            "violated": { "rule": "policy", "id": "no", "name": "No", "summary": "", "marketing_actions": ["analytics"] },
            "data_labels": ["C2"], "columns": columns, "segment": "vips", "export": export, "connection": "mail",
        }))
        .unwrap()
    }

    #[track_caller]
    fn check(columns: &[(&str, &[&str])], expected: &[&str]) {
        let problem = refuse(&[violation(columns, "news")], Place::Export(&export())).unwrap_err();
        assert_eq!((problem.status().as_u16(), problem.code()), (422, "policy_violated"));
        let fields: Vec<&str> = problem.fields().iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, expected);
    }

    #[test]
    fn an_export_is_refused_by_its_fields() {
        check(&[("town", &["city"])], &["/mapping/0/attribute"]);
        check(&[("mail", &["email"])], &["/match_key", "/mapping/1/attribute"]);
        check(&[("income", &[])], &["/segments/1/segment"]);
        check(&[("income", &[]), ("town", &["city"])], &["/mapping/0/attribute", "/segments/1/segment"]);
    }

    #[test]
    fn other_changes_name_the_exports() {
        assert_eq!(refuse(&[], Place::Field("/enabled")), Ok(()));
        let violations: Vec<Violation> =
            (10..35).map(|number| violation(&[("town", &["city"])], &format!("e{number}"))).collect();
        let problem = refuse(&violations, Place::Field("/enabled")).unwrap_err();
        let detail = problem.detail();
        assert!(
            detail.contains("\"e10\", \"e11\"") && detail.contains("\"e29\", 5 more. Change"),
            "{detail}"
        );
        assert!(detail.contains("people.town (C2, leaves as city) → segment \"vips\""), "{detail}");
        assert_eq!(problem.fields().len(), 20);
        assert_eq!(problem.fields()[0].field, "/enabled");
    }
}
