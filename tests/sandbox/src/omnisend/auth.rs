//! Keys and what they allow.
//!
//! <https://api-docs.omnisend.com/v2026-03-15/reference/authentication>; the permissions are the scopes that each page names.

use super::dialect::Dialect;
use super::errors::{self, ApiError};
use super::ids::BrandId;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Permission {
    /// Read the brand.
    #[serde(rename = "brands.read")]
    BrandsRead,
    /// Read contacts and batches.
    #[serde(rename = "contacts.read")]
    ContactsRead,
    /// Write contacts, tags and batches.
    #[serde(rename = "contacts.write")]
    ContactsWrite,
    /// Read segments.
    #[serde(rename = "segments.read")]
    SegmentsRead,
    /// Make, change and delete segments.
    #[serde(rename = "segments.write")]
    SegmentsWrite,
}

/// A key of a brand.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) brand: BrandId,
    /// Everything if none are given.
    pub(super) permissions: Option<BTreeSet<Permission>>,
}

const VERSION: &str = "2026-03-15";

/// The key of a call. A missing key and a wrong one look the same in version 2026-03-15.
pub(super) fn key<'a>(
    keys: &'a HashMap<String, Key>,
    retired: &BTreeSet<Dialect>,
    dialect: Dialect,
    headers: &HeaderMap,
) -> Result<&'a Key, ApiError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if retired.contains(&dialect) {
        return Err(errors::retired());
    }
    let sent = match dialect {
        Dialect::V2026 => {
            match header("omnisend-version") {
                Some(VERSION) => {}
                Some(_) => {
                    return Err(errors::invalid("Omnisend-Version", "invalid_value", "Unknown API version"));
                }
                None => {
                    return Err(errors::invalid("Omnisend-Version", "required", "The header is required"));
                }
            }
            let authorization = header("authorization").and_then(|value| value.split_once(' '));
            authorization.filter(|(scheme, _)| *scheme == "Omnisend-API-Key").map(|(_, key)| key)
        }
        Dialect::V5 => Some(header("x-api-key").ok_or_else(errors::no_key)?),
    };
    sent.and_then(|sent| keys.get(sent)).ok_or_else(errors::unauthorized)
}

/// Whether the key may do this.
pub(super) fn allow(key: &Key, permission: Option<Permission>) -> Result<(), ApiError> {
    match (&key.permissions, permission) {
        (Some(allowed), Some(permission)) if !allowed.contains(&permission) => Err(errors::forbidden()),
        _ => Ok(()),
    }
}
