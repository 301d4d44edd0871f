//! The command line, read by hand: see the note in `Cargo.toml`.

use std::fmt;

pub(crate) const HELP: &str = "\
usage: cargo xtask <command>

  up [--listen ADDR] [--data DIR] [--room NAME]
                 builds everything and starts the relay with its page
  test           installs what the tests need, builds, runs every test
  check          format, clippy, layering, tidiness, licences
  web            builds the WebAssembly artefact and the pages
  bench [...]    runs the benchmarks (arguments are passed on)
  sim --seeds N [--from S]
                 runs N seeds of the simulated world, starting at seed S
  fuzz TARGET [--minutes N]
                 attacks one target of engine/fuzz and brings its corpus home
  torture NAME [...]
                 tortures a real relay or engine (arguments are passed on)
  help           prints this";

/// What the person asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Up(UpOptions),
    Web,
    Test(TestOptions),
    Check,
    Bench(Vec<String>),
    Torture(Vec<String>),
    Sim(SimOptions),
    Fuzz(FuzzOptions),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UpOptions {
    pub(crate) listen: String,
    /// Where the relay keeps its rooms; `data/` in the root folder unless named.
    pub(crate) data: Option<String>,
    pub(crate) room: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// Failures of an earlier command that the closing line has to count, so that `.ci/run` cannot end on a line that
    /// looks well after `check` failed.
    pub(crate) failed_before: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SimOptions {
    pub(crate) seeds: u64,
    pub(crate) from: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FuzzOptions {
    pub(crate) target: String,
    pub(crate) minutes: u64,
}

/// Why a command line was not understood.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadArguments {
    UnknownCommand(String),
    UnknownOption(String),
    MissingValue(&'static str),
    NotANumber { option: &'static str, value: String },
}

impl fmt::Display for BadArguments {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand(word) => write!(out, "there is no command `{word}`"),
            Self::UnknownOption(word) => write!(out, "`{word}` is not understood here"),
            Self::MissingValue(option) => write!(out, "{option} needs a value"),
            Self::NotANumber { option, value } => write!(out, "{option} needs a number, not `{value}`"),
        }
    }
}

pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Task, BadArguments> {
    let mut words = Words(words.into_iter());
    let Some(command) = words.0.next() else { return Ok(Task::Help) };
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Task::Help),
        "up" => up(&mut words),
        "web" => words.nothing_more(Task::Web),
        "test" => test(&mut words),
        "check" => words.nothing_more(Task::Check),
        "bench" => Ok(Task::Bench(words.0.collect())),
        "torture" => Ok(Task::Torture(words.0.collect())),
        "sim" => sim(&mut words),
        "fuzz" => fuzz(&mut words),
        _ => Err(BadArguments::UnknownCommand(command)),
    }
}

fn up(words: &mut Words<impl Iterator<Item = String>>) -> Result<Task, BadArguments> {
    let mut options = UpOptions { listen: String::from("127.0.0.1:8787"), data: None, room: None };
    while let Some(word) = words.0.next() {
        match word.as_str() {
            "--listen" => options.listen = words.value("--listen")?,
            "--data" => options.data = Some(words.value("--data")?),
            "--room" => options.room = Some(words.value("--room")?),
            _ => return Err(BadArguments::UnknownOption(word)),
        }
    }
    Ok(Task::Up(options))
}

fn test(words: &mut Words<impl Iterator<Item = String>>) -> Result<Task, BadArguments> {
    let mut options = TestOptions { failed_before: 0 };
    while let Some(word) = words.0.next() {
        match word.as_str() {
            "--failed-before" => options.failed_before = words.number("--failed-before")?,
            _ => return Err(BadArguments::UnknownOption(word)),
        }
    }
    Ok(Task::Test(options))
}

fn sim(words: &mut Words<impl Iterator<Item = String>>) -> Result<Task, BadArguments> {
    let mut seeds = None;
    let mut from = 0;
    while let Some(word) = words.0.next() {
        match word.as_str() {
            "--seeds" => seeds = Some(words.number("--seeds")?),
            "--from" => from = words.number("--from")?,
            _ => return Err(BadArguments::UnknownOption(word)),
        }
    }
    let seeds = seeds.ok_or(BadArguments::MissingValue("--seeds"))?;
    Ok(Task::Sim(SimOptions { seeds, from }))
}

fn fuzz(words: &mut Words<impl Iterator<Item = String>>) -> Result<Task, BadArguments> {
    let target = words.value("fuzz")?;
    let mut options = FuzzOptions { target, minutes: 1 };
    while let Some(word) = words.0.next() {
        match word.as_str() {
            "--minutes" => options.minutes = words.number("--minutes")?,
            _ => return Err(BadArguments::UnknownOption(word)),
        }
    }
    Ok(Task::Fuzz(options))
}

struct Words<I>(I);

impl<I: Iterator<Item = String>> Words<I> {
    fn value(&mut self, option: &'static str) -> Result<String, BadArguments> {
        self.0.next().ok_or(BadArguments::MissingValue(option))
    }

    fn number(&mut self, option: &'static str) -> Result<u64, BadArguments> {
        let value = self.value(option)?;
        value.parse().map_err(|_| BadArguments::NotANumber { option, value })
    }

    fn nothing_more(&mut self, task: Task) -> Result<Task, BadArguments> {
        match self.0.next() {
            Some(word) => Err(BadArguments::UnknownOption(word)),
            None => Ok(task),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, BadArguments> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn up_without_options_listens_on_this_machine_only() {
        let options = UpOptions { listen: "127.0.0.1:8787".into(), data: None, room: None };
        assert_eq!(parsed("up"), Ok(Task::Up(options)));
    }

    #[test]
    fn options_are_read_in_any_order() {
        let options =
            UpOptions { listen: "[::1]:0".into(), data: Some("elsewhere".into()), room: Some("tide".into()) };
        assert_eq!(parsed("up --room tide --data elsewhere --listen [::1]:0"), Ok(Task::Up(options)));
        let fuzz = FuzzOptions { target: "guard".into(), minutes: 20 };
        assert_eq!(parsed("fuzz guard --minutes 20"), Ok(Task::Fuzz(fuzz)));
        assert_eq!(parsed("sim --from 7 --seeds 200"), Ok(Task::Sim(SimOptions { seeds: 200, from: 7 })));
    }

    #[test]
    fn bench_passes_everything_on() {
        assert_eq!(parsed("bench replay --quick"), Ok(Task::Bench(vec!["replay".into(), "--quick".into()])));
    }

    #[test]
    fn a_mistake_is_named() {
        assert_eq!(parsed("sim"), Err(BadArguments::MissingValue("--seeds")));
        assert_eq!(parsed("check --fast"), Err(BadArguments::UnknownOption("--fast".into())));
        assert_eq!(parsed("fly"), Err(BadArguments::UnknownCommand("fly".into())));
        let expected = BadArguments::NotANumber { option: "--seeds", value: "many".into() };
        assert_eq!(parsed("sim --seeds many"), Err(expected));
    }
}
