//! A brand in memory that responds as documented, in both dialects; tests configure its failures.

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The date from which people have their status.
pub(super) const SINCE: &str = "2025-06-01T00:00:00Z";

/// A contact.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Person {
    pub(super) tags: Vec<String>,
    pub(super) status: String,
    /// The date of the status.
    pub(super) since: String,
}

impl Person {
    pub(super) fn new(status: &str, tags: &[&str]) -> Self {
        Self {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            status: status.to_owned(),
            since: SINCE.to_owned(),
        }
    }
}

/// The data of a brand, and its failures.
#[derive(Default)]
pub(super) struct State {
    pub(super) people: BTreeMap<String, Person>,
    pub(super) segments: Vec<Value>,
    batches: Vec<Vec<Value>>,
    /// Statuses that items of an address fail with, one per attempt.
    pub(super) failures: HashMap<String, VecDeque<u16>>,
    /// The numbers of items after which the next batches stop.
    pub(super) stops: VecDeque<usize>,
    stopped: Vec<bool>,
    /// How many polls find a batch still in progress.
    pub(super) looks_in_vain: u32,
    /// Responses to the next calls whose method and path begin with this text.
    pub(super) faults: Vec<(&'static str, VecDeque<ResponseTemplate>)>,
    /// Whether the tags of a write are added to the existing ones.
    pub(super) tags_join: bool,
    /// Whether the results of items omit the request that was sent.
    pub(super) tells_no_requests: bool,
}

/// The brand.
#[derive(Clone, Default)]
pub(super) struct Fake(Arc<Mutex<State>>);

impl Fake {
    pub(super) async fn serve(&self) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(self.clone()).mount(&server).await;
        server
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn put(&self, email: &str, person: Person) {
        self.state().people.insert(email.to_owned(), person);
    }

    pub(super) fn person(&self, email: &str) -> Option<Person> {
        self.state().people.get(email).cloned()
    }

    pub(super) fn fail(&self, email: &str, statuses: &[u16]) {
        self.state().failures.insert(email.to_owned(), statuses.iter().copied().collect());
    }

    /// Sets the responses to the next calls that begin with `call` (`POST /api/batches`).
    pub(super) fn fault(&self, call: &'static str, answers: impl IntoIterator<Item = ResponseTemplate>) {
        self.state().faults.push((call, answers.into_iter().collect()));
    }

    /// Returns all people with a tag.
    pub(super) fn carriers(&self, tag: &str) -> Vec<String> {
        let state = self.state();
        let carriers = state.people.iter().filter(|(_, person)| person.tags.iter().any(|other| other == tag));
        carriers.map(|(email, _)| email.clone()).collect()
    }
}

pub(super) fn id(email: &str) -> String {
    let hex = |byte: u8| format!("{byte:02x}");
    email.bytes().take(16).map(hex).collect()
}

fn ok(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

impl Respond for Fake {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.state();
        let call = format!("{} {}", request.method, request.url.path());
        let fault = state.faults.iter_mut().find(|(start, left)| call.starts_with(start) && !left.is_empty());
        if let Some(answer) = fault.and_then(|(_, left)| left.pop_front()) {
            return answer;
        }
        let (is_v5, rest) = match call.replacen("/api/", "/", 1) {
            rest if rest != call => (false, rest),
            _ => (true, call.replacen("/v5/", "/", 1)),
        };
        let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let parts: Vec<&str> = rest.split(['/', ' ']).filter(|part| !part.is_empty()).collect();
        match (parts.as_slice(), is_v5) {
            (["GET", "brands", "current"], false) => {
                ok(200, &json!({"brandID": "b1", "name": "Shop One", "website": "https://shop.example.com"}))
            }
            (["GET", "contacts"], _) => state.list(&query, is_v5),
            (["GET", "contacts", id], _) => state.show(id, is_v5),
            (["PATCH", "contacts", id], true) => state.patch(id, &body),
            (["POST", "contacts", "tags"], false) => state.tag(&body, true),
            (["DELETE", "contacts", "tags"], false) => state.tag(&body, false),
            (["POST", "batches"], _) => state.create_batch(&body, is_v5),
            (["GET", "batches", id, "items"], _) => state.items(id),
            (["GET", "segments"], false) => ok(200, &json!({"segments": state.segments, "paging": {}})),
            (["POST", "segments"], false) => {
                state.segments.push(body.clone());
                ok(201, &body)
            }
            _ => ok(404, &json!({"title": "Not found", "status": 404})),
        }
    }
}

impl State {
    fn contact(&self, email: &str, is_v5: bool) -> Option<Value> {
        let person = self.people.get(email)?;
        let since_name = if is_v5 { "statusDate" } else { "statusChangedAt" };
        let channels = json!({"email": {"status": person.status, since_name: person.since}});
        let identifiers = json!([{"type": "email", "id": email, "channels": channels}]);
        let id_name = if is_v5 { "contactID" } else { "id" };
        Some(json!({id_name: id(email), "identifiers": identifiers, "tags": person.tags}))
    }

    fn email_of(&self, wanted: &str) -> Option<String> {
        self.people.keys().find(|email| id(email) == wanted).cloned()
    }

