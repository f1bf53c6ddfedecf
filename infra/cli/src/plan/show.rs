//! Formats a plan as text and JSON.

use serde_json::{Value, json};

use super::diff::{Difference, middle};
use super::{Action, Plan, Step};
use crate::console::{Colour, Paint};

impl Step {
    /// `export newsletter`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.kind.name(), self.id)
    }
}

/// Formats lines such as `~ export newsletter: guard.removed_percent 30 -> 50`.
pub(crate) fn in_words(plan: &Plan, paint: Paint) -> String {
    let mut lines = Vec::new();
    let (mut creations, mut changes, mut removals) = (0, 0, 0);
    for step in &plan.steps {
        match &step.action {
            Action::Create { .. } => {
                creations += 1;
                lines.push(paint.colour(Colour::Green, &format!("+ {}", step.name())));
            }
            Action::Change { differences, .. } => {
                changes += 1;
                for difference in differences {
                    lines.extend(difference_lines(step, difference, paint));
                }
            }
            Action::Remove { .. } => {
                removals += 1;
                lines.push(paint.colour(Colour::Red, &format!("- {}", step.name())));
            }
        }
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    for note in &plan.notes {
        lines.push(paint.colour(Colour::Dim, &format!("note: {note}")));
    }
    let unchanged = plan.unchanged;
    lines.push(if plan.steps.is_empty() {
        format!("Nothing to do: {unchanged} unchanged.")
    } else {
        format!("{creations} to create, {changes} to change, {removals} to remove, {unchanged} unchanged.")
    });
    lines.join("\n")
}

fn difference_lines(step: &Step, difference: &Difference, paint: Paint) -> Vec<String> {
    let Difference { field, before, after } = difference;
    let head = paint.colour(Colour::Yellow, &format!("~ {}:", step.name()));
    if let (Some(Value::String(before)), Some(Value::String(after))) = (before, after)
        && (before.contains('\n') || after.contains('\n'))
    {
        let mut lines = vec![format!("{head} {field}")];
        let (before, after): (Vec<&str>, Vec<&str>) =
            (before.split('\n').collect(), after.split('\n').collect());
        let (_, old, new) = middle(&before, &after);
        lines.extend(old.iter().map(|line| paint.colour(Colour::Red, &format!("    - {line}"))));
        lines.extend(new.iter().map(|line| paint.colour(Colour::Green, &format!("    + {line}"))));
        return lines;
    }
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
    let before = paint.colour(Colour::Red, &shown(before));
    let after = paint.colour(Colour::Green, &shown(after));
    vec![format!("{head} {field} {before} -> {after}")]
}

/// Formats the plan as JSON.
pub(crate) fn figures(plan: &Plan) -> Value {
    let step = |step: &Step| {
        let mut shown = json!({ "kind": step.kind.name(), "id": step.id });
        let (action, more) = match &step.action {
            Action::Create { document } => ("create", json!({ "document": document })),
            Action::Change { differences, .. } => {
                let difference = |one: &Difference| json!({ "field": one.field, "before": one.before, "after": one.after });
                ("change", json!({ "differences": differences.iter().map(difference).collect::<Vec<_>>() }))
            }
            Action::Remove { .. } => ("remove", json!({})),
        };
        if let (Some(fields), Value::Object(more)) = (shown.as_object_mut(), more) {
            fields.insert("action".to_owned(), action.into());
            fields.extend(more);
        }
        shown
    };
    json!({
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "unchanged": plan.unchanged,
        "notes": plan.notes,
    })
}
