//! The tables that can be queried: their columns, and rows as queries see them.
//!
//! <https://learn.microsoft.com/dynamics365/developer/reference/entities/list>,
//! <https://learn.microsoft.com/dynamics365/developer/reference/entities/listmember>,
//! <https://learn.microsoft.com/power-apps/developer/data-platform/reference/entities/contact>

use super::ids::Guid;
use serde_json::Value;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Text,
    Number,
    Flag,
    Moment,
}

/// A table of the organisation.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name in addresses.
    pub(super) set: &'static str,
    /// Its logical name.
    pub(super) name: &'static str,
    pub(super) key: &'static str,
    /// The number by which messages about privileges call it.
    pub(super) number: u32,
    pub(super) columns: &'static [(&'static str, Kind)],
}

impl Table {
    pub(super) fn kind(&self, column: &str) -> Option<Kind> {
        self.columns.iter().find(|(name, _)| *name == column).map(|(_, kind)| *kind)
    }
}

pub(super) const LISTS: Table = Table {
    set: "lists",
    name: "list",
    key: "listid",
    number: 4300,
    columns: &[
        ("listid", Kind::Id),
        ("listname", Kind::Text),
        ("type", Kind::Flag),
        ("createdfromcode", Kind::Number),
        ("membertype", Kind::Number),
        ("membercount", Kind::Number),
        ("lockstatus", Kind::Flag),
        ("statecode", Kind::Number),
        ("statuscode", Kind::Number),
        ("description", Kind::Text),
        ("purpose", Kind::Text),
        ("source", Kind::Text),
        ("query", Kind::Text),
        ("donotsendonoptout", Kind::Flag),
        ("ignoreinactivelistmembers", Kind::Flag),
        ("createdon", Kind::Moment),
        ("modifiedon", Kind::Moment),
    ],
};

pub(super) const CONTACTS: Table = Table {
    set: "contacts",
    name: "contact",
    key: "contactid",
    number: 2,
    columns: &[
        ("contactid", Kind::Id),
        ("firstname", Kind::Text),
        ("lastname", Kind::Text),
        ("emailaddress1", Kind::Text),
        ("statecode", Kind::Number),
        ("statuscode", Kind::Number),
    ],
};

pub(super) const LIST_MEMBERS: Table = Table {
    set: "listmembers",
    name: "listmember",
    key: "listmemberid",
    number: 4301,
    columns: &[
        ("listmemberid", Kind::Id),
        ("_listid_value", Kind::Id),
        ("_entityid_value", Kind::Id),
        ("entitytype", Kind::Text),
        ("createdon", Kind::Moment),
    ],
};

pub(super) const MESSAGE_FILTERS: Table = Table {
    set: "sdkmessagefilters",
    name: "sdkmessagefilter",
    key: "sdkmessagefilterid",
    number: 4607,
    columns: &[
        ("sdkmessagefilterid", Kind::Id),
        ("primaryobjecttypecode", Kind::Text),
        ("sdkmessageid/name", Kind::Text),
    ],
};

/// A row's value in a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Null,
    Id(Guid),
    Text(&'a str),
    Owned(String),
    Number(i64),
    Flag(bool),
}

impl Cell<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Cell::Text(text) => Some(text),
            Cell::Owned(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Id(id) => Value::String(id.to_string()),
            Cell::Text(text) => Value::String((*text).to_owned()),
            Cell::Owned(text) => Value::String(text.clone()),
            Cell::Number(number) => Value::from(*number),
            Cell::Flag(flag) => Value::Bool(*flag),
        }
    }
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.map_or(Cell::Null, Cell::Text)
    }
}

/// Where a row stands in its table's order; a page begins behind one.
pub(super) type Cursor = (Guid, Guid);

/// A row of a table.
pub(super) trait Row {
    fn cell(&self, column: &str) -> Cell<'_>;
    fn version(&self) -> u64;
    fn cursor(&self) -> Cursor;
}
