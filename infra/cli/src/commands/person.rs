//! `person`: access to and erasure of one person's data.

use std::io::Read;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::download::download_into;
use super::{Session, follow};
use crate::Ending;
use crate::api::{Call, field, number, text, texts};
use crate::arguments::{ExclusionCommand, PersonCommand, Who};
use crate::error::Error;
use crate::files::FileError;
use crate::table::{grouped, minute, table};

/// The maximum size of a key file, in bytes.
const MAX_KEY_FILE_BYTES: u64 = 4_096;
/// How long a request and its runs are watched, in polls: a day, at one poll per second.
const REQUEST_POLLS: u32 = 24 * 60 * 60;

/// Runs one of the commands.
pub(super) async fn carry_out(
    command: &PersonCommand,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    match command {
        PersonCommand::Export { who, out } => export(who, out.as_deref(), session).await,
        PersonCommand::Erase { who, yes: true } => erase(who, session).await,
        PersonCommand::Erase { who, yes: false } => {
            let ending = export(who, None, session).await?;
            session.console.note("Nothing was changed. To erase the data and exclude the person: --yes")?;
            Ok(ending)
        }
        PersonCommand::Exclusions(ExclusionCommand::List { limit }) => exclusions(*limit, session).await,
        PersonCommand::Exclusions(ExclusionCommand::Lift { id }) => lift(id, session).await,
    }
}

async fn export(who: &Who, out: Option<&Path>, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = "export the person's data";
    let mut shown = ask("export", doing, who, session).await?;
    if let (Some(path), Some(link)) = (out, field(&shown, "/found/url").and_then(Value::as_str)) {
        download_into(path, doing, link).await?;
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("found".to_owned(), json!({ "file": path.display().to_string() }));
        }
    }
    session.console.show(&shown, |_| {
        let mut blocks = in_words(&shown);
        if field(&shown, "/found/url").is_some() && !places(&shown).is_empty() {
            blocks.push("To write it to a file: segment-relay person export … --out FILE".to_owned());
        }
        blocks.extend(out.map(|path| format!("The data is in {}", path.display())));
        blocks.join("\n\n")
    })?;
    Ok(ending(&shown))
}

async fn erase(who: &Who, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let shown = ask("erasure", "erase the person", who, session).await?;
    session.console.show(&shown, |_| in_words(&shown).join("\n\n"))?;
    Ok(ending(&shown))
}

/// Creates a request for one person, and watches it until it and its runs end or are held.
async fn ask(kind: &str, doing: &str, who: &Who, session: &mut Session<'_, '_>) -> Result<Value, Error> {
    let (name, file) = match (&who.member_key_file, &who.match_key_file) {
        (Some(file), _) => ("member_key", file),
        (None, Some(file)) => ("match_key", file),
        (None, None) => {
            return Err(Error::Input(
                "select the person with --member-key-file or --match-key-file".to_owned(),
            ));
        }
    };
    let key = key_in(file, session)?;
    let path = ["person-requests"];
    let call = Call::new(Method::POST, doing, &path).json(&json!({ "kind": kind, name: key }));
    let request_id = text(&session.api.send(&call).await?.body, "/request_id");
    if request_id.is_empty() {
        return Err(call.unexpected("no request_id").into());
    }
    let mut said = None;
    for pause in follow::pauses(REQUEST_POLLS) {
        let shown = session.api.get(doing, &["person-requests", &request_id]).await?.body;
        let line = line(&shown);
        if said.as_ref() != Some(&line) {
            session.console.progress(&line)?;
            said = Some(line);
        }
        if is_still(&shown) {
            return Ok(shown);
        }
        tokio::time::sleep(session.poll * pause).await;
    }
    Err(Error::Input(format!(
        "request {request_id} and its runs did not end within a day; see: segment-relay runs list"
    )))
}

/// Reads the key from a file or from the terminal. Errors never contain it.
fn key_in(file: &Path, session: &mut Session<'_, '_>) -> Result<String, Error> {
    let mut key = String::new();
    if file == Path::new("-") {
        (&mut *session.console.input).take(MAX_KEY_FILE_BYTES).read_to_string(&mut key)?;
    } else {
        let opened = std::fs::File::open(file).map_err(FileError::file(file))?;
        opened.take(MAX_KEY_FILE_BYTES).read_to_string(&mut key).map_err(FileError::file(file))?;
    }
    let key = key.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    if key.trim().is_empty() || key.lines().count() > 1 {
        return Err(Error::Input(format!("{}: the file must have one line with one key", file.display())));
    }
    Ok(key.to_owned())
}

