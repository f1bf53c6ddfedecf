//! The demo's last words: what happened to every row.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use relay::model::{Counts, OutcomeKind};
use serde_json::json;

use super::story::Chapter;
use crate::cli::Report;

pub(super) fn report(chapters: &[Chapter], duration_seconds: f64) -> Report {
    let mut counts = Counts::default();
    let (mut rows_in, mut mismatches, mut calls) = (0, 0, 0);
    for chapter in chapters {
        counts += chapter.report.counts;
        rows_in += chapter.report.rows_in;
        calls += chapter.report.calls;
        mismatches += chapter.findings.iter().map(super::Findings::mismatch_count).sum::<usize>();
    }
    let outcomes: BTreeMap<&str, u64> =
        OutcomeKind::ALL.iter().map(|kind| (kind.name(), counts.of(*kind))).collect();
    let is_complete = counts.total() == rows_in;
    let figures = json!({
        "rows_in": rows_in,
        "outcomes": outcomes,
        "mismatches": mismatches,
        "calls": calls,
        "duration_seconds": duration_seconds,
    });
    let mut text = String::new();
    write_table(&mut text, chapters).unwrap_or_default();
    let verdict = match (mismatches, is_complete) {
        (0, true) => {
            "Every row has exactly one outcome, and every person is where the segments say.".to_owned()
        }
        (0, false) => format!("{rows_in} rows came in, but {} have an outcome.", counts.total()),
        (wrong, _) => format!("{wrong} people are NOT where the segments say."),
    };
    text.push_str(&verdict);
    Report { text, figures, good: mismatches == 0 && is_complete }
}

fn write_table(text: &mut String, chapters: &[Chapter]) -> std::fmt::Result {
    write!(text, "\n{:<38}{:>9}", "run", "rows in")?;
    for kind in OutcomeKind::ALL {
        write!(text, "{:>10}", kind.name())?;
    }
    writeln!(text, "{:>7}", "calls")?;
    for chapter in chapters {
        write!(text, "{:<38}{:>9}", chapter.title, chapter.report.rows_in)?;
        for kind in OutcomeKind::ALL {
            write!(text, "{:>10}", chapter.report.counts.of(kind))?;
        }
        writeln!(text, "{:>7}", chapter.report.calls)?;
    }
    writeln!(text, "\nWhy rows were not applied:")?;
    let mut reasons: BTreeMap<(OutcomeKind, &str, &str), u64> = BTreeMap::new();
    for reason in chapters.iter().flat_map(|chapter| &chapter.report.reasons) {
        *reasons.entry((reason.kind, &reason.code, &reason.text)).or_insert(0) += reason.rows;
    }
    for ((kind, code, reason), rows) in reasons {
        writeln!(text, "{rows:>7}  {:<9} {code}: {reason}", kind.name())?;
    }
    writeln!(text, "\nWhat the destination's own lists say after each run:")?;
    for chapter in chapters {
        for (list, findings) in ["newsletter", "big spenders"].into_iter().zip(&chapter.findings) {
            write!(
                text,
                "  {:<37} {list:<13} {:>6} expected, {:>6} there, {:>3} strangers untouched",
                chapter.title, findings.expected, findings.present, findings.strangers
            )?;
            for (exception, people) in &findings.exceptions {
                write!(text, ", {people} {exception}")?;
            }
            for (mismatch, people) in &findings.mismatches {
                write!(text, ", {people} WRONG: {mismatch}")?;
            }
            writeln!(text)?;
        }
    }
    let notices: Vec<&String> = chapters.iter().flat_map(|chapter| &chapter.report.notices).collect();
    if !notices.is_empty() {
        writeln!(text, "\nNotices:")?;
        let mut said = std::collections::BTreeSet::new();
        for notice in notices.into_iter().filter(|notice| said.insert(*notice)) {
            writeln!(text, "  {notice}")?;
        }
    }
    writeln!(text)
}
