//! The settings of a connection.

use super::DOMAINS;
use super::dialect::Dialect;
use crate::rate::Place;
use crate::{Endpoint, OptionsError, Rate};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;
use utoipa::ToSchema;

/// The default of `lanes`.
pub(super) const DEFAULT_LANES: u16 = 4;
/// Calls a minute, of all keys and integrations of a brand together
/// (<https://api-docs.omnisend.com/reference/rate-limit-timeouts-errors>).
const DOCUMENTED_RATE: Rate = Rate { calls: 400, window_ms: 60_000 };
/// Calls about tags within the same window (same page).
const DOCUMENTED_TAG_CALLS: u32 = 60;
/// The default of `poll_ms`.
const DEFAULT_POLL_MS: u64 = 5_000;
/// The default of `refused_wait_ms`: a quarter of the minute that the documented rates are for (same page).
const DEFAULT_REFUSED_WAIT_MS: u64 = 15_000;
/// The default of `gives_up_after_minutes`.
const DEFAULT_GIVES_UP_AFTER_MINUTES: u32 = 120;

/// The settings of an Omnisend connection.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OmnisendSettings {
    /// The version of the API; `2026-03-15` by default.
    pub dialect: Dialect,
    /// How many batches may be in progress, 1 to 16; 4 by default.
    #[schema(minimum = 1, maximum = 16)]
    pub lanes: u16,
    /// How many calls are sent within a window; 400 in 60,000 ms by default, which is what the vendor allows a brand. A
    /// lower rate leaves room to the brand's other integrations
    /// (<https://api-docs.omnisend.com/reference/rate-limit-timeouts-errors>).
    pub rate: Rate,
    /// Another address of the API than the vendor's.
    pub endpoint: Option<String>,
    /// How often a batch is polled, in milliseconds, 100 to 300,000; 5,000 by default.
    #[schema(minimum = 100, maximum = 300_000)]
    pub poll_ms: u64,
    /// How long a brand that refuses calls without naming a time is left alone, in milliseconds, 100 to 300,000; also the
    /// first wait before refused rows are sent again. 15,000 by default: a quarter of the minute that the documented
    /// rates are for (same page).
    #[schema(minimum = 100, maximum = 300_000)]
    pub refused_wait_ms: u64,
    /// After how many minutes a batch that does not end is given up, 1 to 1,440; 120 by default.
    #[schema(minimum = 1, maximum = 1_440)]
    pub gives_up_after_minutes: u32,
}

impl Default for OmnisendSettings {
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

impl OmnisendSettings {
    /// Returns how many calls about tags are allowed within the window: their share of the documented rate.
    pub(super) fn tag_calls(&self) -> u32 {
        (self.rate.calls * DOCUMENTED_TAG_CALLS / DOCUMENTED_RATE.calls).max(1)
    }

    /// Returns whether the API is on this machine.
    fn place(&self) -> Place {
        let endpoint = self.endpoint.as_deref().and_then(|text| Endpoint::parse(text, DOMAINS).ok());
        endpoint.as_ref().map_or(Place::Anywhere, Place::of)
    }

    /// Returns the wait after a refusal that names no time.
    pub(super) const fn refused_wait(&self) -> Duration {
        Duration::from_millis(self.refused_wait_ms)
    }

    /// Returns the other endpoint that the settings name.
    pub(super) fn other_endpoint(&self) -> Result<Option<Endpoint>, OptionsError> {
        let endpoint = self.endpoint.as_deref().map(|text| Endpoint::parse(text, DOMAINS)).transpose();
        endpoint.map_err(|error| OptionsError(format!("settings.endpoint: {error}")))
    }

    pub(super) fn parse(settings: &Map<String, Value>) -> Result<Self, OptionsError> {
        let found: Self = OptionsError::parse("settings", settings)?;
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
        found.other_endpoint()?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(settings: &Value, expected: Result<(Dialect, u16, u32), &str>) {
        let found = OmnisendSettings::parse(settings.as_object().unwrap());
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
