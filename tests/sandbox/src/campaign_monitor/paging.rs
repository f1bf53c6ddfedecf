//! Pages: their parameters and the envelope around their rows.
//!
//! <https://www.campaignmonitor.com/api/v3-3/lists/#active-subscribers>

use super::clock::Zone;
use super::endpoint::Query;
use super::errors::{self, ApiError};
use super::members::OrderField;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

const SMALLEST_PAGE: usize = 10;
const LARGEST_PAGE: usize = 1000;

/// The parameters of a page, with the documented defaults.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageQuery {
    pub(super) changed_since: Option<i64>,
    pub(super) page: usize,
    pub(super) page_size: usize,
    pub(super) by: OrderField,
    pub(super) descending: bool,
    pub(super) tracking: bool,
}

impl PageQuery {
    pub(super) fn parse(query: &Query, zone: Zone) -> Result<Self, ApiError> {
        let page = number(query, "page", 1, errors::BAD_PAGE)?;
        if page == 0 {
            return Err(errors::BAD_PAGE);
        }
        let page_size = number(query, "pagesize", LARGEST_PAGE, errors::BAD_PAGE_SIZE)?;
        if !(SMALLEST_PAGE..=LARGEST_PAGE).contains(&page_size) {
            return Err(errors::BAD_PAGE_SIZE);
        }
        let by = match query.get("orderfield") {
            None | Some("email") => OrderField::Email,
            Some("name") => OrderField::Name,
            Some("date") => OrderField::Date,
            Some(_) => return Err(errors::BAD_ORDER_FIELD),
        };
        let descending = match query.get("orderdirection") {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return Err(errors::BAD_ORDER_DIRECTION),
        };
        let changed_since = query.get("date").map(|day| since(day, zone)).transpose()?;
        Ok(Self { changed_since, page, page_size, by, descending, tracking: wants_tracking(query) })
    }

    pub(super) fn skip(&self) -> usize {
        self.page.saturating_sub(1).saturating_mul(self.page_size)
    }

    pub(super) fn orders_by_date(&self) -> bool {
        self.by == OrderField::Date
    }
}

/// Whether rows say if the person consented to be tracked.
pub(super) fn wants_tracking(query: &Query) -> bool {
    query.get("includetrackingpreference").is_some_and(|word| word.eq_ignore_ascii_case("true"))
}

fn number(query: &Query, name: &str, default: usize, error: ApiError) -> Result<usize, ApiError> {
    query.get(name).map_or(Ok(default), |text| text.parse().map_err(|_| error))
}

/// The start of a day in the client's time zone.
fn since(day: &str, zone: Zone) -> Result<i64, ApiError> {
    let day: Date = day.parse().map_err(|_| errors::MALFORMED)?;
    let start = day.to_zoned(TimeZone::fixed(zone.offset())).map_err(|_| errors::MALFORMED)?;
    Ok(start.timestamp().as_second())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_field_names, reason = "they are the API's names")]
pub(super) struct Page<T> {
    results: Vec<T>,
    results_ordered_by: &'static str,
    order_direction: &'static str,
    page_number: usize,
    page_size: usize,
    records_on_this_page: usize,
    total_number_of_records: usize,
    number_of_pages: usize,
}

/// The rows of one page with what the API says about it.
pub(super) fn envelope<T>(query: &PageQuery, total: usize, results: Vec<T>) -> Page<T> {
    Page {
        records_on_this_page: results.len(),
        results,
        results_ordered_by: match query.by {
            OrderField::Email => "email",
            OrderField::Name => "name",
            OrderField::Date => "date",
        },
        order_direction: if query.descending { "desc" } else { "asc" },
        page_number: query.page,
        page_size: query.page_size,
        total_number_of_records: total,
        number_of_pages: total.div_ceil(query.page_size),
    }
}
