//! The four destinations of the demo, with the changes by others.

use fastrand::Rng;
use relay_model::Destination;

use super::findings::Findings;
use super::{Lists, People, campaign_monitor, dynamics365_sales, marketo, omnisend};
use crate::Error;
use crate::console::Progress;
use crate::world::{Destinations, Values, World};

/// The destinations, with the exports of the example catalog.
pub(super) const EXPORTS: [(Destination, &str); 4] = [
    (Destination::CampaignMonitor, "newsletter"),
    (Destination::Marketo, "marketo"),
    (Destination::Omnisend, "omnisend"),
    (Destination::Dynamics365Sales, "dynamics365-sales"),
];

/// The destinations, with direct access to their sandboxes.
pub(super) struct Places<'a> {
    world: &'a World,
    others: &'a Destinations,
    pub(super) lists: Lists,
    marketo: marketo::Elsewhere,
    omnisend: omnisend::Elsewhere,
    dynamics365_sales: dynamics365_sales::Elsewhere,
}

impl<'a> Places<'a> {
    /// Creates the lists that the catalog names; the exports create the other destinations' lists.
    pub(super) fn new(world: &'a World, others: &'a Destinations) -> Result<Self, Error> {
        Ok(Self {
            world,
            others,
            lists: Lists::create(world)?,
            marketo: marketo::Elsewhere::default(),
            omnisend: omnisend::Elsewhere::default(),
            dynamics365_sales: dynamics365_sales::Elsewhere::default(),
        })
    }

    /// Returns the values for `${name}` in the example catalog.
    pub(super) fn values(&self) -> Values {
        let mut values = self.others.values.clone();
        let secret = self.world.cloud.outputs().campaign_monitor_secret.clone();
        values.insert("campaign_monitor_secret".to_owned(), secret);
        values.insert("newsletter_list".to_owned(), self.lists.newsletter.to_string());
        values.insert("spenders_list".to_owned(), self.lists.spenders.to_string());
        values
    }

    /// Sets up the state before the first run.
    pub(super) fn history(
        &mut self,
        people: &People,
        rng: &mut Rng,
        progress: &Progress,
    ) -> Result<(), Error> {
        let Destinations { marketo, omnisend, brand, dynamics365_sales, .. } = self.others;
        let seeded = [
            campaign_monitor::history(&self.world.sandbox, &self.lists, people, rng)?,
            self.marketo.history(marketo, people, rng)?,
            self.omnisend.history(omnisend, brand, people, rng)?,
            self.dynamics365_sales.people_come(dynamics365_sales, people, rng),
        ];
        say("people already exist there", seeded, progress);
        Ok(())
    }

    /// Adds new customers to those destinations where no export creates people.
    pub(super) fn people_come(&mut self, people: &People, rng: &mut Rng) {
        self.dynamics365_sales.people_come(&self.others.dynamics365_sales, people, rng);
    }

    /// Simulates changes over time.
    pub(super) fn time_passes(&mut self, rng: &mut Rng, progress: &Progress) -> Result<(), Error> {
        let Destinations { marketo, omnisend, brand, dynamics365_sales, .. } = self.others;
        let changed = [
            campaign_monitor::time_passes(&self.world.sandbox, &self.lists, rng)?,
            self.marketo.time_passes(marketo, rng)?,
            self.omnisend.time_passes(omnisend, brand, rng)?,
            self.dynamics365_sales.time_passes(dynamics365_sales, rng)?,
        ];
        say(
            "people unsubscribed, bounced, were added to a list by others, removed or deleted",
            changed,
            progress,
        );
        Ok(())
    }

    /// Verifies a destination's own state against the people.
    pub(super) async fn verify(
        &self,
        destination: Destination,
        people: &People,
    ) -> Result<Vec<Findings>, Error> {
        let others = self.others;
        match destination {
            Destination::CampaignMonitor => {
                campaign_monitor::verify(&self.world.sandbox, &self.lists, people)
            }
            Destination::Marketo => self.marketo.verify(&others.marketo, people),
            Destination::Omnisend => self.omnisend.verify(&others.omnisend, &others.brand, people).await,
            Destination::Dynamics365Sales => self.dynamics365_sales.verify(&others.dynamics365_sales, people),
        }
    }
}

fn say(what: &str, counts: [usize; 4], progress: &Progress) {
    let counts = EXPORTS.iter().zip(counts).map(|((destination, _), count)| format!("{destination} {count}"));
    progress.step(&format!("{what}: {}", counts.collect::<Vec<_>>().join(", ")));
}
