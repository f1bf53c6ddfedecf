//! `exports schedule`, for one or several exports.

use std::collections::BTreeSet;

use relay_model::catalog::{Kind, Schedule};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Session, definitions, exports};
use crate::Ending;
use crate::api::{Call, Checking, Condition, Saved, field, text, texts};
use crate::arguments::{ScheduleArguments, When};
use crate::error::Error;
use crate::table::table;

/// Sets the schedule of exports.
pub(super) async fn schedule(
    arguments: &ScheduleArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    // Disabling a schedule is saved without checks, because the lists may no longer exist.
    let checking = Checking::unless(arguments.when.off || arguments.no_check);
    let requested = requested_schedule(&arguments.when);
    if let ([id], false) = (arguments.ids.as_slice(), arguments.all) {
        let doing = format!("schedule export {id}");
        return exports::set(id, &doing, checking, "schedule", requested, session).await;
    }
    let mut steps = if arguments.all {
        every(&requested, session).await?
    } else {
        named(&arguments.ids, &requested, session).await
    };
    let changes = steps.iter().filter(|step| matches!(step.state, State::Differs(_))).count();
    if changes > 1 && !arguments.yes {
        ask(&steps, &requested, changes, session)?;
    }
    for step in &mut steps {
        step.take(&requested, checking, session).await?;
    }
    let items: Vec<Value> = steps.iter().map(|step| step.figures(&requested)).collect();
    session.console.show(&json!({ "items": items }), |_| {
        if steps.is_empty() {
            "There are no exports that you may edit.".to_owned()
        } else {
            summary(&steps, &requested)
        }
    })?;
    let has_failed = steps.iter().any(|step| matches!(step.state, State::Failed(_)));
    Ok(if has_failed { Ending::Failed } else { Ending::Done })
}

/// Returns the schedule in the form of a document.
fn requested_schedule(when: &When) -> Value {
    let zone = &when.time_zone;
    match when {
        When { every_minutes: Some(minutes), .. } => json!({ "every_minutes": minutes }),
        When { daily: Some(at), .. } => json!({ "daily": { "at": at, "time_zone": zone } }),
        When { cron: Some(expression), .. } => {
            json!({ "cron": { "expression": expression, "time_zone": zone } })
        }
        When { every_refresh: true, .. } => json!("every_refresh"),
        _ => json!("off"),
    }
}

/// One of several exports.
struct Step {
    id: String,
    /// The previous schedule; null if it could not be read.
    before: Value,
    state: State,
}

/// The progress of an export.
enum State {
    /// It has another schedule; this is the definition that was read.
    Differs(Box<Saved>),
    /// It already has the schedule.
    Same,
    /// It was changed.
    Changed,
    /// It could not be changed.
    Failed(String),
}

impl Step {
    fn of(saved: Saved, requested: &Value) -> Self {
        let before = field(&saved.document, "/schedule").cloned().unwrap_or_else(|| json!("off"));
        let id = saved.id.clone();
        let state = if is_same(&before, requested) { State::Same } else { State::Differs(Box::new(saved)) };
        Self { id, before, state }
    }

    /// Saves the export if its schedule differs, with a version precondition.
    async fn take(
        &mut self,
        requested: &Value,
        checking: Checking,
        session: &mut Session<'_, '_>,
    ) -> Result<(), Error> {
        let State::Differs(saved) = &self.state else { return Ok(()) };
        let mut document = saved.document.clone();
        if let Some(fields) = document.as_object_mut() {
            fields.insert("schedule".to_owned(), requested.clone());
        }
        let doing = format!("schedule export {}", self.id);
        let path = ["exports", &self.id];
        let mut call = Call::new(Method::PUT, &doing, &path).json(&document);
        call.query = checking.query(Kind::Export);
        let answer = session.api.send(&call.only_if(Condition::IsVersion(saved.version))).await;
        self.state = match answer {
            Ok(answer) => {
                for warning in texts(&answer.body, "/warnings") {
                    session.console.note(&format!("warning: export {}: {warning}", self.id))?;
                }
                State::Changed
            }
            Err(error) => State::Failed(error.to_string()),
        };
        Ok(())
    }

