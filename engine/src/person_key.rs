//! The key of the person who uses an engine, kept beside its rooms.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use causeway_core::person::PersonKey;

/// A key that lasts as long as the process.
pub(crate) fn fresh() -> PersonKey {
    PersonKey::from_secret(&secret())
}

/// The key kept in a data folder, made there at the first time.
///
/// # Errors
/// It cannot be read or written, or is no key: somebody has changed the file.
pub(crate) fn in_folder(folder: &Path) -> io::Result<PersonKey> {
    let path = folder.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => {
            let secret =
                bytes.try_into().map_err(|_| io::Error::other("the key of the person is damaged"))?;
            Ok(PersonKey::from_secret(&secret))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path),
        Err(error) => Err(error),
    }
}

/// Written beside its place and moved there, so that a half-written key is never read.
fn make(path: &Path) -> io::Result<PersonKey> {
    let beside = path.with_extension("new");
    let secret = secret();
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(&secret)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    Ok(PersonKey::from_secret(&secret))
}

fn secret() -> [u8; 32] {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).expect("the system has randomness");
    secret
}

/// 32 bytes that nobody else may read.
const FILE: &str = "person";
