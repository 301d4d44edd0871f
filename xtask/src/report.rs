//! What a command did and how long each step took.

use std::time::{Duration, Instant};

use crate::failure::Outcome;

/// The steps of one command, printed live and once more as a table at the end.
#[derive(Debug)]
pub(crate) struct Report {
    title: &'static str,
    started: Instant,
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: String,
    took: Duration,
    end: End,
}

#[derive(Debug)]
enum End {
    Done,
    Skipped(String),
    Failed(String),
}

impl Report {
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, started: Instant::now(), steps: Vec::new() }
    }

    /// Runs one step, prints its name before and its time after.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        println!("\n── {name}");
        let started = Instant::now();
        let outcome = work();
        let took = started.elapsed();
        let end = match &outcome {
            Ok(_) => End::Done,
            Err(failure) => End::Failed(failure.to_string()),
        };
        println!("── {name}: {} after {}", end.word(), span(took));
        if let End::Failed(why) = &end {
            println!("   {why}");
        }
        self.steps.push(Step { name: name.to_owned(), took, end });
        outcome
    }

    /// Notes a step that had nothing to do, with the reason.
    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        println!("\n── {name}: skipped, {why}");
        self.steps.push(Step {
            name: name.to_owned(),
            took: Duration::ZERO,
            end: End::Skipped(why.to_owned()),
        });
    }

    pub(crate) fn failures(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step.end, End::Failed(_))).count()
    }

    /// Prints the table.
    pub(crate) fn print(&self) {
        print!("\n{}", self.table());
    }

    fn table(&self) -> String {
        let width = self.steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0).max(5);
        let mut table = format!("cargo xtask {}\n", self.title);
        for step in &self.steps {
            let detail = match &step.end {
                End::Done => String::new(),
                End::Skipped(why) | End::Failed(why) => format!(": {}", first_line(why)),
            };
            let word = step.end.word();
            table.push_str(&format!("  {:<width$}  {:>8}  {word}{detail}\n", step.name, span(step.took)));
        }
        table.push_str(&format!("  {:<width$}  {:>8}\n", "total", span(self.started.elapsed())));
        table
    }
}

impl End {
    fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "FAILED",
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// `0.4 s`, `12.0 s`, `3 m 07 s`.
pub(crate) fn span(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 {
        return format!("{:.1} s", took.as_secs_f64());
    }
    format!("{} m {:02} s", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn a_span_reads_as_minutes_and_seconds() {
        assert_eq!(span(Duration::from_millis(420)), "0.4 s");
        assert_eq!(span(Duration::from_secs(187)), "3 m 07 s");
    }

    #[test]
    fn the_table_names_every_step_and_why_one_failed() {
        let mut report = Report::new("test");
        report.step("build", || Ok(())).expect("an empty step succeeds");
        report.skip("pages", "there are none");
        let failed: Outcome = report.step("tests", || Err(Failure::new("two tests failed\nand more")));
        assert!(failed.is_err());
        assert_eq!(report.failures(), 1);
        let table = report.table();
        assert!(table.contains("build"), "{table}");
        assert!(table.contains("skipped: there are none"), "{table}");
        assert!(table.contains("FAILED: two tests failed\n"), "{table}");
    }
}
