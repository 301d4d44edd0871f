//! What happened: a hash of everything for comparing two runs, and the last lines for people.

use std::collections::VecDeque;

/// Writes down what happens.
#[derive(Debug)]
pub(crate) struct Chronicle {
    hash: blake3::Hasher,
    lines: VecDeque<String>,
    kept: usize,
    pub(crate) events: u64,
}

impl Chronicle {
    pub(crate) fn new(kept: usize) -> Self {
        Self { hash: blake3::Hasher::new(), lines: VecDeque::new(), kept, events: 0 }
    }

    /// Everything that happens goes into the hash.
    pub(crate) fn trace(&mut self, at: u64, what: &str, number: u64, bytes: &[u8]) {
        self.events += 1;
        self.hash
            .update(&at.to_le_bytes())
            .update(what.as_bytes())
            .update(&number.to_le_bytes())
            .update(bytes);
    }

    /// A line for people; made only when somebody reads it.
    pub(crate) fn line(&mut self, at: u64, text: impl FnOnce() -> String) {
        if self.kept > 0 {
            if self.lines.len() == self.kept {
                self.lines.pop_front();
            }
            self.lines.push_back(format!("{:>9.3}s  {}", at as f64 / 1000.0, text()));
        }
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        *self.hash.finalize().as_bytes()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }
}
