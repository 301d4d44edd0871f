//! Configuration: a TOML file, over it the environment, over it the flags.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use causeway_store::{StoreKind, WriteAheadLimits};
use serde::{Deserialize, Deserializer};

use crate::cli::{FolderArgs, LogFormat, LogLevel, ServeArgs, StoreName, address};
use crate::failure::Failure;
use crate::history::KeepHistory;
use crate::origin::Origin;
use crate::standstill::StorePatience;

/// What `serve` does, settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) keep: Keep,
    pub(crate) log: LogFormat,
    pub(crate) log_level: LogLevel,
    pub(crate) room: Option<String>,
    pub(crate) allow_origin: Vec<Origin>,
    pub(crate) limits: WriteAheadLimits,
    pub(crate) keep_history: KeepHistory,
    pub(crate) store_patience: StorePatience,
}

/// Where rooms are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Folder(StoreKind, PathBuf),
    Memory,
}

/// The file. A key that is not listed here is an error, so that a misspelt one is noticed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, deserialize_with = "listen")]
    listen: Option<SocketAddr>,
    data: Option<PathBuf>,
    store: Option<StoreName>,
    open_to_anyone: Option<bool>,
    log: Option<LogFormat>,
    log_level: Option<LogLevel>,
    memory: Option<bool>,
    allow_origin: Option<Vec<Origin>>,
    keep_history: Option<KeepHistory>,
    store_patience: Option<StorePatience>,
}

impl Config {
    /// Settles what the file and `args` say; clap has put the environment under the flags already.
    pub(crate) fn settle(args: ServeArgs) -> Result<Self, Failure> {
        let file = args.config.as_deref().map_or_else(|| Ok(File::default()), read)?;
        let listen = args.listen.or(file.listen).unwrap_or(DEFAULT_LISTEN);
        let open = args.open_to_anyone.or(file.open_to_anyone).unwrap_or(false);
        if !listen.ip().is_loopback() && !open {
            return Err(Failure::NotOpen(listen));
        }
        let memory = args.memory.or(file.memory).unwrap_or(false);
        let keep = if memory {
            Keep::Memory
        } else {
            let folder = args.data.or(file.data).unwrap_or_else(|| DEFAULT_DATA.into());
            Keep::Folder(kind_in(&folder, args.store.or(file.store))?, folder)
        };
        Ok(Self {
            listen,
            keep,
            log: args.log.or(file.log).unwrap_or(LogFormat::Pretty),
            log_level: args.log_level.or(file.log_level).unwrap_or(LogLevel::Info),
            room: args.room.map(|room| room.to_string()),
            allow_origin: args.allow_origin.or(file.allow_origin).unwrap_or_default(),
            limits: args.carry_bytes.map_or_else(WriteAheadLimits::default, WriteAheadLimits::carrying),
            keep_history: args.keep_history.or(file.keep_history).unwrap_or_default(),
            store_patience: args.store_patience.or(file.store_patience).unwrap_or_default(),
        })
    }
}

fn listen<'de, D: Deserializer<'de>>(text: D) -> Result<Option<SocketAddr>, D::Error> {
    address(&String::deserialize(text)?).map(Some).map_err(serde::de::Error::custom)
}

/// The kind of store that is asked for, or else the one that keeps the folder, or else the default.
fn kind_in(folder: &Path, asked: Option<StoreName>) -> Result<StoreKind, Failure> {
    match asked {
        Some(name) => Ok(name.into()),
        None => Ok(StoreKind::of(folder).map_err(Failure::Store)?.unwrap_or_default()),
    }
}

/// The data folder and its kind of store, as a settings file and `args` say.
pub(crate) fn folder_of(args: &FolderArgs) -> Result<(PathBuf, Option<StoreName>), Failure> {
    let file = args.config.as_deref().map_or_else(|| Ok(File::default()), read)?;
    let folder = args.data.clone().or(file.data).unwrap_or_else(|| DEFAULT_DATA.into());
    Ok((folder, file.store))
}

