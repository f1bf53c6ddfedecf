//! The target list before the first push: is it there, what should people know of it, which fields can be filled.

use super::call::Call;
use super::classify::NAME_TAKEN;
use super::client::{Client, Session};
use super::fields::{Description, Descriptions};
use super::lists::{self, StaticList};
use super::{
    Imports, KeyForm, MarketoOptions, MarketoTarget, PERSON_RIGHT, PersonCreation, PushWay,
    TYPICAL_DAILY_CALLS, Way, failure, folders, usage,
};
use crate::{ErrorKind, Intent, Prepared, PushError, WantedList};
use relay_delivery::mapping::{Field, MatchKeyKind, mapped_fields};
use relay_model::CredentialStore;
use relay_model::ListId;
use relay_model::catalog::{Export, NullPolicy};
use relay_model::pacing::Quota;
use serde::Deserialize;

const OPTIONS: &str = "use the export's options";
const MAPPING: &str = "use the export's mapping";
const READ_PARTITIONS: &str = "read the account's partitions";

#[derive(Deserialize)]
struct Partition {
    name: String,
}

/// Verifies or makes the target list of an export.
pub(super) async fn prepare<S: CredentialStore>(
    client: &Client<S>,
    descriptions: &Descriptions,
    export: &Export,
    list: &WantedList,
    session: &Session<'_>,
) -> Result<Prepared<MarketoTarget>, PushError> {
    let options = MarketoOptions::parse(&export.options)
        .map_err(|error| failure(OPTIONS, ErrorKind::Settings, error.to_string()))?;
    let description = descriptions.get(client, session).await?;
    let match_key = description.match_key(&options.lookup_field)?;
    let fields = description.writable(&options.lookup_field);
    check_mapping(export, &description, &fields)?;
    let imports = imports(export, &options)?;
    if let Some(partition) = &options.partition {
        check_partition(client, partition, session).await?;
    }
    let mut notices = Vec::new();
    let list_id = match list {
        WantedList::Existing(list) => existing(client, list, session, &mut notices).await?,
        WantedList::OfSegment { name, known, .. } => {
            let wanted = options.list_name(name);
            of_segment(client, &options, &wanted, known.as_ref(), session, &mut notices).await?
        }
    };
    if options.person_creation == PersonCreation::MatchOnly && export.mapping.is_empty() {
        notices.push("people are only matched: nothing of them is written, and nobody is created".to_owned());
    }
    let used_today = usage::read(client, session).await?;
    notices.extend(used_today.map(usage::notice));
    let limit_today = client.settings.daily.calls.unwrap_or(TYPICAL_DAILY_CALLS);
    let quota = used_today.map(|used_today| Quota { used_today, limit_today });
    let target = MarketoTarget {
        list_id: list_id.clone(),
        key_form: match match_key {
            MatchKeyKind::Number => KeyForm::Number,
            _ => KeyForm::Text,
        },
        lookup_field: options.lookup_field,
        person_creation: options.person_creation,
        partition: options.partition,
        has_attributes: !export.mapping.is_empty(),
        imports,
        way: Way::Sync,
    };
    Ok(Prepared { list_id, match_key, terms: target.terms(), fields, quota, notices, target })
}

/// A mapped field that cannot be filled is told by name and reason, and not merely as one that is not there. That comes
/// before a list is made, which would be left behind by a run that cannot go on.
fn check_mapping(export: &Export, description: &Description, fields: &[Field]) -> Result<(), PushError> {
    for (index, mapping) in export.mapping.iter().enumerate() {
        if Field::find(fields, &mapping.field).is_none()
            && let Some(obstacle) = description.obstacle(&mapping.field)
        {
            let message = format!("mapping[{index}].field: {obstacle}");
            return Err(failure(MAPPING, ErrorKind::Settings, message));
        }
    }
    let mapped = mapped_fields(&export.mapping, fields);
    mapped.map(drop).map_err(|error| failure(MAPPING, ErrorKind::Settings, error.to_string()))
}

/// Whether files may be used. What clears a field in one is not documented, so whoever clears needs calls.
fn imports(export: &Export, options: &MarketoOptions) -> Result<Imports, PushError> {
    let clearing = export.mapping.iter().position(|mapping| mapping.if_null == NullPolicy::Clear);
    match (options.push, clearing) {
        (PushWay::BulkImport, Some(index)) => {
            let message = format!(
                "mapping[{index}].if_null: Marketo documents no way to clear a field in a bulk import; set options.push to \
                 auto or sync, or use omit or reject"
            );
            Err(failure(MAPPING, ErrorKind::Settings, message))
        }
        (PushWay::BulkImport, None) => Ok(Imports::Always),
        (PushWay::Sync, _) | (PushWay::Auto, Some(_)) => Ok(Imports::Never),
        (PushWay::Auto, None) if options.person_creation == PersonCreation::MatchOnly => Ok(Imports::Never),
        (PushWay::Auto, None) => Ok(Imports::WhereFaster),
    }
}

