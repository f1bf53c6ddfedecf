//! Finds the sources that a query reads.

use sqlparser::ast::{ObjectName, ObjectNamePart, Query, Statement, Visit, Visitor};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::ops::ControlFlow;

/// Returns the tables that a query reads and does not define itself, as written. A name of several parts
/// keeps its dots, which no source id has. Recurses as deeply as the query is nested.
#[must_use]
pub fn sources(statement: &Statement) -> BTreeSet<String> {
    let mut reading = Reading::default();
    let ControlFlow::Continue(()) = statement.visit(&mut reading);
    reading.sources
}

/// The sources found so far, and the enclosing queries.
#[derive(Default)]
struct Reading {
    sources: BTreeSet<String>,
    open: Vec<Scope>,
}

/// The names that a query defines itself (`WITH part AS …`).
struct Scope {
    /// The names in order.
    parts: Vec<String>,
    /// Whether a part may read itself and later parts.
    is_recursive: bool,
    /// The number of parts whose queries have been entered.
    begun: usize,
    /// The number of parts visible at the current position.
    visible: usize,
}

impl Scope {
    fn of(query: &Query) -> Self {
        let parts = query.with.iter().flat_map(|with| &with.cte_tables);
        let parts = parts.map(|part| part.alias.name.value.clone()).collect();
        let is_recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        Self { parts, is_recursive, begun: 0, visible: 0 }
    }

    fn has(&self, name: &str) -> bool {
        self.parts.iter().take(self.visible).any(|part| part == name)
    }
}

