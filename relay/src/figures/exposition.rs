//! Figures in the text format that Prometheus reads, version 0.0.4.

use std::fmt::{Display, Write};

use super::histogram::{BOUNDS, Spans};

/// A page of metrics. Names and help texts are ours, so nothing needs to be escaped.
#[derive(Debug, Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// A figure that only grows; its name ends in `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, help, "counter");
        self.line(format_args!("{name} {value}"));
    }

    /// A figure that comes and goes.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, help, "gauge");
        self.line(format_args!("{name} {value}"));
    }

    /// A counter with one value for each value of a label.
    pub(super) fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) {
        self.head(name, help, "counter");
        for (of, value) in values {
            self.line(format_args!("{name}{{{label}=\"{of}\"}} {value}"));
        }
    }

    /// Spans of time, in seconds.
    pub(super) fn histogram(&mut self, name: &str, help: &str, spans: &Spans) {
        self.head(name, help, "histogram");
        for (bound, count) in BOUNDS.iter().zip(spans.up_to) {
            self.line(format_args!("{name}_bucket{{le=\"{bound}\"}} {count}"));
        }
        self.line(format_args!("{name}_bucket{{le=\"+Inf\"}} {}", spans.count));
        self.line(format_args!("{name}_sum {}", spans.seconds));
        self.line(format_args!("{name}_count {}", spans.count));
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a string takes what is written to it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Histogram;

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let mut page = Exposition::default();
        page.counter("a_total", "Things.", 3);
        page.counters("b_total", "Bytes.", "lane", [("bulk", 5), ("control", 0)]);
        let spans = Histogram::default();
        spans.record(std::time::Duration::from_millis(500));
        page.histogram("c_seconds", "Waits.", &spans.read());
        let text = page.into_text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["# HELP a_total Things.", "# TYPE a_total counter", "a_total 3"]);
        assert_eq!(lines[5..7], ["b_total{lane=\"bulk\"} 5", "b_total{lane=\"control\"} 0"]);
        assert_eq!(lines[8], "# TYPE c_seconds histogram");
        assert_eq!(lines[19..21], ["c_seconds_bucket{le=\"0.25\"} 0", "c_seconds_bucket{le=\"0.5\"} 1"]);
        assert_eq!(
            lines[23..],
            ["c_seconds_bucket{le=\"+Inf\"} 1", "c_seconds_sum 0.5", "c_seconds_count 1"]
        );
        assert!(text.ends_with('\n'));
    }
}
