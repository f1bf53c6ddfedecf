//! The demo's steps: exports on demand, then changes over time and scheduled runs.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::try_join_all;
use relay_model::run::{Report, Run, RunState};
use relay_model::{Destination, RunId};
use serde::{Deserialize, Serialize};

use super::findings::Findings;
use super::places::{EXPORTS, Places};
use super::{Arguments, Lists, People, write_orders, write_profiles};
use crate::Error;
use crate::binaries::Profile;
use crate::console::Progress;
use crate::world::{Destinations, Tool, Values, World};

const RUN_LIMIT: Duration = Duration::from_mins(10);
const SCHEDULE_LIMIT: Duration = Duration::from_secs(150);

/// A chapter of the demo: one run of every export.
pub(super) struct Chapter {
    pub(super) title: &'static str,
    pub(super) told: Vec<Told>,
}

/// A run and its findings.
pub(super) struct Told {
    pub(super) destination: Destination,
    pub(super) report: Report,
    pub(super) findings: Vec<Findings>,
}

pub(super) async fn tell(arguments: &Arguments, progress: &Progress) -> Result<Vec<Chapter>, Error> {
    let mut rng = Rng::with_seed(arguments.seed);
    let world = World::start(Profile::Dev, |options| options, progress).await?;
    let destinations = Destinations::start(&world, progress).await?;
    let mut places = Places::new(&world, &destinations)?;
    let mut people = set_up(&world, &mut places, arguments, &mut rng, progress).await?;
    define(&world, &destinations, &places.values(), progress).await?;

    let mut chapters = Vec::new();
    let mut runs = on_demand(&world, progress).await?;
    chapters.push(chapter("first exports, on demand", &world, &runs, &places, &people, progress).await?);

    progress.step(
        "simulating changes over time: people change, leave and join; other users change the destinations",
    );
    let left = people_change(&mut people, arguments.customers, &mut rng);
    places.people_come(&people, &mut rng);
    places.time_passes(&mut rng, progress)?;
    upload(&world, &people, progress).await?;
    runs = on_demand(&world, progress).await?;
    let title = "people change and leave, on demand";
    chapters.push(chapter(title, &world, &runs, &places, &people, progress).await?);

    progress.step("simulating changes over time: half of those who left rejoin");
    for id in left.iter().step_by(2) {
        if let Some(person) = people.persons.iter_mut().find(|person| person.id == *id) {
            person.newsletter = true;
        }
    }
    upload(&world, &people, progress).await?;
    // One scheduled chapter is sufficient: each takes up to a minute.
    runs = by_schedule(&world, &runs, progress).await?;
    chapters.push(chapter("people rejoin, by schedule", &world, &runs, &places, &people, progress).await?);
    world.stop().await?;
    destinations.stop().await;
    Ok(chapters)
}

/// Generates customers, writes them into the lake, and sets up each destination's history.
async fn set_up(
    world: &World,
    places: &mut Places<'_>,
    arguments: &Arguments,
    rng: &mut Rng,
    progress: &Progress,
) -> Result<People, Error> {
    progress.step(&format!("generating {} customers and their orders", arguments.customers));
    let people = People::new(arguments.customers, rng);
    places.history(&people, rng, progress)?;
    upload(world, &people, progress).await?;
    Ok(people)
}

/// Defines sources, segments, connections and exports as a user would: with `segment-relay`, from files.
async fn define(
    world: &World,
    destinations: &Destinations,
    values: &Values,
    progress: &Progress,
) -> Result<(), Error> {
    progress
        .step("segment-relay apply infra/local/catalog; storing and testing each connection's credentials");
    destinations.define(&world.cloud, values).await
}

/// The initial definitions of a world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Beginning {
    /// The example catalog, connected to the destinations.
    #[default]
    Defined,
    /// No definitions and no credentials.
    Empty,
}

