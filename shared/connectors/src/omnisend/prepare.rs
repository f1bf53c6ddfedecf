//! The tag before the first push: what it is, who carries it already, and which fields contacts have.

use super::answers::Contacts;
use super::client::{Call, Client, Session};
use super::fields::{CONSENT, fields};
use super::{OmnisendOptions, OmnisendTarget, contacts, failure, segments, tag};
use crate::{ErrorKind, Prepared, PushError, WantedList};
use relay_delivery::mapping::{Field, MatchKeyKind};
use relay_model::CredentialStore;
use relay_model::ListId;
use relay_model::catalog::Export;

const READ_TAG: &str = "look for people with the tag";

/// Verifies the tag of an export's list.
pub(super) async fn prepare<S: CredentialStore>(
    client: &Client<S>,
    export: &Export,
    list: &WantedList,
    session: &Session<'_>,
) -> Result<Prepared<OmnisendTarget>, PushError> {
    let options = OmnisendOptions::parse(&export.options)
        .map_err(|error| failure("use the export's options", ErrorKind::Settings, error.to_string()))?;
    if options.make_segment && !client.words.has_brand_and_segments {
        let message = "options.make_segment: the dialect v5 has no calls for segments; use 2026-03-15";
        return Err(failure("use the export's options", ErrorKind::Settings, message));
    }
    let chosen = tag::choose(&options.tag, list)
        .map_err(|problem| failure("use the export's target list", ErrorKind::Settings, problem))?;
    let fields = fields(export, &options)?;
    let tag = chosen.tag;
    let mut notices = vec![format!("the tag is \"{tag}\"")];
    notices.extend(chosen.notices);
    if is_carried(client, session, &tag).await?
        && !matches!(list, WantedList::OfSegment { known: Some(_), .. })
    {
        notices.push(
            "people carry the tag already: who of them is not in the segment keeps it, for it was not us who gave it"
                .to_owned(),
        );
    }
    let is_mapped = |key: &str| {
        let found = export.mapping.iter().filter_map(|mapping| Field::find(&fields, &mapping.field));
        found.into_iter().any(|field| field.key == key)
    };
    if is_mapped(CONSENT) {
        notices.push(
            "consent is mapped: everybody who has consented is looked up before they are written, one call each, so \
             that nobody who has unsubscribed is subscribed again"
                .to_owned(),
        );
    }
    if client.words.tagging == super::dialect::Tagging::OneByOne {
        notices.push(
            "the dialect v5 has no call for the tags of many people: each is read and written by itself, which takes \
             two or three calls of the 400 a minute"
                .to_owned(),
        );
    }
    if options.make_segment {
        notices.push(segments::ensure(client, session, &tag).await?);
    }
    let list_id = ListId(tag.clone());
    let terms = format!("tag={tag}");
    Ok(Prepared {
        target: OmnisendTarget { tag },
        list_id,
        match_key: MatchKeyKind::Email,
        terms,
        fields,
        quota: None,
        notices,
    })
}

async fn is_carried<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
    tag: &str,
) -> Result<bool, PushError> {
    let mut url = client.url(&["contacts"]);
    url.query_pairs_mut().append_pair("tag", tag).append_pair("limit", "1");
    let page: Contacts =
        client.call(&Call::get(READ_TAG, url, contacts::READ_SCOPE), session).await?.read()?;
    Ok(!page.contacts.is_empty())
}
