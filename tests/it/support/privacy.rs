//! The search for what must not be said: people's own values, and whatever lets somebody in.

use super::{Over, Scene};
use aws_sdk_dynamodb::types::AttributeValue;
use local::demo::Person;
use std::collections::{BTreeSet, HashMap};

/// Parts of the generated addresses, as they are and as they stand in URLs and forms.
const ADDRESSES: [&str; 9] =
    ["@mail", "%40mail", "@MAIL", "+news", "%2Bnews", "+News", "[at]example", "@example.ie", "%40example"];

/// A text that is searched, and what is known to be in it: a search that does not find this finds nothing.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) must_be_there: String,
}

/// What must be nowhere but in the lake, the data bucket and the destination.
pub(crate) struct Needles {
    /// Keys, secrets, and what people have for themselves.
    values: BTreeSet<String>,
    /// Their ids in the lake.
    customers: BTreeSet<String>,
}

impl Needles {
    /// What people have for themselves, also as JSON writes it.
    pub(crate) fn of(people: &[Person]) -> Self {
        let mut needles: BTreeSet<String> = ADDRESSES.map(str::to_owned).into();
        for person in people {
            let lines = person.address.lines().map(str::to_owned);
            let ids = person.contact_id.iter().flat_map(|id| spellings(id));
            let values = person.email.iter().map(|email| email.trim().to_owned());
            // What is shorter may be anywhere by accident.
            let is_telling = |value: &String| value.len() > 8;
            for value in lines.chain(values).chain(ids).chain([person.name.clone()]).filter(is_telling) {
                needles.insert(value.to_lowercase());
                let json = serde_json::to_string(&value).unwrap();
                needles.insert(json.trim_matches('"').to_owned());
                needles.insert(value);
            }
        }
        Self { values: needles, customers: people.iter().map(|person| person.id.clone()).collect() }
    }

    /// These as well: keys, secrets, tokens.
    pub(crate) fn and(mut self, more: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.values.extend(more.into_iter().map(Into::into));
        self
    }

    /// None of them is in anything that the functions have written, said or stored as state, nor in other places. The
    /// first of the runs has rows that were rejected: there they are found.
    pub(crate) async fn are_nowhere(&self, scene: &Scene, runs: &[Over], others: Vec<Place>) {
        let mut places = places(scene, runs).await;
        places.extend(others);
        for Place { name, text, must_be_there } in &places {
            assert!(text.contains(must_be_there.as_str()), "{name} lacks {must_be_there}");
            for needles in [&self.values, &self.customers] {
                let found = found(needles, text);
                assert!(found.is_empty(), "{name}: {found:?}");
            }
        }
        let rejected = scene.data().get(runs[0].report.rejected_key.as_ref().unwrap()).await.unwrap();
        let rejected = String::from_utf8(rejected).unwrap();
        for needles in [&self.values, &self.customers] {
            assert!(!found(needles, &rejected).is_empty(), "the search finds what is there");
        }
    }
}

/// Those that are in a text.
fn found<'a>(needles: &'a BTreeSet<String>, text: &str) -> Vec<&'a String> {
    needles.iter().filter(|needle| text.contains(needle.as_str())).collect()
}

/// The ways to write a contact's id.
fn spellings(id: &str) -> Vec<String> {
    let id = id.trim().trim_matches(['{', '}']).to_owned();
    let plain = id.replace('-', "");
    vec![id.to_uppercase(), plain.to_uppercase(), plain, id]
}

async fn places(scene: &Scene, runs: &[Over]) -> Vec<Place> {
    let run_id = runs[0].run.run_id.to_string();
    let said: Vec<String> = runs.iter().map(|over| serde_json::to_string(&over.report).unwrap()).collect();
    let shown: Vec<String> = runs.iter().map(|over| serde_json::to_string(&over.run).unwrap()).collect();
    let logs = scene.cloud.function_logs().await.unwrap().join("\n");
    let log_file = std::fs::read_to_string(scene.cloud.log_path()).unwrap();
    let place =
        |name, text, must_be_there: &str| Place { name, text, must_be_there: must_be_there.to_owned() };
    vec![
        place("the functions' logs", logs, &run_id),
        place("the log file", log_file, "segment-relay"),
        place("the journal of messages, writes and events", scene.cloud.journal().unwrap(), &run_id),
        place("the reports", said.join("\n"), &run_id),
        place("the runs as the API shows them", shown.join("\n"), &run_id),
        place("the ledger", items(scene, &scene.cloud.outputs().ledger_table).await, &run_id),
        place("the catalog", items(scene, &scene.cloud.outputs().catalog_table).await, "SELECT customer_id"),
    ]
}

/// All items of a table, as text.
async fn items(scene: &Scene, table: &str) -> String {
    let mut found = Vec::new();
    let mut next: Option<HashMap<String, AttributeValue>> = None;
    loop {
        let scan = scene.clients.dynamodb().scan().table_name(table).set_exclusive_start_key(next.take());
        let page = scan.send().await.unwrap();
        found.extend(page.items().iter().map(|item| format!("{item:?}")));
        next = page.last_evaluated_key;
        if next.is_none() {
            return found.join("\n");
        }
    }
}
