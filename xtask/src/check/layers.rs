//! Which crate may name which (DESIGN §4): a crate never learns a name from below, and each heavy library has one home.

use super::edges::{Edge, Kind};
use super::tree::Violation;

const RULE: &str = "layers";

/// What a crate of ours may build on.
struct Layer {
    name: &'static str,
    shipped: &'static [&'static str],
    /// Beyond that, for its tests, examples and benchmarks.
    tests: &'static [&'static str],
}

/// The drawing in DESIGN §4, row by row.
const LAYERS: [Layer; 12] = [
    Layer { name: "causeway-guard", shipped: &[], tests: &[] },
    Layer { name: "causeway-core", shipped: &["causeway-guard"], tests: &[] },
    Layer { name: "causeway-store", shipped: &["causeway-core", "causeway-guard"], tests: &[] },
    Layer { name: "causeway-fuzz", shipped: &["causeway-core", "causeway-guard"], tests: &[] },
    Layer { name: "causeway-lan", shipped: &["causeway-core", "causeway-guard"], tests: &["causeway-store"] },
    Layer {
        name: "causeway-relay",
        shipped: &["causeway-core", "causeway-guard", "causeway-store"],
        tests: &["causeway"],
    },
    Layer { name: "causeway-wasm", shipped: &["causeway-core", "causeway-guard"], tests: &[] },
    Layer {
        name: "causeway",
        shipped: &["causeway-core", "causeway-guard", "causeway-store", "causeway-lan"],
        tests: &["causeway-relay"],
    },
    Layer { name: "causeway-mobile", shipped: &["causeway"], tests: &["causeway-relay"] },
    Layer {
        name: "causeway-tests",
        shipped: &[
            "causeway",
            "causeway-core",
            "causeway-guard",
            "causeway-lan",
            "causeway-relay",
            "causeway-store",
        ],
        tests: &[],
    },
    Layer { name: "xtask", shipped: &[], tests: &[] },
    Layer { name: "web-bindgen", shipped: &[], tests: &[] },
];

/// A library that only some of our crates may name.
struct Home {
    library: &'static str,
    shipped: &'static [&'static str],
    tests: &'static [&'static str],
}

/// DESIGN §10. `causeway-tests` measures the engine beside the bare libraries, `causeway-fuzz` attacks both at once.
const HOMES: [Home; 6] = [
    Home {
        library: "yrs",
        shipped: &["causeway-core", "causeway-fuzz", "causeway-tests"],
        tests: &["causeway-guard"],
    },
    Home {
        library: "automerge",
        shipped: &["causeway-core", "causeway-fuzz", "causeway-tests"],
        tests: &["causeway-guard"],
    },
    Home { library: "sled", shipped: &["causeway-store"], tests: &[] },
    Home { library: "redb", shipped: &["causeway-store"], tests: &[] },
    Home { library: "libp2p", shipped: &["causeway-lan"], tests: &[] },
    Home { library: "postcard", shipped: &["causeway-core"], tests: &["causeway-tests"] },
];

/// What brings a runtime, a clock, randomness or a log sink into the pure crates.
const IMPURE: [&str; 10] = [
    "tokio",
    "futures-util",
    "async-std",
    "mio",
    "socket2",
    "getrandom",
    "rand",
    "fastrand",
    "tracing-subscriber",
    "chrono",
];

const PURE: [&str; 2] = ["causeway-core", "causeway-guard"];

pub(crate) fn check(edges: &[Edge]) -> Vec<Violation> {
    edges
        .iter()
        .filter_map(|edge| judged(edge).map(|why| Violation::of_manifest(&edge.manifest, RULE, why)))
        .collect()
}

fn judged(edge: &Edge) -> Option<String> {
    let Edge { from, to, kind, .. } = edge;
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == from.as_str()) else {
        return Some(format!(
            "give `{from}` a row in the table of xtask/src/check/layers.rs, with an ADR that says why"
        ));
    };
    let is_ours = LAYERS.iter().any(|layer| layer.name == to.as_str());
    let may_for_tests = |extra: &[&str]| *kind == Kind::Tests && extra.contains(&to.as_str());
    if is_ours && to != from && !layer.shipped.contains(&to.as_str()) && !may_for_tests(layer.tests) {
        return Some(format!(
            "`{from}` must not name `{to}`: move the shared part up, into a crate that both stand on"
        ));
    }
    if let Some(home) = HOMES.iter().find(|home| home.library == to.as_str()) {
        let may = home.shipped.contains(&from.as_str())
            || (*kind == Kind::Tests && home.tests.contains(&from.as_str()));
        if !may {
            let homes = home.shipped[0];
            return Some(format!("only `{homes}` names `{to}`: use what `{homes}` offers, or extend it"));
        }
    }
    if *kind == Kind::Shipped && PURE.contains(&from.as_str()) && IMPURE.contains(&to.as_str()) {
        return Some(format!("`{from}` is pure: what `{to}` would bring arrives as an argument"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(from: &str, to: &str, kind: Kind) -> Vec<String> {
        let edge = Edge { from: from.into(), manifest: "some/Cargo.toml".into(), to: to.into(), kind };
        check(&[edge]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_drawing_is_allowed() {
        for (from, to) in [
            ("causeway-core", "causeway-guard"),
            ("causeway-relay", "causeway-store"),
            ("causeway", "causeway-lan"),
            ("causeway-core", "yrs"),
            ("causeway-store", "sled"),
            ("causeway-relay", "tokio"),
        ] {
            assert_eq!(said(from, to, Kind::Shipped), Vec::<String>::new(), "{from} -> {to}");
        }
        assert!(said("causeway-guard", "yrs", Kind::Tests).is_empty());
        assert!(said("causeway", "causeway-relay", Kind::Tests).is_empty());
    }

    #[test]
    fn a_name_from_below_is_caught() {
        let told = said("causeway-core", "causeway-store", Kind::Shipped);
        assert!(
            told[0].starts_with("some/Cargo.toml:1 layers: `causeway-core` must not name `causeway-store`")
        );
        assert_eq!(said("causeway", "causeway-relay", Kind::Shipped).len(), 1);
        assert_eq!(said("causeway-wasm", "causeway", Kind::Tests).len(), 1);
    }

    #[test]
    fn a_library_away_from_home_is_caught() {
        assert_eq!(said("causeway-guard", "yrs", Kind::Shipped).len(), 1);
        assert_eq!(said("causeway-relay", "sled", Kind::Shipped).len(), 1);
        assert_eq!(said("causeway", "libp2p", Kind::Tests).len(), 1);
    }

    #[test]
    fn a_runtime_in_the_core_is_caught_but_its_tests_may_have_one() {
        assert_eq!(said("causeway-core", "tokio", Kind::Shipped).len(), 1);
        assert_eq!(said("causeway-guard", "getrandom", Kind::Shipped).len(), 1);
        assert!(said("causeway-core", "rand", Kind::Tests).is_empty());
    }

    #[test]
    fn a_crate_without_a_row_is_asked_for_one() {
        assert!(said("causeway-new", "serde", Kind::Shipped)[0].contains("give `causeway-new` a row"));
    }
}