impl Visitor for Reading {
    type Break = Infallible;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Infallible> {
        // The parts of a query are visited before its body, so the first nested queries are theirs. A part
        // reads earlier parts, and outer names that equal its own.
        if let Some(outer) = self.open.last_mut()
            && outer.begun < outer.parts.len()
        {
            outer.visible = if outer.is_recursive { outer.parts.len() } else { outer.begun };
            outer.begun += 1;
        }
        self.open.push(Scope::of(query));
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<Infallible> {
        self.open.pop();
        if let Some(outer) = self.open.last_mut() {
            outer.visible = outer.begun;
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Infallible> {
        let name = written(relation);
        let is_part = relation.0.len() == 1 && self.open.iter().any(|scope| scope.has(&name));
        if !is_part {
            self.sources.insert(name);
        }
        ControlFlow::Continue(())
    }
}

fn written(name: &ObjectName) -> String {
    let part = |part: &ObjectNamePart| match part {
        ObjectNamePart::Identifier(identifier) => identifier.value.clone(),
        ObjectNamePart::Function(function) => function.to_string(),
    };
    name.0.iter().map(part).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use crate::query::{TextError, sources_of};

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found = sources_of(text).unwrap();
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn tables_are_found_wherever_they_are_read() {
        check("SELECT 1", &[]);
        check("SELECT a, b FROM profiles p WHERE c IN (1, 2)", &["profiles"]);
        check("SELECT 1 FROM a, b AS x LEFT JOIN \"c\" USING (d, e), f ORDER BY g, h", &["a", "b", "c", "f"]);
        check("SELECT 1 FROM (a JOIN b ON a.x = b.x), c", &["a", "b", "c"]);
        check("SELECT x FROM a UNION ALL SELECT y FROM b", &["a", "b"]);
        check(
            "SELECT (SELECT max(x) FROM c) FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x = a.x)",
            &["a", "b", "c"],
        );
        check("SELECT 1 FROM LATERAL (SELECT 1 FROM a) x ORDER BY (SELECT 1 FROM b)", &["a", "b"]);
        check("SELECT 1 FROM Profiles, \"Profiles\", profiles", &["Profiles", "profiles"]);
    }

    #[test]
    fn false_table_names_are_ignored() {
        check("SELECT EXTRACT(YEAR FROM birthday), TRIM(BOTH ' ' FROM name) FROM a", &["a"]);
        check("SELECT 1 FROM a WHERE x IS DISTINCT FROM y", &["a"]);
        check("SELECT 'from b' FROM a -- FROM c\n/* FROM d */ WHERE 'it''s from e' = x", &["a"]);
        check("SELECT a.x FROM b AS a", &["b"]);
    }

    #[test]
    fn names_that_the_query_defines_are_no_sources_where_they_can_be_read() {
        check("WITH n AS (SELECT 1 FROM a), m AS (SELECT 2 FROM n) SELECT * FROM n JOIN m ON true", &["a"]);
        // A part is not visible to itself and to earlier ones, unless it is recursive.
        check("WITH n AS (SELECT 1 FROM n) SELECT * FROM n", &["n"]);
        check("WITH n AS (SELECT 1 FROM m), m AS (SELECT 2 FROM a) SELECT * FROM n, m", &["a", "m"]);
        check("WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT 1 FROM n, m) SELECT * FROM n", &["m"]);
        check("WITH RECURSIVE n AS (SELECT 1 FROM m), m AS (SELECT 2) SELECT * FROM n", &[]);
        // It is not visible outside of its query.
        check("SELECT * FROM (WITH n AS (SELECT 1 FROM a) SELECT * FROM n) x, n", &["a", "n"]);
        check("(WITH n AS (SELECT 1) SELECT * FROM n) UNION (SELECT * FROM n)", &["n"]);
        // It is visible in everything nested in its query.
        check(
            "WITH n AS (SELECT 1 FROM a) SELECT * FROM b WHERE x IN (SELECT y FROM (SELECT * FROM n) z)",
            &["a", "b"],
        );
        check(
            "WITH n AS (WITH m AS (SELECT 1 FROM a) SELECT * FROM m), o AS (SELECT * FROM n, m) SELECT * FROM o",
            &["a", "m"],
        );
        check("WITH \"N\" AS (SELECT 1) SELECT * FROM n", &["n"]);
        check("WITH n AS (SELECT 1) SELECT * FROM other.n", &["other.n"]);
    }

    #[test]
    fn what_is_no_source_of_ours_is_named_as_written() {
        check("SELECT 1 FROM 's3://other/secret.csv'", &["s3://other/secret.csv"]);
        check(
            "SELECT 1 FROM read_csv('/etc/passwd'), information_schema.tables",
            &["information_schema.tables", "read_csv"],
        );
    }

    #[track_caller]
    fn refused(text: &str, code: &str, words: &str) {
        let error = sources_of(text).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, words), "{text}");
    }

    #[test]
    fn texts_that_are_no_query_are_refused() {
        refused(" -- nothing\n;", "query_empty", "the query is empty; a segment's query is one SELECT");
        refused(
            "SELECT 1 FORM a WHERE",
            "query_syntax",
            "the query has a syntax error at line 1, column 15: Expected: end of statement, found: a",
        );
        refused(
            "SELECT 1; SELECT 2",
            "query_several_statements",
            "the query has 2 statements; a segment's query is one SELECT",
        );
        refused(
            "DROP TABLE a",
            "query_not_a_select",
            "the query begins with DROP; a segment's query is one SELECT (WITH and UNION are allowed)",
        );
        let long = format!("SELECT 1 -- {}", "x".repeat(70_000));
        assert!(matches!(sources_of(&long), Err(TextError::TooLong { bytes: 70_012, .. })));
        let deep = format!("SELECT {}1{}", "(".repeat(60), ")".repeat(60));
        assert_eq!(sources_of(&deep), Err(TextError::TooDeep));
    }

    /// The caller may have little stack left: threads of tests and functions have two to eight megabytes.
    #[test]
    fn what_is_just_allowed_needs_no_stack_of_the_callers() {
        let queries = [
            format!("SELECT {}1{} FROM t", "(".repeat(49), ")".repeat(49)),
            format!("SELECT 1 FROM t WHERE {}", vec!["a = 1"; 240].join(" AND ")),
            format!("SELECT {} a FROM t", "NOT ".repeat(400)),
            format!("{}SELECT a FROM t{}", "SELECT * FROM (".repeat(9), ")".repeat(9)),
            vec!["SELECT a FROM t"; 50].join(" UNION "),
        ];
        let asking = std::thread::Builder::new().stack_size(128 * 1024).spawn(move || {
            for query in queries {
                check(&query, &["t"]);
            }
        });
        asking.unwrap().join().unwrap();
    }

    #[test]
    fn an_unknown_source_is_reported_with_the_known_ones() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let check = |declared: &[&str], expected: Option<&str>| {
            let found = crate::query::require_sources(&names(&["orders", "people"]), &names(declared));
            assert_eq!(found.err().map(|error| error.to_string()).as_deref(), expected);
        };
        check(&["orders", "people", "visits"], None);
        check(
            &["order", "people"],
            Some("there is no source orders; did you mean order?; the sources are: order, people"),
        );
        check(&[], Some("there is no source orders; the sources are: none"));
    }
}
