//! What is wrong with a payload.

/// Why a payload is refused.
///
/// All faults are the sender's: an honest engine never writes such bytes. None can be cured by sending them again.
/// `at` is the offset of the offending part in the payload, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A length or count promises more than the bytes that are left.
    #[error("the update ends too early: what begins at byte {at} is longer than the rest")]
    Truncated {
        /// Where the unfinished part begins.
        at: usize,
    },
    /// Bytes are left over after the delete set. An update in the v2 encoding ends up here as well.
    #[error("the update has bytes after its end at byte {at}, or is not in the v1 encoding")]
    Trailing {
        /// Where the update should have ended.
        at: usize,
    },
    /// A number is too large for its place, or written with more bytes than it needs.
    #[error("the number at byte {at} is out of range or not written in its shortest form")]
    Number {
        /// Where the number begins.
        at: usize,
    },
    /// The update is larger than [`Limits::bytes`](crate::Limits::bytes).
    #[error("the update has {size} bytes; at most {limit} are taken")]
    TooLarge {
        /// Bytes of the update.
        size: usize,
        /// The bound in force.
        limit: usize,
    },
    /// There are more of something than [`Limits`](crate::Limits) allows.
    #[error("the update has more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: Counted,
        /// The bound in force.
        limit: u32,
    },
    /// A value is nested deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("the value at byte {at} is nested too deep")]
    TooDeep {
        /// Where the level one too deep begins.
        at: usize,
    },
    /// A string is not UTF-8.
    #[error("the string at byte {at} is not UTF-8")]
    Utf8 {
        /// Where the string's bytes begin.
        at: usize,
    },
    /// The value of an embed or of a format is not JSON, or holds a number that JSON readers disagree about.
    #[error("the value at byte {at} is not JSON")]
    Json {
        /// Where reading failed.
        at: usize,
    },
    /// A client id does not fit into the 53 bits that Yjs gives it.
    #[error("the client id at byte {at} has more than 53 bits")]
    ClientId {
        /// Where the client id begins.
        at: usize,
    },
    /// A clock, or a clock plus a length, reaches 2³¹.
    #[error("a clock at byte {at} runs out of its range")]
    Clock {
        /// Where the block, range or reference begins.
        at: usize,
    },
    /// A block, a range or a client's section has no length. yrs drops or stumbles over such parts.
    #[error("the part at byte {at} is empty")]
    Empty {
        /// Where the empty part begins.
        at: usize,
    },
    /// A tag or flag has a value that no encoder writes.
    #[error("the byte at {at} has no meaning in an update")]
    Malformed {
        /// The offending byte.
        at: usize,
    },
    /// The update is well formed and uses something that this engine does not take.
    #[error("the update uses {what} at byte {at}, which is not supported")]
    Unsupported {
        /// What it uses.
        what: Unsupported,
        /// Where.
        at: usize,
    },
    /// Clients or ranges are repeated, overlap, or are not in the order that every encoder writes.
    #[error("the part at byte {at} is out of order or repeated")]
    Unordered {
        /// Where the misplaced part begins.
        at: usize,
    },
    /// A block is written in the name of a client other than the author.
    #[error("the update writes as client {client}, which is not its author")]
    ForeignClient {
        /// The client named in the update.
        client: u64,
    },
    /// The author's blocks do not begin where the author's clock stands.
    #[error("the update begins at clock {found}, but its author's clock stands at {expected}")]
    Discontinuous {
        /// The author's next clock.
        expected: u32,
        /// The clock the update begins with.
        found: u32,
    },
    /// An origin or a parent is not known yet, or lies at or behind the block that names it.
    #[error("the block at byte {at} refers to clock {clock} of client {client}, which does not exist")]
    UnknownReference {
        /// Where the block begins.
        at: usize,
        /// The client named.
        client: u64,
        /// The clock named.
        clock: u32,
    },
    /// The bytes of a change are not those its checksum was taken of.
    #[error("the checksum of the change at byte {at} does not hold")]
    Checksum {
        /// Where the change begins.
        at: usize,
    },
    /// Something is written otherwise than automerge writes it. It reads such bytes, saves them in its own way, and then
    /// refuses to open what it saved, because the change has another hash.
    #[error("the part at byte {at} is not written the way it would be written again")]
    NotCanonical {
        /// Where the part begins.
        at: usize,
    },
    /// A change is by another actor than its author.
    #[error("the change is by an actor that is not its author")]
    ForeignActor,
    /// A change builds on one that is not here.
    #[error("the change builds on another one that does not exist")]
    UnknownDependency,
    /// The author's operations are not numbered behind all that is known, or leave more room than that.
    #[error("the operations begin at counter {found}, between {least} and {most} was expected")]
    Counter {
        /// As told.
        found: u64,
        /// One more than the author's last operation.
        least: u64,
        /// One more than the last operation of anybody.
        most: u64,
    },
    /// An operation names an object, an element or a value that does not exist, is of another kind, or stands elsewhere.
    #[error("operation {operation} of the change refers to {what} that is not there")]
    UnknownOperation {
        /// Which operation of the change, counted from zero.
        operation: u32,
        /// What it refers to.
        what: Referred,
    },
    /// A delete range reaches into clocks that do not exist (yet).
    #[error("the update deletes up to clock {end} of client {client}, which does not exist")]
    UnknownDelete {
        /// The client whose content would be deleted.
        client: u64,
        /// The end of the range, exclusive.
        end: u32,
    },
}

