//! The target list before the first push: is it there, what should people know of it, which fields does it have.

use super::classify::FIELD_EXISTS;
use super::client::{Call, Client, SHORT_TIMEOUT, Session};
use super::options::{ConsentToTrack, DataType, NewField};
use super::settings::is_id;
use super::wire::{MOBILE_NUMBER, NAME};
use super::{CampaignMonitorOptions, CampaignMonitorTarget, failure};
use crate::{ErrorKind, Intent, Prepared, PushError, WantedList};
use bytes::Bytes;
use http::Method;
use jiff::civil::date;
use relay_delivery::mapping::{DateFormat, Field, FieldKind, MatchKeyKind};
use relay_model::CredentialStore;
use relay_model::ListId;
use relay_model::catalog::{Export, NullPolicy};
use serde::Deserialize;
use serde_json::json;

const READ_LIST: &str = "read the target list";
const READ_FIELDS: &str = "read the list's custom fields";
const CREATE_FIELD: &str = "create a custom field";
/// "Each custom field value has a data limit of 250 characters"
/// (<https://www.campaignmonitor.com/api/v3-3/subscribers/>). None is documented for names and mobile numbers; theirs
/// is taken to be the same.
const MAX_CHARACTERS: usize = 250;

/// <https://www.campaignmonitor.com/api/v3-3/lists/#getting-list-details>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListDetails {
    title: String,
    confirmed_opt_in: bool,
}

/// <https://www.campaignmonitor.com/api/v3-3/lists/#list-custom-fields>
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CustomField {
    field_name: String,
    key: String,
    data_type: String,
    field_options: Option<Vec<String>>,
}

/// Verifies the target list of an export.
pub(super) async fn prepare<S: CredentialStore>(
    client: &Client<S>,
    export: &Export,
    list: &WantedList,
    session: &Session<'_>,
) -> Result<Prepared<CampaignMonitorTarget>, PushError> {
    let options = CampaignMonitorOptions::parse(&export.options)
        .map_err(|error| failure("use the export's options", ErrorKind::Settings, error.to_string()))?;
    let WantedList::Existing(list) = list else {
        let message = "segments[].target_list is missing: Campaign Monitor needs the API subscriber list id that the \
                       list's settings show";
        return Err(failure(READ_LIST, ErrorKind::Settings, message));
    };
    if !is_id(&list.0) {
        let message = "the id of the target list is not one: it is the API subscriber list id that the list's settings show";
        return Err(failure(READ_LIST, ErrorKind::ListMissing, message));
    }
    let details = format!("{list}.json");
    let details: ListDetails =
        client.call(&Call::get(READ_LIST, client.url(&["lists", &details])), session).await?.read()?;
    let mut notices = vec![format!("the target list is \"{}\"", details.title)];
    if details.confirmed_opt_in {
        notices.push(
            "the target list asks people to confirm: everybody who is new to it is sent a mail and stays unconfirmed \
             until they follow its link"
                .to_owned(),
        );
    }
    if options.consent_to_track == ConsentToTrack::Unchanged {
        notices.push(
            "consent_to_track is unchanged: for people who are new to the client this counts as consent"
                .to_owned(),
        );
    }

    let mut custom_fields = read_fields(client, list, session).await?;
    let fields_before = custom_fields.len();
    for field in &options.create_missing_fields {
        let Some(existing) = find(&custom_fields, &field.name) else {
            if session.context.intent() == Intent::Look {
                notices.push(format!("custom field \"{}\" would be created", field.name));
                custom_fields.push(not_yet_created(field));
                continue;
            }
            create_field(client, list, field, session).await?;
            notices.push(format!("custom field \"{}\" was created", field.name));
            // The key is the vendor's to choose, so the fields are read again rather than it being guessed.
            custom_fields = read_fields(client, list, session).await?;
            if find(&custom_fields, &field.name).is_none() {
                let message = format!("custom field \"{}\" was created but is not there", field.name);
                return Err(failure(CREATE_FIELD, ErrorKind::Settings, message));
            }
            continue;
        };
        if existing.data_type != data_type_word(field.data_type) {
            notices.push(format!(
                "custom field \"{}\" is there already, as {} and not as {}; it is used as it is",
                field.name,
                existing.data_type,
                data_type_word(field.data_type)
            ));
        }
    }
    if custom_fields.len() > fields_before && session.context.intent() == Intent::Deliver {
        tracing::info!(created = custom_fields.len() - fields_before, "custom fields created");
    }

    let mut fields = vec![
        Field { key: NAME.to_owned(), label: NAME.to_owned(), kind: text() },
        Field { key: MOBILE_NUMBER.to_owned(), label: "Mobile number".to_owned(), kind: text() },
    ];
    for CustomField { field_name, key, data_type, field_options } in custom_fields {
        match kind(&data_type, field_options) {
            Some(kind) => fields.push(Field { key, label: field_name, kind }),
            None => notices
                .push(format!("custom field \"{field_name}\" is of an unknown type and is not offered")),
        }
    }
    let day_fields = check_clears(export, &fields)?;
    let target = CampaignMonitorTarget {
        list_id: list.clone(),
        consent_to_track: options.consent_to_track,
        day_fields,
    };
    let terms = format!("consent_to_track={}", target.consent_to_track.word());
    // List ids are hexadecimal, and the vendor takes them in either case.
    let list_id = ListId(list.0.to_lowercase());
    Ok(Prepared { target, list_id, match_key: MatchKeyKind::Email, terms, fields, quota: None, notices })
}