    /// Returns the result in a word, and the reason.
    fn outcome(&self) -> (&str, &str) {
        match &self.state {
            State::Differs(_) => ("differs", ""),
            State::Same => ("unchanged", ""),
            State::Changed => ("changed", ""),
            State::Failed(why) => ("failed", why),
        }
    }

    fn figures(&self, requested: &Value) -> Value {
        let (outcome, problem) = self.outcome();
        let problem = Some(problem).filter(|problem| !problem.is_empty());
        json!({ "id": self.id, "before": self.before, "after": requested, "outcome": outcome, "problem": problem })
    }
}

/// Returns whether two schedules are equivalent.
fn is_same(one: &Value, other: &Value) -> bool {
    let meaning = |value: &Value| serde_json::from_value::<Schedule>(value.clone()).ok();
    one == other || meaning(one).is_some_and(|one| meaning(other) == Some(one))
}

/// Reads the exports of these ids, each once. A failure is recorded with its export and does not affect the
/// others.
async fn named(ids: &[String], requested: &Value, session: &Session<'_, '_>) -> Vec<Step> {
    let mut seen = BTreeSet::new();
    let mut steps = Vec::new();
    for id in ids.iter().filter(|id| seen.insert(id.as_str())) {
        let doing = format!("schedule export {id}");
        steps.push(match definitions::read(Kind::Export, id, &doing, session).await {
            Ok(saved) => Step::of(saved, requested),
            Err(error) => {
                Step { id: id.clone(), before: Value::Null, state: State::Failed(error.to_string()) }
            }
        });
    }
    steps
}

/// Reads every export that the caller may edit, with a note about each other one.
async fn every(requested: &Value, session: &mut Session<'_, '_>) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for item in definitions::listing(Kind::Export, session).await?.items {
        if text(&item, "/overview/permission") == "view" {
            let id = text(&item, "/document/id");
            session.console.note(&format!("export {id} is skipped, because you may only view it"))?;
            continue;
        }
        steps.extend(Saved::of(&item).map(|saved| Step::of(saved, requested)));
    }
    Ok(steps)
}

fn ask(
    steps: &[Step],
    requested: &Value,
    changes: usize,
    session: &mut Session<'_, '_>,
) -> Result<(), Error> {
    session.console.note(&summary(steps, requested))?;
    if !session.console.screen.is_interactive {
        let text = format!(
            "{changes} exports would change, and there is no terminal to ask for confirmation; pass --yes"
        );
        return Err(Error::Input(text));
    }
    if !session.console.asks(&format!("Schedule {changes} exports?"))? {
        return Err(Error::Input("not scheduled".to_owned()));
    }
    Ok(())
}

/// Formats the previous schedule, the new one and the result of each export.
fn summary(steps: &[Step], requested: &Value) -> String {
    let row = |step: &Step| {
        let before = field(&step.before, "").map(|before| definitions::schedule(Some(before)));
        let (outcome, why) = step.outcome();
        let outcome = if why.is_empty() { outcome.to_owned() } else { format!("{outcome}: {why}") };
        [step.id.clone(), before.unwrap_or_default(), definitions::schedule(Some(requested)), outcome]
    };
    table(["export", "was", "new", "result"], &steps.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &Value, other: &Value, expected: bool) {
        assert_eq!(is_same(one, other), expected, "{one} {other}");
    }

    #[test]
    fn schedules_are_compared_by_what_they_mean() {
        let daily = |at: &str| json!({ "daily": { "at": at, "time_zone": "Europe/Rome" } });
        check(&daily("06:30:00"), &daily("06:30"), true);
        check(&daily("06:30:00"), &daily("06:31"), false);
        check(&json!("off"), &json!("off"), true);
        check(&json!("off"), &json!("every_refresh"), false);
        // Unknown schedules are compared literally.
        check(&json!("every_full_moon"), &json!("every_full_moon"), true);
        check(&json!("every_full_moon"), &json!("every_new_moon"), false);
    }
}
