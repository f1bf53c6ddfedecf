//! A background local cloud: `up` starts a process that owns it, `down` ends that process.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

use crate::binaries::{self, Binaries, Profile};
use crate::cloud::{Options, StackOutputs, StartTimes};
use crate::console::Progress;
use crate::demo::Beginning;
use crate::error::tail;
use crate::processes::Identity;
use crate::world::{Destinations, Values, World};
use crate::{Error, demo, venv, workspace};

const START_LIMIT: Duration = Duration::from_mins(3);
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// The running cloud, as stored in `.local/up.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Running {
    /// The owning process.
    pub owner: Identity,
    /// The endpoint of all AWS services.
    pub endpoint: String,
    /// The address of the HTTP API.
    pub api_url: String,
    /// The address of the token issuer.
    pub issuer_url: String,
    /// The address of the Campaign Monitor sandbox.
    pub sandbox_url: String,
    /// Its lists.
    pub list_ids: Vec<String>,
    /// The address of the Marketo Engage sandbox.
    pub marketo_url: String,
    /// The address of the Omnisend sandbox.
    pub omnisend_url: String,
    /// Its brand.
    pub omnisend_brand_id: String,
    /// The address of the Dynamics 365 Sales sandbox.
    pub dynamics365_sales_url: String,
    /// The lake's bucket.
    pub lake_bucket: String,
    /// The values for `${name}` in the example catalog.
    pub values: Values,
    /// The initial definitions.
    pub beginning: Beginning,
    /// Files with the credentials of the sandboxes, by the ids of the example catalog's connections.
    pub credentials: BTreeMap<String, PathBuf>,
    /// The stack's outputs.
    pub outputs: StackOutputs,
    /// The log of the emulator and the functions.
    pub log: PathBuf,
    /// The journal of requests by the functions to queues, tables and the event bus.
    pub journal: PathBuf,
    /// The start time in seconds.
    pub start_seconds: f64,
    /// The deployment time in seconds.
    pub deploy_seconds: f64,
}

/// The arguments of the background process.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    functions: Binaries,
    beginning: Beginning,
}

/// Starts a cloud and the sandboxes in the background. Returns the running ones, with `true`, if there are
/// any.
pub async fn up(
    profile: Profile,
    beginning: Beginning,
    progress: &Progress,
) -> Result<(Running, bool), Error> {
    let _lock = workspace::lock("up")?;
    if let Some(running) = running()? {
        return Ok((running, true));
    }
    // Read before the build, which may replace the running file.
    let program = std::env::current_exe().map_err(Error::start("local"))?;
    venv::ensure(progress)?;
    let path = request_path()?;
    let request = Request { functions: binaries::build(profile, progress)?, beginning };
    std::fs::write(&path, serde_json::to_vec(&request)?).map_err(Error::file(&path))?;
    let log = workspace::logs()?.join("up.log");
    let output = File::create(&log).map_err(Error::file(&log))?;
    let errors = output.try_clone().map_err(Error::file(&log))?;
    progress.step("starting the local cloud in the background");
    let mut owner = process_group(Command::new(program).arg("own"))
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(Error::start("local"))?;
    let began = Instant::now();
    while began.elapsed() < START_LIMIT {
        if let Some(running) = running()? {
            progress.step("the local cloud is running");
            return Ok((running, false));
        }
        if let Ok(Some(status)) = owner.try_wait() {
            let said = std::fs::read(&log).unwrap_or_default();
            return Err(Error::NotStarted(format!("it ended with {status}:\n{}", tail(&said, 20))));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if let Some(owner) = Identity::of(owner.id()) {
        owner.signal("TERM");
    }
    Err(Error::NotStarted(format!("the start timed out; see {}", log.display())))
}

/// Puts the process into a group of its own, so that Ctrl-C at the terminal does not reach it.
fn process_group(command: &mut Command) -> &mut Command {
    std::os::unix::process::CommandExt::process_group(command, 0)
}

/// Runs the background process: starts everything, writes `.local/up.json`, and waits for a signal.
pub async fn own(progress: &Progress) -> Result<(), Error> {
    let stop = |kind| signal(kind).map_err(Error::start("the signal handler"));
    let mut terminate = stop(SignalKind::terminate())?;
    let mut interrupt = stop(SignalKind::interrupt())?;
    // The terminal that started it may close.
    let mut hangup = stop(SignalKind::hangup())?;
    let ending = async {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = hangup.recv() => {}
            }
        }
    };
    tokio::select! {
        ended = start_and_stay(progress) => ended,
        () = ending => Ok(()),
    }
}

