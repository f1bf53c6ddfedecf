//! What comes back over the wire, read leniently and without the vendor's words. Pure.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/get_batches-batchid-items> and
//! <https://api-docs.omnisend.com/v2026-03-15/reference/get_contacts>; v5 differs in names only.

use serde::Deserialize;

/// How many seconds an answer that refuses a call asks to wait, where it says so.
pub(super) fn retry_after(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Problem {
        #[serde(rename = "retryAfter")]
        retry_after: Option<u64>,
    }
    serde_json::from_slice::<Problem>(body).ok()?.retry_after
}

/// A batch that was accepted.
#[derive(Deserialize)]
pub(super) struct Accepted {
    #[serde(rename = "batchID")]
    pub(super) batch_id: String,
}

/// A batch and its items. Only those that were looked at are there.
#[derive(Deserialize)]
pub(super) struct Batch {
    pub(super) status: String,
    #[serde(default)]
    errors: Option<Vec<Item>>,
    #[serde(default)]
    responses: Option<Vec<Item>>,
}

/// What became of one item. It holds an address, so it has no `Debug`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    #[serde(rename = "itemID", default)]
    id: Option<String>,
    #[serde(default)]
    request: Option<Lenient>,
    #[serde(default)]
    response: Option<Lenient>,
    #[serde(default)]
    response_code: Option<u16>,
}

/// A contact, or whatever else an error is told as.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient {
    Contact(Contact),
    Other(serde::de::IgnoredAny),
}

