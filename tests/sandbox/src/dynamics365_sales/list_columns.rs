//! The columns of a list in the body of a write, and which of them may be there.
//!
//! <https://learn.microsoft.com/dynamics365/developer/reference/entities/list>

use super::control_types::MemberType;
use super::errors::{self, ApiError};
use super::ids::Guid;
use super::options::FixedColumns;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What kind of write it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Write {
    Create,
    Update,
}

/// The columns that were sent.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) id: Option<Guid>,
    pub(super) name: Option<String>,
    pub(super) is_dynamic: Option<bool>,
    pub(super) member_type: Option<MemberType>,
    pub(super) is_locked: Option<bool>,
    pub(super) is_active: Option<bool>,
    pub(super) texts: BTreeMap<&'static str, String>,
    pub(super) flags: BTreeMap<&'static str, bool>,
}

/// The longest value of each text, in characters.
const TEXTS: [(&str, usize); 4] =
    [("description", 2_000), ("purpose", 512), ("source", 128), ("query", 1_073_741_823)];
const FLAGS: [&str; 2] = ["donotsendonoptout", "ignoreinactivelistmembers"];
const LONGEST_NAME: usize = 128;

impl Columns {
    pub(super) fn read(body: &[u8], write: Write, fixed: FixedColumns) -> Result<Self, ApiError> {
        let object: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| errors::invalid_payload("The body is not an object in JSON"))?;
        let mut columns = Self::default();
        for (name, value) in object {
            columns.take(&name, value, write, fixed)?;
        }
        Ok(columns)
    }

    /// One column by itself: `{"value":…}`.
    pub(super) fn read_single(name: &str, body: &[u8], fixed: FixedColumns) -> Result<Self, ApiError> {
        let mut object: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|_| errors::invalid_payload("The body is not an object in JSON"))?;
        let value = object.remove("value").filter(|_| object.is_empty());
        let value =
            value.ok_or_else(|| errors::invalid_payload("The body has to have a value and nothing else"))?;
        let mut columns = Self::default();
        columns.take(name, value, Write::Update, fixed)?;
        Ok(columns)
    }

    fn take(&mut self, name: &str, value: Value, write: Write, fixed: FixedColumns) -> Result<(), ApiError> {
        let wrong =
            || errors::invalid_payload(format!("The value of '{name}' in entity 'list' is not of its type"));
        if let Some((key, longest)) = TEXTS.into_iter().find(|(key, _)| *key == name) {
            let Value::String(text) = value else { return Err(wrong()) };
            if text.chars().count() > longest {
                return Err(errors::too_long(key, "list", longest));
            }
            self.texts.insert(key, text);
            return Ok(());
        }
        if let Some(key) = FLAGS.into_iter().find(|key| *key == name) {
            self.flags.insert(key, value.as_bool().ok_or_else(wrong)?);
            return Ok(());
        }
        match name {
            "@odata.type" | "@odata.etag" | "@odata.context" => {}
            "listid" => self.id = Some(value.as_str().and_then(Guid::parse).ok_or_else(wrong)?),
            "listname" => {
                let Value::String(text) = value else { return Err(wrong()) };
                if text.chars().count() > LONGEST_NAME {
                    return Err(errors::too_long("listname", "list", LONGEST_NAME));
                }
                if text.is_empty() {
                    return Err(errors::invalid_argument("The column listname is required"));
                }
                self.name = Some(text);
            }
            "lockstatus" => self.is_locked = Some(value.as_bool().ok_or_else(wrong)?),
            "type" | "createdfromcode" | "membertype" if write == Write::Update => {
                if fixed == FixedColumns::Refused {
                    return Err(errors::invalid_argument(format!(
                        "The column {name} is not valid for update"
                    )));
                }
            }
            "type" => self.is_dynamic = Some(value.as_bool().ok_or_else(wrong)?),
            "createdfromcode" | "membertype" => {
                let member_type = value.as_i64().and_then(MemberType::from_code).ok_or_else(wrong)?;
                if self.member_type.replace(member_type).is_some_and(|other| other != member_type) {
                    return Err(errors::invalid_argument("createdfromcode and membertype differ"));
                }
            }
            "statecode" if write == Write::Update => {
                self.is_active = Some(match value.as_i64() {
                    Some(0) => true,
                    Some(1) => false,
                    _ => return Err(wrong()),
                });
            }
            // It follows the state, of which each has one.
            "statuscode" if write == Write::Update && (value == json!(0) || value == json!(1)) => {}
            "membercount" | "statecode" | "statuscode" | "createdon" | "modifiedon" => {
                return Err(errors::invalid_argument(format!(
                    "The column {name} is not valid for this operation"
                )));
            }
            _ => {
                return Err(errors::invalid_payload(format!(
                    "An undeclared property '{name}' which only has property annotations in the payload but no \
                     property value was found in the payload for entity 'list'."
                )));
            }
        }
        Ok(())
    }
}
