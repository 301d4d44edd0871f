//! What is attacked.

mod amdoc;
mod chat;
mod directory;
mod engine;
mod frames;
mod guard;
mod lies;
mod records;
mod text;

/// One part of the engine that reads foreign bytes. A reducer that comes later gets a variant and a file here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The guard alone: it ends, counts within its bounds, and its three questions agree with each other.
    Guard,
    /// Guard and yrs, with raw updates: what passes can be applied, saved, opened, merged, edited and emptied.
    Engine,
    /// The same with well-formed lies put together from the input, which reach deeper than chance does.
    Lies,
    /// Guard and automerge: what passes can be applied, saved, opened and gone on with.
    Amdoc,
    /// Frames, entries and the judgement on them: what is read is written as it was, and nothing panics.
    Frames,
    /// Records and keys of a disk: what is read is written as it was.
    Records,
    /// The directory: operations in any order and any number give the same list.
    Directory,
    /// Channels: what the log lets in gives one timeline in every order, told in pieces as well as at once, within its bounds.
    Chat,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Guard,
        Self::Engine,
        Self::Lies,
        Self::Amdoc,
        Self::Frames,
        Self::Records,
        Self::Directory,
        Self::Chat,
    ];

    /// The name on a command line and of the corpus file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Guard => "guard",
            Self::Engine => "engine",
            Self::Lies => "lies",
            Self::Amdoc => "amdoc",
            Self::Frames => "frames",
            Self::Records => "records",
            Self::Directory => "directory",
            Self::Chat => "chat",
        }
    }

    /// Lets the target read the bytes, and says how far they came: how many of their parts were taken for sound.
    ///
    /// # Panics
    /// If a promise breaks; that is a finding.
    pub fn judge(self, input: &[u8]) -> usize {
        match self {
            Self::Guard => guard::judge(input),
            Self::Engine => engine::judge(input),
            Self::Lies => lies::judge(input),
            Self::Amdoc => amdoc::judge(input),
            Self::Frames => frames::judge(input),
            Self::Records => records::judge(input),
            Self::Directory => directory::judge(input),
            Self::Chat => chat::judge(input),
        }
    }
}
