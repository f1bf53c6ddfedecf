//! Everything that the server knows: brands with their contacts, keys, and what callers are to be misled with.

use super::auth::Key;
use super::batches::Batches;
use super::contacts::Contacts;
use super::ids::BrandId;
use super::limits::Meter;
use super::options::Options;
use super::orders::Orders;
use super::report::Report;
use super::segments::Segments;
use super::tags::Names;
use std::collections::HashMap;

/// The state of the sandbox.
#[derive(Debug)]
pub struct World {
    pub(super) options: Options,
    pub(super) report: Report,
    pub(super) brands: HashMap<BrandId, Brand>,
    pub(super) keys: HashMap<String, Key>,
    pub(super) orders: Orders,
}

#[derive(Debug)]
pub(super) struct Brand {
    pub(super) id: BrandId,
    pub(super) name: String,
    /// Without it nobody gets a welcome message.
    pub(super) welcome_workflow: bool,
    pub(super) contacts: Contacts,
    pub(super) tags: Names,
    /// The names of custom properties.
    pub(super) properties: Names,
    pub(super) batches: Batches,
    pub(super) segments: Segments,
    pub(super) meter: Meter,
    /// Calls about tags that were accepted and have not changed anything yet.
    pub(super) pending_taggings: usize,
}

/// The brand that a caller works on, with what writing needs.
pub(super) struct Target<'a> {
    pub(super) brand: &'a mut Brand,
    pub(super) report: &'a mut Report,
    pub(super) options: &'a Options,
}

impl World {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            report: Report::default(),
            brands: HashMap::new(),
            keys: HashMap::new(),
            orders: Orders::default(),
        }
    }

    pub(super) fn target(&mut self, brand: &BrandId) -> Option<Target<'_>> {
        let Self { options, report, brands, .. } = self;
        Some(Target { brand: brands.get_mut(brand)?, report, options })
    }
}
