//! Local clouds for the tests, and shared steps.

mod definitions;
mod dry_runs;
mod finished_run;
mod held_calls;
mod job;
pub(crate) mod leaks;
pub(crate) mod messages;
mod people;

pub(crate) use definitions::Definitions;
pub(crate) use finished_run::FinishedRun;
pub(crate) use job::Job;
pub(crate) use people::{emails, person, persons};

use local::binaries::{self, Profile};
use local::cloud::Options;
use local::console::Progress;
use local::venv;
use local::world::World;
use relay_pipeline::RunRequests;
use sandbox::campaign_monitor::Pace;
use std::ops::Deref;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Limits the clouds at a time: each has an emulator and many functions, and more of them slow each other down.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// The cloud of one test, with a Campaign Monitor sandbox.
pub(crate) struct Scene {
    world: World,
    _slot: SemaphorePermit<'static>,
}

impl Deref for Scene {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// The binaries, built once for all tests.
fn options() -> Options {
    static OPTIONS: OnceLock<Options> = OnceLock::new();
    let options = OPTIONS.get_or_init(|| {
        let progress = Progress::shown();
        let venv = venv::ensure(&progress).unwrap();
        Options::new(venv, binaries::build(Profile::Dev, &progress).unwrap())
    });
    options.clone().parameter("TickScheduleState", "DISABLED")
}

impl Scene {
    /// Starts a cloud without the schedule of tick: a test invokes tick if it needs it.
    pub(crate) async fn open() -> Self {
        Self::open_with(|options| options).await
    }

    /// Starts a cloud with other options.
    pub(crate) async fn open_with(adjust: impl FnOnce(Options) -> Options) -> Self {
        let scene = Self::begin(adjust).await;
        scene.store_api_key(&scene.account.api_key).await.unwrap();
        scene
    }

    /// A cloud without stored credentials.
    pub(crate) async fn unconnected() -> Self {
        Self::begin(|options| options).await
    }

    async fn begin(adjust: impl FnOnce(Options) -> Options) -> Self {
        let slot = SLOTS.acquire().await.unwrap();
        let world = World::start_with(adjust(options()), &Progress::quiet()).await.unwrap();
        Self { world, _slot: slot }
    }

    /// Begins a story: the Campaign Monitor sandbox forgets its faults, its pace and its report.
    pub(crate) fn reset(&self) {
        self.sandbox.clear_faults();
        self.sandbox.set_pace(Pace::default());
        self.sandbox.reset_report();
    }

    /// The access to runs, as the API has it.
    pub(crate) fn requests(&self) -> RunRequests {
        dry_runs::requests(&self.world)
    }

    /// The keys of the stored delivered states of an export.
    pub(crate) async fn delivered_states(&self, export: &str) -> Vec<String> {
        let bucket = &self.cloud.outputs().data_bucket;
        let request = self.clients.s3().list_objects_v2().bucket(bucket);
        let listed = request.prefix(format!("delivered/{export}/")).send().await.unwrap();
        listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
    }

    /// The calls of one kind that Campaign Monitor has received.
    pub(crate) fn calls(&self, endpoint: sandbox::campaign_monitor::Endpoint) -> usize {
        self.sandbox.report().calls.get(&endpoint).map_or(0, |calls| calls.calls)
    }
}

/// Waits until a condition is true, and fails the test after a minute.
pub(crate) async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_mins(1), "still not: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
