//! What a connection may say that only this destination knows.

use super::address;
use crate::Endpoint;
use crate::rate::{Place, Rate};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use relay_model::pacing::{DailyBudget, Pace};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// Calls in flight unless the connection says otherwise: the half that Adobe advises
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/marketo-integration-best-practices>).
pub(super) const DEFAULT_LANES: u16 = 5;
/// Ten calls may be in flight over an account (same page); one stays free for what prepares a run.
const MOST_LANES: u16 = 9;
/// A hundred calls within 20 seconds over an account; integrations are advised to keep to half (same page).
const DEFAULT_RATE: Rate = Rate { calls: 50, ..DOCUMENTED_RATE };
const DOCUMENTED_RATE: Rate = Rate { calls: 100, window_ms: 20_000 };
/// "A daily quota of 50,000 API calls, which resets daily at 12:00AM CST"
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api>): some minutes later.
const DEFAULT_RESET: Time = Time::constant(0, 5, 0, 0);
const DEFAULT_TIME_ZONE: &str = "America/Chicago";
/// How fast imports are worked off. The vendor publishes no figure, so this is careful.
const DEFAULT_IMPORT_ROWS_PER_SECOND: u32 = 100;
/// Imports are to be looked after every 5 to 30 seconds
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/bulk-import/bulk-lead-import>).
const DEFAULT_POLL_MS: u64 = 5_000;
const DEFAULT_GIVE_UP_MINUTES: u64 = 360;

/// Why settings or options are not taken. Names the field; it is about configuration, never about people.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct OptionsError(pub(super) String);

/// What a connection says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) endpoint: Endpoint,
    pub(super) lanes: u16,
    pub(super) pace: Pace,
    pub(super) daily: DailyBudget,
    pub(super) import_rows_per_second: u32,
    /// How long after its submission an import is first looked at.
    pub(super) poll: Duration,
    pub(super) import_gives_up_after: Duration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    endpoint: Option<String>,
    rate: Option<Rate>,
    lanes: Option<u16>,
    daily_calls: Option<u64>,
    quota_resets_at: Option<String>,
    quota_time_zone: Option<String>,
    import_rows_per_second: Option<u32>,
    poll_ms: Option<u64>,
    import_gives_up_after_minutes: Option<u64>,
}

impl Settings {
    pub(super) fn parse(settings: &Map<String, Value>) -> Result<Self, OptionsError> {
        let raw: Raw = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| OptionsError(format!("settings: {error}")))?;
        let Some(endpoint) = raw.endpoint.as_deref().filter(|endpoint| !endpoint.trim().is_empty()) else {
            return Err(refuse(
                "endpoint is missing: it is the REST endpoint under Admin > Web Services, such as 123-ABC-456.mktorest.com",
            ));
        };
        let endpoint =
            address::parse(endpoint).map_err(|error| OptionsError(format!("settings.endpoint: {error}")))?;
        let rate = raw.rate.unwrap_or(DEFAULT_RATE);
        let pace = rate.pace(DOCUMENTED_RATE, Place::of(&endpoint)).map_err(|problem| refuse(&problem))?;
        let lanes = raw.lanes.unwrap_or(DEFAULT_LANES);
        if !(1..=MOST_LANES).contains(&lanes) {
            return Err(refuse("lanes must be 1 to 9"));
        }
        let daily = DailyBudget {
            calls: at_least_one(raw.daily_calls, "daily_calls must be at least 1")?,
            resets_at: match raw.quota_resets_at {
                None => DEFAULT_RESET,
                Some(text) => time(&text)
                    .ok_or_else(|| refuse("quota_resets_at must be a time of day, such as 00:05"))?,
            },
            time_zone: TimeZone::get(raw.quota_time_zone.as_deref().unwrap_or(DEFAULT_TIME_ZONE)).map_err(
                |_| refuse("quota_time_zone must be the name of a time zone, such as America/Chicago"),
            )?,
        };
        Ok(Self {
            endpoint,
            lanes,
            pace: Pace { daily: Some(daily.clone()), ..pace },
            daily,
            import_rows_per_second: at_least_one(
                raw.import_rows_per_second,
                "import_rows_per_second must be at least 1",
            )?
            .unwrap_or(DEFAULT_IMPORT_ROWS_PER_SECOND),
            poll: Duration::from_millis(
                at_least_one(raw.poll_ms, "poll_ms must be at least 1")?.unwrap_or(DEFAULT_POLL_MS),
            ),
            import_gives_up_after: Duration::from_secs(
                at_least_one(
                    raw.import_gives_up_after_minutes,
                    "import_gives_up_after_minutes must be at least 1",
                )?
                .unwrap_or(DEFAULT_GIVE_UP_MINUTES)
                .saturating_mul(60),
            ),
        })
    }
}

