//! `segments similar`, `suggest` and `describe`: segments that are found, seen before they are made.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Session, measure, quick, segments};
use crate::Ending;
use crate::api::{Call, field, number, text};
use crate::arguments::{AmongArguments, DescribeArguments, SimilarArguments, SuggestArguments};
use crate::error::Error;
use crate::table::{grouped, table};

/// Finds people who are like a segment's members, and saves them where that is asked for.
pub(super) async fn similar(
    arguments: &SimilarArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let SimilarArguments { id, among, share, with_members, save, name } = arguments;
    let request = fields([
        ("share_percent", Some(json!(share))),
        ("members", Some(json!(if *with_members { "included" } else { "left_out" }))),
        ("columns", Some(json!(among.columns))),
        ("among", population(among)?),
        ("id", save.as_ref().filter(|id| !id.is_empty()).map(|id| json!(id))),
        ("name", name.as_ref().map(|name| json!(name))),
    ]);
    let doing = format!("find people like those of segment {id}");
    let path = ["segments", id, "similar"];
    let call = Call::new(Method::POST, &doing, &path).json(&request);
    let Some(found) = asked(&call, "/result/similar", session).await? else { return Ok(Ending::Failed) };
    session.console.show(&found, |_| shown_similar(&found))?;
    if save.is_some() {
        saved(field(&found, "/draft"), session).await?;
    }
    Ok(Ending::Done)
}

/// Finds groups that stand out, and saves those whose numbers are given.
pub(super) async fn suggest(
    arguments: &SuggestArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let SuggestArguments { among, goal, id, save } = arguments;
    let population = population(among)?.ok_or_else(|| {
        Error::Input("say among whom: --source SOURCE --member-key COLUMN, or --among SEGMENT".to_owned())
    })?;
    let request = fields([
        ("id", Some(json!(id))),
        ("among", Some(population)),
        ("columns", Some(json!(among.columns))),
        ("goal", goal.as_ref().map(|goal| json!(goal))),
    ]);
    let call = Call::new(Method::POST, "find groups that stand out", &["segment-suggestions"]).json(&request);
    let Some(found) = asked(&call, "/result/suggestions", session).await? else { return Ok(Ending::Failed) };
    let suggestions = items(&found, "/suggestions");
    session.console.show(&found, |_| shown_suggestions(&found, &suggestions))?;
    for wanted in save {
        let place = wanted.checked_sub(1);
        let suggestion = place.and_then(|place| suggestions.get(place)).ok_or_else(|| {
            Error::Input(format!("--save {wanted}: there are {} suggestions", suggestions.len()))
        })?;
        saved(field(suggestion, "/draft"), session).await?;
    }
    Ok(Ending::Done)
}

/// Has a description read, and saves the draft where that is asked for and all of it was understood.
pub(super) async fn describe(
    arguments: &DescribeArguments,
    session: &mut Session<'_, '_>,
) -> Result<Ending, Error> {
    let DescribeArguments { id, description, source, member_key, save, partly } = arguments;
    let request = json!({ "id": id, "description": description, "source": source, "member_key": member_key });
    let call = Call::new(Method::POST, "read the description", &["segment-descriptions"]).json(&request);
    let Some(found) = asked(&call, "/result/described", session).await? else { return Ok(Ending::Failed) };
    let is_whole = items(&found, "/not_understood").is_empty();
    session.console.show(&found, |_| shown_description(&found))?;
    if !*save {
        return Ok(Ending::Done);
    }
    if !is_whole && !*partly {
        let why = "it is not saved, because a part was not understood; say it otherwise, or add --partly";
        session.console.note(why)?;
        return Ok(Ending::Failed);
    }
    saved(field(&found, "/draft"), session).await?;
    Ok(Ending::Done)
}

/// An object of the fields that have a value.
pub(super) fn fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect())
}

/// What was found; nothing where there is nothing to be found, which is told.
async fn asked(
    call: &Call<'_>,
    pointer: &str,
    session: &mut Session<'_, '_>,
) -> Result<Option<Value>, Error> {
    let answer = segments::wait_for_preview(call, segments::PREVIEW_MINUTES, session).await?;
    if text(&answer, "/state") != "failed" {
        let found = field(&answer, pointer).cloned();
        return found.map(Some).ok_or_else(|| call.strange("nothing that was found").into());
    }
    session.console.show(&answer, |_| {
        let (code, words) = (text(&answer, "/result/error/code"), text(&answer, "/result/error/text"));
        format!("There is no draft: {words} ({code})")
    })?;
    Ok(None)
}

/// Counts a draft's members and saves it.
async fn saved(draft: Option<&Value>, session: &mut Session<'_, '_>) -> Result<(), Error> {
    let draft = draft.cloned().unwrap_or_default();
    let id = text(&draft, "/id");
    let doing = format!("preview segment {id}");
    let call = Call::new(Method::POST, &doing, &["previews"]).json(&draft);
    let seen = segments::wait_for_preview(&call, segments::PREVIEW_MINUTES, session).await?;
    if text(&seen, "/state") == "failed" {
        let (code, words) = (text(&seen, "/result/error/code"), text(&seen, "/result/error/text"));
        return Err(Error::Input(format!("segment {id} is not made: {words} ({code})")));
    }
    let members = number(&seen, "/result/rows").map(grouped).unwrap_or_default();
    quick::make(&id, &draft, session).await?;
    Ok(session.console.note(&format!("Made segment {id}. It has {members} members now."))?)
}

