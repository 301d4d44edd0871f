//! *half-open*: the cable between people and their relay goes dead without a word. Both sides must notice in the time they
//! promise, people write on meanwhile, and all of it is saved when the cable is whole again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use causeway_core::limits::SILENCE;
use causeway_store::StoreKind;

use crate::Outcome;
use crate::islander::{Fact, Islanders, Told};
use crate::islands::Islands;
use crate::options::Options;
use crate::relay::Setup;
use crate::row::Row;
use crate::samples::Samples;

/// Cuts of a run unless said.
const ROUNDS: u64 = 20;
const PEOPLE: usize = 10;
/// A device gives its link up after [`SILENCE`]; a machine that does much else may say so later.
const DEVICE_NOTICES: Duration = Duration::from_millis(SILENCE.0 + 3_000);
/// RL10, and as much.
const RELAY_NOTICES: Duration = Duration::from_secs(45 + 3);
/// The longest wait of a device that tries again, and as much as it may then take.
const BACK: Duration = Duration::from_secs(30 + 30);
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn run(options: &Options) -> Outcome<Vec<Row>> {
    let rounds = options.rounds_or(ROUNDS);
    let folder = tempfile::tempdir()?;
    let islands = Islands::make()?;
    let mut setup = Setup::new(folder.path(), StoreKind::default());
    setup.listen = SocketAddr::new(islands.near.address, setup.listen.port());
    let relay = setup.start_on(&islands.near)?;
    let mut near = Islanders::start(&islands.near, setup.listen, 1, false)?;
    let mut far = Islanders::start(&islands.far, setup.listen, PEOPLE, true)?;
    let mut figures = Figures::default();
    for round in 0..rounds {
        cut_and_mend(&islands, &mut near, &mut far, &mut figures)?;
        println!("cut {}: {figures}", round + 1);
    }
    let written = far.fact(Fact::Written);
    drop((near, far));
    relay.terminate()?;
    setup.no_panic()?;
    Ok(vec![Row {
        name: "half-open".into(),
        counts: vec![
            ("cuts".into(), rounds),
            ("words written".into(), written),
            ("of them while cut".into(), figures.while_cut),
            ("lost or doubled".into(), 0),
        ],
        figures: figures.to_string(),
        command: format!("cargo xtask torture half-open --rounds {rounds}"),
    }])
}

/// What was measured, from the cut or from when the cable was whole again.
#[derive(Debug, Default)]
struct Figures {
    offline: Samples,
    presence: Samples,
    links: Samples,
    saved: Samples,
    while_cut: u64,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { offline, presence, links, saved, .. } = self;
        write!(
            f,
            "all {PEOPLE} devices say that they are offline: {offline}; their presence has left: {presence}; the relay has \
             let go of their links: {links}; all that was typed is saved and seen after the cable is whole: {saved}"
        )
    }
}

fn cut_and_mend(
    islands: &Islands,
    near: &mut Islanders,
    far: &mut Islanders,
    figures: &mut Figures,
) -> Outcome<()> {
    let all = PEOPLE as u64;
    far.tell(Told::Write)?;
    far.until("all are online", PATIENCE, |far| far.fact(Fact::Online) == all)?;
    near.until("all are seen", PATIENCE, |near| near.fact(Fact::Others) == all)?;
    let before = far.fact(Fact::Written);
    far.until("words are saved", PATIENCE, |far| far.fact(Fact::Saved) > before + all)?;

    islands.cut()?;
    let (cut, before) = (Instant::now(), far.fact(Fact::Written));
    let offline =
        far.until("all say that they are offline", DEVICE_NOTICES, |far| far.fact(Fact::Online) == 0)?;
    let left = |since: Instant| RELAY_NOTICES.saturating_sub(since.elapsed());
    let presence = near.until("their presence leaves", left(cut), |near| near.fact(Fact::Others) == 0)?;
    let links = near.until("their links are let go", left(cut), |near| near.fact(Fact::Links) == 1)?;
    let typed = far.fact(Fact::Written) - before;
    if typed == 0 || near.fact(Fact::Online) != 1 {
        return Err("people could not write, or somebody else was cut off".into());
    }

    islands.mend()?;
    let mended = Instant::now();
    far.tell(Told::Rest)?;
    let saved = |far: &Islanders| far.fact(Fact::Saved) == far.fact(Fact::Written);
    let rest = |far: &Islanders| far.fact(Fact::Resting) == all && far.fact(Fact::Online) == all;
    far.until("all is saved", BACK, |far| rest(far) && saved(far))?;
    let written = far.fact(Fact::Written);
    let seen = near.until("all is seen", PATIENCE, |near| near.fact(Fact::Shown) == written)?;
    far.until("all of them see all", PATIENCE, |far| far.fact(Fact::Shown) == written)?;
    if near.fact(Fact::Doubled) + far.fact(Fact::Doubled) > 0 {
        return Err("a word stands there twice".into());
    }
    figures.offline.push(offline.saturating_duration_since(cut));
    figures.presence.push(presence.saturating_duration_since(cut));
    figures.links.push(links.saturating_duration_since(cut));
    figures.saved.push(seen.saturating_duration_since(mended));
    figures.while_cut += typed;
    Ok(())
}
