//! *worker*: Chromium ends the worker of a page, which owns its database and its link, again and again, while somebody writes. What
//! the page ever said is on this device is there once. The people and the browser are `web-pkg/test/torture/worker.mjs`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::Outcome;
use crate::options::Options;
use crate::row::Row;
use crate::samples::Samples;

/// Deaths of a run unless said.
const ROUNDS: u64 = 100;
const TOLD_EVERY: u64 = 20;
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../web-pkg/test/torture/worker.mjs");

/// What the script says of a death.
#[derive(Debug, Deserialize)]
struct Death {
    /// Words called kept since the one before.
    kept: u64,
    /// From the death until everything is kept again, where the page went on, in milliseconds.
    ms: Option<f64>,
}

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let rounds = options.rounds_or(ROUNDS);
    if !Path::new(SCRIPT).exists() {
        return Err("this scenario needs the repository: run it as `cargo xtask torture worker`".into());
    }
    let mut people = Command::new("node")
        .arg(SCRIPT)
        .args([rounds.to_string(), options.seed.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|why| format!("node does not start: {why}"))?;
    let said = BufReader::new(people.stdout.take().ok_or("a pipe")?);
    let (mut deaths, mut words, mut again) = (0, 0, Samples::default());
    for line in said.lines() {
        let death: Death = serde_json::from_str(&line?)?;
        deaths += 1;
        words += death.kept;
        death.ms.into_iter().for_each(|ms| again.push(Duration::from_secs_f64(ms / 1000.0)));
        if deaths % TOLD_EVERY == 0 {
            println!("{deaths} workers ended, {words} words called kept; all is kept again after {again}");
        }
    }
    // What was lost, and where, it has said itself.
    if !people.wait()?.success() {
        return Err(format!("behind {deaths} deaths something is missing").into());
    }
    if deaths != rounds {
        return Err(format!("only {deaths} of {rounds} workers ended").into());
    }
    Ok(vec![Row {
        name: "worker".into(),
        counts: vec![
            ("workers ended".into(), deaths),
            ("words called kept".into(), words),
            ("of them lost".into(), 0),
        ],
        figures: format!("where the page went on all is kept again after {again}"),
        command: format!("cargo xtask torture worker --rounds {rounds}"),
    }])
}
