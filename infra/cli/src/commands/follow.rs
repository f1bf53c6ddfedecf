//! Watching a run.

use serde_json::Value;

use super::{Session, report};
use crate::Ending;
use crate::api::{field, number, text};
use crate::error::Error;
use crate::table::{duration, grouped};

/// The number of polls after which a run is polled less often.
const FREQUENT_LOOKS: usize = 20;
/// The factor by which the poll interval grows.
const RARELY: u32 = 4;
/// How long a run is watched, in polls: a day, at one poll per second.
const RUN_POLLS: u32 = 24 * 60 * 60;
/// The width of the progress bar, in characters.
const BAR_CHARACTERS: u64 = 24;

/// Watches a run until it ends or is held, and shows the result.
pub(super) async fn follow(run_id: &str, session: &mut Session<'_, '_>) -> Result<Ending, Error> {
    let run = until_still(run_id, session).await?;
    session.console.show(&run, |paint| report::run(&run, paint))?;
    Ok(ending(&run))
}

/// Watches a run until it ends or is held.
pub(super) async fn until_still(run_id: &str, session: &mut Session<'_, '_>) -> Result<Value, Error> {
    let doing = format!("watch run {run_id}");
    let mut said = None;
    for pause in pauses(RUN_POLLS) {
        let run = session.api.get(&doing, &["runs", run_id]).await?.body;
        let percent = number(&run, "/progress_percent");
        // Without a terminal, a line is printed only when something has changed.
        let news = (text(&run, "/state"), percent.map(|percent| percent / 10), text(&run, "/pause/until"));
        if session.console.screen.has_progress || said.as_ref() != Some(&news) {
            session.console.progress(&line(&run))?;
            said = Some(news);
        }
        if is_still(&run) {
            return Ok(run);
        }
        tokio::time::sleep(session.poll * pause).await;
    }
    Err(Error::Input(format!(
        "run {run_id} has not ended within a day. To see its progress: segment-relay runs show {run_id}; to keep watching: \
         segment-relay runs follow {run_id}"
    )))
}

/// Returns the pauses between polls, which add up to `polls` polls.
pub(super) fn pauses(polls: u32) -> impl Iterator<Item = u32> {
    let mut left = polls;
    let pauses = std::iter::repeat_n(1, FREQUENT_LOOKS).chain(std::iter::repeat(RARELY));
    pauses.map_while(move |pause| {
        let pause = pause.min(left);
        left -= pause;
        (pause > 0).then_some(pause)
    })
}

fn is_still(run: &Value) -> bool {
    matches!(text(run, "/state").as_str(), "succeeded" | "failed" | "canceled" | "held")
}

/// Returns the exit status for a run.
pub(super) fn ending(run: &Value) -> Ending {
    match text(run, "/state").as_str() {
        "failed" | "canceled" => Ending::Failed,
        "held" => Ending::Held,
        _ => Ending::Done,
    }
}

/// Formats a run's progress as one line.
fn line(run: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(percent) = number(run, "/progress_percent") {
        let done = (percent.min(100) * BAR_CHARACTERS / 100).min(BAR_CHARACTERS);
        let bar: String = (0..BAR_CHARACTERS).map(|place| if place < done { '#' } else { '-' }).collect();
        parts.push(format!("[{bar}] {percent:>3} %"));
    }
    parts.push(text(run, "/state"));
    if let Some(rows_in) = number(run, "/rows_in") {
        let done = number(run, "/rows_done").unwrap_or_default();
        parts.push(format!("{} of {} rows", grouped(done), grouped(rows_in)));
    }
    if let Some(calls) = number(run, "/calls").filter(|calls| *calls > 0) {
        parts.push(format!("{} calls", grouped(calls)));
    }
    if let Some(remaining_ms) = number(run, "/remaining_ms") {
        parts.push(format!("about {} left", duration(remaining_ms.div_ceil(1_000))));
    }
    if field(run, "/ended_at").is_none() && field(run, "/pause").is_some() {
        parts.push(format!("waiting until {}: {}", text(run, "/pause/until"), text(run, "/pause/text")));
    }
    parts.join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(run: &Value, expected: &str, is_over: bool) {
        assert_eq!(line(run), expected);
        assert_eq!(is_still(run), is_over);
    }

    #[test]
    fn watching_has_an_end() {
        for polls in [0, 1, 20, 21, 300, RUN_POLLS] {
            assert_eq!(pauses(polls).sum::<u32>(), polls);
        }
        assert_eq!(pauses(27).skip(18).collect::<Vec<_>>(), [1, 1, 4, 3]);
    }

    #[test]
    fn a_line_says_where_the_run_is() {
        check(&json!({"state": "snapshotting", "rows_in": null, "calls": 0}), "snapshotting", false);
        check(
            &json!({
                "state": "pushing", "rows_in": 10_000, "rows_done": 4_500, "progress_percent": 45,
                "calls": 12, "remaining_ms": 61_000,
            }),
            "[##########--------------]  45 %  pushing  4,500 of 10,000 rows  12 calls  about 61 s left",
            false,
        );
        let pause = json!({"until": "2026-11-22T00:00:00Z", "text": "the day's calls are used up"});
        check(
            &json!({"state": "pushing", "pause": pause}),
            "pushing  waiting until 2026-11-22T00:00:00Z: the day's calls are used up",
            false,
        );
        check(&json!({"state": "held"}), "held", true);
        check(
            &json!({"state": "succeeded", "ended_at": "2026-11-22T00:00:00Z", "pause": pause}),
            "succeeded",
            true,
        );
    }
}
