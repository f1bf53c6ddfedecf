//! SQS batches with partial failures.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// One delivery of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The message's id, which is the same for every delivery.
    pub message_id: String,
    /// The handle of this delivery.
    pub receipt_handle: String,
    /// The message group.
    pub group: String,
    /// How often the message has been delivered, this time included.
    pub receive_count: u32,
    /// The body.
    pub body: String,
}

/// A message to be redelivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The delay of the redelivery; the queue's visibility timeout if `None`.
    pub again_after: Option<Duration>,
}

/// The result of a delivery.
pub type Verdict = Result<(), Failure>;

impl From<SqsMessage> for Delivery {
    fn from(message: SqsMessage) -> Self {
        let number = |name: &str| message.attributes.get(name).and_then(|text| text.parse().ok());
        Self {
            receive_count: number("ApproximateReceiveCount").unwrap_or(1),
            group: message.attributes.get("MessageGroupId").cloned().unwrap_or_default(),
            message_id: message.message_id.unwrap_or_default(),
            receipt_handle: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
        }
    }
}

/// Handles the groups of a batch concurrently and each group in order. After the first failure in a group,
/// the rest of the group fails unhandled, so that its order is kept.
///
/// Every failed message, including unhandled ones, is passed to `put_back`: a message that stays hidden
/// blocks its whole group (Amazon SQS Developer Guide, "FIFO delivery logic"). For the same reason a
/// completed group is passed to `let_go` while others are still running: its messages would otherwise stay
/// in flight and block later ones until the slowest group ends.
pub async fn handle_groups<F, R, P, Q, G, H>(
    event: SqsEvent,
    handle: F,
    put_back: P,
    let_go: G,
) -> SqsBatchResponse
where
    F: Fn(Delivery) -> R,
    R: Future<Output = Verdict>,
    P: Fn(String, Failure) -> Q,
    Q: Future<Output = ()>,
    G: Fn(Vec<String>) -> H,
    H: Future<Output = ()>,
{
    let mut groups: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
    for delivery in event.records.into_iter().map(Delivery::from) {
        groups.entry(delivery.group.clone()).or_default().push(delivery);
    }
    let (handle, put_back, let_go) = (&handle, &put_back, &let_go);
    let open = &AtomicUsize::new(groups.len());
    let failures = join_all(groups.into_values().map(|group| async move {
        let (mut failed, mut handled) = (Vec::new(), Vec::new());
        let mut failure = None;
        for delivery in group {
            let (message_id, receipt_handle) = (delivery.message_id.clone(), delivery.receipt_handle.clone());
            if failure.is_none() {
                failure = handle(delivery).await.err();
            }
            if let Some(failure) = failure {
                put_back(receipt_handle, failure).await;
                failed.push(message_id);
            } else {
                handled.push(receipt_handle);
            }
        }
        let is_last = open.fetch_sub(1, Ordering::Relaxed) == 1;
        if !is_last && !handled.is_empty() {
            let_go(handled).await;
        }
        failed
    }))
    .await;
    let mut response = SqsBatchResponse::default();
    for message_id in failures.into_iter().flatten() {
        response.add_failure(message_id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn event(messages: &[(&str, &str)]) -> SqsEvent {
        let records: Vec<serde_json::Value> = messages
            .iter()
            .map(|(id, group)| {
                serde_json::json!({
                    "messageId": id, "receiptHandle": id, "body": "{}", "messageAttributes": {},
                    "attributes": { "MessageGroupId": group, "ApproximateReceiveCount": "2" }
                })
            })
            .collect();
        serde_json::from_value(serde_json::json!({ "Records": records })).unwrap()
    }

    #[track_caller]
    fn check(messages: &[(&str, &str)], failing: &str, handled: &[&str], failed: &[&str]) {
        let seen = Mutex::new(Vec::new());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (put_back, let_go) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let handled_all = handle_groups(
            event(messages),
            |delivery| {
                assert_eq!(delivery.receive_count, 2);
                seen.lock().unwrap().push(delivery.message_id.clone());
                std::future::ready(if delivery.message_id == failing {
                    Err(Failure { again_after: Some(Duration::from_secs(7)) })
                } else {
                    Ok(())
                })
            },
            |receipt_handle, failure| {
                assert_eq!(failure.again_after, Some(Duration::from_secs(7)));
                put_back.lock().unwrap().push(receipt_handle);
                std::future::ready(())
            },
            |handles| {
                let_go.lock().unwrap().extend(handles);
                std::future::ready(())
            },
        );
        let response = runtime.block_on(handled_all);
        let mut found: Vec<String> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        found.sort();
        assert_eq!(found, failed);
        let mut put_back = put_back.into_inner().unwrap();
        put_back.sort();
        assert_eq!(put_back, failed, "every failed message is put back, handled or not");
        assert_eq!(*seen.lock().unwrap(), handled);
        // The first group completes before the other; the last is left to the event source mapping.
        let first: Vec<&str> = messages
            .iter()
            .filter(|(id, group)| *group == "a" && !failed.contains(id))
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(*let_go.lock().unwrap(), first, "completed groups release their messages");
    }

    #[test]
    fn a_failure_ends_its_group_and_no_other() {
        let messages = [("1", "a"), ("2", "b"), ("3", "a"), ("4", "b"), ("5", "a")];
        check(&messages, "none", &["1", "3", "5", "2", "4"], &[]);
        check(&messages, "1", &["1", "2", "4"], &["1", "3", "5"]);
        check(&messages, "4", &["1", "3", "5", "2", "4"], &["4"]);
        check(&[], "none", &[], &[]);
    }
}
