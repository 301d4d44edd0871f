//! *device-kill*: a native engine is killed while it writes, again and again on one folder. Every word whose receipt said
//! that it is on the device's disk is in the text when the engine is opened again.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use causeway::{Engine, EngineConfig, Reach, StoreChoice};
use causeway_store::StoreKind;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::options::Options;
use crate::rng::Rng;
use crate::row::Row;
use crate::samples::Samples;

/// The word that makes this program such a device.
pub(crate) const DEVICE: &str = "a-device";

/// Deaths of a run unless said.
const ROUNDS: u64 = 300;
/// Deaths that one text lives through; the folder goes on.
const ROUNDS_OF_A_TEXT: u64 = 25;
/// The longest that a device lives after it has read its text.
const LIFE: Duration = Duration::from_millis(250);
const TOLD_EVERY: u64 = 50;

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let rounds = options.rounds_or(ROUNDS);
    options.stores.iter().map(|kind| on(*kind, rounds, options.seed)).collect()
}

fn on(kind: StoreKind, rounds: u64, seed: u64) -> Outcome<Row> {
    let folder = tempfile::tempdir()?;
    let mut rng = Rng::new(seed);
    let (mut kept, mut words, mut opened) = (Vec::new(), 0, Samples::default());
    for round in 0..rounds {
        if round % ROUNDS_OF_A_TEXT == 0 {
            kept.clear();
        }
        let room = format!("text-{}", round / ROUNDS_OF_A_TEXT);
        let life = LIFE.mul_f64(rng.below(1000) as f64 / 1000.0);
        let (text, new, span) = live_and_die(kind, folder.path(), &room, round, life)?;
        let missing: Vec<&String> =
            kept.iter().filter(|word| text.matches(&format!("<{word}>")).count() != 1).collect();
        if !missing.is_empty() {
            println!("what is left of it lies in {}", folder.keep().display());
            let (missing, kept) = (missing.len(), kept.len());
            return Err(format!(
                "{kind}, death {round}: of {kept} words called kept {missing} are not there once"
            )
            .into());
        }
        opened.push(span);
        words += new.len() as u64;
        kept.extend(new);
        if (round + 1) % TOLD_EVERY == 0 {
            println!(
                "{kind}: {} deaths, {words} words called kept, text read again after {opened}",
                round + 1
            );
        }
    }
    Ok(Row {
        name: format!("device-kill, {kind}"),
        counts: vec![
            ("kills".into(), rounds),
            ("words called kept".into(), words),
            ("of them lost".into(), 0),
        ],
        figures: format!("process started to text read: {opened}"),
        command: format!("cargo xtask torture device-kill --store {kind} --rounds {rounds}"),
    })
}

/// The text a device found, the words it called kept before it was killed, and how long it took to read the text.
fn live_and_die(
    kind: StoreKind,
    folder: &Path,
    room: &str,
    round: u64,
    life: Duration,
) -> Outcome<(String, Vec<String>, Duration)> {
    let began = Instant::now();
    let mut child = Command::new(std::env::current_exe()?)
        .args([DEVICE, kind.name()])
        .arg(folder)
        .args([room, &round.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut out = BufReader::new(child.stdout.take().ok_or("a pipe")?);
    let mut first = String::new();
    out.read_line(&mut first)?;
    let text = first.strip_prefix("text ").and_then(|text| text.strip_suffix('\n'));
    let Some(text) = text.map(str::to_owned) else {
        child.kill()?;
        child.wait()?;
        return Err(format!("{kind}, death {round}: the device does not open: {first}").into());
    };
    let span = began.elapsed();
    // pace: it dies at a random moment
    std::thread::sleep(life);
    child.kill()?;
    child.wait()?;
    let mut words = Vec::new();
    let mut line = String::new();
    while out.read_line(&mut line)? > 0 {
        // The last line may have been cut off by the death.
        words.extend(line.strip_prefix("kept ").and_then(|word| word.strip_suffix('\n')).map(str::to_owned));
        line.clear();
    }
    Ok((text, words, span))
}

/// The device: it says what the text is, then writes and says of every word when it is on the disk.
pub(crate) fn device(arguments: &[String]) -> Outcome<()> {
    let [kind, folder, room, round] = arguments else { return Err("a device wants four words".into()) };
    let store = match kind.parse()? {
        StoreKind::Sled => StoreChoice::Sled(folder.into()),
        StoreKind::Redb => StoreChoice::Redb(folder.into()),
    };
    Runtime::new()?.block_on(async {
        let engine = Engine::open(EngineConfig { store, name: "Ada".into(), ..EngineConfig::default() })?;
        let text = engine.room(room)?.first_text();
        text.ready().await?;
        say(&format!("text {}", text.read()?))?;
        for number in 0u64.. {
            let word = format!("{round}.{number}");
            // At both ends, so that words never stand within each other.
            let at_the_end = number.is_multiple_of(3);
            let receipt =
                text.edit(|edit| edit.insert(if at_the_end { edit.len() } else { 0 }, &format!("<{word}>")))?;
            // Every other word waits for the disk, so that some are always on their way.
            if number.is_multiple_of(2) {
                receipt.reached(Reach::Device).await?;
                say(&format!("kept {word}"))?;
            }
        }
        Ok(())
    })
}

fn say(line: &str) -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
