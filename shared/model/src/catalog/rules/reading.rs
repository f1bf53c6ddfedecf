//! Validates rules and parses them into a form that is always valid.

use super::condition::{Test, has_operator, test};
use super::form::{Case, Combine, Condition, Relation, Rule, RuleSet};
use super::refusal::Refusal;
use std::collections::BTreeSet;

/// The maximum number of rules; counting takes at least one evaluation per rule.
const MAX_RULES: usize = 20;
/// The maximum number of conditions of all rules together.
const MAX_CONDITIONS: usize = 200;
/// The maximum nesting depth of groups.
const MAX_DEPTH: usize = 5;
/// The maximum number of steps of a path.
const MAX_PATH: usize = 5;
/// The maximum number of column pairs of a step.
const MAX_PAIRS: usize = 5;
/// The maximum number of columns to map.
const MAX_COLUMNS: usize = 200;
/// The maximum length of a rule's or column's name, in characters.
const MAX_NAME_CHARACTERS: usize = 200;
/// The maximum number of required related rows.
const MAX_ROWS: u32 = 1_000_000;

/// Validated rules.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) source: &'a str,
    pub(super) columns: &'a [String],
    pub(super) rules: Vec<ReadRule<'a>>,
}

/// A validated rule.
#[derive(Debug)]
pub(super) struct ReadRule<'a> {
    /// `None` for the first rule.
    pub(super) combine: Option<Combine>,
    pub(super) path: &'a [Relation],
    /// `None` if every row counts.
    pub(super) group: Option<Group<'a>>,
    pub(super) at_least_rows: u32,
}

/// How the conditions of a group are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Together {
    All,
    Any,
}

/// A group of conditions.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) together: Together,
    pub(super) nodes: Vec<Node<'a>>,
}

/// A condition or a nested group.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Test { column: &'a str, case: Case, operator: &'static str, test: Test<'a> },
    Group(Group<'a>),
}

impl Group<'_> {
    fn conditions(&self) -> usize {
        let count = |node: &Node<'_>| match node {
            Node::Test { .. } => 1,
            Node::Group(group) => group.conditions(),
        };
        self.nodes.iter().map(count).sum()
    }
}

/// Validates and parses rules.
pub(super) fn read(set: &RuleSet) -> Result<Read<'_>, Refusal> {
    let mut seen = BTreeSet::new();
    for (place, column) in set.columns.iter().enumerate() {
        let refuse = |problem: &str| Refusal::new(format!("columns[{place}]"), problem);
        name(column).map_err(refuse)?;
        if !seen.insert(column) {
            return Err(refuse("is listed twice"));
        }
    }
    if set.columns.len() > MAX_COLUMNS {
        return Err(Refusal::new("columns", format!("must not have more than {MAX_COLUMNS} names")));
    }
    if set.rules.is_empty() || set.rules.len() > MAX_RULES {
        let problem = format!("must have 1 to {MAX_RULES} rules; it has {}", set.rules.len());
        return Err(Refusal::new("rules", problem));
    }
    let mut names = BTreeSet::new();
    let mut rules = Vec::with_capacity(set.rules.len());
    for (place, rule) in set.rules.iter().enumerate() {
        let inside = |refusal: Refusal| refusal.inside_item("rules", place);
        if !names.insert(&rule.name) {
            return Err(inside(Refusal::new("name", "is another rule's name already")));
        }
        rules.push(read_rule(rule, place).map_err(inside)?);
    }
    let conditions: usize = rules.iter().filter_map(|rule| rule.group.as_ref()).map(Group::conditions).sum();
    if conditions > MAX_CONDITIONS {
        let problem =
            format!("must not have more than {MAX_CONDITIONS} conditions together; they have {conditions}");
        return Err(Refusal::new("rules", problem));
    }
    Ok(Read { source: set.source.as_str(), columns: &set.columns, rules })
}

