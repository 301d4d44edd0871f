//! Randomness that the caller hands in once and the core draws from.

/// A stream of random bytes fixed by its seed: the same seed gives the same ids, keys and jitter.
pub(crate) struct Entropy {
    key: [u8; 32],
    drawn: u64,
}

impl Entropy {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self { key: blake3::derive_key("causeway 2026 entropy", seed), drawn: 0 }
    }

    /// Mixes in what somebody else has drawn. Of a running program that was copied both copies draw the same until then.
    pub(crate) fn stir(&mut self, drawn: &[u8; 32]) {
        self.key = *blake3::keyed_hash(&self.key, drawn).as_bytes();
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for part in bytes.chunks_mut(32) {
            let block = blake3::keyed_hash(&self.key, &self.drawn.to_le_bytes());
            self.drawn += 1;
            part.copy_from_slice(&block.as_bytes()[..part.len()]);
        }
        bytes
    }

    /// A number in `0..bound`; zero for a bound of zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        u64::from_le_bytes(self.bytes()) % bound.max(1)
    }
}

impl std::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entropy")
    }
}
