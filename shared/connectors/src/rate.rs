//! The rate in a connection's settings.

use super::Pace;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// The calls that may be sent within any window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Calls within the window, at least 1.
    #[schema(minimum = 1)]
    pub calls: u32,
    /// The window's length in milliseconds, at least 1.
    #[schema(minimum = 1)]
    pub window_ms: u64,
}

/// Where the destination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Anywhere: the destination refuses calls above its documented rate.
    Anywhere,
    /// On this machine, where tests may use a faster rate.
    ThisMachine,
}

impl Place {
    /// Returns the place of an address.
    pub(super) fn of(endpoint: &super::Endpoint) -> Self {
        if endpoint.is_this_machine() { Self::ThisMachine } else { Self::Anywhere }
    }
}

impl Rate {
    /// Returns the window's length.
    pub(super) const fn window(self) -> Duration {
        Duration::from_millis(self.window_ms)
    }

    /// Returns the pace of this rate, without a daily budget. An error names the setting and the documented
    /// rate.
    pub(super) fn pace(self, documented: Self, place: Place) -> Result<Pace, String> {
        if self.calls == 0 || self.window_ms == 0 {
            return Err("rate.calls and rate.window_ms must be at least 1".to_owned());
        }
        let asked = u128::from(self.calls) * u128::from(documented.window_ms);
        let allowed = u128::from(documented.calls) * u128::from(self.window_ms);
        if place == Place::Anywhere && (asked > allowed || self.calls > documented.calls) {
            let Self { calls, window_ms } = documented;
            return Err(format!(
                "rate must be at most {calls} calls in {window_ms} ms: the destination refuses more"
            ));
        }
        Ok(Pace { calls: self.calls, window: self.window(), daily: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(calls: u32, window_ms: u64, place: Place, expected: Result<(), &str>) {
        let documented = Rate { calls: 100, window_ms: 20_000 };
        let found = Rate { calls, window_ms }.pace(documented, place);
        match expected {
            Ok(()) => assert_eq!(
                found.map(|pace| (pace.calls, pace.window)),
                Ok((calls, Duration::from_millis(window_ms)))
            ),
            Err(start) => assert!(found.clone().unwrap_err().starts_with(start), "{found:?}"),
        }
    }

    #[test]
    fn no_rate_is_over_the_documented_one() {
        check(100, 20_000, Place::Anywhere, Ok(()));
        check(50, 10_000, Place::Anywhere, Ok(()));
        check(100, 19_999, Place::Anywhere, Err("rate must be at most 100 calls in 20000 ms"));
        // A longer window with as many calls a second would let a larger burst through.
        check(200, 40_000, Place::Anywhere, Err("rate must be at most 100 calls"));
        check(100, 1_000, Place::ThisMachine, Ok(()));
        check(0, 20_000, Place::ThisMachine, Err("rate.calls and rate.window_ms"));
        check(1, 0, Place::Anywhere, Err("rate.calls and rate.window_ms"));
    }
}
