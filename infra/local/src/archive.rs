//! Deployment packages: a zip with the binary as the executable `bootstrap`.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::Error;

/// The compression level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// None: for a cloud on the same machine.
    Stored,
    /// Maximum: for deployment.
    Smallest,
}

/// Writes the zip of a binary and returns its size in bytes.
pub fn write_binary(binary: &Path, archive: &Path, compression: Compression) -> Result<u64, Error> {
    let mut source = File::open(binary).map_err(Error::file(binary))?;
    let mut zip = begin(archive, compression)?;
    std::io::copy(&mut source, &mut zip).map_err(Error::file(archive))?;
    end(zip, archive)
}

/// Writes a zip whose `bootstrap` executes a binary outside of it.
///
/// An unoptimised binary with the query engine exceeds Lambda's limit of 250 MiB, and copying it takes
/// longer than the test that needs it.
pub fn write_reference(binary: &Path, archive: &Path) -> Result<u64, Error> {
    let quoted = binary.to_string_lossy().replace('\'', r"'\''");
    let mut zip = begin(archive, Compression::Stored)?;
    zip.write_all(format!("#!/bin/sh\nexec '{quoted}'\n").as_bytes()).map_err(Error::file(archive))?;
    end(zip, archive)
}

fn begin(archive: &Path, compression: Compression) -> Result<ZipWriter<File>, Error> {
    let options = SimpleFileOptions::default().unix_permissions(0o755).large_file(false);
    let options = match compression {
        Compression::Stored => options.compression_method(CompressionMethod::Stored),
        Compression::Smallest => {
            options.compression_method(CompressionMethod::Deflated).compression_level(Some(9))
        }
    };
    let mut zip = ZipWriter::new(File::create(archive).map_err(Error::file(archive))?);
    zip.start_file("bootstrap", options)?;
    Ok(zip)
}

fn end(zip: ZipWriter<File>, archive: &Path) -> Result<u64, Error> {
    let file = zip.finish()?;
    Ok(file.metadata().map_err(Error::file(archive))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn bootstrap_is_whole_and_executable() {
        fn check(write: impl Fn(&Path, &Path) -> Result<u64, Error>, expected: &str) {
            let folder = tempfile::tempdir().unwrap();
            let binary = folder.path().join("it's");
            std::fs::write(&binary, "binary").unwrap();
            let archive = folder.path().join("a.zip");
            let size = write(&binary, &archive).unwrap();
            assert_eq!(size, std::fs::metadata(&archive).unwrap().len());
            let mut zip = zip::ZipArchive::new(File::open(&archive).unwrap()).unwrap();
            let mut entry = zip.by_name("bootstrap").unwrap();
            assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            assert_eq!(text.replace(&folder.path().to_string_lossy().into_owned(), "/f"), expected);
        }
        check(|b, a| write_binary(b, a, Compression::Stored), "binary");
        check(|b, a| write_binary(b, a, Compression::Smallest), "binary");
        check(write_reference, "#!/bin/sh\nexec '/f/it'\\''s'\n");
    }
}