impl Fault {
    /// A stable name for machines, such as `guard.truncated`.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Truncated { .. } => "guard.truncated",
            Fault::Trailing { .. } => "guard.trailing",
            Fault::Number { .. } => "guard.number",
            Fault::TooLarge { .. } => "guard.too-large",
            Fault::TooMany { .. } => "guard.too-many",
            Fault::TooDeep { .. } => "guard.too-deep",
            Fault::Utf8 { .. } => "guard.utf8",
            Fault::Json { .. } => "guard.json",
            Fault::ClientId { .. } => "guard.client-id",
            Fault::Clock { .. } => "guard.clock",
            Fault::Empty { .. } => "guard.empty",
            Fault::Malformed { .. } => "guard.malformed",
            Fault::Unsupported { .. } => "guard.unsupported",
            Fault::Unordered { .. } => "guard.unordered",
            Fault::ForeignClient { .. } => "guard.foreign-client",
            Fault::Discontinuous { .. } => "guard.discontinuous",
            Fault::UnknownReference { .. } => "guard.unknown-reference",
            Fault::UnknownDelete { .. } => "guard.unknown-delete",
            Fault::Checksum { .. } => "guard.checksum",
            Fault::NotCanonical { .. } => "guard.not-canonical",
            Fault::ForeignActor => "guard.foreign-actor",
            Fault::UnknownDependency => "guard.unknown-dependency",
            Fault::Counter { .. } => "guard.counter",
            Fault::UnknownOperation { .. } => "guard.unknown-operation",
        }
    }
}

/// Things that are counted against [`Limits`](crate::Limits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Client sections.
    Clients,
    /// Blocks over all clients.
    Blocks,
    /// Ranges of the delete set over all clients.
    DeleteRanges,
    /// Blocks inside shared types of the same update.
    Nested,
    /// Places at which an update begins anew.
    Jumps,
    /// Operations of a change, or of all changes of a stream.
    Operations,
    /// Changes that a change builds on.
    Dependencies,
    /// Actors that a change names.
    Actors,
    /// Operations that one change replaces.
    Predecessors,
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Counted::Clients => "clients",
            Counted::Blocks => "blocks",
            Counted::DeleteRanges => "delete ranges",
            Counted::Jumps => "places at which it begins anew",
            Counted::Nested => "blocks inside shared types of its own",
            Counted::Operations => "operations",
            Counted::Dependencies => "dependencies",
            Counted::Actors => "actors",
            Counted::Predecessors => "replaced operations",
        })
    }
}

/// What an operation of a change refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Referred {
    /// The map, list or text it changes.
    Object,
    /// The element of a list it changes or stands behind.
    Element,
    /// The value it replaces, counts up or deletes.
    Value,
}

impl std::fmt::Display for Referred {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Referred::Object => "an object",
            Referred::Element => "an element",
            Referred::Value => "a value",
        })
    }
}

/// Parts of a format that are refused although a Yjs or automerge client could write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsupported {
    /// Content kind 2, the JSON strings of very old Yjs versions. yrs 0.28.1 reads one string more than it is told, so
    /// a document that holds one cannot be saved and read again.
    LegacyJson,
    /// A document inside a document. Documents of a room are streams of their own, with their own audience.
    Subdocument,
    /// Content kind 11 of an experimental Yjs branch; yrs 0.28.1 has no such kind.
    Move,
    /// Type reference 7. It exists only in builds of yrs with the feature `weak`.
    WeakLink,
    /// Type reference 5. Yjs writes a name after it, yrs 0.28.1 does not read one, so the two disagree.
    XmlHook,
    /// Type reference 15 or another one without a shared type behind it.
    UnknownType,
    /// A hole in a client's clocks, in an update that has to be whole.
    Skip,
    /// Something else than text, or another root, in a document that is one text.
    NotText,
    /// In an embed or a format of a text, a value that yrs does not write as it was: an object of several members, which it
    /// writes in an order of chance, or a number of more digits than a floating point number holds, which becomes another one.
    /// A text that holds one has no one page.
    Unsteady,
    /// A whole automerge document, a bundle or a compressed change where a plain change is due. automerge inflates the
    /// first and the last without a bound.
    NotAPlainChange,
    /// A column of a change that is compressed, unknown, or there twice.
    Column,
    /// A mark, or a table: automerge has them for texts and for its first documents.
    Action,
    /// A value of a type automerge does not know.
    ValueType,
    /// Bytes behind the operations of a change.
    ExtraBytes,
}

impl std::fmt::Display for Unsupported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unsupported::LegacyJson => "legacy JSON content",
            Unsupported::Subdocument => "a subdocument",
            Unsupported::Move => "a move",
            Unsupported::WeakLink => "a weak link",
            Unsupported::XmlHook => "an XML hook",
            Unsupported::UnknownType => "an unknown shared type",
            Unsupported::Skip => "a skipped range of clocks",
            Unsupported::NotText => "something that is not part of the text",
            Unsupported::Unsteady => "several members in an object or a long, large or small number",
            Unsupported::NotAPlainChange => "something else than a plain change",
            Unsupported::Column => "a column that is compressed or unknown",
            Unsupported::Action => "a mark or a table",
            Unsupported::ValueType => "a value of an unknown type",
            Unsupported::ExtraBytes => "bytes behind its operations",
        })
    }
}
