//! Applies a plan. Each step has a version precondition.

use reqwest::Method;
use serde_json::Value;

use super::{Action, Plan, Step};
use crate::api::{Api, ApiError, Call, Checking, Condition, Saved, texts};
use crate::console::{Colour, Console};
use crate::error::Error;
use crate::kinds::{plural, whole};

/// Applies and prints the steps in order; stops at the first failure.
pub(crate) async fn apply(
    api: &Api,
    plan: &Plan,
    checking: Checking,
    console: &mut Console<'_>,
) -> Result<(), Error> {
    for (done, step) in plan.steps.iter().enumerate() {
        let warnings = match take(api, step, checking).await {
            Ok(warnings) => warnings,
            Err(cause) => {
                let all = plan.steps.len();
                return Err(Error::Stopped { at: step.name(), done, all, cause: Box::new(cause) });
            }
        };
        let paint = console.paint();
        let (colour, word) = match step.action {
            Action::Create { .. } => (Colour::Green, "created"),
            Action::Change { .. } => (Colour::Yellow, "changed"),
            Action::Remove { .. } => (Colour::Red, "removed"),
        };
        console.say(&format!("{} {}", paint.colour(colour, word), step.name()))?;
        for warning in warnings {
            console.note(&format!("warning: {}: {warning}", step.name()))?;
        }
    }
    Ok(())
}

/// Applies a step; returns the API's warnings.
async fn take(api: &Api, step: &Step, checking: Checking) -> Result<Vec<String>, ApiError> {
    match &step.action {
        Action::Create { document } => {
            let doing = format!("create {}", step.name());
            put(api, step, &doing, document, Condition::IsNew, checking).await
        }
        Action::Change { document, version, .. } => {
            let doing = format!("change {}", step.name());
            put(api, step, &doing, document, Condition::IsVersion(*version), checking).await
        }
        Action::Remove { version } => {
            let doing = format!("remove {}", step.name());
            let path = [plural(step.kind), &step.id];
            let call = Call::new(Method::DELETE, &doing, &path).only_if(Condition::IsVersion(*version));
            match api.send(&call).await {
                // The document is already removed.
                Err(error) if error.status() == Some(404) => Ok(Vec::new()),
                answer => answer.map(|_| Vec::new()),
            }
        }
    }
}

/// Saves a document.
async fn put(
    api: &Api,
    step: &Step,
    doing: &str,
    document: &Value,
    condition: Condition,
    checking: Checking,
) -> Result<Vec<String>, ApiError> {
    let path = [plural(step.kind), step.id.as_str()];
    let mut call = Call::new(Method::PUT, doing, &path).json(document).only_if(condition);
    call.query = checking.query(step.kind);
    let refused = match api.send(&call).await {
        Ok(answer) => return Ok(texts(&answer.body, "/warnings")),
        Err(error) if error.status() == Some(412) => error,
        Err(error) => return Err(error),
    };
    // A lost response may hide a successful write, so an equal document counts as success.
    let found = api.get(doing, &path).await.ok().and_then(|answer| Saved::of(&answer.body));
    match found {
        Some(found) if whole(step.kind, &found.document) == whole(step.kind, document) => Ok(Vec::new()),
        _ => Err(refused),
    }
}
