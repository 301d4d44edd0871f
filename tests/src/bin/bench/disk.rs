//! The floor of everything durable: how long this disk takes to keep a few bytes.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use crate::samples::Samples;

/// Appends of 200 bytes, each followed by fdatasync.
pub(crate) fn fdatasync(folder: &Path, times: usize) -> io::Result<Samples> {
    let mut file = File::create(folder.join("floor"))?;
    let mut samples = Samples::default();
    for _ in 0..times {
        let began = Instant::now();
        file.write_all(&[7; 200])?;
        file.sync_data()?;
        samples.push(began.elapsed());
    }
    Ok(samples)
}