/// Ends only with an error; dropping it ends what it started.
async fn start_and_stay(progress: &Progress) -> Result<(), Error> {
    let path = request_path()?;
    let request = std::fs::read(&path).map_err(Error::file(&path))?;
    let Request { functions, beginning } = serde_json::from_slice(&request)?;
    let world = World::start_with(Options::new(venv::ensure(progress)?, functions), progress).await?;
    let destinations = Destinations::start(&world, progress).await?;
    let people = demo::Arguments::default();
    let (lists, values) = demo::furnish(&world, &destinations, &people, beginning, progress).await?;
    let cloud = &world.cloud;
    let owner = Identity::of(std::process::id())
        .ok_or_else(|| Error::Missing("cannot tell when this process started".to_owned()))?;
    let StartTimes { start_seconds, deploy_seconds, .. } = cloud.times();
    let running = Running {
        owner,
        endpoint: cloud.endpoint().to_owned(),
        api_url: cloud.api_url(),
        issuer_url: cloud.issuer().address().to_owned(),
        sandbox_url: world.sandbox.base_url(),
        list_ids: vec![lists.newsletter.to_string(), lists.spenders.to_string()],
        marketo_url: destinations.marketo.base_url(),
        omnisend_url: destinations.omnisend.base_url(),
        omnisend_brand_id: destinations.brand.to_string(),
        dynamics365_sales_url: destinations.dynamics365_sales.base_url(),
        lake_bucket: cloud.lake_bucket().to_owned(),
        values,
        beginning,
        credentials: write_credentials(&destinations)?,
        outputs: cloud.outputs().clone(),
        log: cloud.log_path().to_path_buf(),
        journal: cloud.journal_path(),
        start_seconds,
        deploy_seconds,
    };
    let path = state_path()?;
    let new = path.with_extension("new");
    std::fs::write(&new, serde_json::to_vec_pretty(&running)?).map_err(Error::file(&new))?;
    std::fs::rename(&new, &path).map_err(Error::file(&path))?;
    std::future::pending().await
}

/// Ends the background cloud. Returns false if there was none.
pub async fn down(progress: &Progress) -> Result<bool, Error> {
    let _lock = workspace::lock("up")?;
    let Some(owner) = owner_of(&std::fs::read(state_path()?).unwrap_or_default()) else {
        clear_away()?;
        return Ok(false);
    };
    progress.step("stopping the local cloud");
    owner.signal("TERM");
    let began = Instant::now();
    while owner.is_alive() {
        if began.elapsed() > STOP_LIMIT {
            // Its emulator and functions notice the end and exit too.
            owner.signal("KILL");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    clear_away()?;
    progress.step("the local cloud has stopped");
    Ok(true)
}

/// Returns the running cloud, if any. Removes the files of one that was killed.
pub fn running() -> Result<Option<Running>, Error> {
    let path = state_path()?;
    let text = std::fs::read(&path).unwrap_or_default();
    if owner_of(&text).is_some() {
        let text_of_another = |_| {
            let text = "the running cloud was started by another version; stop it with: cargo local down";
            Error::Missing(text.to_owned())
        };
        return serde_json::from_slice(&text).map(Some).map_err(text_of_another);
    }
    clear_away()?;
    Ok(None)
}

/// Returns the owning process, in the format of any version; `None` if it has ended.
fn owner_of(text: &[u8]) -> Option<Identity> {
    #[derive(Deserialize)]
    struct Owned {
        owner: Identity,
    }
    let Owned { owner } = serde_json::from_slice(text).ok()?;
    owner.is_alive().then_some(owner)
}

/// Removes the files of a cloud that has ended: its address and its sandboxes' credentials.
fn clear_away() -> Result<(), Error> {
    let gone = |path: &Path, removed: std::io::Result<()>| match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    };
    let (credentials, state) = (workspace::local()?.join("credentials"), state_path()?);
    gone(&credentials, std::fs::remove_dir_all(&credentials))?;
    gone(&state, std::fs::remove_file(&state))
}

/// Writes one file per connection, as `segment-relay connections credentials` reads them.
fn write_credentials(destinations: &Destinations) -> Result<BTreeMap<String, PathBuf>, Error> {
    let folder = workspace::local()?.join("credentials");
    std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
    let mut written = BTreeMap::new();
    for (connection, credentials) in &destinations.credentials {
        let path = folder.join(format!("{connection}.json"));
        write_private(&path, credentials.to_string().as_bytes()).map_err(Error::file(&path))?;
        written.insert((*connection).to_owned(), path);
    }
    Ok(written)
}

/// Writes a file that only the owner can read, as real credentials would require.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

fn request_path() -> Result<PathBuf, Error> {
    Ok(workspace::local()?.join("up-request.json"))
}

fn state_path() -> Result<PathBuf, Error> {
    Ok(workspace::local()?.join("up.json"))
}
