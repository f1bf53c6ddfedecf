//! An Omnisend segment of everybody who carries the tag, so that marketers find it among theirs.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/get_segments> and
//! <https://api-docs.omnisend.com/v2026-03-15/reference/post_segments>.

use super::client::{Call, Client, SEGMENT_READ_COST, SEGMENT_WRITE_COST, Session};
use crate::{Intent, PushError};
use bytes::Bytes;
use http::Method;
use relay_model::CredentialStore;
use serde::Deserialize;
use serde_json::{Value, json};

const READ: &str = "read the segments";
const MAKE: &str = "make a segment";
/// Segments of a page, at the most (same place).
const PAGE: &str = "50";
/// A brand with more segments than so many pages of them gets one more, and is told.
const MAX_PAGES: usize = 40;

#[derive(Deserialize)]
struct Segments {
    segments: Vec<Segment>,
    #[serde(default)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Segment {
    name: String,
    #[serde(default)]
    condition_groups: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Paging {
    cursors: Cursors,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cursors {
    after: Option<String>,
}

/// Makes the segment of a tag where there is none of this name, or says that it would. Gives what people should know.
pub(super) async fn ensure<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
    tag: &str,
) -> Result<String, PushError> {
    if let Some(segment) = find(client, session, tag).await? {
        let quoted = Value::from(tag).to_string();
        return Ok(if segment.condition_groups.to_string().contains(&quoted) {
            format!("the Omnisend segment \"{tag}\" is there")
        } else {
            format!("there is an Omnisend segment \"{tag}\" with other conditions; it is left alone")
        });
    }
    if session.context.intent() == Intent::Look {
        return Ok(format!("the Omnisend segment \"{tag}\" would be made"));
    }
    let body = encode(tag).to_string();
    let call = Call {
        cost: SEGMENT_WRITE_COST,
        // Made twice, there would be two.
        is_repeatable: false,
        ..Call::write(MAKE, Method::POST, client.url(&["segments"]), Bytes::from(body), "segments.write")
    };
    client.call(&call, session).await?;
    Ok(format!("the Omnisend segment \"{tag}\" was made"))
}

/// The body of a segment of everybody who carries a tag.
pub(super) fn encode(tag: &str) -> Value {
    let filter = json!({"operator": "anyOf", "property": "tags", "value": [tag]});
    let condition = json!({"entity": "contact", "junction": "and", "filters": [filter]});
    json!({"name": tag, "conditionGroups": [{"conditions": [condition]}]})
}

async fn find<S: CredentialStore>(
    client: &Client<S>,
    session: &Session<'_>,
    name: &str,
) -> Result<Option<Segment>, PushError> {
    let mut after: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let mut url = client.url(&["segments"]);
        url.query_pairs_mut().append_pair("limit", PAGE);
        if let Some(after) = &after {
            url.query_pairs_mut().append_pair("after", after);
        }
        let call = Call { cost: SEGMENT_READ_COST, ..Call::get(READ, url, "segments.read") };
        let page: Segments = client.call(&call, session).await?.read()?;
        if let Some(segment) = page.segments.into_iter().find(|segment| segment.name == name) {
            return Ok(Some(segment));
        }
        after = page.paging.cursors.after;
        if after.is_none() {
            break;
        }
    }
    Ok(None)
}
