//! What a connection may say that only this destination knows.

use super::DOMAINS;
use super::dialect::Dialect;
use super::options::OptionsError;
use crate::Endpoint;
use crate::rate::{Place, Rate};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// Lanes unless the connection says otherwise.
pub(super) const DEFAULT_LANES: u16 = 4;
/// Calls a minute, of all keys and integrations of a brand together
/// (<https://api-docs.omnisend.com/reference/rate-limit-timeouts-errors>).
const DOCUMENTED_RATE: Rate = Rate { calls: 400, window_ms: 60_000 };
/// Calls about tags within the same window (same page).
const DOCUMENTED_TAG_CALLS: u32 = 60;
/// How often a batch is looked after unless the connection says otherwise.
const DEFAULT_POLL_MS: u64 = 5_000;
/// How long what was refused for now is left alone unless the connection says otherwise: a quarter of the minute that the
/// documented rates are for (same page).
const DEFAULT_REFUSED_WAIT_MS: u64 = 15_000;
/// When a batch that does not end is given up unless the connection says otherwise.
const DEFAULT_GIVES_UP_AFTER_MINUTES: u32 = 120;

/// What a connection may say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// The version of the API.
    pub(super) dialect: Dialect,
    /// How many pieces of work may be in hand, 1 to 16.
    pub(super) lanes: u16,
    /// Calls within a window; fewer than are documented leave room to the brand's other integrations.
    pub(super) rate: Rate,
    /// Another address of the API.
    pub(super) endpoint: Option<String>,
    /// How often a batch is looked after, in milliseconds.
    pub(super) poll_ms: u64,
    /// How long a brand that refuses calls without saying for how long is left alone, and how long rows that it did not
    /// take go again after, the first time; in milliseconds.
    pub(super) refused_wait_ms: u64,
    /// When a batch that does not end is given up.
    pub(super) gives_up_after_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            lanes: DEFAULT_LANES,
            rate: DOCUMENTED_RATE,
            endpoint: None,
            poll_ms: DEFAULT_POLL_MS,
            refused_wait_ms: DEFAULT_REFUSED_WAIT_MS,
            gives_up_after_minutes: DEFAULT_GIVES_UP_AFTER_MINUTES,
        }
    }
}

impl Settings {
    /// Calls about tags within the window: their share of the documented rate.
    pub(super) fn tag_calls(&self) -> u32 {
        (self.rate.calls * DOCUMENTED_TAG_CALLS / DOCUMENTED_RATE.calls).max(1)
    }

    /// Where the API is; another address than the vendor's is checked when the connector is made.
    fn place(&self) -> Place {
        let endpoint = self.endpoint.as_deref().and_then(|text| Endpoint::parse(text, DOMAINS).ok());
        endpoint.as_ref().map_or(Place::Anywhere, Place::of)
    }

    /// How long what the brand refused for now waits.
    pub(super) const fn refused_wait(&self) -> Duration {
        Duration::from_millis(self.refused_wait_ms)
    }

    pub(super) fn parse(settings: &Map<String, Value>) -> Result<Self, OptionsError> {
        let found: Self = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| OptionsError(format!("settings: {error}")))?;
        let refuse = |problem: &str| Err(OptionsError(format!("settings.{problem}")));
        if !(1..=16).contains(&found.lanes) {
            return refuse("lanes must be 1 to 16");
        }
        if let Err(problem) = found.rate.pace(DOCUMENTED_RATE, found.place()) {
            return refuse(&problem);
        }
        if !(100..=300_000).contains(&found.poll_ms) {
            return refuse("poll_ms must be 100 to 300000");
        }
        if !(100..=300_000).contains(&found.refused_wait_ms) {
            return refuse("refused_wait_ms must be 100 to 300000");
        }
        if !(1..=1_440).contains(&found.gives_up_after_minutes) {
            return refuse("gives_up_after_minutes must be 1 to 1440");
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(settings: &Value, expected: Result<(Dialect, u16, u32), &str>) {
        let found = Settings::parse(settings.as_object().unwrap());
        let found = found
            .map(|found| (found.dialect, found.lanes, found.rate.calls))
            .map_err(|error| error.to_string());
        match expected {
            Ok(expected) => assert_eq!(found, Ok(expected), "{settings}"),
            Err(start) => assert!(found.clone().unwrap_err().starts_with(start), "{settings}: {found:?}"),
        }
    }

    #[test]
    fn settings_are_checked_by_name() {
        check(&json!({}), Ok((Dialect::V2026, 4, 400)));
        check(
            &json!({"dialect": "2026-03-15", "lanes": 16, "rate": {"calls": 10, "window_ms": 60_000}}),
            Ok((Dialect::V2026, 16, 10)),
        );
        check(&json!({"dialect": "v5"}), Ok((Dialect::V5, 4, 400)));
        check(&json!({"dialect": "v3"}), Err("settings: unknown variant `v3`"));
        check(&json!({"lanes": 0}), Err("settings.lanes must be 1 to 16"));
        check(&json!({"lanes": 17}), Err("settings.lanes must be"));
        check(
            &json!({"rate": {"calls": 401, "window_ms": 60_000}}),
            Err("settings.rate must be at most 400"),
        );
        check(
            &json!({"rate": {"calls": 400, "window_ms": 59_000}}),
            Err("settings.rate must be at most 400"),
        );
        check(&json!({"rate": {"calls": 0, "window_ms": 60_000}}), Err("settings.rate.calls"));
        let fast = json!({"endpoint": "http://127.0.0.1:4011", "rate": {"calls": 400, "window_ms": 6_000}});
        check(&fast, Ok((Dialect::V2026, 4, 400)));
        check(&json!({"poll_ms": 99}), Err("settings.poll_ms must be"));
        check(&json!({"refused_wait_ms": 0}), Err("settings.refused_wait_ms must be"));
        check(&json!({"refused_wait_ms": 300_001}), Err("settings.refused_wait_ms must be"));
        check(&json!({"gives_up_after_minutes": 0}), Err("settings.gives_up_after_minutes must be"));
        check(&json!({"api_key": "abc"}), Err("settings: unknown field `api_key`"));
    }
}
