//! Contacts, read one at a time, where something has to be known of them before they are written.

use super::answers::{Contact, Contacts, is_id};
use super::client::{Call, Client, Session};
use crate::PushError;
use jiff::Timestamp;
use relay_model::CredentialStore;

pub(super) const READ: &str = "read a contact";
pub(super) const READ_SCOPE: &str = "contacts.read";
const NOT_FOUND: u16 = 404;

/// The contact with this address. The query is the only place that the vendor has for it.
pub(super) async fn by_email<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
    email: &str,
) -> Result<Option<Contact>, PushError> {
    let mut url = client.url(&["contacts"]);
    url.query_pairs_mut().append_pair("email", email);
    let page: Contacts = client.call(&Call::get(READ, url, READ_SCOPE), session).await?.read()?;
    Ok(page.contacts.into_iter().next())
}

/// The contact with this id, or, where it is gone, with this address.
pub(super) async fn by_id_or_email<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
    id: Option<&str>,
    email: &str,
) -> Result<Option<Contact>, PushError> {
    if let Some(id) = id.filter(|id| is_id(id)) {
        let url = client.url(&["contacts", id]);
        let call = Call { accepts: &[NOT_FOUND], ..Call::get(READ, url, READ_SCOPE) };
        let answer = client.call(&call, session).await?;
        if answer.status != NOT_FOUND {
            return answer.read().map(Some);
        }
    }
    by_email(client, session, email).await
}

/// Whether a subscription may be told of somebody who has consented on a day.
///
/// Whoever has unsubscribed stays so, whatever day the consent has, and whoever is subscribed needs no telling. Of the
/// others the later word counts: that a status with an earlier date changes nothing is what the vendor documents, but
/// for older versions only (<https://api-docs.omnisend.com/v3/reference/post_contacts>), so it is not left to the
/// version. What is not known is left alone.
pub(super) fn may_tell_subscription(contact: Option<&Contact>, consent_date: &str) -> bool {
    let Some(contact) = contact else { return true };
    let Some(channel) = contact.email_channel() else { return false };
    let moment = |text: &str| text.parse::<Timestamp>().ok();
    let since = channel.since.as_deref().and_then(moment);
    channel.status.as_deref() == Some("nonSubscribed")
        && since.is_some_and(|since| moment(consent_date).is_some_and(|consented| consented > since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_subscription_is_told_of_new_people_and_of_those_who_consented_after_the_last_word() {
        let day = "2026-01-02T00:00:00Z";
        let check = |status: Option<&str>, since: Option<&str>, expected: bool| {
            let statuses = json!([{"channel": "email", "status": status, "statusChangedAt": since}]);
            let contact: Contact = serde_json::from_value(json!({"statuses": statuses})).unwrap();
            assert_eq!(may_tell_subscription(Some(&contact), day), expected, "{status:?} {since:?}");
        };
        assert!(may_tell_subscription(None, day));
        check(Some("nonSubscribed"), Some("2026-01-01T00:00:00Z"), true);
        check(Some("nonSubscribed"), Some("2026-01-02T00:00:00Z"), false);
        check(Some("nonSubscribed"), Some("2026-01-03T00:00:00.5+01:00"), false);
        check(Some("nonSubscribed"), Some("yesterday"), false);
        check(Some("nonSubscribed"), None, false);
        check(Some("subscribed"), Some("2026-01-01T00:00:00Z"), false);
        check(Some("unsubscribed"), Some("2026-01-01T00:00:00Z"), false);
        check(Some("anything"), Some("2026-01-01T00:00:00Z"), false);
        check(None, Some("2026-01-01T00:00:00Z"), false);
        let silent: Contact = serde_json::from_value(json!({})).unwrap();
        assert!(!may_tell_subscription(Some(&silent), day));
    }
}