/// What is asked of a contact; the body of an error reads as one without anything. It has no `Debug`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Contact {
    #[serde(alias = "contactID")]
    pub(super) id: Option<String>,
    email: Option<String>,
    statuses: Option<Vec<Channel>>,
    identifiers: Option<Vec<Identifier>>,
    pub(super) tags: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Identifier {
    #[serde(rename = "type")]
    kind: Option<String>,
    id: Option<String>,
    channels: Option<Channels>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Channels {
    email: Option<Channel>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Channel {
    #[serde(rename = "channel")]
    name: Option<String>,
    pub(super) status: Option<String>,
    #[serde(rename = "statusChangedAt", alias = "statusDate")]
    pub(super) since: Option<String>,
}

/// A page of contacts.
#[derive(Deserialize)]
pub(super) struct Contacts {
    pub(super) contacts: Vec<Contact>,
}

/// Where a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchState {
    /// It waits or is being worked on.
    Open,
    /// It ended, with every item looked at or (stopped) not.
    Ended,
}

impl Batch {
    /// Where the batch is; `None` for a status that is not documented.
    pub(super) fn state(&self) -> Option<BatchState> {
        match self.status.as_str() {
            "pending" | "inProgress" => Some(BatchState::Open),
            "finished" | "stopped" => Some(BatchState::Ended),
            _ => None,
        }
    }

    /// Every item that is told of, with whether it is among the failed ones.
    pub(super) fn items(self) -> impl Iterator<Item = (Item, bool)> {
        let failed = self.errors.unwrap_or_default().into_iter().map(|item| (item, true));
        let done = self.responses.unwrap_or_default().into_iter().map(|item| (item, false));
        failed.chain(done)
    }
}

impl Item {
    /// The address that it was sent for, in lower case.
    pub(super) fn email(&self) -> Option<String> {
        let address = |told: &Option<Lenient>| match told {
            Some(Lenient::Contact(contact)) => contact.address().map(|email| email.trim().to_lowercase()),
            _ => None,
        };
        address(&self.request).or_else(|| address(&self.response))
    }

    /// Its place in the batch, from 0, where its id is one. The documents say nothing of ids but that they are texts.
    pub(super) fn place(&self) -> Option<usize> {
        self.id.as_deref()?.parse::<usize>().ok()?.checked_sub(1)
    }

    /// The status that it failed with; `None` where it did not fail. A failure without a status is none that is known.
    pub(super) fn failure(&self, is_among_failed: bool) -> Option<u16> {
        match self.response_code {
            Some(200..=299) if !is_among_failed => None,
            Some(status @ 100..) => Some(status),
            _ if is_among_failed => Some(500),
            _ => None,
        }
    }

    /// The contact's id.
    pub(super) fn contact_id(self) -> Option<String> {
        match self.response? {
            Lenient::Contact(contact) => contact.id.filter(|id| is_id(id)),
            Lenient::Other(_) => None,
        }
    }
}

impl Contact {
    fn address(&self) -> Option<&str> {
        let of_identifiers = self.identifiers.iter().flatten().find_map(|identifier| {
            if identifier.kind.as_deref() == Some("email") { identifier.id.as_deref() } else { None }
        });
        of_identifiers.or(self.email.as_deref())
    }

    /// The e-mail channel: beside the address that it is of, or in the list of all channels.
    pub(super) fn email_channel(&self) -> Option<&Channel> {
        let mut channels =
            self.identifiers.iter().flatten().filter_map(|identifier| identifier.channels.as_ref());
        let of_address = channels.find_map(|channels| channels.email.as_ref());
        let listed = || self.statuses.iter().flatten().find(|listed| listed.name.as_deref() == Some("email"));
        of_address.or_else(listed)
    }
}

/// Whether a text looks like one of the vendor's ids: they become parts of paths.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn item(item: Value) -> Item {
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn items_are_known_by_their_request() {
        let check = |value: Value, email: Option<&str>, place: Option<usize>, failure: Option<u16>| {
            let is_among_failed = value["responseCode"].as_u64() != Some(200);
            let found = item(value.clone());
            assert_eq!(found.email().as_deref(), email, "{value}");
            assert_eq!(found.place(), place, "{value}");
            assert_eq!(found.failure(is_among_failed), failure, "{value}");
        };
        let request =
            json!({"identifiers": [{"type": "phone", "id": "+4"}, {"type": "email", "id": "A@example.com"}]});
        check(
            json!({"itemID": "1", "request": request, "responseCode": 400, "response": {"error": "x", "fields": {}}}),
            Some("a@example.com"),
            Some(0),
            Some(400),
        );
        check(
            json!({"itemID": "00f1", "responseCode": 200, "response": {"email": "a@example.com", "contactID": "7"}}),
            Some("a@example.com"),
            None,
            None,
        );
        check(json!({"itemID": "0", "responseCode": null}), None, None, Some(500));
        check(json!({"responseCode": 503, "response": {"status": 503, "title": "x"}}), None, None, Some(503));
    }

    #[test]
    fn ids_have_two_names() {
        let id = |response: Value| item(json!({"response": response})).contact_id();
        assert_eq!(id(json!({"id": "abc"})).as_deref(), Some("abc"));
        assert_eq!(id(json!({"contactID": "abc"})).as_deref(), Some("abc"));
        assert_eq!(id(json!({"id": "../x"})), None);
    }

    #[test]
    fn the_channel_is_found_in_every_form() {
        let check = |contact: Value, expected: Option<(&str, &str)>| {
            let contact: Contact = serde_json::from_value(contact).unwrap();
            let channel = contact.email_channel();
            let found = channel.map(|channel| {
                (channel.status.as_deref().unwrap_or_default(), channel.since.as_deref().unwrap_or_default())
            });
            assert_eq!(found, expected);
        };
        let identifiers = |date: &str| {
            let channels = json!({"email": {"status": "unsubscribed", date: "2026-01-01T00:00:00Z"}});
            json!({"identifiers": [{"type": "email", "id": "a@example.com", "channels": channels}]})
        };
        let expected = Some(("unsubscribed", "2026-01-01T00:00:00Z"));
        check(identifiers("statusDate"), expected);
        check(identifiers("statusChangedAt"), expected);
        let listed =
            json!({"channel": "email", "status": "unsubscribed", "statusChangedAt": "2026-01-01T00:00:00Z"});
        check(json!({"statuses": [{"channel": "sms", "status": "subscribed"}, listed]}), expected);
        check(json!({"status": 400}), None);
    }

    #[test]
    fn answers_that_ask_to_wait() {
        assert_eq!(retry_after(br#"{"status": 429, "retryAfter": 30}"#), Some(30));
        assert_eq!(retry_after(br#"{"error": "x"}"#), None);
        assert_eq!(retry_after(b"<html>"), None);
    }
}
