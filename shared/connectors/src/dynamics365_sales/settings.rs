//! What a connection may say that only this destination knows.

use crate::Endpoint;
use crate::rate::{Place, Rate};
use relay_model::pacing::Pace;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;
use uuid::Uuid;

/// The vendor's own domains for organisations: of the regions (`crm.dynamics.com`, `crm7.dynamics.com`, …), of
/// 21Vianet in China, and of the clouds for governments
/// (<https://learn.microsoft.com/power-platform/admin/new-datacenter-regions>,
/// <https://learn.microsoft.com/power-platform/admin/powerapps-us-government>,
/// <https://learn.microsoft.com/power-platform/admin/about-microsoft-cloud-china>).
pub const ORGANISATION_DOMAINS: &[&str] =
    &["dynamics.com", "dynamics.cn", "microsoftdynamics.us", "appsplatform.us", "microsoftdynamics.de"];
/// Entra's own domains (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>).
pub const AUTHORITY_DOMAINS: &[&str] = &[
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
];

const DEFAULT_AUTHORITY: &str = "https://login.microsoftonline.com";
/// "6,000 requests within the 5 minute sliding window" for a user
/// (<https://learn.microsoft.com/power-apps/developer/data-platform/api-limits>); some are left to whatever else the
/// application does.
const DEFAULT_RATE: Rate = Rate { calls: 5_000, ..DOCUMENTED_RATE };
const DOCUMENTED_RATE: Rate = Rate { calls: 6_000, window_ms: 300_000 };
/// How many seconds of execution the same page allows in each second of the window: 1,200 seconds within 300.
const EXECUTION_SHARE: u32 = 4;
const DEFAULT_CALL_SECONDS: f64 = 10.0;
const DEFAULT_FIRST_MEMBERS: usize = 500;
const DEFAULT_LARGEST_MEMBERS: usize = 1_000;
/// What the vendor's own application takes at once
/// (<https://learn.microsoft.com/dynamics365/sales/create-marketing-list-using-app-marketing-sales>).
const MOST_MEMBERS: usize = 30_000;

/// Why settings or options are not taken. Names the field; it is about configuration, never about people.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct OptionsError(pub(super) String);

/// What a connection says, checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// The directory: an id or a domain.
    pub(super) tenant: String,
    /// The application's id.
    pub(super) client_id: String,
    pub(super) organisation: Endpoint,
    pub(super) authority: Endpoint,
    pub(super) pace: Pace,
    /// How long a call that changes members should take.
    pub(super) call_goal: Duration,
    /// How many members the first call has.
    pub(super) first_members: usize,
    /// How many members a call has at the most.
    pub(super) largest_members: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    tenant: Option<String>,
    client_id: Option<String>,
    organisation_url: Option<String>,
    authority: Option<String>,
    rate: Option<Rate>,
    call_seconds: Option<f64>,
    first_members: Option<usize>,
    largest_members: Option<usize>,
}

impl Settings {
    pub(super) fn parse(settings: &Map<String, Value>) -> Result<Self, OptionsError> {
        let raw: Raw = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| OptionsError(format!("settings: {error}")))?;
        let tenant = required(raw.tenant, "tenant is missing: it is the directory (tenant) ID in Entra")?;
        if !is_tenant(&tenant) {
            return Err(refuse("tenant must be the directory (tenant) ID in Entra, or the tenant's domain"));
        }
        let client_id =
            required(raw.client_id, "client_id is missing: it is the application (client) ID in Entra")?;
        if Uuid::try_parse(&client_id).is_err() {
            return Err(refuse("client_id must be the application (client) ID in Entra, which is a GUID"));
        }
        let organisation = required(
            raw.organisation_url,
            "organisation_url is missing: it is the address of the organisation, such as https://contoso.crm.dynamics.com",
        )?;
        let organisation = base_address("organisation_url", &organisation, ORGANISATION_DOMAINS)?;
        let authority = raw.authority.as_deref().unwrap_or(DEFAULT_AUTHORITY);
        let authority = base_address("authority", authority, AUTHORITY_DOMAINS)?;
        let largest_members = raw.largest_members.unwrap_or(DEFAULT_LARGEST_MEMBERS);
        if !(1..=MOST_MEMBERS).contains(&largest_members) {
            return Err(refuse("largest_members must be 1 to 30000"));
        }
        let first_members = raw.first_members.unwrap_or(DEFAULT_FIRST_MEMBERS.min(largest_members));
        if !(1..=largest_members).contains(&first_members) {
            return Err(refuse("first_members must be 1 to largest_members"));
        }
        let call_goal = Duration::try_from_secs_f64(raw.call_seconds.unwrap_or(DEFAULT_CALL_SECONDS))
            .ok()
            .filter(|goal| (Duration::from_millis(10)..=Duration::from_mins(1)).contains(goal))
            .ok_or_else(|| refuse("call_seconds must be 0.01 to 60"))?;
        let rate = raw.rate.unwrap_or(DEFAULT_RATE);
        let pace =
            rate.pace(DOCUMENTED_RATE, Place::of(&organisation)).map_err(|problem| refuse(&problem))?;
        Ok(Self {
            tenant,
            client_id,
            organisation,
            authority,
            pace,
            call_goal,
            first_members,
            largest_members,
        })
    }

    /// For how much execution time one turn of the pace stands, so that both limits are kept by the one budget.
    pub(super) fn execution_per_turn(&self) -> Duration {
        self.pace.window * EXECUTION_SHARE / self.pace.calls.max(1)
    }
}

