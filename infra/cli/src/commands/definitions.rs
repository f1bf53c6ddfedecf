//! `list` and `show` of every kind of definition, and the change of one.

use relay_model::catalog::Kind;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Session, overview};
use crate::Ending;
use crate::api::{ApiError, Call, Condition, Listed, Saved, field, text, texts};
use crate::arguments::{DefinitionCommand, LabelledCommand};
use crate::error::Error;
use crate::files::to_yaml;
use crate::kinds::{plural, shortest};
use crate::table::table;

/// `list` and `show`.
pub(super) async fn carry_out(
    kind: Kind,
    command: &DefinitionCommand,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    match command {
        DefinitionCommand::List => list(kind, None, session).await,
        DefinitionCommand::Show { id } => show(kind, id, session).await,
    }
}

/// `list` and `show` of the kinds that have labels.
pub(super) async fn carry_out_labelled(
    kind: Kind,
    command: &LabelledCommand,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    match command {
        LabelledCommand::List { label } => list(kind, label.as_deref(), session).await,
        LabelledCommand::Show { id } => show(kind, id, session).await,
    }
}

async fn list(kind: Kind, label: Option<&str>, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let mut found = listing(kind, session).await?;
    let nothing = label.and_then(|label| keep_labelled(kind, &mut found, label));
    show_list(kind, &found, nothing, session)
}

/// Lists every definition of a kind, with a note about each that cannot be parsed.
pub(super) async fn listing(kind: Kind, session: &mut Session<'_, '_>) -> Result<Listed, Error> {
    let doing = format!("list the {}", plural(kind));
    let listed = session.api.list(&doing, &[plural(kind)], &[]).await?;
    for problem in &listed.unreadable {
        session.console.note(&format!("warning: {problem}"))?;
    }
    Ok(listed)
}

/// Removes the items without this label; returns a message if none is left.
pub(super) fn keep_labelled(kind: Kind, found: &mut Listed, label: &str) -> Option<String> {
    let has_any = !found.items.is_empty();
    found.items.retain(|item| texts(item, "/document/labels").iter().any(|one| one == label));
    (has_any && found.items.is_empty())
        .then(|| format!("There are no {} with the label {label}.", plural(kind)))
}

/// Formats definitions as a table, or returns `nothing` if there is none.
pub(super) fn show_list(
    kind: Kind,
    found: &Listed,
    nothing: Option<String>,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let Listed { items, unreadable } = found;
    let figures = json!({ "items": items, "unreadable": unreadable });
    session.console.show(&figures, |_| nothing.unwrap_or_else(|| listed(kind, items)))?;
    Ok(Ending::Done)
}

/// `show`.
pub(super) async fn show(kind: Kind, id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("show {} {id}", kind.name());
    let found = session.api.get(&doing, &[plural(kind), id]).await?.body;
    session.console.show(&found, |_| shown(kind, &found))?;
    Ok(Ending::Done)
}

fn listed(kind: Kind, items: &[Value]) -> String {
    let cell = |item: &Value, name: &str| text(item, &format!("/document/{name}"));
    let saved = |item: &Value| by(text(item, "/saved_at"), &text(item, "/saved_by"));
    if items.is_empty() {
        return format!("There are no {} yet.", plural(kind));
    }
    match kind {
        Kind::Settings => {
            let row = |item: &Value| [schedule(field(item, "/document/refresh_schedule")), saved(item)];
            table(["refresh", "saved"], &items.iter().map(row).collect::<Vec<_>>())
        }
        Kind::Source => {
            let row =
                |item: &Value| [cell(item, "id"), cell(item, "format"), cell(item, "location"), saved(item)];
            table(["id", "format", "location", "saved"], &items.iter().map(row).collect::<Vec<_>>())
        }
        Kind::Segment => {
            let kind = |item: &Value| {
                let kinds = ["upload", "rules"];
                let has = |kind: &&str| field(item, &format!("/document/{kind}")).is_some();
                kinds.into_iter().find(has).unwrap_or("query").to_owned()
            };
            let evaluated = |item: &Value| {
                let is_off = field(item, "/document/active") == Some(&Value::Bool(false));
                let text = match field(item, "/document/upload") {
                    _ if is_off => "switched off",
                    Some(_) => "when uploaded",
                    None => "in each run",
                };
                text.to_owned()
            };
            let row = |item: &Value| {
                [cell(item, "id"), cell(item, "name"), kind(item), evaluated(item), saved(item)]
            };
            let headings = ["id", "name", "kind", "evaluated", "saved"];
            table(headings, &items.iter().map(row).collect::<Vec<_>>())
        }
        Kind::Connection => overview::connections(items),
        Kind::Policy => {
            let enabled = |item: &Value| {
                let is_enabled = field(item, "/document/enabled") == Some(&Value::Bool(true));
                if is_enabled { "yes".to_owned() } else { "no".to_owned() }
            };
            let actions = |item: &Value| texts(item, "/document/marketing_actions").join(", ");
            let row = |item: &Value| {
                [cell(item, "id"), cell(item, "name"), enabled(item), actions(item), saved(item)]
            };
            let headings = ["id", "name", "enabled", "marketing actions", "saved"];
            table(headings, &items.iter().map(row).collect::<Vec<_>>())
        }
        Kind::Export => overview::exports(items),
    }
}

