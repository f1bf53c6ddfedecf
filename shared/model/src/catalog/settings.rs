//! Settings of the whole deployment.

use super::{CatalogError, Document, Kind, Schedule};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Settings of the whole deployment. There is one document, with the id `deployment`; if it is not saved,
/// the defaults apply.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentSettings {
    /// Its identifier.
    pub id: SettingsId,
    /// When the profiles are refreshed if nothing calls `POST /refreshes`: it runs every export with the
    /// schedule `every_refresh`.
    #[serde(default)]
    pub refresh_schedule: Schedule,
}

/// The only identifier of settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SettingsId {
    /// The only deployment.
    #[default]
    Deployment,
}

impl SettingsId {
    /// Returns the identifier as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
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
            let problem = "cannot be every_refresh, whose time it defines; use one of: off, every_minutes, daily or cron";
            return Err(refuse("refresh_schedule", problem.to_owned()));
        }
        let schedule = self.refresh_schedule.validate();
        schedule.map_err(|error| refuse("refresh_schedule", error.to_string()))
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
        check(&json!({ "refresh_schedule": "off" }), Ok(default));
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
        check(&json!({ "unused_segment_days": 45 }), Err("unknown field `unused_segment_days`"));
    }
}
