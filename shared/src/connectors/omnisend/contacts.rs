//! Contacts, read one at a time, where something has to be known of them before they are written.

use super::answers::{Contact, Contacts, is_id};
use super::client::{Call, Client, Session};
use crate::connectors::{CredentialStore, PushError};

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

/// Whether a subscription may be told of somebody who has consented.
///
/// Whoever has unsubscribed stays so, whatever date the consent has: what an older date does is documented for old
/// versions of the API only. Whoever is subscribed needs no telling. What is not known is left alone.
pub(super) fn may_tell_subscription(contact: Option<&Contact>) -> bool {
    match contact {
        None => true,
        Some(contact) => contact.email_status() == Some("nonSubscribed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_subscription_is_told_of_new_people_and_of_those_who_never_said_anything() {
        let check = |status: Option<&str>, expected: bool| {
            let contact: Contact = serde_json::from_value(json!({"status": status})).unwrap();
            assert_eq!(may_tell_subscription(Some(&contact)), expected, "{status:?}");
        };
        assert!(may_tell_subscription(None));
        check(Some("nonSubscribed"), true);
        check(Some("subscribed"), false);
        check(Some("unsubscribed"), false);
        check(Some("anything"), false);
        check(None, false);
    }
}
