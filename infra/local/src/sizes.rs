//! Package sizes and initialisation times, which determine cold starts.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::archive::{self, Compression};
use crate::binaries::Binaries;
use crate::{Error, workspace};

/// The number of timed starts of a function; the median counts.
const STARTS: usize = 5;
/// Lambda's limit of the initialisation phase, 10 s.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// All environment variables that the template sets; each function reads its own.
const ENVIRONMENT: [(&str, &str); 22] = [
    ("DATA_BUCKET", "data"),
    ("CATALOG_TABLE", "catalog"),
    ("LEDGER_TABLE", "ledger"),
    ("ENGINE_QUEUE_URL", "http://127.0.0.1:9/000000000000/engine.fifo"),
    ("SNAPSHOT_QUEUE_URL", "http://127.0.0.1:9/000000000000/snapshot.fifo"),
    ("CHUNK_QUEUE_URL", "http://127.0.0.1:9/000000000000/chunk.fifo"),
    ("PUSH_CAMPAIGN_MONITOR_QUEUE_URL", "http://127.0.0.1:9/000000000000/push.fifo"),
    ("PUSH_MARKETO_QUEUE_URL", "http://127.0.0.1:9/000000000000/push-marketo.fifo"),
    ("PUSH_OMNISEND_QUEUE_URL", "http://127.0.0.1:9/000000000000/push-omnisend.fifo"),
    ("PUSH_DYNAMICS365_SALES_QUEUE_URL", "http://127.0.0.1:9/000000000000/push-dynamics365-sales.fifo"),
    ("FINISH_QUEUE_URL", "http://127.0.0.1:9/000000000000/finish.fifo"),
    ("PERSON_QUEUE_URL", "http://127.0.0.1:9/000000000000/person.fifo"),
    ("RUN_DATA_RETENTION_DAYS", "30"),
    ("REPORT_RETENTION_DAYS", "400"),
    ("EVENT_BUS_NAME", "default"),
    ("CAMPAIGN_MONITOR_ENDPOINT", "https://api.createsend.com"),
    ("ROLES_CLAIM", "roles"),
    ("ADMINISTRATOR_ROLE", "administrator"),
    ("CONTRIBUTOR_ROLE", "contributor"),
    ("VIEWER_ROLE", "viewer"),
    ("SECRET_PREFIX", "segment-relay/connections/"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
];

/// Returns the project's size limit of a function's package, in bytes.
#[must_use]
pub fn limit_bytes(function: &str) -> u64 {
    match function {
        "snapshot" => 25_000_000,
        // They read and write Parquet.
        "chunk" | "finish" | "person" | "upload" => 10_000_000,
        // It contains every connector and the OpenAPI description.
        "api" => 9_000_000,
        _ => 7_000_000,
    }
}

/// A function's package.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Package {
    /// The function's folder.
    pub function: String,
    /// The zip.
    pub archive: PathBuf,
    /// The size of the binary.
    pub binary_bytes: u64,
    /// The size of the zip.
    pub zip_bytes: u64,
    /// The size limit.
    pub limit_bytes: u64,
}

/// Copies the binaries to the paths in the template, `target/lambda/FUNCTION/bootstrap`, and zips them.
pub fn package(binaries: &Binaries) -> Result<Vec<Package>, Error> {
    let lambda = workspace::root().join("target/lambda");
    binaries
        .iter()
        .map(|(function, binary)| {
            let folder = lambda.join(function);
            std::fs::create_dir_all(&folder).map_err(Error::file(&folder))?;
            let bootstrap = folder.join("bootstrap");
            // `copy` keeps the executable permission.
            let binary_bytes = std::fs::copy(binary, &bootstrap).map_err(Error::file(&bootstrap))?;
            let archive = lambda.join(format!("{function}.zip"));
            let zip_bytes = archive::write_binary(&bootstrap, &archive, Compression::Smallest)?;
            let limit_bytes = limit_bytes(function);
            Ok(Package { function: function.clone(), archive, binary_bytes, zip_bytes, limit_bytes })
        })
        .collect()
}

/// Returns the median time from starting a binary to its first request for work, in milliseconds.
pub async fn init_ms(binary: &Path) -> Result<f64, Error> {
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        times.push(one_start(binary).await?.as_secs_f64() * 1_000.0);
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(STARTS / 2).copied().unwrap_or_default())
}

async fn one_start(binary: &Path) -> Result<Duration, Error> {
    let problem = |source| Error::File { path: binary.to_path_buf(), source };
    let runtime = TcpListener::bind(("127.0.0.1", 0)).await.map_err(problem)?;
    let address = runtime.local_addr().map_err(problem)?;
    let began = Instant::now();
    let mut child = Command::new(binary)
        .env_clear()
        .envs(ENVIRONMENT)
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "measured")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(problem)?;
    let taken = tokio::select! {
        asked = asks_for_work(&runtime) => asked.map_err(problem).map(|()| began.elapsed()),
        () = tokio::time::sleep(INIT_LIMIT) => {
            Err(Error::Missing(format!("{} did not request work within 10 s", binary.display())))
        }
        ended = child.wait() => {
            let ended = ended.map_err(problem)?;
            Err(Error::Missing(format!("{} ended with {ended} before it requested work", binary.display())))
        }
    };
    // It waits for work that never arrives.
    let _gone = child.kill().await.is_ok();
    taken
}

/// The runtime interface: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
async fn asks_for_work(runtime: &TcpListener) -> std::io::Result<()> {
    loop {
        let (mut connection, _) = runtime.accept().await?;
        if first_line(&mut connection).await?.contains("/runtime/invocation/next") {
            return Ok(());
        }
    }
}

async fn first_line(connection: &mut TcpStream) -> std::io::Result<String> {
    let mut line = Vec::new();
    loop {
        match connection.read_u8().await? {
            b'\r' => return Ok(String::from_utf8_lossy(&line).into_owned()),
            byte => line.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn script(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bootstrap");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (folder, path)
    }

    #[test]
    fn every_environment_variable_of_the_template_is_set() {
        let template = std::fs::read_to_string(workspace::template()).unwrap();
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
        };
        let told = template.lines().filter_map(|line| line.trim().split_once(": ")).map(|(name, _)| name);
        let told: Vec<&str> = told.filter(|name| is_name(name)).collect();
        assert!(told.contains(&"LEDGER_TABLE"), "{told:?}");
        for name in told {
            assert!(ENVIRONMENT.iter().any(|(known, _)| *known == name), "{name}");
        }
    }

    #[tokio::test]
    async fn a_function_that_ends_before_it_asks_for_work_is_an_error() {
        let (_folder, path) = script("#!/bin/sh\nexit 3\n");
        let problem = init_ms(&path).await.unwrap_err().to_string();
        assert!(problem.contains("before it requested work"), "{problem}");
    }

    #[tokio::test]
    async fn only_a_request_for_work_counts() {
        let runtime = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = runtime.local_addr().unwrap();
        let asked = tokio::spawn(async move { asks_for_work(&runtime).await });
        for line in ["POST /2018-06-01/runtime/init/error", "GET /2018-06-01/runtime/invocation/next"] {
            assert!(!asked.is_finished(), "{line}");
            let mut connection = TcpStream::connect(address).await.unwrap();
            tokio::io::AsyncWriteExt::write_all(
                &mut connection,
                format!("{line} HTTP/1.1\r\n\r\n").as_bytes(),
            )
            .await
            .unwrap();
        }
        asked.await.unwrap().unwrap();
    }
}
