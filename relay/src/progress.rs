//! How far a backup or a restore is, on stderr.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use causeway_store::backup::Summary;

/// Tells now and then: a person sees a line that changes, a log gets one every few seconds.
pub(crate) struct Progress {
    what: &'static str,
    began: Instant,
    told: Instant,
    every: Duration,
    ends_with: &'static str,
    /// What is on the line that changes.
    width: usize,
}

impl Progress {
    pub(crate) fn begin(what: &'static str) -> Self {
        let (every, ends_with) = if io::stderr().is_terminal() {
            (Duration::from_millis(200), "\r")
        } else {
            (Duration::from_secs(5), "\n")
        };
        Self { what, began: Instant::now(), told: Instant::now(), every, ends_with, width: 0 }
    }

    pub(crate) fn tell(&mut self, so_far: &Summary) {
        if self.told.elapsed() < self.every {
            return;
        }
        self.told = Instant::now();
        let line = self.line(so_far);
        self.width = self.width.max(line.len());
        // Somebody may have closed our stderr; the work goes on.
        let _ = write!(io::stderr(), "{line:<width$}{}", self.ends_with, width = self.width);
    }

    /// The last word, on a line of its own.
    pub(crate) fn end(mut self, whole: &Summary, about: &str) {
        let line = format!("{}{about}", self.line(whole));
        self.width = self.width.max(line.len());
        let _ = writeln!(io::stderr(), "{line:<width$}", width = self.width);
    }

    fn line(&self, so_far: &Summary) -> String {
        let seconds = self.began.elapsed().as_secs_f64();
        let rate = Bytes((so_far.bytes as f64 / seconds.max(0.001)) as u64);
        let Summary { rooms, rows, bytes, .. } = so_far;
        let bytes = Bytes(*bytes);
        let (rooms, rows) = (Count(*rooms, "room"), Count(*rows, "row"));
        format!("{}: {rooms}, {rows}, {bytes} in {seconds:.1} s ({rate}/s)", self.what)
    }
}

/// So many of something.
pub(crate) struct Count(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, what) = self;
        write!(f, "{count} {what}{}", if *count == 1 { "" } else { "s" })
    }
}

/// A number of bytes for people.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = self;
        match bytes {
            0..1024 => write!(f, "{bytes} B"),
            1024..1_048_576 => write!(f, "{:.1} KiB", *bytes as f64 / 1024.0),
            1_048_576..1_073_741_824 => write!(f, "{:.1} MiB", *bytes as f64 / 1_048_576.0),
            _ => write!(f, "{:.2} GiB", *bytes as f64 / 1_073_741_824.0),
        }
    }
}
