//! The functions' messages, as the journal has them.

use local::world::World;
use relay_cloud::{OutgoingMessage, Queue};
use serde_json::Value;
use std::pin::pin;
use std::time::Duration;

/// A message that a function sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) queue_url: String,
    pub(crate) message: OutgoingMessage,
}

impl Sent {
    /// Every message that the functions have sent so far, in their order.
    pub(crate) fn all(world: &World) -> Vec<Self> {
        let mut sent = Vec::new();
        for entry in journal(world) {
            if entry["caller"] != "function" || entry["action"] != "SendMessageBatch" {
                continue;
            }
            let body: Value = serde_json::from_str(entry["body"].as_str().unwrap()).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            for entry in body["Entries"].as_array().unwrap() {
                let message = OutgoingMessage {
                    group: text(&entry["MessageGroupId"]),
                    deduplication_id: text(&entry["MessageDeduplicationId"]),
                    body: text(&entry["MessageBody"]),
                };
                sent.push(Self { queue_url: text(&body["QueueUrl"]), message });
            }
        }
        sent
    }

    /// Sends the message again as a new one: the queue does not take it for the old one.
    pub(crate) async fn again(&self, world: &World, mark: &str) {
        let queue = Queue::new(world.clients.sqs(), self.queue_url.clone());
        let deduplication_id = format!("{}/{mark}", self.message.deduplication_id);
        queue.send(&[OutgoingMessage { deduplication_id, ..self.message.clone() }]).await.unwrap();
    }
}

/// The journal's entries.
pub(crate) fn journal(world: &World) -> Vec<Value> {
    let journal = world.cloud.journal().unwrap();
    // The last line may still be in writing.
    let whole = journal.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Does `work` while every message of the functions is sent a second time, as soon as it is seen.
pub(crate) async fn doubling<T>(world: &World, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    let mut doubled = 0;
    loop {
        let done = tokio::select! {
            done = &mut work => Some(done),
            () = tokio::time::sleep(Duration::from_millis(50)) => None,
        };
        let sent = Sent::all(world);
        for one in sent.iter().skip(doubled) {
            one.again(world, "doubled").await;
        }
        doubled = sent.len();
        if let Some(done) = done {
            return done;
        }
    }
}

/// Whether no queue has a message that waits or is being handled.
pub(crate) async fn queues_are_empty(world: &World) -> bool {
    for url in world.cloud.outputs().queue_urls() {
        let request = world.clients.sqs().get_queue_attributes().queue_url(url).attribute_names("All".into());
        let answer = request.send().await.unwrap();
        let attributes = answer.attributes.unwrap_or_default();
        let has_none =
            |name: &str| attributes.iter().any(|(key, value)| key.as_str() == name && value == "0");
        if !has_none("ApproximateNumberOfMessages") || !has_none("ApproximateNumberOfMessagesNotVisible") {
            return false;
        }
    }
    true
}

/// How many messages lie in the dead-letter queues.
pub(crate) async fn dead_letters(world: &World) -> usize {
    let mut found = 0;
    for url in world.cloud.outputs().dead_letter_queue_urls() {
        let request = world.clients.sqs().get_queue_attributes().queue_url(url).attribute_names("All".into());
        let answer = request.send().await.unwrap();
        let attributes = answer.attributes.unwrap_or_default();
        let count = attributes.iter().find(|(key, _)| key.as_str() == "ApproximateNumberOfMessages");
        found += count.and_then(|(_, value)| value.parse::<usize>().ok()).unwrap();
    }
    found
}

/// The details of the events of a type that the functions announced. All of them say where they come from.
pub(crate) fn announced(world: &World, detail_type: &str) -> Vec<Value> {
    let puts = journal(world).into_iter().filter(|entry| entry["action"] == "PutEvents");
    puts.flat_map(|entry| {
        let body: Value = serde_json::from_str(entry["body"].as_str().unwrap()).unwrap();
        body["Entries"].as_array().unwrap().clone()
    })
    .inspect(|event| assert_eq!(event["Source"], "segment-relay"))
    .filter(|event| event["DetailType"] == detail_type)
    .map(|event| serde_json::from_str(event["Detail"].as_str().unwrap()).unwrap())
    .collect()
}
