//! The target list before the first push: found and verified, or made where the segment has one of its own.

use super::answers::MarketingList;
use super::classify::{self, DUPLICATE};
use super::client::{Answer, Call, Client, SHORT_TIMEOUT, Session, Weight};
use super::metadata::{Actions, Adding, Removing};
use super::{Dynamics365SalesTarget, failure, ids};
use crate::{ErrorKind, Intent, Prepared, PushError, WantedList};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, IF_MATCH};
use http::{HeaderValue, Method};
use relay_delivery::mapping::MatchKeyKind;
use relay_model::CredentialStore;
use relay_model::catalog::Export;
use relay_model::{ListId, SegmentId};
use serde_json::json;
use tokio::sync::OnceCell;
use uuid::Uuid;

const READ_LIST: &str = "read the target list";
const MAKE_LIST: &str = "make the segment's marketing list";
const RENAME_LIST: &str = "rename the segment's marketing list";
const READ_METADATA: &str = "read which actions the organisation has";
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// `createdfromcode` of lists of contacts (<https://learn.microsoft.com/dynamics365/developer/reference/entities/list>).
const OF_CONTACTS: i64 = 2;
/// The longest name of a list, in characters (same page).
const LONGEST_NAME: usize = 128;
const COLUMNS: &str = "$select=listid,listname,type,createdfromcode,lockstatus,statecode";

/// Prepares target lists.
pub(super) struct Preparation<'a, S> {
    pub(super) client: &'a Client<S>,
    pub(super) session: &'a Session<'a>,
    pub(super) actions: &'a OnceCell<Actions>,
}

