//! No address, name, match key, member key or credential is in any error, reason, notice, job, target or event.

use super::refusals::check_secrets;
use crate::driver::Allowance;
use crate::harness::{Calls, Harness};
use crate::people::{self, removals};
use crate::stage::Stage;
use futures_util::future::join_all;
use relay_connectors::{Connector, PushError, Pushed};
use relay_delivery::batch::RowResult;
use relay_model::batch::Kind;
use relay_model::{Outcome, Row};
use sandbox::faults::FaultKind;
use serde_json::json;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps the text of every event of ours.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Other crates' events are the log filter's to hold back.
        metadata.target().starts_with("relay")
    }

    fn event(&self, event: &Event<'_>) {
        let mut lines = self.0.lock().unwrap();
        event.record(&mut Fields(&mut lines));
        lines.push('\n');
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut Fields(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.0.lock().unwrap()));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Answers that repeat what was asked, in every form in which a destination might.
fn answers(words: &str) -> Vec<FaultKind> {
    let record = json!({"status": "skipped", "reasons": [{"code": "1003", "message": words}]});
    let talkative = |code: &str| {
        json!({
            "Code": code.parse::<i64>().ok(),
            "Message": words,
            "ResultData": {"FailureDetails": [{"EmailAddress": words, "Code": 1, "Message": words}]},
            "success": false,
            "requestId": words,
            "errors": [{"code": code, "message": words}],
            "result": [record],
            "error": {"code": code, "message": words},
            "error_description": words,
            "type": words,
            "title": words,
            "detail": words,
            "status": words,
        })
        .to_string()
    };
    let statuses = [200, 202, 400, 401, 403, 404, 409, 413, 422, 429, 500];
    let mut bodies: Vec<(u16, String)> = statuses.map(|status| (status, talkative("610"))).into();
    bodies.extend(
        ["1", "100", "205", "601", "603", "1003", "0x80040217", "0x80040220"]
            .map(|code| (400, talkative(code))),
    );
    bodies.extend([200, 400, 500].map(|status| (status, format!("<p>{words}</p>"))));
    bodies.push((200, json!({"success": true, "result": [record]}).to_string()));
    bodies.push((200, json!([{"ClientID": words, "State": words}]).to_string()));
    bodies.push((200, json!({"access_token": words, "token_type": words, "expires_in": words}).to_string()));
    bodies.into_iter().map(|(status, body)| FaultKind::Answer { status, body }).collect()
}

/// All that results say, but for the destination's ids, which are stored with the person.
fn said_of_rows(results: &[RowResult]) -> String {
    let outcomes: Vec<&Outcome> = results.iter().map(|result| &result.outcome).collect();
    format!("{outcomes:?}")
}

fn said<J: serde::Serialize>(sent: Result<Pushed<J>, PushError>) -> String {
    match sent {
        Ok(Pushed::Done(results)) => said_of_rows(&results),
        Ok(Pushed::Partly(results, error)) => format!("{} {error} {error:?}", said_of_rows(&results)),
        Ok(Pushed::Accepted { job, .. }) => serde_json::to_string(&job).unwrap(),
        Err(error) => format!("{error} {error:?}"),
    }
}

fn said_otherwise<T>(sent: Result<T, PushError>, words: impl FnOnce(T) -> String) -> String {
    match sent {
        Ok(sent) => words(sent),
        Err(error) => format!("{error} {error:?}"),
    }
}

/// How an answer repeats what it was asked: by number, so that each sandbox's own credentials are in it.
type Answer = fn(&str) -> Vec<FaultKind>;

