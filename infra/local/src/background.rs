//! A local cloud that stays: `up` leaves a process behind that owns it, `down` ends that process and no other.

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

/// What is left running, as kept in `.local/up.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Running {
    /// The process that owns everything.
    pub owner: Identity,
    /// Address of all AWS services.
    pub endpoint: String,
    /// Address of the HTTP API.
    pub api_url: String,
    /// Address of the issuer of the HTTP API's tokens.
    pub issuer_url: String,
    /// Address of the Campaign Monitor sandbox.
    pub sandbox_url: String,
    /// The lists there.
    pub list_ids: Vec<String>,
    /// Address of the Marketo Engage sandbox.
    pub marketo_url: String,
    /// Address of the Omnisend sandbox.
    pub omnisend_url: String,
    /// The brand there.
    pub omnisend_brand_id: String,
    /// Address of the Dynamics 365 Sales sandbox.
    pub dynamics365_sales_url: String,
    /// The lake's bucket.
    pub lake_bucket: String,
    /// What stands for `${name}` in the example catalog here.
    pub values: Values,
    /// What was defined at the start.
    pub beginning: Beginning,
    /// Files with the credentials of the sandboxes, by the ids of the example catalog's connections.
    pub credentials: BTreeMap<String, PathBuf>,
    /// The stack's outputs.
    pub outputs: StackOutputs,
    /// The emulator's and the functions' log.
    pub log: PathBuf,
    /// What the functions wrote to queues, tables and the event bus.
    pub journal: PathBuf,
    /// How long the start took.
    pub start_seconds: f64,
    /// How long the deployment took.
    pub deploy_seconds: f64,
}

/// What the background process is started with.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    functions: Binaries,
    beginning: Beginning,
}

/// Starts a cloud and the sandboxes in the background, or finds those that run already (then the second value is true).
pub async fn up(
    profile: Profile,
    beginning: Beginning,
    progress: &Progress,
) -> Result<(Running, bool), Error> {
    let _lock = workspace::lock("up")?;
    if let Some(running) = running()? {
        return Ok((running, true));
    }
    // Asked before the build, which may put a new file in the place of the one that runs.
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
            progress.step("it runs");
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
    Err(Error::NotStarted(format!("it did not come up in time; see {}", log.display())))
}

/// A group of its own, so that Ctrl-C at the terminal does not reach it.
fn process_group(command: &mut Command) -> &mut Command {
    std::os::unix::process::CommandExt::process_group(command, 0)
}

/// The background process: starts everything, says so in `.local/up.json`, and waits to be ended.
pub async fn own(progress: &Progress) -> Result<(), Error> {
    let stop = |kind| signal(kind).map_err(Error::start("the signal handler"));
    let mut terminate = stop(SignalKind::terminate())?;
    let mut interrupt = stop(SignalKind::interrupt())?;
    // The terminal that it was started from may close.
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

/// Never ends by itself, but by an error; dropping it ends what it started.
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

/// Ends what `up` left running. False when there was nothing.
pub async fn down(progress: &Progress) -> Result<bool, Error> {
    let _lock = workspace::lock("up")?;
    let Some(owner) = owner_of(&std::fs::read(state_path()?).unwrap_or_default()) else {
        clear_away()?;
        return Ok(false);
    };
    progress.step("ending the local cloud");
    owner.signal("TERM");
    let began = Instant::now();
    while owner.is_alive() {
        if began.elapsed() > STOP_LIMIT {
            // Its emulator and functions notice and end as well.
            owner.signal("KILL");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    clear_away()?;
    progress.step("it has ended");
    Ok(true)
}

/// What runs, if it does. What is left of one that was killed is cleared away.
pub fn running() -> Result<Option<Running>, Error> {
    let path = state_path()?;
    let text = std::fs::read(&path).unwrap_or_default();
    if owner_of(&text).is_some() {
        let text_of_another = |_| {
            let text = "what runs was started by another version; end it with: cargo local down";
            Error::Missing(text.to_owned())
        };
        return serde_json::from_slice(&text).map(Some).map_err(text_of_another);
    }
    clear_away()?;
    Ok(None)
}

/// Whoever owns what runs, as any version of it has said; `None` where nobody does any more.
fn owner_of(text: &[u8]) -> Option<Identity> {
    #[derive(Deserialize)]
    struct Owned {
        owner: Identity,
    }
    let Owned { owner } = serde_json::from_slice(text).ok()?;
    owner.is_alive().then_some(owner)
}

/// Removes what stands of one that has ended: where it was, and its sandboxes' credentials.
fn clear_away() -> Result<(), Error> {
    let gone = |path: &Path, removed: std::io::Result<()>| match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::file(path)(error)),
        _ => Ok(()),
    };
    let (credentials, state) = (workspace::local()?.join("credentials"), state_path()?);
    gone(&credentials, std::fs::remove_dir_all(&credentials))?;
    gone(&state, std::fs::remove_file(&state))
}

/// A file for each connection, as `segment-relay connections credentials` reads them.
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

/// Writes a file that nobody else may read. They are only a sandbox's, but habits are formed here.
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