impl<S: CredentialStore> Preparation<'_, S> {
    /// Verifies the target list of an export, and makes it where it is the segment's own.
    pub(super) async fn prepare(
        &self,
        export: &Export,
        list: &WantedList,
    ) -> Result<Prepared<Dynamics365SalesTarget>, PushError> {
        check_export(export)?;
        let Actions { adding, removing } = self.actions.get_or_try_init(|| self.read_actions()).await?;
        let (Some(adding), Some(removing)) = (*adding, *removing) else {
            let message = "the organisation has no actions on members of marketing lists: Dynamics 365 Sales has to be \
                           installed in it";
            return Err(failure(READ_METADATA, ErrorKind::Settings, message));
        };
        let mut notices = Vec::new();
        let list_id = match list {
            WantedList::Existing(list) => self.existing(list, &mut notices).await?,
            WantedList::OfSegment { segment, name, known } => {
                self.of_segment(export, segment, name, known.as_ref(), &mut notices).await?
            }
        };
        let list_id = ListId(list_id.to_string());
        let target = Dynamics365SalesTarget { list_id: list_id.clone(), adding, removing };
        if target.is_one_by_one() {
            notices.push(
                "the organisation changes members of lists one by one only, which takes much longer"
                    .to_owned(),
            );
        }
        Ok(Prepared {
            target,
            list_id,
            match_key: MatchKeyKind::Guid,
            terms: String::new(),
            fields: Vec::new(),
            quota: None,
            notices,
        })
    }

    async fn read_actions(&self) -> Result<Actions, PushError> {
        let accept = (http::header::ACCEPT, HeaderValue::from_static("application/xml"));
        let call = Call {
            headers: vec![accept],
            timeout: SHORT_TIMEOUT,
            ..Call::get(READ_METADATA, self.client.url("$metadata"))
        };
        let answer = match self.client.call(&call, self.session).await {
            Ok(answer) => answer,
            // An organisation with very many tables has a document larger than any answer that is read. Then the usual
            // actions are taken to be there, and a call that finds them missing says so.
            Err(error) if error.kind == ErrorKind::Protocol && error.status == Some(200) => {
                return Ok(Actions { adding: Some(Adding::Many), removing: Some(Removing::Many) });
            }
            Err(error) => return Err(error),
        };
        let document = std::str::from_utf8(&answer.body).map_err(|_| answer.unreadable())?;
        Ok(Actions::read(document))
    }

    async fn existing(&self, list: &ListId, notices: &mut Vec<String>) -> Result<Uuid, PushError> {
        let Some(id) = ids::parse(list) else {
            let message = "the id of the target list is not a GUID: it is the id in the address of the marketing list's page";
            return Err(failure(READ_LIST, ErrorKind::ListMissing, message));
        };
        let Some(found) = self.read_list(id).await? else {
            let message =
                "the organisation has no marketing list with this id, or the application user may not see it";
            return Err(failure(READ_LIST, ErrorKind::ListMissing, message));
        };
        verify(&found)?;
        notices.push(format!("the target list is \"{}\"", found.listname.unwrap_or_default()));
        Ok(id)
    }

    async fn of_segment(
        &self,
        export: &Export,
        segment: &SegmentId,
        name: &str,
        known: Option<&ListId>,
        notices: &mut Vec<String>,
    ) -> Result<Uuid, PushError> {
        let intent = self.session.context.intent();
        let was = match intent {
            Intent::Deliver => "was",
            Intent::Look => "would be",
        };
        let name = list_name(name, segment);
        let known = known.and_then(ids::parse);
        let mut id = known.unwrap_or_else(|| ids::of_segment(&export.id, segment, None));
        let mut found = self.read_list(id).await?;
        if let (None, Some(gone)) = (&found, known) {
            id = ids::of_segment(&export.id, segment, Some(&gone));
            found = self.read_list(id).await?;
            notices.push(format!("the segment's marketing list \"{name}\" is gone, so another is made"));
        }
        if let Some(found) = found {
            verify(&found)?;
            if found.listname.as_deref() != Some(name.as_str()) {
                if intent == Intent::Deliver {
                    self.rename(id, &name).await?;
                }
                notices.push(format!("the segment's marketing list {was} renamed \"{name}\""));
            }
            return Ok(id);
        }
        if intent == Intent::Deliver {
            self.make(export, segment, id, &name).await?;
        }
        notices.push(format!("marketing list \"{name}\" {was} made"));
        Ok(id)
    }

    async fn read_list(&self, id: Uuid) -> Result<Option<MarketingList>, PushError> {
        let mut url = self.client.url(&format!("lists({id})"));
        url.set_query(Some(COLUMNS));
        match self.client.call(&Call::get(READ_LIST, url), self.session).await {
            Ok(answer) => answer.read().map(Some),
            Err(error) if classify::code_of(&error) == Some(classify::MISSING) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A static list of contacts, with an id of our choice: whoever makes it twice is told that it is there.
    async fn make(
        &self,
        export: &Export,
        segment: &SegmentId,
        id: Uuid,
        name: &str,
    ) -> Result<(), PushError> {
        let body = json!({
            "listid": id,
            "listname": name,
            "type": false,
            "createdfromcode": OF_CONTACTS,
            "source": "Segment Relay",
            "description": format!("Members of segment {segment}, kept up to date by export {}.", export.id),
        });
        let call = Call {
            method: Method::POST,
            headers: vec![(CONTENT_TYPE, JSON)],
            body: Bytes::from(body.to_string()),
            ..Call::get(MAKE_LIST, self.client.url("lists"))
        };
        match self.client.call(&call, self.session).await {
            Err(error) if error.status != Some(412) && classify::code_of(&error) != Some(DUPLICATE) => {
                Err(error)
            }
            made => {
                if made.is_ok() {
                    tracing::info!("marketing list made");
                }
                let Some(found) = self.read_list(id).await? else {
                    let message = "the list was made but is not there";
                    return Err(failure(MAKE_LIST, ErrorKind::ListMissing, message));
                };
                verify(&found)
            }
        }
    }

    async fn rename(&self, id: Uuid, name: &str) -> Result<Answer, PushError> {
        let call = Call {
            operation: RENAME_LIST,
            method: Method::PATCH,
            url: self.client.url(&format!("lists({id})")),
            // Without it a list that was deleted meanwhile would be made again.
            headers: vec![(CONTENT_TYPE, JSON), (IF_MATCH, HeaderValue::from_static("*"))],
            body: Bytes::from(json!({ "listname": name }).to_string()),
            timeout: SHORT_TIMEOUT,
            weight: Weight::Light,
        };
        self.client.call(&call, self.session).await
    }
}

fn check_export(export: &Export) -> Result<(), PushError> {
    if let Some(option) = export.options.keys().next() {
        let message = format!("options.{option} is not known: exports to Dynamics 365 Sales have no options");
        return Err(failure("use the export's options", ErrorKind::Settings, message));
    }
    if export.mapping.is_empty() {
        return Ok(());
    }
    let message = "mapping[0]: an export to Dynamics 365 Sales changes who is on marketing lists and never a contact, so \
                   it maps no attribute but match_key, which has to be the contact's id";
    Err(failure("use the export's mapping", ErrorKind::Settings, message))
}

/// Kind and member type of a list cannot be changed, and a locked or inactive one takes nobody.
fn verify(list: &MarketingList) -> Result<(), PushError> {
    let problem = if list.is_dynamic {
        "the target list is dynamic: it finds its members by itself; make a static one"
    } else if list.createdfromcode != OF_CONTACTS {
        "the target list is not one of contacts: make a static list of contacts"
    } else if list.statecode != 0 {
        "the target list is inactive: activate it in Dynamics 365 Sales"
    } else if list.lockstatus == Some(true) {
        "the target list is locked: unlock it in Dynamics 365 Sales (copies of dynamic lists are locked at first)"
    } else {
        return Ok(());
    };
    Err(failure(READ_LIST, ErrorKind::Settings, problem))
}

/// The segment's name, as far as it fits.
fn list_name(name: &str, segment: &SegmentId) -> String {
    let name: String =
        name.trim().chars().filter(|character| !character.is_control()).take(LONGEST_NAME).collect();
    let name = name.trim();
    if name.is_empty() { segment.to_string() } else { name.to_owned() }
}