/// Fills an empty world with the demo's people: generated customers in the lake, two lists at Campaign
/// Monitor, and people at each destination. `beginning` selects the initial definitions.
pub async fn furnish(
    world: &World,
    destinations: &Destinations,
    arguments: &Arguments,
    beginning: Beginning,
    progress: &Progress,
) -> Result<(Lists, Values), Error> {
    let mut places = Places::new(world, destinations)?;
    set_up(world, &mut places, arguments, &mut Rng::with_seed(arguments.seed), progress).await?;
    let values = places.values();
    match beginning {
        Beginning::Defined => define(world, destinations, &values, progress).await?,
        Beginning::Empty => {}
    }
    Ok((places.lists, values))
}

async fn upload(world: &World, people: &People, progress: &Progress) -> Result<(), Error> {
    progress.step("writing the lake: profiles as Parquet, orders as CSV");
    let folder = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
    let (profiles, orders) = (folder.path().join("profiles.parquet"), folder.path().join("orders.csv"));
    write_profiles(&profiles, people.persons.iter().cloned())?;
    write_orders(&orders, people.orders.iter())?;
    world.upload("profiles/profiles.parquet", &profiles).await?;
    world.upload("orders/orders.csv", &orders).await
}

/// Changes people and returns those who left.
fn people_change(people: &mut People, customers: u32, rng: &mut Rng) -> Vec<String> {
    let mut left = Vec::new();
    people.some(0.03, rng, |person, _| {
        if person.newsletter {
            person.newsletter = false;
            left.push(person.id.clone());
        }
    });
    people.some(0.02, rng, |person, _| person.name.push_str(" II"));
    people.some(0.005, rng, |person, _| {
        person.points = if person.points == Some(0) { None } else { Some(0) };
    });
    people.some(0.005, rng, |person, _| {
        person.email = Some(format!("moved.{}@example.net", person.id));
    });
    people.grow(customers / 100, rng);
    left
}

/// Requests a run of every export.
async fn on_demand(world: &World, progress: &Progress) -> Result<Vec<RunId>, Error> {
    progress.step("a run of each export, on demand: POST /exports/ID/runs");
    let started = try_join_all(EXPORTS.map(|(_, export)| world.start_run(export))).await?;
    Ok(started.into_iter().map(|started| started.run_id).collect())
}

/// Enables the schedules, waits for their runs, and disables them again.
async fn by_schedule(world: &World, last: &[RunId], progress: &Progress) -> Result<Vec<RunId>, Error> {
    set_schedule(world, &["--every-minutes", "1"]).await?;
    progress.step("the exports' schedule is every minute now; waiting for it to become due (up to a minute)");
    let wanted = EXPORTS.iter().zip(last);
    let wanted = wanted.map(|((_, export), last)| world.scheduled_run(export, *last, SCHEDULE_LIMIT));
    let runs = try_join_all(wanted).await?;
    set_schedule(world, &["--off"]).await?;
    progress.step("the schedule has started a run of each export");
    Ok(runs)
}

async fn set_schedule(world: &World, schedule: &[&str]) -> Result<(), Error> {
    let tool = Tool::of(&world.cloud, "demo")?;
    for (_, export) in EXPORTS {
        tool.run(&[&["exports", "schedule", export], schedule].concat()).await?;
    }
    Ok(())
}

/// Waits for the concurrent runs, and verifies the destinations.
async fn chapter(
    title: &'static str,
    world: &World,
    runs: &[RunId],
    places: &Places<'_>,
    people: &People,
    progress: &Progress,
) -> Result<Chapter, Error> {
    let over = try_join_all(runs.iter().map(|run_id| world.follow(*run_id, RUN_LIMIT, progress))).await?;
    progress.step("checking every person against the destinations' own lists");
    let mut told = Vec::new();
    for ((destination, _), run) in EXPORTS.into_iter().zip(over) {
        let report = report(world, &run).await?;
        told.push(Told { destination, report, findings: places.verify(destination, people).await? });
    }
    Ok(Chapter { title, told })
}

async fn report(world: &World, run: &Run) -> Result<Report, Error> {
    if run.state == RunState::Succeeded {
        return world.report(run).await;
    }
    Err(Error::Missing(format!(
        "the run of export {} failed: {}; see {}",
        run.export_id,
        crate::world::describe(run),
        world.cloud.log_path().display()
    )))
}
