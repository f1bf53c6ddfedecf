//! Preparing the sandbox, looking into it and changing what is in it behind the API's back.

use super::control_types::{
    BatchView, BrandKey, Change, ContactPage, ContactsQuery, ControlError, Counts, ListedContact, NewBrand,
    NewKey, Pace, SeedContact,
};
use super::dialect::Dialect;
use super::ids::BrandId;
use super::orders::{FailItems, StopBatches};
use super::report::Report;
use super::server::lock;
use super::{Fault, Sandbox};

impl Sandbox {
    /// Makes a brand with a key that may do everything.
    #[must_use]
    pub fn create_brand(&self, brand: NewBrand) -> BrandKey {
        self.shared.create_brand(brand)
    }

    /// Makes a further key of a brand.
    pub fn create_key(&self, brand: &BrandId, key: NewKey) -> Result<String, ControlError> {
        self.shared.create_key(brand.as_str(), key)
    }

    /// From now on the key is unknown.
    pub fn revoke_key(&self, api_key: &str) -> Result<(), ControlError> {
        self.shared.revoke_key(api_key)
    }

    /// From now on the dialect is retired.
    pub fn retire(&self, dialect: Dialect) {
        self.shared.world().options.retired.insert(dialect);
    }

    /// Makes contacts. Those before one that cannot be made are there.
    pub fn seed_contacts(&self, brand: &BrandId, contacts: Vec<SeedContact>) -> Result<(), ControlError> {
        self.shared.seed_contacts(brand.as_str(), contacts)
    }

    /// Something happens to the contact of an address.
    pub fn change_contact(&self, brand: &BrandId, email: &str, change: Change) -> Result<(), ControlError> {
        self.shared.change_contact(brand.as_str(), email, change)
    }

    /// Some of the contacts, in the order in which they came.
    pub fn contacts(&self, brand: &BrandId, query: &ContactsQuery) -> Result<ContactPage, ControlError> {
        self.shared.contacts(brand.as_str(), query)
    }

    /// The contact of an address.
    pub fn contact(&self, brand: &BrandId, email: &str) -> Result<ListedContact, ControlError> {
        self.shared.contact(brand.as_str(), email)
    }

    /// How many contacts of each kind there are, and what is still going on.
    pub fn counts(&self, brand: &BrandId) -> Result<Counts, ControlError> {
        self.shared.counts(brand.as_str())
    }

    /// All batches, in the order in which they came.
    pub fn batches(&self, brand: &BrandId) -> Result<Vec<BatchView>, ControlError> {
        self.shared.batches(brand.as_str())
    }

    /// The names of all segments, by id.
    pub fn segments(&self, brand: &BrandId) -> Result<Vec<(String, String)>, ControlError> {
        self.shared.segments(brand.as_str())
    }

    /// The next batches that begin stop before their end.
    pub fn stop_batches(&self, order: StopBatches) {
        self.shared.world().orders.stop(order);
    }

    /// Items of batches fail from now on.
    pub fn fail_items(&self, order: FailItems) {
        self.shared.world().orders.fail(order);
    }

    /// Forgets what batches and items were told to do wrong.
    pub fn clear_orders(&self) {
        self.shared.world().orders.clear();
    }

    /// What was seen since the start or the last reset.
    #[must_use]
    pub fn report(&self) -> Report {
        self.shared.world().report.clone()
    }

    /// Sets all of the report's figures to zero.
    pub fn reset_report(&self) {
        self.shared.world().report = Report::default();
    }

    /// Adds a fault behind those that are waiting already.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.shared.faults).add(fault);
    }

    /// Forgets all faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// The faults that are still to come, each with the number of calls that it will still hit.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.shared.faults).remaining()
    }

    /// Changes speed, latency and rate limits.
    pub fn set_pace(&self, pace: Pace) {
        self.shared.set_pace(pace);
    }
}
