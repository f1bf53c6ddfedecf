//! The table of routes and roles.

use super::Rule;
use crate::caller::Role;
use axum::http::Method;

/// Every route, with the lowest role that may use it. Routes that are not listed here are refused.
pub const ACCESS: &[Rule] = &[
    signed_in(Method::GET, "/openapi.json", "this API as an OpenAPI document"),
    viewer(Method::GET, "/me", "the caller's identifier, role and permitted routes"),
    viewer(Method::GET, "/settings", "the settings of the deployment"),
    viewer(Method::GET, "/settings/{id}", "the settings document `deployment`"),
    administrator(Method::PUT, "/settings/{id}", "create or replace the settings of the deployment"),
    administrator(Method::DELETE, "/settings/{id}", "remove the settings, so that the defaults apply"),
    viewer(Method::GET, "/sources", "the sources"),
    viewer(Method::GET, "/sources/{id}", "a source"),
    administrator(Method::PUT, "/sources/{id}", "create or replace a source"),
    administrator(Method::DELETE, "/sources/{id}", "remove a source that no segment reads"),
    viewer(Method::GET, "/sources/{id}/segments", "the segments that read a source"),
    viewer(Method::GET, "/segments", "the segments"),
    viewer(Method::GET, "/segments/{id}", "a segment"),
    viewer(
        Method::GET,
        "/segments/{id}/sizes",
        "the sizes of a segment over time, and the state of its upload",
    ),
    viewer(Method::GET, "/segments/{id}/query", "a segment's query, or the query that its rules compile to"),
    viewer(Method::GET, "/segments/{id}/exports", "the exports that use a segment, and those that do not"),
    contributor(Method::PUT, "/segments/{id}", "create or replace a segment"),
    contributor(Method::DELETE, "/segments/{id}", "remove a segment that no export uses"),
    contributor(Method::POST, "/segments/{id}/preview", "count a segment's members and read its first rows"),
    contributor(Method::POST, "/segments/{id}/downloads", "request all members of a segment as CSV"),
    contributor(Method::POST, "/previews", "preview a segment that is not saved"),
    contributor(Method::GET, "/previews/{id}", "the result of a preview"),
    contributor(Method::GET, "/previews/{id}/members", "an expiring link to the members"),
    viewer(Method::GET, "/connections", "the connections; only administrators see settings and exports"),
    viewer(Method::GET, "/connections/{id}", "a connection, as in the list"),
    administrator(Method::PUT, "/connections/{id}", "create or replace a connection"),
    administrator(
        Method::DELETE,
        "/connections/{id}",
        "remove a connection, and remove or detach its exports",
    ),
    administrator(
        Method::PUT,
        "/connections/{id}/credentials",
        "store credentials, which are never returned",
    ),
    administrator(Method::PUT, "/connections/{id}/consent", "give the consent to export data"),
    administrator(Method::DELETE, "/connections/{id}/consent", "withdraw the consent"),
    administrator(Method::POST, "/connections/{id}/test", "test the credentials"),
    viewer(Method::GET, "/policies", "the policies of data governance"),
    viewer(Method::GET, "/policies/{id}", "a policy"),
    administrator(
        Method::PUT,
        "/policies/{id}",
        "create or replace a policy; refused if it would stop an enabled export",
    ),
    administrator(Method::DELETE, "/policies/{id}", "remove a policy"),
    viewer(Method::GET, "/exports", "the exports with their overviews"),
    viewer(Method::GET, "/exports/{id}", "an export with its overview"),
    contributor(
        Method::PUT,
        "/exports/{id}",
        "create or replace an export; contributors only with shared connections",
    ),
    contributor(Method::DELETE, "/exports/{id}", "remove an export"),
    contributor(Method::POST, "/exports/{id}/duplicate", "copy an export under another id"),
    contributor(Method::POST, "/exports/{id}/detach", "detach an export from its connection"),
    viewer(
        Method::GET,
        "/exports/{id}/data-usage",
        "the labelled data that an export uses, and the verdicts of the policies",
    ),
    contributor(Method::POST, "/exports/{id}/runs", "start a run of an export"),
    viewer(Method::GET, "/exports/{id}/runs", "the runs of an export"),
    contributor(Method::POST, "/exports/{id}/dry-runs", "start a dry run of an export"),
    viewer(Method::GET, "/runs", "the runs of all exports"),
    contributor(Method::POST, "/runs", "start a run of every export that has a schedule"),
    contributor(Method::POST, "/refreshes", "start a run of every export with the schedule `every_refresh`"),
    viewer(Method::GET, "/runs/{id}", "a run with its progress"),
    viewer(Method::GET, "/runs/{id}/report", "the report of a run"),
    contributor(Method::GET, "/runs/{id}/rejected", "an expiring link to the rejected rows"),
    contributor(Method::GET, "/runs/{id}/dry-run", "the findings of a dry run"),
    contributor(Method::POST, "/runs/{id}/approve", "approve a held run"),
    contributor(Method::POST, "/runs/{id}/reject", "reject a held run; nothing is sent"),
    contributor(Method::POST, "/runs/{id}/cancel", "cancel a run"),
    contributor(Method::POST, "/runs/{id}/retry", "resend deferred and rejected rows"),
    administrator(
        Method::POST,
        "/person-requests",
        "request an export of the data about one person, or their erasure",
    ),
    administrator(Method::GET, "/person-requests/{id}", "the progress and result of a person request"),
    administrator(Method::GET, "/erasures", "the people who are excluded because they were erased"),
    administrator(Method::DELETE, "/erasures/{id}", "lift an exclusion"),
    administrator(Method::GET, "/audit", "the audit: who changed what, and when"),
];

const fn signed_in(method: Method, path: &'static str, what: &'static str) -> Rule {
    Rule { method, path, least: None, what }
}

const fn viewer(method: Method, path: &'static str, what: &'static str) -> Rule {
    Rule { method, path, least: Some(Role::Viewer), what }
}

const fn contributor(method: Method, path: &'static str, what: &'static str) -> Rule {
    Rule { method, path, least: Some(Role::Contributor), what }
}

const fn administrator(method: Method, path: &'static str, what: &'static str) -> Rule {
    Rule { method, path, least: Some(Role::Administrator), what }
}
