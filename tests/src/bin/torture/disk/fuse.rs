//! The disk as the kernel asks for it.

use std::ffi::OsStr;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::Platter;
use super::image::{BLOCK, Image, Kind, Refusal};

/// Answers the kernel; nothing is kept in its caches.
#[derive(Debug)]
pub(super) struct Files {
    platter: Arc<Platter>,
}

impl Files {
    pub(super) fn new(platter: Arc<Platter>) -> Self {
        Self { platter }
    }

    /// The kernel hands on one request after the other, so a disk that hangs answers none.
    fn image(&self) -> MutexGuard<'_, Image> {
        self.platter.image_when_it_answers()
    }

    fn describe(&self, node: u64) -> Result<FileAttr, Refusal> {
        Ok(attributes(node, self.image().kind(node)?))
    }

    fn enter(&self, node: Result<u64, Refusal>, reply: ReplyEntry) {
        match node.and_then(|node| self.describe(node)) {
            Ok(attributes) => reply.entry(&FORGOTTEN_AT_ONCE, &attributes, Generation(0)),
            Err(refusal) => reply.error(number(refusal)),
        }
    }
}

fn attributes(node: u64, kind: Kind) -> FileAttr {
    let (kind, size, perm) = match kind {
        Kind::Folder => (FileType::Directory, 0, 0o755),
        Kind::File { length } => (FileType::RegularFile, length, 0o644),
        Kind::Socket => (FileType::Socket, 0, 0o755),
    };
    FileAttr {
        ino: INodeNo(node),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

fn number(refusal: Refusal) -> Errno {
    match refusal {
        Refusal::Full => Errno::ENOSPC,
        Refusal::Broken => Errno::EIO,
        Refusal::ReadOnly => Errno::EROFS,
        Refusal::Missing => Errno::ENOENT,
        Refusal::NotEmpty => Errno::ENOTEMPTY,
    }
}

fn end(outcome: Result<(), Refusal>, reply: ReplyEmpty) {
    match outcome {
        Ok(()) => reply.ok(),
        Err(refusal) => reply.error(number(refusal)),
    }
}

impl Filesystem for Files {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.image().look_up(parent.into(), name);
        self.enter(found, reply);
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.describe(node.into()) {
            Ok(attributes) => reply.attr(&FORGOTTEN_AT_ONCE, &attributes),
            Err(refusal) => reply.error(number(refusal)),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let set = size.map_or(Ok(()), |size| self.image().set_length(node.into(), size));
        match set.and_then(|()| self.describe(node.into())) {
            Ok(attributes) => reply.attr(&FORGOTTEN_AT_ONCE, &attributes),
            Err(refusal) => reply.error(number(refusal)),
        }
    }

    fn mknod(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        _rdev: u32,
        reply: ReplyEntry,
    ) {
        if mode & FILE_TYPE != SOCKET {
            return reply.error(Errno::ENOSYS);
        }
        let made = self.image().make(parent.into(), name, Kind::Socket);
        self.enter(made, reply);
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        let made = self.image().make(parent.into(), name, Kind::Folder);
        self.enter(made, reply);
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        end(self.image().remove(parent.into(), name), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        end(self.image().remove(parent.into(), name), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        end(self.image().rename((parent.into(), name), (new_parent.into(), new_name)), reply);
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn create(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, _: i32, reply: ReplyCreate) {
        let made = self.image().make(parent.into(), name, Kind::File { length: 0 });
        match made.and_then(|node| self.describe(node)) {
            Ok(attributes) => reply.created(
                &FORGOTTEN_AT_ONCE,
                &attributes,
                Generation(0),
                FileHandle(0),
                FopenFlags::FOPEN_DIRECT_IO,
            ),
            Err(refusal) => reply.error(number(refusal)),
        }
    }

    fn read(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        at: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.image().read(node.into(), at, size as usize) {
            Ok(bytes) => reply.data(bytes),
            Err(refusal) => reply.error(number(refusal)),
        }
    }

    fn write(
        &self,
        _: &Request,
        node: INodeNo,
        _: FileHandle,
        at: u64,
        bytes: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.image().write(node.into(), at, bytes) {
            Ok(()) => reply.written(bytes.len() as u32),
            Err(refusal) => reply.error(number(refusal)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        end(self.image().sync(node.into()), reply);
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let (bytes, free) = self.image().room();
        let [blocks, free] = [bytes, free].map(|bytes| bytes / BLOCK as u64);
        reply.statfs(blocks, free, free, FILES, FILES, BLOCK as u32, NAME_BYTES, BLOCK as u32);
    }

    fn fsyncdir(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        end(self.image().sync(node.into()), reply);
    }

    fn readdir(&self, _: &Request, node: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let image = self.image();
        let names = match image.names(node.into()) {
            Ok(names) => names,
            Err(refusal) => return reply.error(number(refusal)),
        };
        for (at, (name, node)) in (0u64..).zip(names).skip(offset as usize) {
            let kind = match image.kind(*node) {
                Ok(Kind::Folder) => FileType::Directory,
                Ok(Kind::File { .. }) | Err(_) => FileType::RegularFile,
                Ok(Kind::Socket) => FileType::Socket,
            };
            if reply.add(INodeNo(*node), at + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }
}

/// The part of a mode that says what a file is, and a socket there.
const FILE_TYPE: u32 = 0o170_000;
const SOCKET: u32 = 0o140_000;
/// More than anybody makes.
const FILES: u64 = 1 << 20;
/// The longest name.
const NAME_BYTES: u32 = 255;
/// Nobody may answer for us from memory.
const FORGOTTEN_AT_ONCE: Duration = Duration::ZERO;
