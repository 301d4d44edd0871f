//! Figures read from the closing lines of test runners.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;

use crate::failure::{Failure, Outcome};

/// Whose closing lines these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    Cargo,
    Vitest,
    Node,
}

/// Tests by how they ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// Tests that had no recordings to work on.
    pub(crate) skipped: u64,
    /// Tests that were ignored or skipped for any other reason.
    pub(crate) left_out: u64,
    /// Suites that did not end well; their steps are in the report as failed.
    pub(crate) suites_failed: u64,
}

/// A test that needs the recordings starts a line with this, followed by its name, where they are missing.
const MARK: &str = "SKIPPED (no ../shared/data): ";
/// And one that this machine does not let do what it does, with what that is.
const NO_RIGHT: &str = "SKIPPED (no right to ";

/// Adds up the closing lines. It is a failure if there are none: a runner that changed its wording must not count as
/// zero failures.
pub(crate) fn count(runner: Runner, lines: &[String]) -> Outcome<Tally> {
    let lines: Vec<String> = lines.iter().map(|line| without_colours(line)).collect();
    let reported = match runner {
        Runner::Cargo => cargo(&lines),
        Runner::Vitest => vitest(&lines),
        Runner::Node => node(&lines),
    };
    let reported =
        reported.ok_or_else(|| Failure::new("the closing line of the test runner was not found"))?;
    let without_data = lines.iter().filter_map(|line| line.split_once(MARK)).map(|(_, name)| name.trim());
    let without_data = without_data.collect::<BTreeSet<_>>().len() as u64;
    let without_right = lines.iter().filter_map(|line| line.split_once(NO_RIGHT)?.1.split_once("): "));
    let without_right = without_right.map(|(_, name)| name.trim()).collect::<BTreeSet<_>>().len() as u64;
    Ok(reported.with_data_missing(runner, without_data).with_right_missing(runner, without_right))
}

impl Tally {
    /// Sorts the tests that had no data out of where their runner counted them: Rust's harness knows no skipping at run
    /// time and calls them passed; the JavaScript runners call them skipped if the test said so.
    fn with_data_missing(mut self, runner: Runner, without_data: u64) -> Self {
        let from_left_out = match runner {
            Runner::Cargo => 0,
            Runner::Vitest | Runner::Node => without_data.min(self.left_out),
        };
        self.left_out -= from_left_out;
        self.passed = self.passed.saturating_sub(without_data - from_left_out);
        self.skipped += without_data;
        self
    }

    /// The same for tests that this machine did not let do what they do: they are left out.
    fn with_right_missing(mut self, runner: Runner, without_right: u64) -> Self {
        if runner == Runner::Cargo {
            self.passed = self.passed.saturating_sub(without_right);
            self.left_out += without_right;
        }
        self
    }

    /// Counts each failed step of the report that is not a suite, which has counted itself, as one failure.
    pub(crate) fn with_failed_steps(mut self, steps: usize) -> Self {
        self.failed += (steps as u64).saturating_sub(self.suites_failed);
        self
    }

