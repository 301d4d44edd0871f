//! What the guides tell people to type is what this program understands.

use clap::CommandFactory;

use crate::cli::{Cli, ServeArgs};
use crate::config::Config;

const GUIDES: [&str; 2] =
    [include_str!("../../docs/guides/self-host.md"), include_str!("../../docs/guides/embed-in-a-page.md")];

#[test]
fn every_command_line_of_the_guides_is_understood() {
    let lines = GUIDES.iter().flat_map(|guide| guide.lines());
    let typed: Vec<&str> = lines.filter(|line| line.starts_with("causeway-relay ")).collect();
    for (command, count) in [("serve", 4), ("backup", 2), ("restore", 1), ("doctor", 2), ("quarantine", 3)] {
        let start = format!("causeway-relay {command}");
        assert!(typed.iter().filter(|line| line.starts_with(&start)).count() >= count, "{typed:?}");
    }
    for line in typed.iter().filter_map(|line| line.split('#').next()) {
        let understood = Cli::command().try_get_matches_from(line.split_whitespace());
        assert!(understood.is_ok(), "`{line}`: {}", understood.unwrap_err());
    }
}

#[test]
fn the_settings_file_of_the_guide_is_understood() {
    let (_, from) = GUIDES[0].split_once("```toml\n").expect("the guide shows a settings file");
    let (settings, _) = from.split_once("```").expect("a block ends");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), settings).unwrap();
    let config = Config::settle(ServeArgs { config: Some(file.path().into()), ..ServeArgs::default() });
    let config = config.expect("the file of the guide is one");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8787");
    assert_eq!(config.allow_origin, ["https://notes.example".parse().unwrap()]);
    assert_eq!(config.keep_history.span(), None);
}
