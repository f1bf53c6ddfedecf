//! Downloads from presigned links. Files may be large, so they are streamed to disk.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::api::{client, root_cause};
use crate::error::Error;
use crate::files::FileError;
use crate::settings::checked;

/// The timeout of a whole download.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_mins(15);

/// Downloads into a new file. The file is written completely or not at all.
pub(super) async fn download_into(path: &Path, doing: &str, link: &str) -> Result<File, Error> {
    // Creating the file fails as well, but only after the download.
    if path.symlink_metadata().is_ok() {
        return Err(FileError::file(path)(ErrorKind::AlreadyExists.into()).into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(FileError::file(path))?;
    download(doing, link, file.as_file_mut()).await?;
    Ok(file.persist_noclobber(path).map_err(|problem| FileError::file(path)(problem.error))?)
}

/// Downloads without a token: the presigned link is the permission.
pub(super) async fn download(doing: &str, link: &str, file: &mut File) -> Result<(), Error> {
    let refuse = |why: String| Error::Input(format!("cannot {doing}: the download failed: {why}"));
    let address = checked(link)?;
    let client = client(&address).map_err(|error| refuse(error.to_string()))?;
    let request = client.get(address).timeout(DOWNLOAD_TIMEOUT).send().await;
    let mut response = request.map_err(|error| refuse(root_cause(&error)))?;
    if !response.status().is_success() {
        return Err(refuse(format!(
            "HTTP {}; the link may have expired; run the command again",
            response.status().as_u16()
        )));
    }
    let mut writer = BufWriter::new(file);
    while let Some(chunk) = response.chunk().await.map_err(|error| refuse(root_cause(&error)))? {
        writer.write_all(&chunk).map_err(|error| refuse(error.to_string()))?;
    }
    writer.flush().map_err(|error| refuse(error.to_string()))
}