fn read_rule(rule: &Rule, place: usize) -> Result<ReadRule<'_>, Refusal> {
    name(&rule.name).map_err(|problem| Refusal::new("name", problem))?;
    match (place, rule.combine) {
        (0, Some(_)) => {
            let problem = "is not allowed for the first rule, which has no rules above it; remove it";
            return Err(Refusal::new("combine", problem));
        }
        (1.., None) => {
            let problem = "must be union, intersect or except: how to combine the rule with the rules above";
            return Err(Refusal::new("combine", problem));
        }
        _ => {}
    }
    read_path(&rule.path)?;
    let at_least_rows = match rule.at_least_rows {
        Some(_) if rule.path.is_empty() => {
            return Err(Refusal::new("at_least_rows", "requires a path, because it counts related rows"));
        }
        Some(0) => {
            let problem = "must be 1 or more; for members without such rows, combine the rule with except";
            return Err(Refusal::new("at_least_rows", problem));
        }
        Some(rows) if rows > MAX_ROWS => {
            return Err(Refusal::new("at_least_rows", format!("must not be more than {MAX_ROWS}")));
        }
        rows => rows.unwrap_or(1),
    };
    let group = match (&rule.all, &rule.any) {
        (None, None) => None,
        (all, any) => Some(read_group(all.as_deref(), any.as_deref(), 1)?),
    };
    Ok(ReadRule { combine: rule.combine, path: &rule.path, group, at_least_rows })
}

fn read_path(path: &[Relation]) -> Result<(), Refusal> {
    if path.len() > MAX_PATH {
        return Err(Refusal::new("path", format!("must not have more than {MAX_PATH} steps")));
    }
    for (place, relation) in path.iter().enumerate() {
        let refuse = |problem: String| Refusal::new("on", problem).inside_item("path", place);
        if relation.on.is_empty() || relation.on.len() > MAX_PAIRS {
            return Err(refuse(format!(
                "must have 1 to {MAX_PAIRS} pairs of columns: one of the source before, and the one of {} that it equals",
                relation.source
            )));
        }
        for (left, right) in &relation.on {
            name(left)
                .and_then(|()| name(right))
                .map_err(|problem| refuse(format!("has a name that {problem}")))?;
        }
    }
    Ok(())
}

/// Parses a group, which has exactly one of the two lists.
fn read_group<'a>(
    all: Option<&'a [Condition]>,
    any: Option<&'a [Condition]>,
    depth: usize,
) -> Result<Group<'a>, Refusal> {
    let (list, together, conditions) = match (all, any) {
        (Some(all), None) => ("all", Together::All, all),
        (None, Some(any)) => ("any", Together::Any, any),
        _ => {
            let problem =
                "cannot be combined with all; nest one of the two in the other: all: [{ any: […] }, …]";
            return Err(Refusal::new("any", problem));
        }
    };
    if conditions.is_empty() {
        return Err(Refusal::new(list, "must have a condition; omit it to select every row"));
    }
    if depth > MAX_DEPTH {
        return Err(Refusal::new(list, format!("must not be more than {MAX_DEPTH} groups deep")));
    }
    let node = |(place, condition): (usize, &'a Condition)| {
        read_condition(condition, depth).map_err(|refusal| refusal.inside_item(list, place))
    };
    Ok(Group { together, nodes: conditions.iter().enumerate().map(node).collect::<Result<_, _>>()? })
}

fn read_condition(condition: &Condition, depth: usize) -> Result<Node<'_>, Refusal> {
    let Condition { column, all, any, case, .. } = condition;
    let Some(column) = column else {
        if all.is_none() && any.is_none() {
            return Err(Refusal::new(
                "column",
                "is missing: a condition has a column and an operator, or is a group",
            ));
        }
        if has_operator(condition) || *case == Case::Ignore {
            return Err(Refusal::new(
                "column",
                "is missing for the operator; a group has no operator of its own",
            ));
        }
        return read_group(all.as_deref(), any.as_deref(), depth + 1).map(Node::Group);
    };
    if all.is_some() || any.is_some() {
        let problem = "cannot be combined with a group; split them into two conditions";
        return Err(Refusal::new("column", problem));
    }
    name(column).map_err(|problem| Refusal::new("column", problem))?;
    let (operator, test) = test(condition)?;
    Ok(Node::Test { column, case: *case, operator, test })
}

/// Checks the name of a rule or a column.
fn name(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() {
        Err("must not be empty")
    } else if name.chars().count() > MAX_NAME_CHARACTERS {
        Err("must not be longer than 200 characters")
    } else if name.contains(char::is_control) {
        Err("must not have control characters")
    } else {
        Ok(())
    }
}
