use super::*;
use crate::access::ACCESS;
use std::collections::BTreeSet;

/// The operations that the document has, and those that the table of roles has.
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