    fn list(&self, query: &HashMap<String, String>, is_v5: bool) -> ResponseTemplate {
        let matches = |email: &str, person: &Person| {
            query.get("email").is_none_or(|wanted| wanted == email)
                && query.get("tag").is_none_or(|tag| person.tags.contains(tag))
        };
        let found = self.people.iter().filter(|(email, person)| matches(email, person));
        let contacts: Vec<Value> = found.filter_map(|(email, _)| self.contact(email, is_v5)).collect();
        ok(200, &json!({"contacts": contacts, "paging": {}}))
    }

    fn show(&self, id: &str, is_v5: bool) -> ResponseTemplate {
        match self.email_of(id).and_then(|email| self.contact(&email, is_v5)) {
            Some(contact) => ok(200, &contact),
            None => ok(404, &json!({"error": "not found"})),
        }
    }

    fn patch(&mut self, id: &str, body: &Value) -> ResponseTemplate {
        let Some(email) = self.email_of(id) else { return ok(404, &json!({"error": "not found"})) };
        let joins = self.tags_join;
        let person = self.people.get_mut(&email).unwrap();
        let sent: Vec<String> = serde_json::from_value(body["tags"].clone()).unwrap();
        if joins {
            let new: Vec<String> = sent.into_iter().filter(|tag| !person.tags.contains(tag)).collect();
            person.tags.extend(new);
        } else {
            person.tags = sent;
        }
        ok(200, &self.contact(&email, true).unwrap())
    }

    fn tag(&mut self, body: &Value, is_added: bool) -> ResponseTemplate {
        let list = |name: &str| body[name].as_array().cloned().unwrap_or_default();
        assert!(list("contactIDs").len() <= 250 && list("emails").len() <= 250);
        let ids: Vec<Value> = list("contactIDs");
        let mut emails: Vec<String> =
            list("emails").iter().map(|email| email.as_str().unwrap().to_owned()).collect();
        for id in ids {
            match self.email_of(id.as_str().unwrap()) {
                Some(email) => emails.push(email),
                None => return ok(400, &json!({"title": "Validation failed", "status": 400})),
            }
        }
        let tag = body["tags"][0].as_str().unwrap();
        for email in emails {
            let Some(person) = self.people.get_mut(&email) else { continue };
            person.tags.retain(|other| other != tag);
            if is_added {
                person.tags.push(tag.to_owned());
            }
        }
        ResponseTemplate::new(202)
    }

    fn create_batch(&mut self, body: &Value, is_v5: bool) -> ResponseTemplate {
        let items = body["items"].as_array().unwrap();
        if items.is_empty() || items.len() > if is_v5 { 1_000 } else { 100 } {
            return ok(400, &json!({"title": "Validation failed", "status": 400}));
        }
        let stop = self.stops.pop_front();
        let outcomes: Vec<Value> =
            items.iter().take(stop.unwrap_or(usize::MAX)).map(|item| self.upsert(item, is_v5)).collect();
        self.stopped.push(outcomes.len() < items.len());
        self.batches.push(outcomes);
        ok(201, &json!({"batchID": format!("batch{}", self.batches.len()), "totalCount": items.len()}))
    }

    fn upsert(&mut self, item: &Value, is_v5: bool) -> Value {
        let identifier = &item["identifiers"][0];
        let email = identifier["id"].as_str().unwrap().to_owned();
        assert_eq!(identifier["sendWelcomeMessage"], false, "somebody would be sent a welcome message");
        assert!(item.get("tags").is_none(), "the tags of a write may replace somebody's own");
        let failure = self.failures.get_mut(&email).and_then(VecDeque::pop_front);
        let request = if self.tells_no_requests { Value::Null } else { item.clone() };
        if let Some(status) = failure {
            let response = json!({"error": format!("{email} is refused"), "fields": {"0": [email]}});
            return json!({"request": request, "responseCode": status, "response": response});
        }
        let person = self.people.entry(email.clone()).or_insert_with(|| Person::new("nonSubscribed", &[]));
        let channel = &identifier["channels"]["email"];
        if let Some(status) = channel["status"].as_str() {
            assert!(channel[if is_v5 { "statusDate" } else { "statusChangedAt" }].is_string());
            status.clone_into(&mut person.status);
        }
        let id_name = if is_v5 { "contactID" } else { "id" };
        let response = if self.tells_no_requests {
            json!({id_name: id(&email)})
        } else {
            json!({id_name: id(&email), "email": email})
        };
        json!({"request": request, "responseCode": 200, "response": response})
    }

    fn items(&mut self, batch_id: &str) -> ResponseTemplate {
        let number = batch_id.strip_prefix("batch").and_then(|number| number.parse::<usize>().ok());
        let place = number.and_then(|number| number.checked_sub(1));
        let Some(outcomes) = place.and_then(|place| self.batches.get(place)) else {
            return ok(404, &json!({"title": "Not found", "status": 404}));
        };
        if self.looks_in_vain > 0 {
            self.looks_in_vain -= 1;
            return ok(
                200,
                &json!({"batchID": batch_id, "status": "inProgress", "errors": [], "responses": []}),
            );
        }
        let (mut errors, mut responses) = (Vec::new(), Vec::new());
        for (position, outcome) in outcomes.iter().enumerate() {
            let mut outcome = outcome.clone();
            outcome["itemID"] = Value::from((position + 1).to_string());
            let has_failed = outcome["responseCode"].as_u64() != Some(200);
            if has_failed { &mut errors } else { &mut responses }.push(outcome);
        }
        let status = if self.stopped[place.unwrap()] { "stopped" } else { "finished" };
        ok(200, &json!({"batchID": batch_id, "status": status, "errors": errors, "responses": responses}))
    }
}
