//! `cargo local bench --upload-bytes`: sends a CSV of any size through the upload function, and measures
//! its memory.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use relay_cloud::ledger::SegmentUploads;
use relay_model::catalog::{Document, Segment};
use relay_model::uploads::{UploadManifest, UploadOutcome};
use serde_json::json;

use super::lake::person;
use super::usage::Watch;
use super::{per, real};
use crate::binaries::{self, Profile};
use crate::cloud::Options;
use crate::console::Progress;
use crate::demo::Person;
use crate::world::{Bundle, Tool, Values};
use crate::{Error, venv};

const SEGMENT: &str = "everybody";
const FUNCTION: &str = "upload";
/// One line in this many has no address, and is therefore invalid.
const BAD_OF: u64 = 10_000;
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A little more than the function's own timeout of 15 minutes.
const LIMIT: Duration = Duration::from_mins(16);
/// The maximum peak memory: half of the function's memory in the template.
const PEAK_LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// The written file.
struct Written {
    lines: u64,
    bad_lines: u64,
    bytes: u64,
}

/// Uploads the file as a user would, and waits until it is accepted.
pub(super) async fn run(
    bytes: u64,
    profile: Profile,
    progress: &Progress,
) -> Result<crate::cli::Report, Error> {
    let options = Options::new(venv::ensure(progress)?, binaries::build(profile, progress)?);
    let bundle = Bundle::start(options.parameter("TickScheduleState", "DISABLED"), progress).await?;
    let segment = json!({ "id": SEGMENT, "name": "Everybody", "upload": {
        "identity_column": "email", "member_key_column": "customer_id", "columns": { "points": "integer" },
    } });
    let folder = tempfile::tempdir().map_err(Error::file(std::env::temp_dir()))?;
    let definition = folder.path().join("segments").join(format!("{SEGMENT}.yaml"));
    std::fs::create_dir_all(folder.path().join("segments")).map_err(Error::file(folder.path()))?;
    std::fs::write(&definition, segment.to_string()).map_err(Error::file(&definition))?;
    Tool::of(&bundle.cloud, "bench")?.apply(folder.path(), &Values::new()).await?;
    let segment = Segment::parse(&segment.to_string()).map_err(|error| Error::Data(error.to_string()))?;

    progress.step(&format!("writing a CSV of {bytes} bytes"));
    let path = folder.path().join("everybody.csv");
    let written = write(&path, bytes)?;
    let lines = written.lines;
    progress.step(&format!("putting {lines} lines under uploads/{SEGMENT}/"));
    let watch = Watch::start(&bundle.cloud, &[FUNCTION]);
    let put = bundle.data().upload(&format!("uploads/{SEGMENT}/everybody.csv"), &path).await;
    put.map_err(|error| Error::Answer(error.to_string()))?;
    progress.step("waiting for the upload function");
    let manifest = manifest(&bundle, &segment).await?;
    let usage = watch.finish(&bundle.cloud).into_iter().next().unwrap_or_default();
    bundle.cloud.stop().await?;

    let accepted = match manifest.outcome {
        UploadOutcome::Accepted(accepted) => accepted,
        UploadOutcome::Refused { code, text, .. } => return Err(Error::Missing(format!("{code}: {text}"))),
    };
    let took = manifest.made_at.duration_since(manifest.uploaded_at).as_secs_f64();
    let good = accepted.rows + accepted.bad_lines == written.lines
        && accepted.bad_lines == written.bad_lines
        && usage.peak_bytes < PEAK_LIMIT_BYTES;
    let (rows_per_second, bytes_per_second) = (per(accepted.rows, took), per(written.bytes, took));
    let figures = json!({
        "upload_bytes": written.bytes,
        "rows": accepted.rows,
        "bad_lines": accepted.bad_lines,
        "seconds": took,
        "cpu_seconds": usage.cpu_seconds,
        "rows_per_second": rows_per_second,
        "bytes_per_second": bytes_per_second,
        "peak_bytes": usage.peak_bytes,
        "table_bytes": accepted.bytes,
        "profile": profile.name(),
    });
    let text = format!(
        "\n{} bytes, {} good lines and {} bad ones, read in {took:.1} s ({:.1} s of CPU): {rows_per_second:.0} rows/s, \
         {:.1} MB/s,\n{} MiB peak memory, a table of {} bytes",
        written.bytes,
        accepted.rows,
        accepted.bad_lines,
        usage.cpu_seconds,
        bytes_per_second / real(1_000_000),
        usage.peak_bytes / 1024 / 1024,
        accepted.bytes,
    );
    Ok(crate::cli::Report { text, figures, good })
}

/// Writes as many lines as fit.
fn write(path: &Path, bytes: u64) -> Result<Written, Error> {
    let failed = Error::file(path);
    let mut file = BufWriter::new(File::create(path).map_err(Error::file(path))?);
    let mut written = Written { lines: 0, bad_lines: 0, bytes: 0 };
    let mut line = String::from("customer_id,email,name,address,city,points\n");
    loop {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if written.bytes.saturating_add(length) > bytes {
            break;
        }
        if let Err(error) = file.write_all(line.as_bytes()) {
            return Err(failed(error));
        }
        written.bytes += length;
        let is_bad = written.lines.is_multiple_of(BAD_OF);
        let Person { id, email, name, address, city, points, .. } = person(written.lines, 0);
        let email = email.filter(|_| !is_bad).unwrap_or_default();
        let (address, points) = (address.replace('"', "\"\""), points.unwrap_or_default());
        line = format!("{id},{email},{name},\"{address}\",{city},{points}\n");
        written.lines += 1;
        written.bad_lines += u64::from(is_bad);
    }
    // The last one did not fit.
    written.lines = written.lines.saturating_sub(1);
    written.bad_lines -= u64::from(written.lines.is_multiple_of(BAD_OF)).min(written.bad_lines);
    file.flush().map_err(Error::file(path))?;
    Ok(written)
}

async fn manifest(bundle: &Bundle, segment: &Segment) -> Result<UploadManifest, Error> {
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        let uploads = bundle.ledger().uploads(&segment.id).await;
        let uploads = uploads.map_err(|error| Error::Answer(error.to_string()))?;
        if let SegmentUploads { latest: Some(latest), .. } = uploads {
            let bytes = bundle.data().get(&latest.manifest_key).await;
            return Ok(serde_json::from_slice(&bytes.map_err(|error| Error::Answer(error.to_string()))?)?);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Error::Missing(format!(
        "the upload was not read within {} s; see {}",
        LIMIT.as_secs(),
        bundle.cloud.log_path().display()
    )))
}
