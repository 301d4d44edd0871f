//! A recording of two people who write at once: a graph of keystrokes (see README.md beside the data).

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Both ways to one text, in an order in which they may be typed again.
pub(crate) struct Recording {
    /// What the text reads in the end.
    pub(crate) end_content: String,
    /// The keystrokes.
    pub(crate) typed: Vec<Typed>,
}

/// What one author typed, and upon what.
pub(crate) struct Typed {
    /// 0 or 1.
    pub(crate) author: usize,
    /// How many of the other's keystrokes were on the screen.
    pub(crate) has_seen: usize,
    /// Take `1` units out at `0` and put `2` in. The recording is ASCII, so characters are units.
    pub(crate) patches: Vec<(u32, u32, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Graph {
    end_content: String,
    num_agents: usize,
    txns: Vec<Transaction>,
}

#[derive(Deserialize)]
struct Transaction {
    parents: Vec<usize>,
    agent: usize,
    patches: Vec<(u32, u32, String)>,
}

/// Where the recordings are looked for: beside the repository, never in it.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data")
}

impl Recording {
    /// Reads `<name>.json.gz` from [`folder`].
    pub(crate) fn open(name: &str) -> Result<Self, std::io::Error> {
        let file = File::open(folder().join(format!("{name}.json.gz")))?;
        let read: Graph = serde_json::from_reader(flate2::read::GzDecoder::new(file))?;
        assert_eq!(read.num_agents, 2, "the story is of two");
        // How many keystrokes of each author stand behind a transaction, itself included.
        let mut behind: Vec<[usize; 2]> = Vec::new();
        let mut typed = Vec::new();
        for Transaction { parents, agent, patches } in read.txns {
            assert!(patches.iter().all(|(_, _, inserted)| inserted.is_ascii()));
            let mut seen = parents.iter().fold([0; 2], |seen, parent| {
                let [first, second] = behind[*parent];
                [first.max(seen[0]), second.max(seen[1])]
            });
            typed.push(Typed { author: agent, has_seen: seen[1 - agent], patches });
            seen[agent] += 1;
            behind.push(seen);
        }
        Ok(Self { end_content: read.end_content, typed })
    }

    /// After which keystrokes of an author the other looked.
    pub(crate) fn looks_at(&self, author: usize) -> BTreeSet<usize> {
        self.typed.iter().filter(|typed| typed.author != author).map(|typed| typed.has_seen).collect()
    }
}