fn refuse(problem: &str) -> OptionsError {
    OptionsError(format!("settings.{problem}"))
}

fn required(text: Option<String>, missing: &str) -> Result<String, OptionsError> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).ok_or_else(|| refuse(missing))
}

/// A tenant becomes a part of a path.
fn is_tenant(text: &str) -> bool {
    text.len() <= 253
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
        && !text.starts_with('.')
}

fn base_address(name: &str, text: &str, domains: &[&str]) -> Result<Endpoint, OptionsError> {
    let endpoint = Endpoint::parse(text, domains).map_err(|error| refuse(&format!("{name}: {error}")))?;
    if endpoint.join(&[]).path() == "/" {
        Ok(endpoint)
    } else {
        Err(refuse(&format!("{name} must be an address without a path")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TENANT: &str = "11111111-2222-3333-4444-555555555555";
    const CLIENT: &str = "66666666-7777-8888-9999-aaaaaaaaaaaa";

    #[track_caller]
    fn check(more: &Value, expected: Result<(usize, usize, u32), &str>) {
        let mut settings = json!({
            "tenant": TENANT, "client_id": CLIENT, "organisation_url": "https://contoso.crm7.dynamics.com/",
        });
        let object = settings.as_object_mut().unwrap();
        for (key, value) in more.as_object().unwrap() {
            match value {
                Value::Null => object.remove(key),
                value => object.insert(key.clone(), value.clone()),
            };
        }
        let found = Settings::parse(object);
        let found = found
            .map(|found| (found.first_members, found.largest_members, found.pace.calls))
            .map_err(|error| error.to_string());
        match expected {
            Ok(expected) => assert_eq!(found, Ok(expected), "{settings}"),
            Err(start) => assert!(found.clone().unwrap_err().starts_with(start), "{settings}: {found:?}"),
        }
    }

    #[test]
    fn settings_are_checked_by_name() {
        check(&json!({}), Ok((500, 1_000, 5_000)));
        check(&json!({"tenant": "contoso.onmicrosoft.com", "largest_members": 200}), Ok((200, 200, 5_000)));
        check(&json!({"call_seconds": 2.5, "first_members": 10}), Ok((10, 1_000, 5_000)));
        check(&json!({"rate": {"calls": 6000, "window_ms": 300_000}}), Ok((500, 1_000, 6_000)));
        check(&json!({"tenant": null}), Err("settings.tenant is missing"));
        check(&json!({"tenant": "../x"}), Err("settings.tenant must be"));
        check(&json!({"client_id": null}), Err("settings.client_id is missing"));
        check(&json!({"client_id": "contoso"}), Err("settings.client_id must be"));
        check(&json!({"organisation_url": " "}), Err("settings.organisation_url is missing"));
        check(&json!({"first_members": 0}), Err("settings.first_members must be"));
        check(&json!({"first_members": 1001}), Err("settings.first_members must be"));
        check(&json!({"largest_members": 30_001}), Err("settings.largest_members must be"));
        check(&json!({"call_seconds": 0}), Err("settings.call_seconds must be"));
        check(&json!({"call_seconds": -1}), Err("settings.call_seconds must be"));
        check(&json!({"rate": {"calls": 0, "window_ms": 1}}), Err("settings.rate.calls and"));
        check(&json!({"rate": {"calls": 6001, "window_ms": 600_000}}), Err("settings.rate must be at most"));
        check(&json!({"rate": {"calls": 100, "window_ms": 1000}}), Err("settings.rate must be at most"));
        check(&json!({"client_secret": "x"}), Err("settings: unknown field `client_secret`"));
    }

    #[test]
    fn credentials_and_contacts_go_to_the_vendor_only() {
        for own in ["crm.dynamics.com", "crm21.dynamics.com", "crm.dynamics.cn", "crm.microsoftdynamics.us"] {
            let address = format!("https://contoso.{own}");
            check(&json!({"organisation_url": address}), Ok((500, 1_000, 5_000)));
        }
        let foreign = "settings.organisation_url: host \"contoso.crm.dynamics.com.evil.com\" is not";
        check(&json!({"organisation_url": "https://contoso.crm.dynamics.com.evil.com"}), Err(foreign));
        let path = "settings.organisation_url must be an address without a path";
        check(&json!({"organisation_url": "https://contoso.crm.dynamics.com/main.aspx"}), Err(path));
        let plain = "settings.organisation_url: the address must begin with https";
        check(&json!({"organisation_url": "http://contoso.crm.dynamics.com"}), Err(plain));
        let authority = "settings.authority: host \"login.evil.com\" is not";
        check(&json!({"authority": "https://login.evil.com"}), Err(authority));
        check(&json!({"authority": "https://login.microsoftonline.us"}), Ok((500, 1_000, 5_000)));
        // On this machine time may run faster.
        let fast =
            json!({"organisation_url": "http://127.0.0.1:1", "rate": {"calls": 6000, "window_ms": 5000}});
        check(&fast, Ok((500, 1_000, 6_000)));
    }
}
