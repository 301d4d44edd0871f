//! How long things took, in buckets that never grow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper ends of the buckets in seconds: from a fast disk's fsync to a disk that is in trouble.
pub(super) const BOUNDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Spans of time since the start of the process.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    /// The last one takes what is beyond all bounds.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// A [`Histogram`] at one moment.
#[derive(Debug)]
pub(super) struct Spans {
    /// How many were at most as long as the bound of the same place.
    pub(super) up_to: [u64; BOUNDS.len()],
    pub(super) count: u64,
    pub(super) seconds: f64,
}

impl Histogram {
    pub(crate) fn record(&self, span: Duration) {
        let seconds = span.as_secs_f64();
        let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Spans {
        let mut count = 0;
        let mut up_to = [0; BOUNDS.len()];
        for (bucket, total) in self.buckets.iter().zip(&mut up_to) {
            count += bucket.load(Ordering::Relaxed);
            *total = count;
        }
        count += self.buckets[BOUNDS.len()].load(Ordering::Relaxed);
        Spans { up_to, count, seconds: self.micros.load(Ordering::Relaxed) as f64 / 1e6 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_in_every_bucket_that_reaches_it() {
        let histogram = Histogram::default();
        for micros in [100, 101, 7_000, 60_000_000] {
            histogram.record(Duration::from_micros(micros));
        }
        let spans = histogram.read();
        assert_eq!((spans.up_to[0], spans.up_to[1], spans.up_to[6], spans.up_to[13]), (1, 2, 3, 3));
        assert_eq!(spans.count, 4);
        assert!((spans.seconds - 60.007_201).abs() < 1e-6);
    }
}
