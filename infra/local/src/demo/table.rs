//! The demo's summary: the outcomes of all rows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use relay_model::{Counts, Destination, OutcomeKind};
use serde_json::{Map, Value, json};

use super::places::EXPORTS;
use super::story::{Chapter, Told};
use crate::cli::Report;

/// The rows and outcomes of several runs.
#[derive(Default)]
struct Sum {
    rows_in: u64,
    counts: Counts,
    calls: u64,
    mismatches: usize,
}

impl Sum {
    fn of<'a>(runs: impl Iterator<Item = &'a Told>) -> Self {
        let mut sum = Self::default();
        for Told { report, findings, .. } in runs {
            sum.rows_in += report.rows_in;
            sum.counts += report.counts;
            sum.calls += report.calls;
            sum.mismatches += findings.iter().map(super::findings::Findings::mismatch_count).sum::<usize>();
        }
        sum
    }

    fn outcomes(&self) -> BTreeMap<&'static str, u64> {
        OutcomeKind::ALL.iter().map(|kind| (kind.name(), self.counts.of(*kind))).collect()
    }
}

pub(super) fn report(chapters: &[Chapter], duration_seconds: f64) -> Report {
    let all = || chapters.iter().flat_map(|chapter| &chapter.told);
    let sum = Sum::of(all());
    let (rows_in, mismatches) = (sum.rows_in, sum.mismatches);
    let destinations: Map<String, Value> = EXPORTS
        .iter()
        .map(|(destination, _)| {
            let sum = Sum::of(all().filter(|told| told.destination == *destination));
            let figures = json!({
                "rows_in": sum.rows_in,
                "outcomes": sum.outcomes(),
                "mismatches": sum.mismatches,
                "calls": sum.calls,
            });
            (destination.name().to_owned(), figures)
        })
        .collect();
    let figures = json!({
        "rows_in": rows_in,
        "outcomes": sum.outcomes(),
        "mismatches": mismatches,
        "calls": sum.calls,
        "duration_seconds": duration_seconds,
        "destinations": destinations,
    });
    let mut text = String::new();
    write_tables(&mut text, chapters).unwrap_or_default();
    // Totals may hide one row too many in one run and one too few in another.
    let is_complete = all().all(|told| told.report.counts.total() == told.report.rows_in);
    let verdict = match (mismatches, is_complete) {
        (0, true) => "Every row has exactly one outcome, and every list matches its segments.".to_owned(),
        (0, false) => format!("{rows_in} input rows, but only {} have an outcome.", sum.counts.total()),
        (wrong, _) => format!("{wrong} mismatches with the segments."),
    };
    text.push_str(&verdict);
    Report { text, figures, good: mismatches == 0 && is_complete }
}

fn write_tables(text: &mut String, chapters: &[Chapter]) -> std::fmt::Result {
    write_outcomes(text, chapters)?;
    for (destination, _) in EXPORTS {
        write_reasons(text, chapters, destination)?;
    }
    write_findings(text, chapters)?;
    write_notices(text, chapters)?;
    writeln!(text)
}

fn write_outcomes(text: &mut String, chapters: &[Chapter]) -> std::fmt::Result {
    write!(text, "\n{:<38}{:>9}", "run", "rows in")?;
    for kind in OutcomeKind::ALL {
        write!(text, "{:>10}", kind.name())?;
    }
    writeln!(text, "{:>7}", "calls")?;
    for Chapter { title, told } in chapters {
        writeln!(text, "{title}")?;
        for Told { destination, report, .. } in told {
            write!(text, "  {:<36}{:>9}", destination.name(), report.rows_in)?;
            for kind in OutcomeKind::ALL {
                write!(text, "{:>10}", report.counts.of(kind))?;
            }
            writeln!(text, "{:>7}", report.calls)?;
        }
    }
    Ok(())
}

fn write_reasons(text: &mut String, chapters: &[Chapter], destination: Destination) -> std::fmt::Result {
    let mut reasons: BTreeMap<(OutcomeKind, &str, &str), u64> = BTreeMap::new();
    for reason in of(chapters, destination).flat_map(|told| &told.report.reasons) {
        *reasons.entry((reason.kind, &reason.code, &reason.text)).or_insert(0) += reason.rows;
    }
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nWhy rows were not applied, {destination}:")?;
    for ((kind, code, reason), rows) in reasons {
        writeln!(text, "{rows:>7}  {:<9} {code}: {reason}", kind.name())?;
    }
    Ok(())
}

fn write_findings(text: &mut String, chapters: &[Chapter]) -> std::fmt::Result {
    writeln!(text, "\nThe destinations' own lists after each run:")?;
    for Chapter { title, told } in chapters {
        writeln!(text, "{title}")?;
        for Told { destination, findings, .. } in told {
            for one in findings {
                write!(
                    text,
                    "  {:<18}{:<15}{:>6} expected, {:>6} there, {:>3} strangers untouched",
                    destination.name(),
                    one.list,
                    one.expected,
                    one.present,
                    one.strangers
                )?;
                for (exception, people) in &one.exceptions {
                    write!(text, ", {people} {exception}")?;
                }
                for (mismatch, count) in &one.mismatches {
                    write!(text, ", {count} WRONG: {mismatch}")?;
                }
                writeln!(text)?;
            }
        }
    }
    Ok(())
}

fn write_notices(text: &mut String, chapters: &[Chapter]) -> std::fmt::Result {
    let mut said = BTreeSet::new();
    for (destination, _) in EXPORTS {
        for notice in of(chapters, destination).flat_map(|told| &told.report.notices) {
            if said.is_empty() {
                writeln!(text, "\nNotices:")?;
            }
            if said.insert((destination.name(), notice)) {
                writeln!(text, "  {destination}: {notice}")?;
            }
        }
    }
    Ok(())
}

fn of(chapters: &[Chapter], destination: Destination) -> impl Iterator<Item = &Told> {
    chapters.iter().flat_map(|chapter| &chapter.told).filter(move |told| told.destination == destination)
}
