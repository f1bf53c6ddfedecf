//! The fields of the account's people: what they hold, whether they may be written and looked up by.
//!
//! `describe2` (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads>) and
//! the types of <https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/fields/field-types>.

use super::call::Call;
use super::client::{Client, Session};
use super::{PERSON_RIGHT, failure};
use crate::{ErrorKind, PushError, Retry};
use jiff::civil::{Date, date};
use relay_delivery::mapping::{DateFormat, Field, FieldKind, MatchKeyKind};
use relay_model::CredentialStore;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

pub(super) const OPERATION: &str = "read the fields of people";
/// Descriptions change rarely; Adobe advises to keep them for far longer
/// (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/marketo-integration-best-practices>).
const KEPT_FOR: Duration = Duration::from_mins(10);
/// "String: up to 255 characters".
const STRING_CHARACTERS: usize = 255;
/// "Text Area: up to 30,000 bytes".
const TEXT_BYTES: usize = 30_000;
/// Set by Marketo itself, even where the description says that they may be written.
const SYSTEM_FIELDS: &[&str] = &["id", "createdAt", "updatedAt", "cookies", "ecids"];
/// Fields of the person's company: "company fields cannot be updated through Sync Leads", which answers 1021.
const COMPANY_FIELDS: &[&str] = &[
    "company",
    "site",
    "billingStreet",
    "billingCity",
    "billingState",
    "billingCountry",
    "billingPostalCode",
    "website",
    "mainPhone",
    "annualRevenue",
    "numberOfEmployees",
    "industry",
    "sicCode",
    "companyNotes",
];
const FIRST_DAY: Date = date(1, 1, 1);
const LAST_DAY: Date = date(9999, 12, 31);

/// What an account says of its people's fields.
#[derive(Debug)]
pub(super) struct Description {
    fields: Vec<Described>,
    searchable: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    name: String,
    display_name: String,
    data_type: String,
    length: Option<usize>,
    #[serde(default)]
    updateable: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    #[serde(default)]
    fields: Vec<Described>,
    #[serde(default)]
    searchable_fields: Vec<Vec<String>>,
}

/// The description, read at most every few minutes.
#[derive(Default)]
pub(super) struct Descriptions(Mutex<Option<(Instant, Arc<Description>)>>);

impl Descriptions {
    pub(super) async fn get<S: CredentialStore>(
        &self,
        client: &Client<S>,
        session: &Session<'_>,
    ) -> Result<Arc<Description>, PushError> {
        let mut kept = self.0.lock().await;
        if let Some((read_at, description)) = kept.as_ref()
            && read_at.elapsed() < KEPT_FOR
        {
            return Ok(Arc::clone(description));
        }
        let description = Arc::new(read(client, session).await?);
        *kept = Some((Instant::now(), Arc::clone(&description)));
        Ok(description)
    }
}

async fn read<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
) -> Result<Description, PushError> {
    let url = client.url(&["rest", "v1", "leads", "describe2.json"]);
    let answer = client.call(&Call::get(OPERATION, url, PERSON_RIGHT), session).await?;
    let Some(Answered { fields, searchable_fields }) =
        answer.results::<Answered>()?.result.into_iter().next()
    else {
        return Err(PushError { retry: Retry::Backoff, ..answer.unreadable() });
    };
    // Fields that only find a person together with others are no use to us.
    let searchable = searchable_fields
        .into_iter()
        .filter_map(|fields| <[String; 1]>::try_from(fields).ok())
        .map(|[field]| field)
        .collect();
    Ok(Description { fields, searchable })
}

impl Description {
    /// The fields that can be written.
    pub(super) fn writable(&self, lookup_field: &str) -> Vec<Field> {
        self.fields
            .iter()
            .filter(|field| field.name != lookup_field && field.obstacle().is_none())
            .filter_map(Described::field)
            .collect()
    }

    /// Why `wanted`, which is none of the writable fields, is none of them.
    pub(super) fn obstacle(&self, wanted: &str) -> Option<String> {
        let exact = self.fields.iter().find(|field| field.name == wanted);
        let field = exact.or_else(|| self.fields.iter().find(|field| field.answers_to(wanted)))?;
        let name = &field.name;
        let obstacle = field.obstacle().map(str::to_owned).or_else(|| {
            field
                .kind()
                .is_none()
                .then(|| format!("holds values of type {}, which cannot be written", field.data_type))
        });
        Some(match obstacle {
            Some(obstacle) => format!("field \"{name}\" {obstacle}"),
            None => {
                format!("field \"{name}\" is filled with the match key already; take it out of the mapping")
            }
        })
    }

    /// What a match key for `lookup_field` is made of.
    pub(super) fn match_key(&self, lookup_field: &str) -> Result<MatchKeyKind, PushError> {
        let refuse = |message: String| Err(failure("use the export's options", ErrorKind::Settings, message));
        if lookup_field == "id" {
            return Ok(MatchKeyKind::Number);
        }
        let field = self.fields.iter().find(|field| field.name == lookup_field);
        let is_searchable = self.searchable.iter().any(|name| name == lookup_field);
        let (Some(field), true) = (field, is_searchable) else {
            let problem =
                if field.is_some() { "people cannot be looked up by" } else { "the account has no" };
            let known = self.searchable.join(", ");
            return refuse(format!(
                "options.lookup_field: {problem} field \"{lookup_field}\"; people can be looked up by id and {known}"
            ));
        };
        Ok(match field.kind() {
            Some(FieldKind::Email { .. }) => MatchKeyKind::AsciiEmail,
            Some(FieldKind::Integer { .. }) => MatchKeyKind::Number,
            Some(FieldKind::Text { max_characters }) => MatchKeyKind::Text { max_characters },
            _ => {
                return refuse(format!(
                    "options.lookup_field: field \"{lookup_field}\" is of type {}, and people can only be looked up by \
                     fields of types string, email and integer",
                    field.data_type
                ));
            }
        })
    }
}

impl Described {
    fn answers_to(&self, wanted: &str) -> bool {
        let field =
            Field { key: self.name.clone(), label: self.display_name.clone(), kind: FieldKind::Number };
        field.answers_to(wanted)
    }

    fn obstacle(&self) -> Option<&'static str> {
        if SYSTEM_FIELDS.contains(&self.name.as_str()) {
            return Some("is set by Marketo itself");
        }
        if COMPANY_FIELDS.contains(&self.name.as_str()) {
            return Some(
                "belongs to the person's company, which Marketo does not take with people (code 1021)",
            );
        }
        (!self.updateable).then_some("cannot be updated, as the account's description of its fields says")
    }

    fn field(&self) -> Option<Field> {
        Some(Field { key: self.name.clone(), label: self.display_name.clone(), kind: self.kind()? })
    }

    fn kind(&self) -> Option<FieldKind> {
        let max_characters = self.length.unwrap_or(STRING_CHARACTERS);
        Some(match self.data_type.to_lowercase().as_str() {
            "string" | "phone" | "url" => FieldKind::Text { max_characters },
            "text" | "textarea" | "text area" => FieldKind::TextBytes { max_bytes: TEXT_BYTES },
            "email" => FieldKind::Email { max_characters },
            "integer" | "score" => {
                FieldKind::Integer { least: i64::from(i32::MIN), largest: i64::from(i32::MAX) }
            }
            "currency" | "float" | "percent" => FieldKind::Number,
            "boolean" => FieldKind::Boolean,
            "date" => FieldKind::Date { first: FIRST_DAY, last: LAST_DAY, format: DateFormat::Dashes },
            "datetime" => FieldKind::Moment,
            _ => return None,
        })
    }
}
