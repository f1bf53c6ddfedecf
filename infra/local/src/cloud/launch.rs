//! Starts the emulator, and ends it with all of its processes.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use super::{ACCESS_KEY_ID, Options, REGION, SECRET_ACCESS_KEY};
use crate::error::tail;
use crate::{Error, processes, workspace};

/// The emulator takes 1–3 s, and longer on a busy machine.
const START_LIMIT: Duration = Duration::from_mins(1);
/// Another process may take a free port before the emulator binds it.
const ATTEMPTS: usize = 3;

/// A running emulator.
#[derive(Debug)]
pub(super) struct Launched {
    child: Child,
    /// The process group of the emulator and all functions.
    group: Option<u32>,
    pub(super) endpoint: String,
    pub(super) log: PathBuf,
}

impl Launched {
    pub(super) fn pid(&self) -> Option<u32> {
        self.group
    }

    /// Ends the whole group and waits for the emulator.
    pub(super) async fn stop(&mut self) -> Result<(), Error> {
        // The launcher ends the group when the pipe closes; if it does not, the group is ended from here.
        drop(self.child.stdin.take());
        if tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await.is_err() {
            self.kill();
        }
        let ended = self.child.wait().await.map_err(Error::start("the emulator"));
        self.group = None;
        ended.map(|_| ())
    }

    fn kill(&self) {
        if let Some(group) = self.group {
            processes::signal_group(group, "KILL");
        }
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the path of the journal.
pub(super) fn journal(folder: &Path) -> PathBuf {
    folder.join("journal.jsonl")
}

/// Starts the emulator with its state in `folder` and waits until it answers.
pub(super) async fn launch(
    options: &Options,
    folder: &Path,
    http: &reqwest::Client,
) -> Result<Launched, Error> {
    let mut last = String::new();
    for _ in 0..ATTEMPTS {
        let mut launched = spawn(options, folder)?;
        match wait_until_healthy(&mut launched, http).await {
            Ok(()) => return Ok(launched),
            Err(problem) => last = problem,
        }
    }
    Err(Error::NotStarted(last))
}

fn spawn(options: &Options, folder: &Path) -> Result<Launched, Error> {
    let port = free_port()?;
    let endpoint = format!("http://127.0.0.1:{port}");
    let log = workspace::logs()?.join(format!("{}-{port}.log", options.log_name));
    let output = File::create(&log).map_err(Error::file(&log))?;
    let errors = output.try_clone().map_err(Error::file(&log))?;
    let temporary = folder.join("tmp");
    std::fs::create_dir_all(&temporary).map_err(Error::file(&temporary))?;
    let mut command = Command::new(options.venv.python());
    command
        .arg(workspace::package().join("python/launch.py"))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(errors)
        .process_group(0)
        .env_clear();
    // The functions inherit this environment, so it contains nothing of the user's: no keys, no profile, no
    // proxy.
    for kept in ["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
        .envs(&options.environment)
        .env("HOME", folder)
        .env("TMPDIR", &temporary)
        .env("LANG", "C.UTF-8")
        .env("PYTHONUNBUFFERED", "1")
        .env("AWS_CONFIG_FILE", folder.join("none"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("none"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ENDPOINT_URL", &endpoint)
        .env("LOCAL_CLOUD_FOLDER", folder)
        .env("LOCAL_CLOUD_JOURNAL", journal(folder))
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_REGION", REGION)
        .env("PERSIST_STATE", "0")
        .env("STATE_DIR", folder.join("state"))
        .env("S3_PERSIST", "0")
        .env("S3_DATA_DIR", folder.join("s3"))
        .env("DOCKER_HOST", "unix:///nonexistent")
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0");
    // With enforced permissions this is the root key of the account, and each function has a key of its
    // role. Without, the functions have this key, by which the launcher recognises their calls.
    let key = if options.enforce_permissions { ACCESS_KEY_ID } else { "000000000000" };
    command.env("AWS_ACCESS_KEY_ID", key).env("AUTH", options.enforce_permissions.to_string());
    let child = command.spawn().map_err(Error::start("the emulator"))?;
    let group = child.id();
    Ok(Launched { child, group, endpoint, log })
}

async fn wait_until_healthy(launched: &mut Launched, http: &reqwest::Client) -> Result<(), String> {
    let health = format!("{}/_ministack/health", launched.endpoint);
    let began = Instant::now();
    while began.elapsed() < START_LIMIT {
        if let Ok(Some(status)) = launched.child.try_wait() {
            let log = std::fs::read(&launched.log).unwrap_or_default();
            return Err(format!("it ended with {status}:\n{}", tail(&log, 10)));
        }
        if http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err(format!("no answer after {} s; see {}", START_LIMIT.as_secs(), launched.log.display()))
}

fn free_port() -> Result<u16, Error> {
    let none = |problem: std::io::Error| Error::NotStarted(format!("no free port: {problem}"));
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map_err(none)
        .map(|at| at.port())
}
