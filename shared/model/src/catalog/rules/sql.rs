//! Compiles rules to one SELECT. User input appears in it only as quoted names and literals.
//!
//! The combination of the rules is one predicate over rows of the main source. The first rule and rules
//! with `union` test the row itself, because one matching row makes a member. A rule with `intersect` or
//! `except` tests the member: whether any of its rows matches, so that members with several rows are
//! treated as a whole. If such a rule's path starts at the member key, the row alone determines the result.

use super::condition::{Comparison, Sense, Test};
use super::form::{Case, Combine, Relation};
use super::reading::{Group, Node, Read, ReadRule, Together};
use super::values::{DECIMAL, MOMENT, When, quoted_name, quoted_text};
use std::collections::BTreeMap;

/// Compiles the query. Its columns are the listed ones and the member key, or all of the main source's.
pub(super) fn compile(set: &Read<'_>, member_key: &str) -> String {
    let main = quoted_name(set.source);
    let columns = match set.columns {
        [] => format!("{main}.*"),
        named => {
            let key = (!named.iter().any(|name| name == member_key)).then_some(member_key);
            let all = key.into_iter().chain(named.iter().map(String::as_str));
            all.map(|name| column(&main, name)).collect::<Vec<_>>().join(", ")
        }
    };
    let query = format!("SELECT {columns}\nFROM {main}");
    match combined(set, &main, member_key) {
        None => query,
        Some(predicate) => format!("{query}\nWHERE {predicate}"),
    }
}

/// Returns the predicate of all rules; `None` if every row fulfils it.
fn combined(set: &Read<'_>, main: &str, member_key: &str) -> Option<String> {
    let mut before: Option<String> = None;
    for (place, rule) in set.rules.iter().enumerate() {
        let of_row = || of_row(rule, main, &mut Tables::beginning_with(set.source));
        let of_member = || of_member(rule, set.source, main, member_key);
        before = match (place, rule.combine, before) {
            (0, _, _) | (_, None, _) => of_row(),
            // Every member is already included.
            (_, Some(Combine::Union), None) => None,
            (_, Some(Combine::Union), Some(before)) => {
                of_row().map(|also| format!("({before}\n  OR {also})"))
            }
            (_, Some(Combine::Intersect), None) => Some(of_member()),
            (_, Some(Combine::Intersect), Some(before)) => Some(format!("({before}\n  AND {})", of_member())),
            (_, Some(Combine::Except), None) => Some(format!("NOT {}", of_member())),
            (_, Some(Combine::Except), Some(before)) => {
                Some(format!("({before}\n  AND NOT {})", of_member()))
            }
        };
    }
    before
}

/// Table names within one rule. A source read once keeps its own name, so that the engine's messages use
/// the author's names. Further aliases contain a space and cannot clash, because source ids have none.
struct Tables<'a>(BTreeMap<&'a str, usize>);

impl<'a> Tables<'a> {
    fn beginning_with(main: &'a str) -> Self {
        Self(BTreeMap::from([(main, 1)]))
    }

    /// Returns a name for another use of a source: the FROM item, and the name alone.
    fn read(&mut self, source: &'a str) -> (String, String) {
        let readings = self.0.entry(source).or_default();
        *readings += 1;
        let table = quoted_name(source);
        match *readings {
            1 => (table.clone(), table),
            reading => {
                let name = quoted_name(&format!("{source} ({reading})"));
                (format!("{table} AS {name}"), name)
            }
        }
    }
}

/// Returns the predicate for a row that fulfils a rule; `None` if every row does.
fn of_row<'a>(rule: &ReadRule<'a>, main: &str, tables: &mut Tables<'a>) -> Option<String> {
    match rule.path {
        [] => rule.group.as_ref().map(|group| of_group(group, main)),
        [first, further @ ..] => Some(related(rule, main, first, further, tables)),
    }
}

/// Returns the predicate for a member with any row that fulfils a rule.
fn of_member<'a>(rule: &ReadRule<'a>, source: &'a str, main: &str, member_key: &str) -> String {
    let mut tables = Tables::beginning_with(source);
    if let [first, further @ ..] = rule.path
        && first.on.keys().all(|name| name == member_key)
    {
        return related(rule, main, first, further, &mut tables);
    }
    let (table, again) = tables.read(source);
    let same = format!("{} = {}", column(&again, member_key), column(main, member_key));
    let fulfilled = of_row(rule, &again, &mut tables).map(|it| format!(" AND {it}")).unwrap_or_default();
    format!("EXISTS (SELECT 1 FROM {table} WHERE {same}{fulfilled})")
}