fn items<'a>(shown: &'a Value, pointer: &str) -> &'a [Value] {
    field(shown, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn places(shown: &Value) -> &[Value] {
    items(shown, "/request/places")
}

/// Formats a request's progress as one line.
fn line(shown: &Value) -> String {
    let state = text(shown, "/request/state");
    if state == "running" {
        let read =
            |name: &str| grouped(number(shown, &format!("/request/progress/{name}")).unwrap_or_default());
        return format!("{state}  {} of {} objects read", read("objects_read"), read("objects"));
    }
    let runs = items(shown, "/runs").iter();
    let runs = runs.map(|run| format!("{} {}", text(run, "/export"), text(run, "/state")));
    [state].into_iter().chain(runs).collect::<Vec<_>>().join("  ")
}

/// Returns whether the request makes no further progress on its own.
fn is_still(shown: &Value) -> bool {
    let is_over =
        |run: &Value| matches!(text(run, "/state").as_str(), "succeeded" | "failed" | "canceled" | "");
    text(shown, "/request/state") != "running"
        && items(shown, "/runs").iter().all(|run| is_over(run) || is_held(run))
}

/// Returns whether a run, or the run that it waits for, is held for approval.
fn is_held(run: &Value) -> bool {
    ["/state", "/waits_for/state"].iter().any(|pointer| text(run, pointer) == "held")
}

/// Returns the exit status for a request.
fn ending(shown: &Value) -> Ending {
    let runs = || items(shown, "/runs").iter().map(|run| text(run, "/state"));
    let is_left =
        |place: &Value| matches!(text(place, "/action").as_str(), "cannot_run" | "forgotten_but_on_list");
    let is_failed = text(shown, "/request/state") != "succeeded"
        || runs().any(|state| state == "failed" || state == "canceled")
        || places(shown).iter().any(is_left);
    if is_failed {
        Ending::Failed
    } else if items(shown, "/runs").iter().any(is_held) {
        Ending::Held
    } else {
        Ending::Done
    }
}

fn in_words(shown: &Value) -> Vec<String> {
    let mut blocks = Vec::new();
    if let Some(failure) = field(shown, "/request/failure") {
        blocks.push(format!("It failed: {}", text(failure, "/text")));
    }
    let place = |place: &Value| {
        let whose = field(place, "/export").or_else(|| field(place, "/segment"));
        [
            text(place, "/what").replace('_', " "),
            whose.map(|whose| text(whose, "")).unwrap_or_default(),
            text(place, "/target_list"),
            text(place, "/records"),
            minute(&text(place, "/kept_since")),
            minute(&text(place, "/ends_at")),
            text(place, "/action").replace('_', " "),
        ]
    };
    let rows: Vec<_> = places(shown).iter().map(place).collect();
    blocks.push(if rows.is_empty() {
        "Nothing is stored about the person.".to_owned()
    } else {
        table(["what", "of", "list", "records", "since", "expires", "done"], &rows)
    });
    let run = |run: &Value| {
        let ahead = [text(run, "/waits_for/run_id"), text(run, "/waits_for/state")].join(" ");
        [text(run, "/export"), text(run, "/run_id"), text(run, "/state"), ahead.trim().to_owned()]
    };
    let runs: Vec<_> = items(shown, "/runs").iter().map(run).collect();
    if !runs.is_empty() {
        blocks.push(table(["export", "run", "state", "waits for"], &runs));
    }
    let reasons = places(shown).iter().filter_map(|place| {
        Some(format!(
            "action required: {} {}: {}",
            text(place, "/export"),
            text(place, "/target_list"),
            field(place, "/reason")?.as_str()?
        ))
    });
    let reasons: Vec<String> = reasons.collect();
    if !reasons.is_empty() {
        blocks.push(reasons.join("\n"));
    }
    let end = |one: &Value| [text(one, "/prefix"), text(one, "/what"), minute(&text(one, "/until"))];
    let ends: Vec<_> = items(shown, "/request/ends_by_itself").iter().map(end).collect();
    if !ends.is_empty() {
        let ends = table(["not searched", "", "expires"], &ends);
        blocks.push(ends);
    }
    let kept_out = texts(shown, "/request/kept_out");
    if !kept_out.is_empty() {
        blocks.push(format!(
            "Excluded: {}\nTo remove the exclusion: segment-relay person exclusions lift ID",
            kept_out.join(", ")
        ));
    }
    blocks
}

async fn exclusions(limit: usize, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let items = session.api.list_up_to("list the exclusions", &["erasures"], &[], limit).await?.items;
    session.console.show(&json!({ "items": items }), |_| {
        let row = |item: &Value| {
            [text(item, "/id"), minute(&text(item, "/at")), text(item, "/by"), text(item, "/request_id")]
        };
        let rows: Vec<_> = items.iter().map(row).collect();
        if rows.is_empty() {
            "There are no exclusions.".to_owned()
        } else {
            table(["id", "since", "by", "request"], &rows)
        }
    })?;
    Ok(Ending::Done)
}

async fn lift(id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let doing = format!("lift exclusion {id}");
    session.api.send(&Call::new(Method::DELETE, &doing, &["erasures", id])).await?;
    session.console.show(&json!({ "id": id }), |_| {
        "Lifted. If the person is in the lake, the next run sends them again.".to_owned()
    })?;
    Ok(Ending::Done)
}