/// Among whom is looked; nothing where nobody says.
fn population(among: &AmongArguments) -> Result<Option<Value>, Error> {
    let AmongArguments { source, member_key, among, measures, columns: _ } = among;
    let measures: Vec<Value> = measures.iter().map(|one| measure::read(one)).collect::<Result<_, _>>()?;
    if among.is_none() && source.is_none() {
        if measures.is_empty() {
            return Ok(None);
        }
        let problem =
            "--measure needs --source SOURCE --member-key COLUMN, or --among SEGMENT: whom it is of";
        return Err(Error::Input(problem.to_owned()));
    }
    Ok(Some(fields([
        ("segment", among.as_ref().map(|segment| json!(segment))),
        ("source", source.as_ref().map(|source| json!(source))),
        ("member_key", member_key.as_ref().map(|column| json!(column))),
        ("measures", Some(json!(measures))),
    ])))
}

fn items(value: &Value, pointer: &str) -> Vec<Value> {
    field(value, pointer).and_then(Value::as_array).cloned().unwrap_or_default()
}

/// A number as it came.
fn figure(value: &Value, pointer: &str) -> String {
    text(value, pointer)
}

fn count(value: &Value, pointer: &str) -> String {
    number(value, pointer).map(grouped).unwrap_or_default()
}

fn shown_similar(found: &Value) -> String {
    let traits: Vec<[String; 5]> = items(found, "/traits")
        .iter()
        .map(|one| {
            let percent = |pointer: &str| format!("{} %", figure(one, pointer));
            let odds = format!("× {}", figure(one, "/odds"));
            [
                text(one, "/column"),
                text(one, "/value"),
                percent("/members_percent"),
                percent("/others_percent"),
                odds,
            ]
        })
        .collect();
    let bands: Vec<[String; 2]> = items(found, "/scores")
        .iter()
        .map(|band| {
            [format!("{} to {}", figure(band, "/from"), figure(band, "/below")), count(band, "/others")]
        })
        .collect();
    let mut lines = vec![
        format!(
            "{} members and {} others; {} of them were looked at. Of a member and somebody else, the member scores higher \
             in {} of 100 cases (a coin: 50).",
            count(found, "/members"),
            count(found, "/others"),
            count(found, "/sampled"),
            figure(found, "/told_apart_percent")
        ),
        String::new(),
        table(["column", "value", "of members", "of others", "odds"], &traits),
        String::new(),
        table(["similarity", "others"], &bands),
        String::new(),
        format!(
            "Draft {}: about {} others, with a similarity of {} at the least.",
            text(found, "/draft/id"),
            count(found, "/others_expected"),
            figure(found, "/least_similarity")
        ),
    ];
    lines.extend(left_out(found));
    lines.join("\n")
}

fn shown_suggestions(found: &Value, suggestions: &[Value]) -> String {
    let rows: Vec<[String; 5]> = suggestions
        .iter()
        .zip(1..)
        .map(|(one, place): (&Value, usize)| {
            let conditions: Vec<String> =
                items(one, "/conditions").iter().map(|condition| text(condition, "")).collect();
            let figures: Vec<String> = items(one, "/figures").iter().map(shown_figure).collect();
            let share = format!("{} %", figure(one, "/percent"));
            [
                place.to_string(),
                conditions.join(", "),
                count(one, "/members_expected"),
                share,
                figures.join("; "),
            ]
        })
        .collect();
    let mut lines = vec![format!(
        "{} people; {} of them were looked at.",
        count(found, "/people"),
        count(found, "/sampled")
    )];
    if rows.is_empty() {
        lines.push("No group stands out.".to_owned());
    } else {
        lines.extend([String::new(), table(["", "who", "about", "of all", "what stands out"], &rows)]);
    }
    lines.extend(left_out(found));
    lines.join("\n")
}

fn shown_description(found: &Value) -> String {
    let rows = |pointer: &str, second: &str| {
        let row = |one: &Value| [text(one, "/words"), text(one, second)];
        items(found, pointer).iter().map(row).collect::<Vec<[String; 2]>>()
    };
    let mut lines = vec![table(["words", "understood as"], &rows("/understood", "/meaning"))];
    let not = rows("/not_understood", "/why");
    lines.extend(not.iter().map(|[words, why]| format!("not understood: \"{words}\" {why}")));
    lines.join("\n")
}

fn shown_figure(one: &Value) -> String {
    let (column, here, overall) = (text(one, "/column"), figure(one, "/here"), figure(one, "/overall"));
    match text(one, "/unit").as_str() {
        "percent" => format!("{column} is {}: {here} % (of all {overall} %)", text(one, "/value")),
        "days_ago" => format!("{column}: {here} days ago (of all {overall})"),
        _ => format!("{column}: {here} (of all {overall})"),
    }
}

/// What else there is to know, in a line each: further rows, and the columns that are not used.
fn left_out(found: &Value) -> Vec<String> {
    let line = |one: &Value| format!("not used: {} {}", text(one, "/column"), text(one, "/why"));
    let rows = number(found, "/further_rows").filter(|rows| *rows > 0);
    let rows = rows.map(|rows| {
        format!("warning: {} rows are further ones of somebody; the draft asks each of them", grouped(rows))
    });
    rows.into_iter().chain(items(found, "/left_out").iter().map(line)).collect()
}