/// Everything that a connector can be asked, while every call is answered like this; once by a connector that has no
/// access token yet, and once by one that has.
async fn ask_everything<H: Harness>(answers: Answer, number: usize) -> String {
    let time = H::LEAST_TIME + Duration::from_millis(700);
    let stage = Stage { time, ..Stage::<H>::open().await };
    let (rows, results) = stage.deliver(0..3).await;
    let leavers = removals(&rows, &results);
    let rejoiners: Vec<Row> =
        stage.rows(3..6).into_iter().map(|row| Row { is_rejoin: true, ..row }).collect();
    let (fresh, known) = (stage.connector(), stage.connector());
    let context = stage.allowance().context(&known);
    let submitted = stage.attempt(&known, Kind::Upsert, &rejoiners, &context).await;
    let words = words(&stage.harness);
    stage.harness.fault(Calls::Any, &answers(&words)[number], 100_000);

    let mut text = serde_json::to_string(&stage.prepared.target).unwrap();
    write!(text, "{:?} {}", stage.prepared.notices, stage.prepared.terms).unwrap();
    if let Ok(Pushed::Accepted { job, .. }) = submitted {
        let context = stage.allowance().context(&known);
        let frame = stage.frame(&rejoiners);
        text += &said(known.poll(&stage.prepared.target, job, &frame, &context).await);
    } else {
        text += &said(submitted);
    }
    let (one, other) =
        tokio::join!(ask(&stage, &fresh, &rejoiners, &leavers), ask(&stage, &known, &rejoiners, &leavers));
    let found = leak(&stage.harness, &(text.clone() + &one + &other));
    assert_eq!(found, None, "answer {number}: {text}{one}{other}");
    check_secrets(&stage.harness.keys(), &(text.clone() + &one + &other));
    text + &one + &other
}

async fn ask<H: Harness>(stage: &Stage<H>, connector: &H::C, newcomers: &[Row], leavers: &[Row]) -> String {
    let allowance = stage.allowance();
    // Whatever is no batch has no queue that waits, so it waits for as long as it is given.
    let short = Allowance { time: Duration::from_millis(2_500), ..stage.allowance() };
    let contexts = [&allowance, &allowance, &short, &short, &short].map(|each| each.context(connector));
    let (export, wanted) = (stage.harness.export(), stage.harness.wanted());
    let (added, removed, checked, prepared, counted) = tokio::join!(
        stage.attempt(connector, Kind::Upsert, newcomers, &contexts[0]),
        stage.attempt(connector, Kind::Remove, leavers, &contexts[1]),
        connector.check(&contexts[2]),
        connector.prepare(&export, &wanted, &contexts[3]),
        connector.count_members(&stage.prepared.target, &contexts[4]),
    );
    let checked = said_otherwise(checked, |account| format!("{:?}", account.notices));
    let prepared = said_otherwise(prepared, |prepared| format!("{:?} {}", prepared.notices, prepared.terms));
    let counted = said_otherwise(counted, |count| format!("{count:?}"));
    [said(added), said(removed), checked, prepared, counted].concat()
}

/// What no one may say.
fn words<H: Harness>(harness: &H) -> String {
    format!("{} {} osprey-000000 {}", harness.match_key(0).0, people::name(0), harness.keys().join(" "))
}

fn leak<H: Harness>(harness: &H, text: &str) -> Option<String> {
    let keys = (0..6).map(|number| harness.match_key(number).0);
    let mut marks = people::MARKS.iter().map(|mark| (*mark).to_owned()).chain(keys);
    marks.find(|mark| text.contains(mark.as_str()))
}

pub(crate) async fn nothing_personal_and_no_secret_is_ever_said<H: Harness>() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    let harness = H::start().await;
    let count = answers(&words(&harness)).len();
    let text = join_all((0..count).map(|number| ask_everything::<H>(answers, number))).await.concat();
    drop(guard);
    let lines = lines.0.lock().unwrap().clone();
    assert_eq!(leak(&harness, &lines), None, "in: {lines}");
    check_secrets(&harness.keys(), &lines);
    // What is looked for would be found, and there was much to look through.
    assert!(leak(&harness, &words(&harness)).is_some());
    let destination = <H::C as Connector>::DESTINATION.name();
    assert!(text.contains(destination) && text.contains("Never") && text.contains("Backoff"), "{text}");
}
