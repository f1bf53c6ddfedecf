//! What holds for the whole deployment.

use super::{CatalogError, Document, Kind, Schedule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A segment that keeps its members and that no export uses rests after so many days, unless somebody says otherwise.
const UNUSED_SEGMENT_DAYS: u16 = 45;
/// More is as good as never, which has a word of its own.
const MAX_UNUSED_SEGMENT_DAYS: u16 = 3650;

/// What holds for the whole deployment. There is one, called `deployment`; where it is not saved, the defaults hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentSettings {
    /// Its identifier.
    pub id: SettingsId,
    /// When the profiles are refreshed, where nothing of your own says so (`POST /refreshes`): every segment and every
    /// export whose schedule is `every_refresh` follows.
    #[serde(default)]
    pub refresh_schedule: Schedule,
    /// A segment that keeps its members and that no export uses rests after so many days: its schedule stands still and
    /// what it keeps is deleted, until an export uses it again. `null` for never.
    #[serde(default = "unused_segment_days")]
    #[schema(minimum = 1, maximum = 3650)]
    pub unused_segment_days: Option<u16>,
}

/// The one identifier that settings have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingsId {
    /// There is one deployment.
    #[default]
    Deployment,
}

impl SettingsId {
    /// The identifier as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is the default of a field that may be null")]
const fn unused_segment_days() -> Option<u16> {
    Some(UNUSED_SEGMENT_DAYS)
}

impl Default for DeploymentSettings {
    fn default() -> Self {
        Self {
            id: SettingsId::Deployment,
            refresh_schedule: Schedule::Off,
            unused_segment_days: unused_segment_days(),
        }
    }
}

impl Document for DeploymentSettings {
    const KIND: Kind = Kind::Settings;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn validate(&self) -> Result<(), CatalogError> {
        let refuse = |field: &str, problem: String| CatalogError::Field {
            kind: Self::KIND.name(),
            id: self.id().to_owned(),
            field: field.to_owned(),
            problem,
        };
        if self.refresh_schedule == Schedule::EveryRefresh {
            let problem =
                "cannot be every_refresh, which is what it says when: off, every_minutes, daily or cron";
            return Err(refuse("refresh_schedule", problem.to_owned()));
        }
        let schedule = self.refresh_schedule.validate();
        schedule.map_err(|error| refuse("refresh_schedule", error.to_string()))?;
        if self.unused_segment_days.is_some_and(|days| !(1..=MAX_UNUSED_SEGMENT_DAYS).contains(&days)) {
            let problem = format!("must be 1 to {MAX_UNUSED_SEGMENT_DAYS}, or null for never");
            return Err(refuse("unused_segment_days", problem));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(fields: &Value, expected: Result<DeploymentSettings, &str>) {
        let mut document = json!({ "id": "deployment" });
        for (field, value) in fields.as_object().unwrap() {
            document[field] = value.clone();
        }
        match (DeploymentSettings::parse(&document.to_string()), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (found, expected) => unreachable!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn settings_as_people_write_them() {
        let default = DeploymentSettings::default();
        check(&json!({}), Ok(default.clone()));
        check(&json!({ "refresh_schedule": "off", "unused_segment_days": 45 }), Ok(default.clone()));
        check(
            &json!({ "unused_segment_days": null }),
            Ok(DeploymentSettings { unused_segment_days: None, ..default }),
        );
        let (expression, time_zone) = ("0 6,12,18,22 * * *".to_owned(), "Europe/Rome".to_owned());
        check(
            &json!({ "refresh_schedule": { "cron": { "expression": expression, "time_zone": time_zone } } }),
            Ok(DeploymentSettings {
                refresh_schedule: Schedule::Cron { expression, time_zone },
                ..DeploymentSettings::default()
            }),
        );
        check(&json!({ "id": "other" }), Err("unknown variant `other`, expected `deployment`"));
        check(
            &json!({ "refresh_schedule": "every_refresh" }),
            Err("refresh_schedule: cannot be every_refresh"),
        );
        check(
            &json!({ "refresh_schedule": { "every_minutes": 0 } }),
            Err("refresh_schedule: every_minutes must be"),
        );
        check(&json!({ "unused_segment_days": 0 }), Err("unused_segment_days: must be 1 to 3650, or null"));
        check(&json!({ "unused_days": 4 }), Err("unknown field `unused_days`"));
    }
}