    /// Nobody reads why a test was left out of a run without a person, so there it counts as failed.
    pub(crate) fn with_left_out_failed(mut self) -> Self {
        self.failed += std::mem::take(&mut self.left_out);
        self
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.left_out += other.left_out;
        self.suites_failed += other.suites_failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(out, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`, once per test binary.
fn cargo(lines: &[String]) -> Option<Tally> {
    let closing =
        lines.iter().filter_map(|line| line.split_once("test result: ")).map(|(_, figures)| Tally {
            passed: number_before(figures, " passed"),
            failed: number_before(figures, " failed"),
            left_out: number_before(figures, " ignored"),
            ..Tally::default()
        });
    sum(closing)
}

/// `Tests  1 failed | 3 passed | 1 skipped (5)`.
fn vitest(lines: &[String]) -> Option<Tally> {
    let closing =
        lines.iter().filter_map(|line| line.trim_start().strip_prefix("Tests  ")).map(|figures| Tally {
            passed: number_before(figures, " passed"),
            failed: number_before(figures, " failed"),
            left_out: number_before(figures, " skipped") + number_before(figures, " todo"),
            ..Tally::default()
        });
    sum(closing)
}

/// `# pass 3`, `# fail 0`, `# cancelled 0`, `# skipped 0`, `# todo 0`, one per line, with another sign on a terminal.
fn node(lines: &[String]) -> Option<Tally> {
    let closing = lines.iter().filter_map(|line| {
        let figure = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
        let (word, number) = figure.split_once(' ')?;
        let number = number.parse().ok()?;
        match word {
            "pass" => Some(Tally { passed: number, ..Tally::default() }),
            "fail" | "cancelled" => Some(Tally { failed: number, ..Tally::default() }),
            "skipped" | "todo" => Some(Tally { left_out: number, ..Tally::default() }),
            _ => None,
        }
    });
    sum(closing)
}

fn sum(closing: impl Iterator<Item = Tally>) -> Option<Tally> {
    closing.reduce(|mut total, next| {
        total += next;
        total
    })
}

fn number_before(text: &str, word: &str) -> u64 {
    let Some((before, _)) = text.split_once(word) else { return 0 };
    let digits = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    // The last character before the digits may be wider than a byte.
    before.get(digits..).and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(runner: Runner, text: &str) -> Tally {
        let lines: Vec<String> = text.lines().map(String::from).collect();
        count(runner, &lines).expect("there is a closing line")
    }

    #[test]
    fn closing_lines_of_all_test_binaries_add_up() {
        let text = "running 2 tests\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 5 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s";
        let expected = Tally { passed: 7, failed: 3, left_out: 1, ..Tally::default() };
        assert_eq!(counted(Runner::Cargo, text), expected);
    }

    #[test]
    fn a_cargo_test_without_data_is_skipped_not_passed() {
        let text = "SKIPPED (no ../shared/data): replay_paper\ntest replay_paper ... ok\n\
            test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let tally = counted(Runner::Cargo, text);
        assert_eq!(tally, Tally { passed: 3, skipped: 1, ..Tally::default() });
        assert_eq!(tally.to_string(), "3 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn a_cargo_test_without_the_right_to_run_is_left_out() {
        let text = "SKIPPED (no right to make a network namespace): rl10_a_cable\ntest rl10_a_cable ... ok\n\
            test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let tally = counted(Runner::Cargo, text);
        assert_eq!(tally, Tally { passed: 3, left_out: 1, ..Tally::default() });
        assert_eq!(tally.with_left_out_failed().to_string(), "3 passed, 1 failed");
    }

    #[test]
    fn vitest_is_read_with_its_colours() {
        let text = " \u{1b}[2m Test Files \u{1b}[22m 2 passed (2)\n\
            \u{1b}[2m      Tests \u{1b}[22m \u{1b}[31m1 failed\u{1b}[39m | \u{1b}[32m12 passed\u{1b}[39m | 2 skipped (15)";
        let expected = Tally { passed: 12, failed: 1, left_out: 2, ..Tally::default() };
        assert_eq!(counted(Runner::Vitest, text), expected);
    }

    #[test]
    fn node_figures_are_read_in_both_of_its_styles() {
        let tap = "# tests 6\n# suites 0\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 1\n# todo 0\n# duration_ms 61.2";
        let expected = Tally { passed: 3, failed: 2, left_out: 1, ..Tally::default() };
        assert_eq!(counted(Runner::Node, tap), expected);
        assert_eq!(counted(Runner::Node, &tap.replace('#', "ℹ")), expected);
    }

    #[test]
    fn a_node_test_without_data_is_counted_once() {
        let text = "# SKIPPED (no ../shared/data): replay in the page\n\
            ok 1 - replay # SKIP SKIPPED (no ../shared/data): replay in the page\n# pass 3\n# fail 0\n# skipped 1";
        assert_eq!(counted(Runner::Node, text), Tally { passed: 3, skipped: 1, ..Tally::default() });
    }

    #[test]
    fn a_runner_without_a_closing_line_is_a_failure() {
        assert!(count(Runner::Vitest, &[String::from("Error: no such file")]).is_err());
    }

    #[test]
    fn what_was_left_out_fails_only_where_nobody_reads() {
        let tally = Tally { passed: 3, left_out: 2, ..Tally::default() };
        assert_eq!(tally.to_string(), "3 passed, 0 failed");
        assert_eq!(tally.with_left_out_failed().to_string(), "3 passed, 2 failed");
    }

    #[test]
    fn a_failed_build_counts_once_and_a_failed_suite_by_its_tests() {
        let tally = Tally { passed: 3, failed: 4, suites_failed: 1, ..Tally::default() };
        assert_eq!(tally.with_failed_steps(2).failed, 5);
    }
}