fn read(path: &Path) -> Result<File, Failure> {
    let refuse = |why: String| Failure::Config { path: path.into(), why };
    let text = std::fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
    toml::from_str(&text).map_err(|e| {
        let line = e.span().map_or(0, |span| 1 + text[..span.start].matches('\n').count());
        refuse(format!("line {line}: {}", e.message().replace('\n', ", ")))
    })
}

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);
const DEFAULT_DATA: &str = "data";

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn with_file(text: &str, args: ServeArgs) -> Result<Config, Failure> {
        let file = file(text);
        Config::settle(ServeArgs { config: Some(file.path().into()), ..args })
    }

    #[test]
    fn without_any_word_it_listens_on_this_machine_and_keeps_rooms_in_data() {
        let config = Config::settle(ServeArgs::default()).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8787");
        assert_eq!(config.keep, Keep::Folder(StoreKind::Redb, "data".into()));
    }

    #[test]
    fn st5_a_folder_that_sled_keeps_is_opened_without_any_word_about_it() {
        let folder = tempfile::tempdir().unwrap();
        drop(StoreKind::Sled.open(folder.path()).unwrap());
        let args = ServeArgs { data: Some(folder.path().into()), ..ServeArgs::default() };
        assert_eq!(Config::settle(args).unwrap().keep, Keep::Folder(StoreKind::Sled, folder.path().into()));
    }

    #[test]
    fn a_flag_is_stronger_than_the_file() {
        let args = ServeArgs { listen: Some("127.0.0.1:1".parse().unwrap()), ..ServeArgs::default() };
        let config =
            with_file("listen = \"127.0.0.1:2\"\ndata = \"rooms\"\nstore = \"redb\"\nlog = \"json\"", args)
                .unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.keep, Keep::Folder(StoreKind::Redb, "rooms".into()));
        assert_eq!(config.log, LogFormat::Json);
    }

    #[test]
    fn a_misspelt_key_is_told_with_its_line_in_one_sentence() {
        let told = with_file("listen = \"127.0.0.1:2\"\nopen_to_anybody = true", ServeArgs::default());
        let sentence = told.unwrap_err().to_string();
        assert!(sentence.contains("line 2") && sentence.contains("open_to_anybody"), "{sentence}");
        assert!(!sentence.contains('\n'), "{sentence}");
    }

    #[test]
    fn history_is_kept_for_ever_unless_somebody_says_how_long() {
        assert_eq!(Config::settle(ServeArgs::default()).unwrap().keep_history.span(), None);
        let days = |config: Config| config.keep_history.span().map(|span| span.as_secs() / 86_400);
        let file = "keep_history = \"90d\"";
        assert_eq!(days(with_file(file, ServeArgs::default()).unwrap()), Some(90));
        let args = ServeArgs { keep_history: Some("30d".parse().unwrap()), ..ServeArgs::default() };
        assert_eq!(days(with_file(file, args).unwrap()), Some(30));
        assert!(with_file("keep_history = \"a while\"", ServeArgs::default()).is_err());
    }

    #[test]
    fn an_origin_that_no_page_has_is_refused_with_an_example() {
        let told = with_file("allow_origin = [\"notes.example\"]", ServeArgs::default());
        let sentence = told.unwrap_err().to_string();
        assert!(sentence.contains("line 1") && sentence.contains("https://notes.example"), "{sentence}");
    }

    #[test]
    fn beyond_this_machine_it_listens_only_when_told() {
        let args = ServeArgs { listen: Some("0.0.0.0:0".parse().unwrap()), ..ServeArgs::default() };
        assert!(matches!(Config::settle(args.clone()), Err(Failure::NotOpen(_))));
        assert!(Config::settle(ServeArgs { open_to_anyone: Some(true), ..args }).is_ok());
    }
}
