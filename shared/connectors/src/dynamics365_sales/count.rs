//! How many people are on a list, by the organisation's own rows: `membercount` of a list is a display value, and
//! `$count` says 5,000 for more
//! (<https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/count-rows>), so pages are counted.

use super::answers::CountedPage;
use super::client::{Call, Client, Session};
use super::{Dynamics365SalesTarget, failure};
use crate::{ErrorKind, PushError, Retry};
use http::{HeaderName, HeaderValue};
use relay_model::CredentialStore;
use std::time::Duration;
use url::Url;

const OPERATION: &str = "count the members of the marketing list";
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The largest page (<https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/page-results>).
const PAGE: HeaderValue = HeaderValue::from_static("odata.maxpagesize=5000");
/// With less time than this the count is given up: it is worth less than the run's end.
const LEAST_TIME: Duration = Duration::from_secs(5);

/// Counts the members; none where there is no time for it.
pub(super) async fn count<S: CredentialStore>(
    client: &Client<S>,
    target: &Dynamics365SalesTarget,
    session: &Session<'_>,
) -> Result<Option<u64>, PushError> {
    let mut url = client.url("listmembers");
    url.set_query(Some(&format!("$select=listmemberid&$filter=_listid_value eq {}", target.list_id)));
    let mut members = 0;
    loop {
        if session.context.left() < LEAST_TIME {
            return Ok(None);
        }
        let call = Call { headers: vec![(PREFER, PAGE)], ..Call::get(OPERATION, url.clone()) };
        let page: CountedPage = client.call(&call, session).await?.read()?;
        members += u64::try_from(page.value.len()).unwrap_or(u64::MAX);
        let Some(link) = page.next_link else { return Ok(Some(members)) };
        let next = next_page(&client.settings.organisation.join(&[]), &link).filter(|next| *next != url);
        url = next.ok_or_else(|| {
            let message =
                "the link to the next page does not lead to the organisation, so it is not followed";
            PushError { retry: Retry::Never, ..failure(OPERATION, ErrorKind::Protocol, message) }
        })?;
    }
}

/// The link to the next page is used as it is, but only where it stays at the organisation: the token goes with it.
fn next_page(organisation: &Url, link: &str) -> Option<Url> {
    let next = Url::parse(link).ok()?;
    let is_plain = next.username().is_empty() && next.password().is_none();
    (is_plain && next.origin() == organisation.origin()).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_follow_links_elsewhere() {
        let organisation = Url::parse("https://contoso.crm.dynamics.com").unwrap();
        let check = |link: &str, expected: bool| {
            assert_eq!(next_page(&organisation, link).is_some(), expected, "{link}");
        };
        check("https://contoso.crm.dynamics.com/api/data/v9.2/listmembers?$skiptoken=%3Ccookie%253d", true);
        check("https://contoso.crm.dynamics.com:443/api", true);
        check("https://fabrikam.crm.dynamics.com/api", false);
        check("https://contoso.crm.dynamics.com.evil.com/api", false);
        check("https://contoso.crm.dynamics.com@evil.com/api", false);
        check("https://user@contoso.crm.dynamics.com/api", false);
        check("http://contoso.crm.dynamics.com/api", false);
        check("https://contoso.crm.dynamics.com:8443/api", false);
        check("/api/data/v9.2/listmembers", false);
    }
}
