//! The result of a race.

use relay_model::run::Report;
use serde_json::json;

/// One run of a race.
#[derive(Clone, Debug)]
pub(super) struct Lap {
    /// Its name.
    pub(super) name: &'static str,
    /// The number of exported profiles.
    pub(super) rows: u64,
    /// The duration of sending, in seconds of the destination's time.
    pub(super) elapsed_seconds: f64,
    /// The minimum duration that the limits allow for the chosen way, in the same seconds.
    pub(super) floor_seconds: f64,
    /// The number of calls that count against the limits.
    pub(super) calls: u64,
    /// The number of calls that the destination throttled, by its own count.
    pub(super) throttled: u64,
    /// The number of profiles whose outcome differs from the destination's own list.
    pub(super) misreported: u64,
    /// The notices of the run.
    pub(super) notices: Vec<String>,
}

impl Lap {
    /// Creates a lap from a run's report; `scale` is the acceleration of the destination's time.
    pub(super) fn new(name: &'static str, report: &Report, floor_seconds: f64, scale: u32) -> Self {
        let push =
            std::time::Duration::from_millis(report.durations.push_ms.unwrap_or_default().unsigned_abs());
        Self {
            name,
            rows: report.rows_in,
            elapsed_seconds: push.as_secs_f64() * f64::from(scale),
            floor_seconds,
            calls: report.calls,
            throttled: report.throttled,
            misreported: 0,
            notices: report.notices.clone(),
        }
    }

    fn line(&self) -> String {
        format!(
            "{:<22}{:>10}{:>14.1}{:>12.1}{:>12.3}{:>10}{:>11}{:>13}",
            self.name,
            self.rows,
            self.elapsed_seconds,
            self.floor_seconds,
            self.over_floor(),
            self.calls,
            self.throttled,
            self.misreported
        )
    }

    fn over_floor(&self) -> f64 {
        if self.floor_seconds > 0.0 { self.elapsed_seconds / self.floor_seconds } else { 1.0 }
    }
}

/// All laps of a race.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The acceleration of the destination's time.
    pub(super) scale: u32,
    /// The first run, into an empty list, and the later ones.
    pub(super) laps: Vec<Lap>,
    /// Other violations that the destination saw: names and counts.
    pub(super) faults: Vec<String>,
}

impl Outcome {
    /// Returns the table and the figures.
    pub(super) fn report(&self) -> crate::cli::Report {
        let head = format!(
            "\n{:<22}{:>10}{:>14}{:>12}{:>12}{:>10}{:>11}{:>13}",
            "run", "rows", "elapsed s", "floor s", "over floor", "calls", "throttled", "misreported"
        );
        let lines = self.laps.iter().map(Lap::line);
        let last = format!("\nSeconds are the destination's, whose time ran {} times as fast.", self.scale);
        let notices = self.laps.iter().flat_map(|lap| &lap.notices).map(|notice| format!("- {notice}"));
        let faults = self.faults.iter().map(|fault| format!("NOT AS IT MUST BE: {fault}"));
        let all: Vec<String> =
            std::iter::once(head).chain(lines).chain([last]).chain(notices).chain(faults).collect();
        let text = all.join("\n");
        let misreported: u64 = self.laps.iter().map(|lap| lap.misreported).sum();
        let first = self.laps.first();
        let figures = json!({
            "rows": first.map(|lap| lap.rows),
            "elapsed_over_floor": first.map(|lap| (lap.over_floor() * 1_000.0).round() / 1_000.0),
            "calls": first.map(|lap| lap.calls),
            "throttled": self.laps.iter().map(|lap| lap.throttled).sum::<u64>(),
            "misreported": misreported,
            "elapsed_seconds": first.map(|lap| lap.elapsed_seconds.round()),
            "floor_seconds": first.map(|lap| lap.floor_seconds.round()),
            "second_run_calls": self.laps.get(1).map(|lap| lap.calls),
            "scale": self.scale,
            "faults": self.faults,
        });
        let good = self.faults.is_empty() && misreported == 0;
        crate::cli::Report { text, figures, good }
    }
}
