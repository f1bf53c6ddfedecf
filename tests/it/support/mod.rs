//! Local clouds for the tests, and what the tests do in them.

mod asked;
mod definitions;
mod holds;
mod job;
pub(crate) mod messages;
mod over;
mod people;
pub(crate) mod privacy;

pub(crate) use definitions::Definitions;
pub(crate) use job::Job;
pub(crate) use over::Over;
pub(crate) use people::{emails, person, persons};

use local::binaries::{self, Profile};
use local::cloud::Options;
use local::console::Progress;
use local::venv;
use local::world::World;
use relay_pipeline::RunRequests;
use std::ops::Deref;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Each world is an emulator and six functions; more of them at a time make all of them late.
static PLACES: Semaphore = Semaphore::const_new(2);

/// A world of one test.
pub(crate) struct Scene {
    world: World,
    _place: SemaphorePermit<'static>,
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
    /// A world in which nothing happens by itself: where a schedule matters, the test invokes tick.
    pub(crate) async fn open() -> Self {
        Self::open_with(|options| options).await
    }

    /// A world whose cloud is started with other options.
    pub(crate) async fn open_with(adjust: impl FnOnce(Options) -> Options) -> Self {
        let scene = Self::begin(adjust).await;
        scene.store_api_key(&scene.account.api_key).await.unwrap();
        scene
    }

    /// A world in which nobody's credentials are stored.
    pub(crate) async fn unconnected() -> Self {
        Self::begin(|options| options).await
    }

    async fn begin(adjust: impl FnOnce(Options) -> Options) -> Self {
        let place = PLACES.acquire().await.unwrap();
        let world = World::start_with(adjust(options()), &Progress::quiet()).await.unwrap();
        Self { world, _place: place }
    }

    /// What the API asks for runs with.
    pub(crate) fn requests(&self) -> RunRequests {
        asked::requests(&self.world)
    }

    /// The keys of the delivered states of an export that are stored.
    pub(crate) async fn delivered_states(&self, export: &str) -> Vec<String> {
        let bucket = &self.cloud.outputs().data_bucket;
        let request = self.clients.s3().list_objects_v2().bucket(bucket);
        let listed = request.prefix(format!("delivered/{export}/")).send().await.unwrap();
        listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
    }

    /// Calls of one kind that the destination has answered.
    pub(crate) fn calls(&self, endpoint: sandbox::campaign_monitor::Endpoint) -> usize {
        self.sandbox.report().calls.get(&endpoint).map_or(0, |calls| calls.calls)
    }
}

/// Waits until something is so, and fails the test where it does not come about.
pub(crate) async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < Duration::from_mins(1), "still not: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