async fn check_partition<S: CredentialStore>(
    client: &Client<S>,
    wanted: &str,
    session: &Session<'_>,
) -> Result<(), PushError> {
    let url = client.url(&["rest", "v1", "leads", "partitions.json"]);
    let answer = client.call(&Call::get(READ_PARTITIONS, url, PERSON_RIGHT), session).await?;
    let partitions = answer.results::<Partition>()?.result;
    if partitions.iter().any(|partition| partition.name == wanted) {
        return Ok(());
    }
    let known: Vec<&str> = partitions.iter().map(|partition| partition.name.as_str()).collect();
    let message = format!(
        "options.partition: there is no partition \"{wanted}\" that the API user can see; there are: {}",
        known.join(", ")
    );
    Err(failure(OPTIONS, ErrorKind::Settings, message))
}

async fn existing<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    session: &Session<'_>,
    notices: &mut Vec<String>,
) -> Result<ListId, PushError> {
    let Some(list_id) = lists::canonical_id(&list.0) else {
        let message =
            "the id of the target list is not one: it is the number in the list's address, 1027 of #ST1027A1";
        return Err(failure(lists::READ, ErrorKind::ListMissing, message));
    };
    let Some(found) = lists::read(client, &list_id, session).await? else {
        let message = "the account has no static list with this id that the API user can see: check the id and the \
                       user's workspaces";
        return Err(failure(lists::READ, ErrorKind::ListMissing, message));
    };
    notices.push(format!("the target list is \"{}\"{}", found.name, place(&found)));
    Ok(list_id)
}

fn place(list: &StaticList) -> String {
    list.workspace_name.as_ref().map(|workspace| format!(" in workspace \"{workspace}\"")).unwrap_or_default()
}

async fn of_segment<S: CredentialStore>(
    client: &Client<S>,
    options: &MarketoOptions,
    name: &str,
    known: Option<&ListId>,
    session: &Session<'_>,
    notices: &mut Vec<String>,
) -> Result<ListId, PushError> {
    if let Some(known) = known.and_then(|known| lists::canonical_id(&known.0)) {
        if let Some(found) = lists::read(client, &known, session).await? {
            if found.name != name {
                notices.push(match session.context.intent() {
                    Intent::Deliver => follow(client, &known, &found.name, name, session).await?,
                    Intent::Look => format!(
                        "list \"{}\" (id {known}) would be renamed to \"{name}\", after the segment",
                        found.name
                    ),
                });
            }
            return Ok(known);
        }
        notices.push(format!(
            "the list that was made for the segment earlier (id {known}) is not there any more"
        ));
    }
    let folder = folders::find(client, &options.folder, options.workspace.as_deref(), session).await?;
    if let Some(found) = lists::find(client, name, &folder, session).await? {
        notices.push(format!("list \"{name}\" (id {found}) was there already and is used for the segment"));
        return Ok(found);
    }
    if session.context.intent() == Intent::Look {
        notices.push(format!("list \"{name}\" would be made in folder \"{}\"", options.folder));
        // No list of Marketo's has such an id, and two segments of one name still mean the same list.
        return Ok(ListId(format!("new: {name}")));
    }
    match lists::create(client, name, &folder, session).await {
        Ok(list) => {
            notices.push(format!("list \"{name}\" (id {list}) was made in folder \"{}\"", options.folder));
            Ok(list)
        }
        Err(error) if is_name_taken(&error) => {
            let message = format!(
                "list \"{name}\" could not be made: most likely the name is taken in another folder; rename the segment, \
                 set options.list_name, or name the list's id as the target list"
            );
            Err(PushError { message, ..error })
        }
        Err(error) => Err(error),
    }
}

/// Renames a segment's list after it. The list does its work under any name, so a refusal is only told.
async fn follow<S: CredentialStore>(
    client: &Client<S>,
    list: &ListId,
    from: &str,
    to: &str,
    session: &Session<'_>,
) -> Result<String, PushError> {
    match lists::rename(client, list, to, session).await {
        Ok(()) => Ok(format!("list \"{from}\" (id {list}) was renamed to \"{to}\", after the segment")),
        Err(error) if error.kind == ErrorKind::Permission || is_name_taken(&error) => Ok(format!(
            "list \"{from}\" (id {list}) keeps its name although the segment's list is called \"{to}\" now: {}",
            error.message
        )),
        Err(error) => Err(error),
    }
}

fn is_name_taken(error: &PushError) -> bool {
    error.code.is_some_and(|code| NAME_TAKEN.contains(&code))
}
