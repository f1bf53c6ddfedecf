//! `GET /contacts`: filters and pages.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/get_contacts>

use super::answer::Answer;
use super::clock;
use super::contact::{Contact, Status};
use super::cursor::{PageQuery, Place, Sort};
use super::dialect::Dialect;
use super::errors::{self, ApiError};
use super::query::Query;
use super::segment_rules::Matcher;
use super::show;
use super::world::Brand;
use serde_json::{Value, json};
use url::form_urlencoded;

const SORTS: [(&str, Sort); 2] = [("createdAt", Sort::CreatedAt), ("updatedAt", Sort::UpdatedAt)];
const STATUSES: [(&str, Option<Status>); 3] = [
    ("subscribed", Some(Status::Subscribed)),
    ("unsubscribed", Some(Status::Unsubscribed)),
    ("nonSubscribed", Some(Status::NonSubscribed)),
];

/// One of many, by number.
#[derive(Clone, Copy)]
enum Wanted {
    Any,
    /// What was asked for is not there.
    None,
    Only(u32),
}

impl From<Option<u32>> for Wanted {
    fn from(found: Option<u32>) -> Self {
        found.map_or(Self::None, Self::Only)
    }
}

/// What contacts have to be.
struct Filter<'a> {
    /// The only one who can match, if address or number are asked for.
    contact: Wanted,
    status: Option<Status>,
    tag: Wanted,
    segment: Option<Matcher<'a>>,
    updated_from: Option<i64>,
}

impl<'a> Filter<'a> {
    fn parse(brand: &'a Brand, query: &Query) -> Result<Self, ApiError> {
        let has = |name: &str| query.get(name).is_some();
        if has("tag") && has("status") {
            return Err(errors::invalid("tag", "not_allowed", "Cannot be used together with status"));
        }
        let others = ["email", "phone", "status", "segmentID", "tag"];
        if has("updatedAtFrom") && others.into_iter().any(has) {
            return Err(errors::invalid(
                "updatedAtFrom",
                "not_allowed",
                "Cannot be combined with other filters",
            ));
        }
        let by_email = query.get("email").map(|email| brand.contacts.by_email(email));
        let by_phone = query.get("phone").map(|phone| brand.contacts.by_phone(phone));
        let contact = match (by_email, by_phone) {
            (Some(email), Some(phone)) => email.filter(|number| Some(*number) == phone).into(),
            (Some(found), None) | (None, Some(found)) => found.into(),
            (None, None) => Wanted::Any,
        };
        let segment = query.get("segmentID").map(|id| {
            let segment = brand.segments.get(id);
            let unknown = || errors::invalid("segmentID", "invalid_value", "Segment not found");
            segment.map(|segment| segment.rule.matcher(&brand.tags)).ok_or_else(unknown)
        });
        let updated_from = query.get("updatedAtFrom").map(|text| {
            let wrong = || errors::invalid("updatedAtFrom", "invalid_format", "Must be a moment by RFC 3339");
            clock::parse(text).ok_or_else(wrong)
        });
        Ok(Self {
            contact,
            status: query.word("status", &STATUSES, None)?,
            tag: query.get("tag").map_or(Wanted::Any, |tag| brand.tags.find(tag).into()),
            segment: segment.transpose()?,
            updated_from: updated_from.transpose()?,
        })
    }

    fn matches(&self, contact: &Contact) -> bool {
        self.status.is_none_or(|status| contact.email.is_some() && contact.email_channel.status == status)
            && match self.tag {
                Wanted::Any => true,
                Wanted::None => false,
                Wanted::Only(tag) => contact.has_tag(tag),
            }
            && self.segment.as_ref().is_none_or(|segment| segment.matches(contact))
            && self.updated_from.is_none_or(|from| contact.updated_at >= from)
    }
}

pub(super) fn list(brand: &Brand, query: &Query, dialect: Dialect, host: &str) -> Result<Answer, ApiError> {
    let page_query = PageQuery::parse(query, 100, 250, &SORTS)?;
    let filter = Filter::parse(brand, query)?;
    let page = page_query.page(walk(brand, &page_query, &filter));
    let row = |place: &Place| {
        let contact = brand.contacts.get(place.number)?;
        Some(show::contact(brand, place.number, contact, dialect))
    };
    let contacts: Vec<Value> = page.rows.iter().filter_map(row).collect();
    let limit = page_query.limit;
    let paging = match dialect {
        Dialect::V2026 => json!({
            "limit": limit,
            "hasMore": page.after.is_some(),
            "cursors": { "after": page.after, "before": page.before },
        }),
        Dialect::V5 => {
            let link = |name: &str, cursor: Option<String>| {
                cursor.map(|cursor| link(query, host, dialect, name, &cursor))
            };
            let (next, previous) = (link("after", page.after), link("before", page.before));
            json!({ "limit": limit, "next": next, "previous": previous })
        }
    };
    Ok(Answer::json(200, &json!({ "contacts": contacts, "paging": paging })))
}

/// Whoever matches, in the order of the walk.
fn walk<'a>(
    brand: &'a Brand,
    query: &PageQuery,
    filter: &'a Filter<'a>,
) -> Box<dyn Iterator<Item = Place> + 'a> {
    let matches = |number: &u32| brand.contacts.get(*number).is_some_and(|contact| filter.matches(contact));
    let by_number = |number: u32| Place { key: String::new(), number };
    match filter.contact {
        Wanted::Any => {}
        Wanted::None => return Box::new(std::iter::empty()),
        Wanted::Only(number) => {
            let found = Some(number).filter(matches).map(by_number);
            return Box::new(query.walk(found.into_iter().collect()).into_iter());
        }
    }
    let start = query.start().map(|place| place.number);
    match (query.sort, query.walks_down()) {
        // Contacts have their numbers in the order in which they were made.
        (Sort::CreatedAt, true) => {
            let end = start.unwrap_or_else(|| brand.contacts.end());
            Box::new((0..end).rev().filter(matches).map(by_number))
        }
        (Sort::CreatedAt, false) => {
            let begin = start.map_or(0, |start| start.saturating_add(1));
            Box::new((begin..brand.contacts.end()).filter(matches).map(by_number))
        }
        _ => {
            let updated = |number: u32| {
                let at_ms = brand.contacts.get(number).map_or(0, |contact| contact.updated_at);
                // Of equal length, so that the order of texts is that of the moments.
                Place { key: format!("{at_ms:020}"), number }
            };
            let rows = (0..brand.contacts.end()).filter(matches).map(updated).collect();
            Box::new(query.walk(rows).into_iter())
        }
    }
}

fn link(query: &Query, host: &str, dialect: Dialect, name: &str, cursor: &str) -> String {
    let kept = query.pairs().filter(|(name, _)| !matches!(*name, "after" | "before"));
    let pairs =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair(name, cursor).finish();
    format!("http://{host}{}contacts?{pairs}", dialect.prefix())
}
