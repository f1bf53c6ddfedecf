//! `plan` and `apply`.

use relay_model::catalog::Kind;
use serde_json::json;

use super::Session;
use crate::Ending;
use crate::api::{ApiError, Checking, Listed, Saved};
use crate::arguments::{ApplyArguments, FilledFolder, PlanArguments};
use crate::console::Form;
use crate::error::Error;
use crate::files::{kinds, read_folder};
use crate::kinds::plural;
use crate::plan::{self, Leftovers, Plan};

/// `plan`.
pub(super) async fn plan(arguments: &PlanArguments, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let leftovers = if arguments.delete { Leftovers::Remove } else { Leftovers::Keep };
    let plan = make(&arguments.folder, leftovers, session).await?;
    session.console.show(&plan::figures(&plan), |paint| plan::in_words(&plan, paint))?;
    let differs = arguments.detailed_exitcode && !plan.steps.is_empty();
    Ok(if differs { Ending::Differences } else { Ending::Done })
}

/// `apply`.
pub(super) async fn apply(
    arguments: &ApplyArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let leftovers = if arguments.delete { Leftovers::Remove } else { Leftovers::Keep };
    let plan = make(&arguments.folder, leftovers, session).await?;
    let words = plan::in_words(&plan, session.console.paint());
    session.console.say(&words)?;
    if !plan.steps.is_empty() && !arguments.yes {
        if !session.console.screen.is_interactive {
            let text = "there is no terminal to ask for confirmation; pass --yes to apply without asking";
            return Err(Error::Input(text.to_owned()));
        }
        if session.console.form == Form::Json {
            session.console.note(&words)?;
        }
        if !session.console.asks("Apply?")? {
            return Err(Error::Input("not applied".to_owned()));
        }
    }
    let checking = Checking::unless(arguments.no_check);
    plan::apply(&session.api, &plan, checking, session.console).await?;
    let mut figures = plan::figures(&plan);
    if let Some(fields) = figures.as_object_mut() {
        fields.insert("applied".to_owned(), json!(plan.steps.len()));
    }
    if session.console.form == Form::Json {
        session.console.show(&figures, |_| String::new())?;
    }
    Ok(Ending::Done)
}

async fn make(
    folder: &FilledFolder,
    leftovers: Leftovers,
    session: &mut Session<'_, '_>,
) -> Result<Plan, Error> {
    let values = session.values_with(&folder.values)?;
    let definitions = read_folder(&folder.folder, &values)?;
    let there = all(session).await?;
    plan::make(&definitions, &there, leftovers, &kinds(&folder.folder))
        .map_err(|faults| Error::Faults { faults })
}

/// Returns every definition, by kind and then by id.
pub(super) async fn all(session: &mut Session<'_, '_>) -> Result<Vec<(Kind, Saved)>, Error> {
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let doing = format!("list the {}", plural(kind));
        let mut saved = Vec::new();
        let query = match kind {
            // `plan` does not show overviews, which cost the API more than the exports themselves.
            Kind::Export => vec![("overview", "none".to_owned())],
            Kind::Settings | Kind::Source | Kind::Segment | Kind::Connection | Kind::Policy => Vec::new(),
        };
        let Listed { items, unreadable } = session.api.list(&doing, &[plural(kind)], &query).await?;
        for problem in unreadable {
            session.console.note(&format!("warning: {problem}"))?;
        }
        for item in items {
            let what = "an item without a document, its id and its version".to_owned();
            saved.push(Saved::of(&item).ok_or_else(|| ApiError::Unexpected { doing: doing.clone(), what })?);
        }
        saved.sort_by(|one, other| one.id.cmp(&other.id));
        found.extend(saved.into_iter().map(|saved| (kind, saved)));
    }
    Ok(found)
}
