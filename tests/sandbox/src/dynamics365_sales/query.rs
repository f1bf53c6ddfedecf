//! A query's options and preferences.
//!
//! <https://learn.microsoft.com/power-apps/developer/data-platform/webapi/query/overview>

use super::errors::{self, ApiError};
use super::filter::{Filter, no_column};
use super::ids::Guid;
use super::tables::{Cursor, Table};
use axum::http::HeaderMap;
use std::collections::HashMap;
use url::form_urlencoded;

/// Rows of a page, unless the caller asks for fewer; nobody gets more.
pub(super) const LARGEST_PAGE: usize = 5_000;

/// What a query asks for.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) select: Option<Vec<String>>,
    pub(super) filter: Option<Filter>,
    pub(super) has_count: bool,
    /// Most rows in all; none together with a page size, which then rules.
    pub(super) top: Option<usize>,
    /// The page begins behind it.
    pub(super) behind: Option<Cursor>,
    pub(super) page_number: usize,
    pub(super) preferences: Preferences,
    /// The query as it was sent, without the paging cookie.
    pub(super) raw: String,
}

impl Query {
    pub(super) fn parse(
        raw: &str,
        table: &Table,
        preferences: Preferences,
        most_in_values: usize,
    ) -> Result<Self, ApiError> {
        let (raw, token) = match raw.split_once("&$skiptoken=") {
            Some((raw, token)) => (raw, Some(token)),
            None => (raw, None),
        };
        let mut options = HashMap::new();
        let mut aliases = HashMap::new();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()).into_owned() {
            let target = if name.starts_with('@') { &mut aliases } else { &mut options };
            if target.insert(name.clone(), value).is_some() {
                return Err(errors::invalid_query(format!(
                    "Query option '{name}' was specified more than once."
                )));
            }
        }
        let mut take = |name: &str| options.remove(name);
        let select = take("$select").map(|names| select(&names, table)).transpose()?;
        let filter =
            take("$filter").map(|text| Filter::parse(&text, table, &aliases, most_in_values)).transpose()?;
        let has_count = match take("$count").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(errors::invalid_query("Invalid value for $count query option.")),
        };
        let top = take("$top").map(|text| text.parse::<usize>()).transpose();
        let top = top.map_err(|_| errors::invalid_query("Invalid value for $top query option."))?;
        if let Some(order) = take("$orderby")
            && order != table.key
            && order != format!("{} asc", table.key)
        {
            return Err(errors::not_built("other orders than that of the primary key"));
        }
        if let Some(name) = options.into_keys().next() {
            return Err(match name.as_str() {
                "$skip" => errors::invalid_query("Skip Clause is not supported in CRM"),
                "$expand" | "$apply" | "fetchXml" | "$skiptoken" => {
                    errors::not_built(&format!("the query option {name} here"))
                }
                _ => errors::invalid_query(format!("The query option '{name}' is not supported.")),
            });
        }
        let raw = raw.to_owned();
        let (behind, page_number) = match token {
            None => (None, 1),
            Some(token) => {
                let (cursor, number) = read_cookie(token, &raw).ok_or_else(|| {
                    errors::invalid_query("Malformed paging cookie: the next link has to be used as it is.")
                })?;
                (Some(cursor), number)
            }
        };
        let top = top.filter(|_| preferences.page_size.is_none());
        Ok(Self { select, filter, has_count, top, behind, page_number, preferences, raw })
    }

    pub(super) fn page_size(&self) -> usize {
        let size = self.preferences.page_size.or(self.top).unwrap_or(LARGEST_PAGE);
        size.min(LARGEST_PAGE)
    }

    /// What follows the path in the link to the next page, whose last row this is of.
    pub(super) fn next(&self, last: Cursor) -> String {
        format!("{}&$skiptoken={}", self.raw, cookie(last, self.page_number + 1, &self.raw))
    }
}

fn select(names: &str, table: &Table) -> Result<Vec<String>, ApiError> {
    let mut selected = Vec::new();
    for name in names.split(',').map(str::trim) {
        if table.kind(name).is_none() {
            return Err(no_column(name, table));
        }
        selected.push(name.to_owned());
    }
    Ok(selected)
}

/// The vendor's form: XML, percent-encoded twice, so that decoding it once and encoding it again spoils it.
fn cookie((first, second): Cursor, page_number: usize, raw: &str) -> String {
    let inner =
        format!("<cookie page=\"{page_number}\"><row first=\"{first}\" last=\"{second}\" /></cookie>");
    let inner = encoded(&encoded(&inner));
    let check = fingerprint(raw);
    encoded(&format!(
        "<cookie pagenumber=\"{page_number}\" pagingcookie=\"{inner}\" check=\"{check:016x}\" />"
    ))
}

fn read_cookie(token: &str, raw: &str) -> Option<(Cursor, usize)> {
    let decode =
        |text: &str| form_urlencoded::parse(text.as_bytes()).map(|(name, _)| name.into_owned()).next();
    // An equals sign would end the name that the decoder looks for, but the cookie has none unescaped.
    let outer = decode(token)?;
    let between = |text: &str, before: &str| {
        let (_, rest) = text.split_once(before)?;
        rest.split_once('"').map(|(found, _)| found.to_owned())
    };
    let page_number = between(&outer, "pagenumber=\"")?.parse().ok()?;
    let inner = decode(&decode(&between(&outer, "pagingcookie=\"")?)?)?;
    let cursor = (Guid::parse(&between(&inner, "first=\"")?)?, Guid::parse(&between(&inner, "last=\"")?)?);
    (cookie(cursor, page_number, raw) == token).then_some((cursor, page_number))
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// FNV-1a: the cookie belongs to one query.
fn fingerprint(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The `Prefer` header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preferences {
    pub(super) page_size: Option<usize>,
    pub(super) has_representation: bool,
    pub(super) continues_on_error: bool,
    /// Whether the annotations about the total count were asked for.
    pub(super) has_total_annotations: bool,
}

impl Preferences {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        for header in headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()) {
            if let Some((_, rest)) = header.split_once("odata.include-annotations=") {
                let names = rest.trim_start_matches('"').split('"').next().unwrap_or_default();
                preferences.has_total_annotations |=
                    names == "*" || names.contains("Microsoft.Dynamics.CRM.totalrecordcount");
            }
            for preference in header.split(',').map(str::trim) {
                match preference.split_once('=') {
                    Some(("odata.maxpagesize", size)) => {
                        preferences.page_size = size.parse().ok().filter(|size| *size > 0);
                    }
                    Some(("return", "representation")) => preferences.has_representation = true,
                    None if preference == "odata.continue-on-error" => preferences.continues_on_error = true,
                    _ => {}
                }
            }
        }
        preferences
    }
}
