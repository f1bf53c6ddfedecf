//! The table itself.

use super::Rule;
use crate::caller::Role;
use axum::http::Method;

/// Every route that there is, and the least role that may use it. What is not here does not run.
pub const ACCESS: &[Rule] = &[
    signed_in(Method::GET, "/openapi.json", "this API as an OpenAPI document"),
    viewer(Method::GET, "/me", "who I am and what I may do"),
    viewer(Method::GET, "/settings", "what holds for the whole deployment"),
    viewer(Method::GET, "/settings/{id}", "the settings called `deployment`"),
    administrator(Method::PUT, "/settings/{id}", "say what holds for the whole deployment"),
    administrator(Method::DELETE, "/settings/{id}", "go back to the defaults"),
    viewer(Method::GET, "/sources", "the sources"),
    viewer(Method::GET, "/sources/{id}", "a source"),
    administrator(Method::PUT, "/sources/{id}", "make or replace a source"),
    administrator(Method::DELETE, "/sources/{id}", "remove a source that no segment reads"),
    viewer(Method::GET, "/sources/{id}/segments", "the segments that read a source"),
    viewer(Method::GET, "/segments", "the segments"),
    viewer(Method::GET, "/segments/{id}", "a segment"),
    viewer(
        Method::GET,
        "/segments/{id}/sizes",
        "how many members a segment has had, and where an upload stands",
    ),
    viewer(Method::GET, "/segments/{id}/query", "a segment's query, or what its rules compile to"),
    viewer(Method::GET, "/segments/{id}/exports", "the exports that use a segment, and the others"),
    contributor(Method::PUT, "/segments/{id}", "make or replace a segment"),
    contributor(Method::DELETE, "/segments/{id}", "remove a segment that no export uses"),
    contributor(Method::POST, "/segments/{id}/preview", "count a segment's members and read its first rows"),
    contributor(Method::POST, "/segments/{id}/downloads", "ask for all members of a segment as a CSV"),
    contributor(Method::POST, "/previews", "the same of a segment that is not saved"),
    contributor(Method::GET, "/previews/{id}", "what a preview found"),
    contributor(Method::GET, "/previews/{id}/members", "a link to the members, which expires"),
    viewer(
        Method::GET,
        "/connections",
        "the connections: for administrators with their settings and exports, for others name, destination and may \
         they use it",
    ),
    viewer(Method::GET, "/connections/{id}", "a connection, as in the list"),
    administrator(Method::PUT, "/connections/{id}", "make or replace a connection"),
    administrator(
        Method::DELETE,
        "/connections/{id}",
        "remove a connection, and say what becomes of its exports",
    ),
    administrator(
        Method::PUT,
        "/connections/{id}/credentials",
        "store credentials, which are never given out again",
    ),
    administrator(Method::PUT, "/connections/{id}/consent", "agree to data leaving"),
    administrator(Method::DELETE, "/connections/{id}/consent", "withdraw the agreement"),
    administrator(Method::POST, "/connections/{id}/test", "try the credentials"),
    viewer(Method::GET, "/policies", "the policies of data governance"),
    viewer(Method::GET, "/policies/{id}", "a policy"),
    administrator(
        Method::PUT,
        "/policies/{id}",
        "make or replace a policy; one that would stop an enabled export is refused",
    ),
    administrator(Method::DELETE, "/policies/{id}", "remove a policy"),
    viewer(Method::GET, "/exports", "the exports, and where each of them stands"),
    viewer(Method::GET, "/exports/{id}", "an export, and where it stands"),
    contributor(
        Method::PUT,
        "/exports/{id}",
        "make or replace an export; contributors over shared connections only",
    ),
    contributor(Method::DELETE, "/exports/{id}", "remove an export"),
    contributor(Method::POST, "/exports/{id}/duplicate", "copy an export under another id"),
    contributor(Method::POST, "/exports/{id}/detach", "take an export off its connection"),
    viewer(
        Method::GET,
        "/exports/{id}/data-usage",
        "which data an export uses, with its labels, and what the policies say",
    ),
    contributor(Method::POST, "/exports/{id}/runs", "run an export"),
    viewer(Method::GET, "/exports/{id}/runs", "the runs of an export"),
    contributor(Method::POST, "/exports/{id}/dry-runs", "say what a run would do"),
    viewer(Method::GET, "/runs", "the runs of all exports"),
    contributor(Method::POST, "/runs", "run every export that has a schedule"),
    contributor(Method::POST, "/refreshes", "run every export that follows the data's refresh"),
    viewer(Method::GET, "/runs/{id}", "a run and its progress"),
    viewer(Method::GET, "/runs/{id}/report", "the report of a run"),
    contributor(Method::GET, "/runs/{id}/rejected", "a link to the rejected rows, which expires"),
    contributor(Method::GET, "/runs/{id}/dry-run", "what a dry run found"),
    contributor(Method::POST, "/runs/{id}/approve", "let a held run go on"),
    contributor(Method::POST, "/runs/{id}/reject", "end a held run; nothing of it is sent"),
    contributor(Method::POST, "/runs/{id}/cancel", "stop a run"),
    contributor(Method::POST, "/runs/{id}/retry", "try deferred and rejected rows again"),
    administrator(
        Method::POST,
        "/person-requests",
        "ask for everything that is kept about one person, or have them forgotten",
    ),
    administrator(Method::GET, "/person-requests/{id}", "how far such a request is, and what it came to"),
    administrator(Method::GET, "/erasures", "who is kept out because they were forgotten"),
    administrator(Method::DELETE, "/erasures/{id}", "let somebody in again who is kept out"),
    administrator(Method::GET, "/audit", "who changed what, and when"),
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
