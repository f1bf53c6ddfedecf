//! What a connection may say that only this destination knows.

use super::OptionsError;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The largest request body unless the connection says otherwise. The vendor publishes no limit; this is what common
/// gateways take.
const DEFAULT_MAX_BODY_BYTES: u64 = 4_000_000;
/// Below this a single long row would not fit.
const LEAST_MAX_BODY_BYTES: u64 = 16_384;
/// Calls in flight unless the connection says otherwise.
pub(super) const DEFAULT_LANES: u16 = 4;

/// What a connection may say.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// The client whose lists are used; needed for accounts with several.
    pub(super) client_id: Option<String>,
    /// How many calls may be in flight, 1 to 8.
    pub(super) lanes: u16,
    /// The largest request body.
    pub(super) max_body_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { client_id: None, lanes: DEFAULT_LANES, max_body_bytes: DEFAULT_MAX_BODY_BYTES }
    }
}

impl Settings {
    pub(super) fn parse(settings: &Map<String, Value>) -> Result<Self, OptionsError> {
        let found: Self = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| OptionsError(format!("settings: {error}")))?;
        let refuse = |problem: &str| Err(OptionsError(format!("settings.{problem}")));
        if !(1..=8).contains(&found.lanes) {
            return refuse("lanes must be 1 to 8");
        }
        if found.max_body_bytes < LEAST_MAX_BODY_BYTES {
            return refuse("max_body_bytes must be at least 16384");
        }
        if found.client_id.as_deref().is_some_and(|id| !is_id(id)) {
            return refuse("client_id must be the id of a client, as the API's settings page shows it");
        }
        Ok(found)
    }
}

/// Whether a text looks like one of the vendor's ids: they become parts of paths.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check_settings(settings: &Value, expected: Result<(u16, u64), &str>) {
        let found = Settings::parse(settings.as_object().unwrap());
        let found = found.map(|found| (found.lanes, found.max_body_bytes)).map_err(|error| error.to_string());
        match expected {
            Ok(expected) => assert_eq!(found, Ok(expected), "{settings}"),
            Err(start) => assert!(found.clone().unwrap_err().starts_with(start), "{settings}: {found:?}"),
        }
    }

    #[test]
    fn settings_are_checked_by_name() {
        check_settings(&json!({}), Ok((4, 4_000_000)));
        check_settings(&json!({"client_id": "4a39", "lanes": 8, "max_body_bytes": 16384}), Ok((8, 16_384)));
        check_settings(&json!({"lanes": 0}), Err("settings.lanes must be 1 to 8"));
        check_settings(&json!({"lanes": 9}), Err("settings.lanes must be 1 to 8"));
        check_settings(&json!({"max_body_bytes": 100}), Err("settings.max_body_bytes must be"));
        check_settings(&json!({"client_id": "../x"}), Err("settings.client_id must be"));
        check_settings(&json!({"api_key": "abc"}), Err("settings: unknown field `api_key`"));
    }
}
