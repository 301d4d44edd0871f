//! Spans of time and what is told of them.

use std::time::Duration;

/// Measured spans.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, span: Duration) {
        self.0.push(span);
    }

    pub(crate) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The span that this share of all stays below.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        let at = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// A row of a table: name, number, p50, p99 and the longest.
    pub(crate) fn row(&self, name: &str) -> Vec<String> {
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| millis(self.quantile(share)));
        vec![name.into(), self.0.len().to_string(), p50, p99, most]
    }
}

fn millis(span: Duration) -> String {
    format!("{:.2} ms", span.as_secs_f64() * 1000.0)
}