/// What a field is taken for that a delivery would create. The vendor chooses its key; whichever it is, everybody who is
/// sent gets the field for the first time.
fn not_yet_created(field: &NewField) -> CustomField {
    CustomField {
        field_name: field.name.clone(),
        key: format!("[{}]", field.name),
        data_type: data_type_word(field.data_type).to_owned(),
        field_options: Some(field.options.clone()),
    }
}

/// The keys of the mapped fields that hold days. Refuses to empty what cannot be emptied.
fn check_clears(export: &Export, fields: &[Field]) -> Result<Vec<String>, PushError> {
    let mut day_fields = Vec::new();
    for (index, mapping) in export.mapping.iter().enumerate() {
        let Some(field) = Field::find(fields, &mapping.field) else {
            continue;
        };
        if mapping.if_null == NullPolicy::Clear && field.key == MOBILE_NUMBER {
            let message = format!(
                "mapping[{index}].if_null: the vendor documents no way to clear a mobile number; use omit or reject"
            );
            return Err(failure("use the export's mapping", ErrorKind::Settings, message));
        }
        if matches!(field.kind, FieldKind::Date { .. }) {
            day_fields.push(field.key.clone());
        }
    }
    Ok(day_fields)
}

async fn read_fields<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    session: &Session<'_>,
) -> Result<Vec<CustomField>, PushError> {
    let url = client.url(&["lists", &list.0, "customfields.json"]);
    client.call(&Call::get(READ_FIELDS, url), session).await?.read()
}

/// <https://www.campaignmonitor.com/api/v3-3/lists/#creating-a-custom-field>
async fn create_field<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    field: &NewField,
    session: &Session<'_>,
) -> Result<(), PushError> {
    let body = json!({
        "FieldName": field.name,
        "DataType": data_type_word(field.data_type),
        "Options": field.options,
        "VisibleInPreferenceCenter": false,
    });
    let call = Call {
        operation: CREATE_FIELD,
        method: Method::POST,
        url: client.url(&["lists", &list.0, "customfields.json"]),
        body: Bytes::from(body.to_string()),
        timeout: SHORT_TIMEOUT,
        // Somebody else, or an attempt of ours whose answer was lost, has made it.
        accepts: &[FIELD_EXISTS],
        is_repeatable: true,
    };
    client.call(&call, session).await.map(drop).map_err(|error| PushError {
        message: format!("field \"{}\": {}", field.name, error.message),
        ..error
    })
}

fn find<'a>(fields: &'a [CustomField], name: &str) -> Option<&'a CustomField> {
    fields.iter().find(|field| {
        let field =
            Field { key: field.key.clone(), label: field.field_name.clone(), kind: FieldKind::Number };
        field.answers_to(name)
    })
}

const fn text() -> FieldKind {
    FieldKind::Text { max_characters: MAX_CHARACTERS }
}

/// What a custom field can hold. None for a type that is not documented.
fn kind(data_type: &str, options: Option<Vec<String>>) -> Option<FieldKind> {
    Some(match data_type {
        "Text" | "Country" | "USState" => text(),
        "Number" => FieldKind::Number,
        // "No earlier than 1900/01/01 and no later than 2076/06/06 or it will be ignored", "an explicit format like
        // yyyy/mm/dd" (<https://www.campaignmonitor.com/api/v3-3/subscribers/>).
        "Date" => {
            FieldKind::Date { first: date(1900, 1, 1), last: date(2076, 6, 6), format: DateFormat::Slashes }
        }
        // Of a field of many choices one can be mapped for now: an attribute has one value.
        "MultiSelectOne" | "MultiSelectMany" => FieldKind::OneOf { options: options.unwrap_or_default() },
        _ => return None,
    })
}

const fn data_type_word(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Text => "Text",
        DataType::Number => "Number",
        DataType::Date => "Date",
        DataType::MultiSelectOne => "MultiSelectOne",
        DataType::MultiSelectMany => "MultiSelectMany",
        DataType::Country => "Country",
        DataType::USState => "USState",
    }
}
