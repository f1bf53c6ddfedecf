//! A fake organisation: contacts, one list, and the ways in which its calls fail.

use super::LIST;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use wiremock::{Request, Respond, ResponseTemplate};

/// Returns the id of a contact by its number.
pub(super) fn contact(number: u32) -> String {
    format!("c0ffee00-0000-4000-8000-{number:012}")
}

pub(super) fn refusal(status: u16, code: &str) -> ResponseTemplate {
    let body = json!({"error": {"code": code, "message": "jane@example.com is why"}});
    ResponseTemplate::new(status).set_body_json(body)
}

#[derive(Default)]
pub(super) struct World {
    /// Whether each contact is active.
    pub(super) contacts: BTreeMap<String, bool>,
    pub(super) members: BTreeSet<String>,
    /// Contacts that fail every call that contains them, with the code.
    pub(super) poisons: BTreeMap<String, (u16, &'static str)>,
    /// Contacts that are deleted after the first lookup.
    pub(super) going: Vec<String>,
    /// Refusals of the next calls that change members, the last one first.
    pub(super) refusals: Vec<ResponseTemplate>,
    /// The most values that one query accepts.
    pub(super) most_values: Option<usize>,
    pub(super) is_list_gone: bool,
    /// How long a call takes per member.
    pub(super) per_member: Duration,
}

#[derive(Clone, Default)]
pub(super) struct Dataverse(Arc<Mutex<World>>);

impl Dataverse {
    /// Creates an organisation with contacts of these numbers, all active.
    pub(super) fn with(contacts: impl IntoIterator<Item = u32>) -> Self {
        let contacts = contacts.into_iter().map(|number| (contact(number), true)).collect();
        Self(Arc::new(Mutex::new(World { contacts, ..World::default() })))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl Respond for Dataverse {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let world = &mut *self.world();
        let path = request.url.path().strip_prefix("/api/data/v9.2/").unwrap();
        let body = String::from_utf8(request.body.clone()).unwrap();
        match path {
            "$batch" => world.batch(&body),
            "AddListMembersList" | "RemoveListMembersList" => world.change_many(path, &body),
            _ if path == format!("lists({LIST})") && !world.is_list_gone => {
                ResponseTemplate::new(200).set_body_json(json!({"listid": LIST}))
            }
            _ => refusal(404, "0x80040217"),
        }
    }
}

impl World {
    fn change_many(&mut self, action: &str, body: &str) -> ResponseTemplate {
        if let Some(refusal) = self.refusals.pop() {
            return refusal;
        }
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["List"]["listid"], LIST);
        let contacts: Vec<String> = body["Members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| {
                assert_eq!(member["@odata.type"], "Microsoft.Dynamics.CRM.contact");
                member["contactid"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(contacts.iter().collect::<BTreeSet<_>>().len(), contacts.len(), "nobody twice");
        let is_adding = action == "AddListMembersList";
        if let Some((status, code)) = contacts.iter().find_map(|contact| self.refuses(is_adding, contact)) {
            return refusal(status, code);
        }
        let took = self.per_member * u32::try_from(contacts.len()).unwrap();
        for contact in contacts {
            self.change(is_adding, contact);
        }
        ResponseTemplate::new(204).set_delay(took)
    }

    fn refuses(&self, is_adding: bool, contact: &str) -> Option<(u16, &'static str)> {
        if self.is_list_gone {
            return Some((404, "0x80040217"));
        }
        if let Some(poison) = self.poisons.get(contact) {
            return Some(*poison);
        }
        match (is_adding, self.contacts.get(contact), self.members.contains(contact)) {
            (true, None, _) => Some((404, "0x80040217")),
            (true, Some(false), _) => Some((400, "0x80040203")),
            (false, _, false) => Some((400, "0x80048458")),
            _ => None,
        }
    }

    fn change(&mut self, is_adding: bool, contact: String) {
        if is_adding {
            self.members.insert(contact);
        } else {
            self.members.remove(&contact);
        }
    }

    fn batch(&mut self, body: &str) -> ResponseTemplate {
        let mut answer = String::new();
        for part in body.split("--batch_segment_relay\r\n").skip(1) {
            let (_, request) = part.split_once("\r\n\r\n").unwrap();
            let (head, body) = request.split_once("\r\n\r\n").unwrap();
            let target = head.split(' ').nth(1).unwrap().strip_prefix("/api/data/v9.2/").unwrap();
            let (status, body) = match target.split_once('?') {
                Some((path, query)) => self.query(path, query),
                None => self.change_one(target, body.split("\r\n").next().unwrap()),
            };
            answer.push_str("--batchresponse_7\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n");
            write!(answer, "HTTP/1.1 {status} Some Words\r\nOData-Version: 4.0\r\n\r\n{body}\r\n").unwrap();
        }
        answer.push_str("--batchresponse_7--\r\n");
        for contact in self.going.drain(..) {
            self.contacts.remove(&contact);
        }
        ResponseTemplate::new(200).set_body_raw(answer, "multipart/mixed; boundary=batchresponse_7")
    }

    fn query(&self, path: &str, query: &str) -> (u16, String) {
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        assert_eq!(query["$filter"], "Microsoft.Dynamics.CRM.In(PropertyName=@p1,PropertyValues=@p2)");
        assert_eq!(query["@p1"], "'contactid'");
        let ids: Vec<String> = serde_json::from_str(&query["@p2"]).unwrap();
        if self.most_values.is_some_and(|most| ids.len() > most) {
            return (400, json!({"error": {"code": "0x8004430e", "message": ""}}).to_string());
        }
        let is_there = |id: &&String| match path {
            "contacts" => true,
            _ => self.members.contains(*id),
        };
        let found: Vec<Value> = ids
            .iter()
            .filter(is_there)
            .filter_map(|id| self.contacts.get(id).map(|is_active| (id, is_active)))
            .map(|(id, is_active)| json!({"contactid": id, "statecode": i32::from(!is_active)}))
            .collect();
        (200, json!({"value": found}).to_string())
    }

    fn change_one(&mut self, target: &str, body: &str) -> (u16, String) {
        let body: Value = serde_json::from_str(body).unwrap();
        let is_adding = target == format!("lists({LIST})/Microsoft.Dynamics.CRM.AddMemberList");
        let id = if is_adding { &body["EntityId"] } else { &body["ListMember"]["listmemberid"] };
        let contact = id.as_str().unwrap().to_owned();
        if let Some((status, code)) = self.refuses(is_adding, &contact) {
            return (status, json!({"error": {"code": code, "message": ""}}).to_string());
        }
        self.change(is_adding, contact);
        (204, String::new())
    }
}
