//! The demo's story: a first export on demand, then time passes and the schedule takes over.

use std::time::Duration;

use fastrand::Rng;
use relay::catalog::Schedule;
use relay::run::{Report, Run, RunState};

use super::{Arguments, Findings, Lists, People, elsewhere, verify, write_orders, write_profiles};
use crate::Error;
use crate::binaries::Profile;
use crate::console::Progress;
use crate::world::{Catalog, Values, World, example_catalog};

const EXPORT: &str = "newsletter";
const RUN_LIMIT: Duration = Duration::from_mins(10);
const SCHEDULE_LIMIT: Duration = Duration::from_secs(150);

/// One run of the story and what was found afterwards.
pub(super) struct Chapter {
    pub(super) title: &'static str,
    pub(super) report: Report,
    pub(super) findings: [Findings; 2],
}

pub(super) async fn tell(arguments: &Arguments, progress: &Progress) -> Result<Vec<Chapter>, Error> {
    let mut rng = Rng::with_seed(arguments.seed);
    let world = World::start(Profile::Dev, |options| options, progress).await?;
    let (lists, mut people) = set_up(&world, arguments, &mut rng, progress)?;
    let seeded = elsewhere::history(&world.sandbox, &lists.newsletter, &people, &mut rng)?;
    progress.step(&format!("the list at the destination has {seeded} people of its own already"));
    upload(&world, &people, progress).await?;
    let mut catalog = save_catalog(&world, &lists).await?;

    let mut chapters = Vec::new();
    progress.step("first export, on demand: POST /exports/newsletter/runs");
    let started = world.start_run(EXPORT).await?;
    let run = world.follow(started.run_id, RUN_LIMIT, progress).await?;
    chapters.push(chapter("first export, on demand", &world, &run, &lists, &people, progress).await?);

    progress.step("time passes: people change, leave and join; some unsubscribe at the destination");
    let left = people_change(&mut people, arguments.customers, &mut rng);
    let changed = elsewhere::time_passes(&world.sandbox, &lists.newsletter, &mut rng)?;
    progress.step(&format!("{changed} of them unsubscribed, bounced, were suppressed or were deleted there"));
    upload(&world, &people, progress).await?;
    let run = by_schedule(&world, &mut catalog, &run, progress).await?;
    chapters.push(
        chapter("people change and leave, by schedule", &world, &run, &lists, &people, progress).await?,
    );

    progress.step("time passes: half of those who left come back");
    for id in left.iter().step_by(2) {
        if let Some(person) = people.persons.iter_mut().find(|person| person.id == *id) {
            person.newsletter = true;
        }
    }
    upload(&world, &people, progress).await?;
    let run = by_schedule(&world, &mut catalog, &run, progress).await?;
    chapters.push(chapter("people come back, by schedule", &world, &run, &lists, &people, progress).await?);
    world.stop().await?;
    Ok(chapters)
}

fn set_up(
    world: &World,
    arguments: &Arguments,
    rng: &mut Rng,
    progress: &Progress,
) -> Result<(Lists, People), Error> {
    let lists =
        Lists { newsletter: world.create_list("Newsletter")?, spenders: world.create_list("Big spenders")? };
    progress.step(&format!("making up {} customers and their orders", arguments.customers));
    Ok((lists, People::new(arguments.customers, rng)))
}

/// Fills an empty world with the demo's beginning: made-up customers in the lake, two lists at the destination and
/// the example catalog.
pub async fn furnish(world: &World, arguments: &Arguments, progress: &Progress) -> Result<Lists, Error> {
    let mut rng = Rng::with_seed(arguments.seed);
    let (lists, people) = set_up(world, arguments, &mut rng, progress)?;
    upload(world, &people, progress).await?;
    save_catalog(world, &lists).await?;
    Ok(lists)
}

async fn save_catalog(world: &World, lists: &Lists) -> Result<Catalog, Error> {
    let mut values = Values::new();
    values.insert("secret".to_owned(), world.cloud.outputs().campaign_monitor_secret.clone());
    values.insert("newsletter_list".to_owned(), lists.newsletter.to_string());
    values.insert("spenders_list".to_owned(), lists.spenders.to_string());
    let catalog = Catalog::read(&example_catalog(), &values)?;
    catalog.save(&world.catalog()).await?;
    Ok(catalog)
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

/// Changes people and says who left.
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

/// Switches the schedule on, waits for its run, and switches it off again.
async fn by_schedule(
    world: &World,
    catalog: &mut Catalog,
    last: &Run,
    progress: &Progress,
) -> Result<Run, Error> {
    set_schedule(world, catalog, Schedule::EveryMinutes(1)).await?;
    progress.step("the export's schedule is every minute now; waiting for it to become due (up to a minute)");
    let run_id = world.scheduled_run(EXPORT, last.run_id, SCHEDULE_LIMIT).await?;
    set_schedule(world, catalog, Schedule::Off).await?;
    progress.step("the schedule has started a run");
    world.follow(run_id, RUN_LIMIT, progress).await
}

async fn set_schedule(world: &World, catalog: &mut Catalog, schedule: Schedule) -> Result<(), Error> {
    for export in &mut catalog.exports {
        export.schedule = schedule.clone();
    }
    catalog.save(&world.catalog()).await
}

async fn chapter(
    title: &'static str,
    world: &World,
    run: &Run,
    lists: &Lists,
    people: &People,
    progress: &Progress,
) -> Result<Chapter, Error> {
    if run.state != RunState::Succeeded {
        return Err(Error::Missing(format!(
            "the run failed: {}; see {}",
            crate::world::describe(run),
            world.cloud.log_path().display()
        )));
    }
    progress.step("checking every person against the destination's own lists");
    let report = world.report(run).await?;
    Ok(Chapter { title, report, findings: verify(&world.sandbox, lists, people)? })
}
