//! Carrying a plan out, each step only where nobody else was there since.

use relay::catalog::Kind;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Action, Plan, Step};
use crate::api::{Answer, Api, ApiError, Call, Condition, Saved, number, text};
use crate::console::{Colour, Console};
use crate::error::Error;
use crate::kinds::{plural, whole};

/// Takes the steps one after the other and says each; stops at the first that fails.
pub(crate) async fn apply(api: &Api, plan: &Plan, console: &mut Console<'_>) -> Result<(), Error> {
    for (done, step) in plan.steps.iter().enumerate() {
        if let Err(cause) = take(api, step).await {
            let all = plan.steps.len();
            return Err(Error::Stopped { at: step.name(), done, all, cause: Box::new(cause) });
        }
        let paint = console.paint();
        let (colour, word) = match step.action {
            Action::Create { .. } => (Colour::Green, "created"),
            Action::Change { .. } => (Colour::Yellow, "changed"),
            Action::Remove { .. } => (Colour::Red, "removed"),
        };
        console.say(&format!("{} {}", paint.colour(colour, word), step.name()))?;
    }
    Ok(())
}

async fn take(api: &Api, step: &Step) -> Result<(), ApiError> {
    match &step.action {
        Action::Create { document } => {
            // Who consents and when is the API's to say, so the consent is a call of its own.
            let (body, consent) = apart(document);
            let version = put(api, step, &format!("create {}", step.name()), &body, Condition::IsNew).await?;
            agree(api, step, consent.as_ref(), version).await
        }
        Action::Change { document, there, version, .. } => {
            let (mut body, consent) = apart(document);
            let (bare, agreed) = apart(there);
            let mut version = Some(*version);
            if body != bare {
                if let (Some(fields), Some(agreed)) = (body.as_object_mut(), &agreed) {
                    fields.insert("consent".to_owned(), agreed.clone());
                }
                let condition = version.map_or(Condition::IsNew, Condition::IsVersion);
                version = put(api, step, &format!("change {}", step.name()), &body, condition).await?;
            }
            agree(api, step, consent.as_ref().filter(|_| consent != agreed), version).await
        }
        Action::Remove { version } => {
            let doing = format!("remove {}", step.name());
            let path = [plural(step.kind), &step.id];
            let call = Call::new(Method::DELETE, &doing, &path).only_if(Condition::IsVersion(*version));
            match api.send(&call).await {
                // It is gone, which is all that was wanted.
                Err(error) if error.status() == Some(404) => Ok(()),
                answer => answer.map(drop),
            }
        }
    }
}

/// A connection without its consent, and the consent.
fn apart(document: &Value) -> (Value, Option<Value>) {
    let mut document = document.clone();
    let consent = document.as_object_mut().and_then(|fields| fields.remove("consent"));
    (document, consent.filter(|consent| !consent.is_null()))
}

/// Saves a document. Gives the version that it has then, where the API says it.
async fn put(
    api: &Api,
    step: &Step,
    doing: &str,
    body: &Value,
    condition: Condition,
) -> Result<Option<u64>, ApiError> {
    let path = [plural(step.kind), step.id.as_str()];
    let refused = match api.send(&Call::new(Method::PUT, doing, &path).json(body).only_if(condition)).await {
        Ok(answer) => return Ok(version_of(&answer)),
        Err(error) if error.status() == Some(412) => error,
        Err(error) => return Err(error),
    };
    // An attempt whose answer was lost may have been carried out: then what is there is what was wanted.
    let found = api.get(doing, &path).await.ok().and_then(|answer| Saved::of(&answer.body));
    match found {
        Some(found) if whole(step.kind, &found.document) == whole(step.kind, body) => Ok(Some(found.version)),
        _ => Err(refused),
    }
}

fn version_of(answer: &Answer) -> Option<u64> {
    answer.version.or_else(|| number(&answer.body, "/version"))
}

async fn agree(
    api: &Api,
    step: &Step,
    consent: Option<&Value>,
    version: Option<u64>,
) -> Result<(), ApiError> {
    let Some(consent) = consent else {
        return Ok(());
    };
    let doing = format!("record the consent of {}", step.name());
    let path = [plural(Kind::Connection), &step.id, "consent"];
    let mut call = Call::new(Method::PUT, &doing, &path).json(&json!({ "text": text(consent, "/text") }));
    call.condition = version.map(Condition::IsVersion);
    api.send(&call).await.map(drop)
}