/// Returns the predicate for a row with the required number of related rows.
fn related<'a>(
    rule: &ReadRule<'a>,
    main: &str,
    first: &'a Relation,
    further: &'a [Relation],
    tables: &mut Tables<'a>,
) -> String {
    let (mut from, first_name) = tables.read(first.source.as_str());
    let mut last = first_name.clone();
    for relation in further {
        let (table, name) = tables.read(relation.source.as_str());
        let pairs = relation.on.iter().map(|(left, right)| {
            format!("{} = {}", as_text(&column(&last, left)), as_text(&column(&name, right)))
        });
        let pairs = pairs.collect::<Vec<_>>().join(" AND ");
        from = format!("{from} JOIN {table} ON {pairs}");
        last = name;
    }
    let conditions = rule.group.as_ref().map(|group| of_group(group, &last));
    let keys = first
        .on
        .iter()
        .map(|(left, right)| (as_text(&column(main, left)), as_text(&column(&first_name, right))));
    if rule.at_least_rows <= 1 {
        let keys = keys.map(|(left, right)| format!("{right} = {left}"));
        let all = keys.chain(conditions).collect::<Vec<_>>().join(" AND ");
        return format!("EXISTS (SELECT 1 FROM {from} WHERE {all})");
    }
    // Source ids have no spaces, so this alias cannot clash.
    let found = quoted_name("found rows");
    let (mut selected, mut grouped, mut matched) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (left, right)) in keys.enumerate() {
        let key = quoted_name(&format!("key {}", place + 1));
        selected.push(format!("{right} AS {key}"));
        grouped.push(right);
        matched.push(format!("{found}.{key} = {left}"));
    }
    let conditions = conditions.map(|all| format!(" WHERE {all}")).unwrap_or_default();
    format!(
        "EXISTS (SELECT 1 FROM (SELECT {} FROM {from}{conditions} GROUP BY {} HAVING count(*) >= {}) AS {found} WHERE {})",
        selected.join(", "),
        grouped.join(", "),
        rule.at_least_rows,
        matched.join(" AND ")
    )
}

fn of_group(group: &Group<'_>, table: &str) -> String {
    let nodes = group.nodes.iter().map(|node| match node {
        Node::Group(group) => of_group(group, table),
        Node::Test { column: name, case, test, .. } => of_test(&column(table, name), *case, test),
    });
    let nodes: Vec<String> = nodes.collect();
    let word = match group.together {
        Together::All => " AND ",
        Together::Any => " OR ",
    };
    format!("({})", nodes.join(word))
}

/// Returns the predicate of a test. It is never NULL for a negative test. Elsewhere NULL counts as false,
/// because no condition follows a NOT.
fn of_test(column: &str, case: Case, test: &Test<'_>) -> String {
    let folded = |value: String| match case {
        Case::Exact => value,
        Case::Ignore => format!("lower({value})"),
    };
    let value = || folded(column.to_owned());
    let literal = |part: &str| folded(quoted_text(part));
    match test {
        Test::Texts(sense, texts) => {
            among(&value(), *sense, &texts.iter().map(|part| literal(part)).collect::<Vec<_>>())
        }
        Test::Contains(sense, part) => {
            let contains = format!("contains({}, {})", value(), literal(part));
            match sense {
                Sense::Is => contains,
                Sense::IsNot => format!("{contains} IS NOT TRUE"),
            }
        }
        Test::StartsWith(part) => format!("starts_with({}, {})", value(), literal(part)),
        Test::EndsWith(part) => format!("ends_with({}, {})", value(), literal(part)),
        Test::Numbers(sense, numbers) => {
            among(&number(column), *sense, &numbers.iter().map(|number| number.sql()).collect::<Vec<_>>())
        }
        Test::Number(comparison, than) => format!("{} {} {}", number(column), sign(*comparison), than.sql()),
        Test::NumberBetween(low, high) => between(&number(column), &low.sql(), &high.sql()),
        Test::Truth(sense, truth) => {
            let not = if *sense == Sense::IsNot { "NOT " } else { "" };
            let truth = if *truth { "TRUE" } else { "FALSE" };
            format!("TRY_CAST({column} AS BOOLEAN) IS {not}{truth}")
        }
        Test::When(comparison, than) => {
            format!("{} {} {}", when(column, *than), sign(*comparison), than.sql())
        }
        Test::WhenBetween(first, last) => between(&when(column, *first), &first.sql(), &last.sql()),
        Test::WithinLastDays(days) => {
            between(&day(column), &format!("CURRENT_DATE - {days}"), "CURRENT_DATE")
        }
        Test::BeforeLastDays(days) => format!("{} < CURRENT_DATE - {days}", day(column)),
        Test::InNextDays(days) => between(&day(column), "CURRENT_DATE", &format!("CURRENT_DATE + {days}")),
        Test::Null(Sense::Is) => format!("{column} IS NULL"),
        Test::Null(Sense::IsNot) => format!("{column} IS NOT NULL"),
    }
}

fn among(value: &str, sense: Sense, literals: &[String]) -> String {
    match (sense, literals) {
        (Sense::Is, [one]) => format!("{value} = {one}"),
        (Sense::IsNot, [one]) => format!("{value} IS DISTINCT FROM {one}"),
        (Sense::Is, many) => format!("{value} IN ({})", many.join(", ")),
        (Sense::IsNot, many) => format!("({value} IN ({})) IS NOT TRUE", many.join(", ")),
    }
}

fn between(value: &str, low: &str, high: &str) -> String {
    format!("{value} BETWEEN {low} AND {high}")
}

const fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::More => ">",
        Comparison::AtLeast => ">=",
    }
}

fn column(table: &str, name: &str) -> String {
    format!("{table}.{}", quoted_name(name))
}

fn as_text(column: &str) -> String {
    format!("CAST({column} AS VARCHAR)")
}

/// CSV columns are texts, and one that is not a number must not abort an evaluation.
fn number(column: &str) -> String {
    format!("TRY_CAST({column} AS {DECIMAL})")
}

fn day(column: &str) -> String {
    format!("TRY_CAST({column} AS DATE)")
}

fn when(column: &str, than: When) -> String {
    match than {
        When::Day(_) => day(column),
        When::Moment(_) => format!("TRY_CAST({column} AS {MOMENT})"),
    }
}