fn refuse(problem: &str) -> OptionsError {
    OptionsError(format!("settings.{problem}"))
}

fn at_least_one<T: PartialEq + From<u8>>(
    number: Option<T>,
    problem: &str,
) -> Result<Option<T>, OptionsError> {
    if number.as_ref() == Some(&T::from(0)) { Err(refuse(problem)) } else { Ok(number) }
}

fn time(text: &str) -> Option<Time> {
    let text = text.trim();
    ["%H:%M", "%H:%M:%S"].iter().find_map(|format| Time::strptime(format, text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(settings: &Value, expected: Result<(u32, u64, u16), &str>) {
        let mut settings = settings.as_object().unwrap().clone();
        settings.entry("endpoint").or_insert_with(|| json!("123-ABC-456.mktorest.com"));
        let found = Settings::parse(&settings).map_err(|error| error.to_string());
        match expected {
            Ok((calls, window_seconds, lanes)) => {
                let found = found.unwrap();
                let window = Duration::from_secs(window_seconds);
                assert_eq!((found.pace.calls, found.pace.window, found.lanes), (calls, window, lanes));
            }
            Err(start) => {
                let found = found.unwrap_err();
                assert!(found.starts_with(start), "{settings:?}: {found}");
            }
        }
    }

    #[test]
    fn settings_are_checked_by_name() {
        check(&json!({}), Ok((50, 20, 5)));
        check(&json!({"rate": {"calls": 100, "window_ms": 20_000}, "lanes": 9}), Ok((100, 20, 9)));
        check(&json!({"rate": {"calls": 100, "window_ms": 10_000}}), Err("settings.rate must be at most"));
        check(&json!({"rate": {"calls": 101, "window_ms": 40_000}}), Err("settings.rate must be at most"));
        check(&json!({"rate": {"calls": 0, "window_ms": 20_000}}), Err("settings.rate.calls"));
        check(&json!({"rate": {"calls": 5}}), Err("settings: missing field `window_ms`"));
        let fast = json!({"endpoint": "http://127.0.0.1:4011", "rate": {"calls": 100, "window_ms": 1_000}});
        check(&fast, Ok((100, 1, 5)));
        check(&json!({"lanes": 0}), Err("settings.lanes must be 1 to 9"));
        check(&json!({"lanes": 10}), Err("settings.lanes must be 1 to 9"));
        check(&json!({"daily_calls": 0}), Err("settings.daily_calls must be"));
        check(&json!({"quota_resets_at": "06:30", "quota_time_zone": "Europe/Berlin"}), Ok((50, 20, 5)));
        check(&json!({"quota_resets_at": "25:00"}), Err("settings.quota_resets_at must be"));
        check(&json!({"quota_time_zone": "Mars/Base"}), Err("settings.quota_time_zone must be"));
        check(&json!({"poll_ms": 0}), Err("settings.poll_ms must be"));
        check(&json!({"import_rows_per_second": 0}), Err("settings.import_rows_per_second must be"));
        check(&json!({"import_gives_up_after_minutes": 0}), Err("settings.import_gives_up_after"));
        check(&json!({"client_secret": "x"}), Err("settings: unknown field `client_secret`"));
        check(&json!({"endpoint": " "}), Err("settings.endpoint is missing"));
        check(&json!({"endpoint": "https://evil.example"}), Err("settings.endpoint: host"));
    }

    #[test]
    fn the_day_is_the_vendors_unless_the_connection_says_otherwise() {
        let parse = |settings: Value| Settings::parse(settings.as_object().unwrap()).unwrap();
        let usual = parse(json!({"endpoint": "123-ABC-456.mktorest.com"}));
        assert_eq!((usual.daily.calls, usual.daily.resets_at), (None, DEFAULT_RESET));
        assert_eq!(usual.daily.time_zone.iana_name(), Some("America/Chicago"));
        let own = parse(json!({
            "endpoint": "123-ABC-456.mktorest.com",
            "daily_calls": 20_000,
            "quota_resets_at": "06:30:15",
            "quota_time_zone": "Europe/Berlin",
        }));
        assert_eq!((own.daily.calls, own.daily.resets_at), (Some(20_000), jiff::civil::time(6, 30, 15, 0)));
        assert_eq!(own.pace.daily, Some(own.daily));
    }
}
