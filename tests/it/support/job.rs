//! One export to Campaign Monitor with its source, segment, connection and list.

use super::Definitions;
use local::world::World;
use sandbox::campaign_monitor::{ListId, ListedSubscriber, SubscriberState};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};

/// An export to Campaign Monitor.
pub(crate) struct Job<'a> {
    /// The list at the destination.
    pub(crate) list: ListId,
    definitions: Definitions<'a>,
}

impl<'a> Deref for Job<'a> {
    type Target = Definitions<'a>;

    fn deref(&self) -> &Definitions<'a> {
        &self.definitions
    }
}

impl DerefMut for Job<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.definitions
    }
}

impl<'a> Job<'a> {
    /// An export of all people with the newsletter flag to a new list.
    pub(crate) fn new(world: &'a World, name: &str) -> Self {
        let list = world.create_list(name).unwrap();
        let export = json!({
            "id": name,
            "name": name,
            "connection": "campaign-monitor",
            "match_key": "email",
            "mapping": [
                { "attribute": "name", "field": "Name" },
                { "attribute": "city", "field": "City" },
                { "attribute": "points", "field": "Points", "if_null": "clear" },
            ],
            "segments": [{ "segment": name, "target_list": list }],
            "options": {
                "consent_to_track": "unchanged",
                "create_missing_fields": [
                    { "name": "City", "type": "Text" },
                    { "name": "Points", "type": "Number" },
                ],
            },
        });
        let connection = json!({
            "id": "campaign-monitor",
            "name": "Campaign Monitor",
            "destination": "campaign-monitor",
            "secret": world.cloud.outputs().campaign_monitor_secret,
            "consent": { "by": "test", "at": "2026-01-01T00:00:00Z", "text": "Profiles may leave." },
        });
        let definitions = Definitions::new(world, name, connection, export);
        Self { list, definitions }
    }

    /// Gives the export its own connection with its own secret and this number of lanes.
    pub(crate) async fn own_connection(&mut self, api_key: &str, lanes: u16) {
        self.own_secret(&json!({ "api_key": api_key }), lanes).await;
    }

    /// Changes the API key of the export's own connection.
    pub(crate) async fn change_key(&self, api_key: &str) {
        self.change_secret(&json!({ "api_key": api_key })).await;
    }

    /// All current and former members of the list, by address.
    pub(crate) fn listed(&self) -> BTreeMap<String, ListedSubscriber> {
        let listed = self.world.sandbox.dump(&self.list).unwrap();
        listed.into_iter().map(|subscriber| (subscriber.email.clone(), subscriber)).collect()
    }

    /// The addresses of the active members of the list.
    pub(crate) fn active(&self) -> BTreeSet<String> {
        let listed = self.listed().into_values();
        listed.filter(|one| one.state == SubscriberState::Active).map(|one| one.email).collect()
    }
}