/// Formats a time with its author, if known.
pub(super) fn by(at: String, who: &str) -> String {
    if at.is_empty() || who.is_empty() { at } else { format!("{at} by {who}") }
}

/// Formats a schedule.
pub(super) fn schedule(schedule: Option<&Value>) -> String {
    let Some(schedule) = schedule else {
        return "off".to_owned();
    };
    let zone = |at: &str| text(schedule, &format!("/{at}/time_zone"));
    if let Some(minutes) = field(schedule, "/every_minutes") {
        return format!("every {minutes} min");
    }
    if field(schedule, "/daily").is_some() {
        let at = text(schedule, "/daily/at");
        let at = at.strip_suffix(":00").filter(|short| short.len() == 5).unwrap_or(&at);
        return format!("daily at {at} {}", zone("daily"));
    }
    if field(schedule, "/cron").is_some() {
        return format!("cron {} {}", text(schedule, "/cron/expression"), zone("cron"));
    }
    text(schedule, "").replace('_', " ")
}

fn shown(kind: Kind, found: &Value) -> String {
    let document = field(found, "/document").unwrap_or(found);
    // A document that the caller may see only in part, or that is newer than this tool, is shown unchanged.
    let document = shortest(kind, document).unwrap_or_else(|_| document.clone());
    let (version, at, by) = (text(found, "/version"), text(found, "/saved_at"), text(found, "/saved_by"));
    let by = if by.is_empty() { by } else { format!(" by {by}") };
    let standing = overview::standing(found).map(|words| format!("# {words}\n")).unwrap_or_default();
    format!("# version {version}, saved {at}{by}\n{standing}{}", to_yaml(&document))
}

/// Reads a definition, with the version that a change has to name.
pub(super) async fn read(
    kind: Kind,
    id: &str,
    doing: &str,
    session: &Session<'_, '_>,
) -> Result<Saved, Error> {
    let answer = session.api.get(doing, &[plural(kind), id]).await?;
    let found = Saved::of(&answer.body);
    let what = "no document, id and version".to_owned();
    Ok(found.ok_or_else(|| ApiError::Unexpected { doing: doing.to_owned(), what })?)
}

/// Reads a definition, applies `change` to its document, and saves it with a version precondition.
pub(super) async fn change(
    kind: Kind,
    id: &str,
    doing: &str,
    query: Vec<(&str, String)>,
    session: &mut Session<'_, '_>,
    change: impl FnOnce(&mut serde_json::Map<String, Value>) -> Result<(), Error>,
) -> Result<(), Error> {
    let Saved { mut document, version, .. } = read(kind, id, doing, session).await?;
    document.as_object_mut().map(change).transpose()?;
    let path = [plural(kind), id];
    let mut call = Call::new(Method::PUT, doing, &path).json(&document);
    call.query = query;
    let answer = session.api.send(&call.only_if(Condition::IsVersion(version))).await?;
    let version = answer.version.map_or(Value::Null, Value::from);
    for warning in texts(&answer.body, "/warnings") {
        session.console.note(&format!("warning: {warning}"))?;
    }
    let figures = json!({ "id": id, "version": version });
    Ok(session.console.show(&figures, |_| format!("Done: {doing}."))?)
}

/// Removes a definition after confirmation, with a version precondition.
pub(super) async fn remove(
    kind: Kind,
    id: &str,
    query: Vec<(&str, String)>,
    asking: Asking,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let doing = format!("remove {} {id}", kind.name());
    let Saved { version, .. } = read(kind, id, &doing, session).await?;
    if asking == Asking::First {
        if !session.console.screen.is_interactive {
            return Err(Error::Input(
                "there is no terminal to ask for confirmation; pass --yes to remove without asking"
                    .to_owned(),
            ));
        }
        if !session.console.asks(&format!("Really {doing}?"))? {
            return Err(Error::Input("not removed".to_owned()));
        }
    }
    let path = [plural(kind), id];
    let mut call = Call::new(Method::DELETE, &doing, &path).only_if(Condition::IsVersion(version));
    call.query = query;
    session.api.send(&call).await?;
    session.console.show(&json!({ "removed": id }), |_| format!("Removed {} {id}.", kind.name()))?;
    Ok(Ending::Done)
}

/// Whether to ask for confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// Ask first.
    First,
    /// Confirmed already.
    Done,
}

impl Asking {
    /// Converts the flag `--yes`.
    pub(super) const fn unless(is_agreed: bool) -> Self {
        if is_agreed { Self::Done } else { Self::First }
    }
}
