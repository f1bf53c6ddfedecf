//! The search for leaks: personal data, keys and secrets.

use super::{FinishedRun, Scene};
use aws_sdk_dynamodb::types::AttributeValue;
use local::demo::Person;
use std::collections::{BTreeSet, HashMap};

/// Parts of the generated addresses, also in URL encoding.
const ADDRESSES: [&str; 9] =
    ["@mail", "%40mail", "@MAIL", "+news", "%2Bnews", "+News", "[at]example", "@example.ie", "%40example"];

/// The number of bytes by which values are looked up in a text.
const LOOKUP_BYTES: usize = 8;

/// A text to search, and a part that it must have, so that an empty text fails the test.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) must_be_there: String,
}

/// Runs of one destination, and what must not be found outside the lake, the data bucket and the destination.
pub(crate) struct SearchedRuns {
    pub(crate) people: Vec<Person>,
    /// Keys, secrets and tokens.
    pub(crate) keys: Vec<String>,
    pub(crate) runs: Vec<FinishedRun>,
    /// Further texts that are searched.
    pub(crate) places: Vec<Place>,
}

/// Values that must be only in the lake, the data bucket and the destination.
pub(crate) struct Needles {
    /// Keys, secrets and personal values.
    values: BTreeSet<String>,
    /// The customer ids in the lake.
    customers: BTreeSet<String>,
}

impl Needles {
    /// The personal values of people, also in JSON encoding.
    pub(crate) fn of(people: &[Person]) -> Self {
        let mut needles: BTreeSet<String> = ADDRESSES.map(str::to_owned).into();
        for person in people {
            let lines = person.address.lines().map(str::to_owned);
            let ids = person.contact_id.iter().flat_map(|id| spellings(id));
            let values = person.email.iter().map(|email| email.trim().to_owned());
            // Shorter values may occur by coincidence.
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

    /// Adds keys, secrets and tokens.
    pub(crate) fn and(mut self, more: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.values.extend(more.into_iter().map(Into::into));
        self
    }

    /// Checks that none of the values is in logs, messages, events, reports, tables or the other places. The
    /// first run must have rejected rows: their file has the values, which shows that the search works.
    pub(crate) async fn are_nowhere(&self, scene: &Scene, runs: &[FinishedRun], others: Vec<Place>) {
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

/// Returns the values that a text has. Each position of the text is looked up once by its first bytes, because there are
/// thousands of values and megabytes of text.
fn found<'a>(needles: &'a BTreeSet<String>, text: &str) -> BTreeSet<&'a String> {
    let (short, long): (Vec<&String>, Vec<&String>) =
        needles.iter().partition(|needle| needle.len() < LOOKUP_BYTES);
    let mut found: BTreeSet<&String> =
        short.into_iter().filter(|needle| text.contains(needle.as_str())).collect();
    let mut by_start: HashMap<&[u8], Vec<&String>> = HashMap::new();
    for needle in long {
        by_start.entry(&needle.as_bytes()[..LOOKUP_BYTES]).or_default().push(needle);
    }
    let text = text.as_bytes();
    for (position, start) in text.windows(LOOKUP_BYTES).enumerate() {
        let candidates = by_start.get(start).into_iter().flatten();
        found.extend(candidates.filter(|needle| text[position..].starts_with(needle.as_bytes())));
    }
    found
}

/// The ways to write a contact's id.
fn spellings(id: &str) -> Vec<String> {
    let id = id.trim().trim_matches(['{', '}']).to_owned();
    let plain = id.replace('-', "");
    vec![id.to_uppercase(), plain.to_uppercase(), plain, id]
}

async fn places(scene: &Scene, runs: &[FinishedRun]) -> Vec<Place> {
    let run_id = runs[0].run.run_id.to_string();
    let said: Vec<String> =
        runs.iter().map(|finished| serde_json::to_string(&finished.report).unwrap()).collect();
    let shown: Vec<String> =
        runs.iter().map(|finished| serde_json::to_string(&finished.run).unwrap()).collect();
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
