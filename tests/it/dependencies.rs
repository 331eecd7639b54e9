//! What the program is made of: licences and forbidden crates as `deny.toml` lists them, and an offline build in which
//! there is nothing that could speak to a network. Read from `cargo metadata`, with what is already on this machine.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// No crate of the offline build has one of these names; `*` stands for any ending.
const NETWORK: &[&str] = &[
    "attohttpc",
    "aws-lc*",
    "axum*",
    "curl*",
    "h2",
    "h3*",
    "hickory*",
    "http",
    "http-*",
    "httparse",
    "hyper*",
    "isahc",
    "mio-aio",
    "native-tls",
    "openssl*",
    "quinn*",
    "rcgen",
    "reqwest*",
    "ring",
    "rustls*",
    "schannel",
    "security-framework*",
    "socket2",
    "socks",
    "tokio-native-tls",
    "tokio-rustls",
    "tonic*",
    "tower*",
    "trust-dns*",
    "tungstenite*",
    "ureq*",
    "url",
    "webpki*",
];

/// The packages that a build of this one is made of (what merely stands in Cargo.lock is not), by name with version.
/// Cargo counts a few that a feature only might bring: a little too strict is the right side.
fn packages(features: &[&str], dev: bool) -> BTreeMap<String, Value> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--offline", "--locked", "--filter-platform", &host_triple()]).args(features);
    let metadata: Value =
        serde_json::from_str(&run(cargo.current_dir(env!("CARGO_MANIFEST_DIR")))).expect("cargo metadata is JSON");
    let by_id = |list: &Value| -> BTreeMap<String, Value> {
        list.as_array().expect("a list").iter().map(|entry| (text(&entry["id"]), entry.clone())).collect()
    };
    let (nodes, packages) = (by_id(&metadata["resolve"]["nodes"]), by_id(&metadata["packages"]));
    let mut reached = BTreeSet::new();
    let mut waiting = vec![text(&metadata["resolve"]["root"])];
    while let Some(id) = waiting.pop() {
        if !reached.insert(id.clone()) {
            continue;
        }
        for dependency in nodes[&id]["deps"].as_array().expect("dependencies") {
            let kinds = dependency["dep_kinds"].as_array().expect("kinds");
            if dev || kinds.iter().any(|kind| kind["kind"] != "dev") {
                waiting.push(text(&dependency["pkg"]));
            }
        }
    }
    reached
        .iter()
        .map(|id| (format!("{} {}", text(&packages[id]["name"]), text(&packages[id]["version"])), packages[id].clone()))
        .collect()
}

fn env_or(name: &str, default: &str) -> std::ffi::OsString {
    std::env::var_os(name).unwrap_or_else(|| default.into())
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn deny_toml() -> toml::Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml");
    std::fs::read_to_string(path).expect("deny.toml is readable").parse().expect("deny.toml is TOML")
}

fn name_matches(name: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |start| name.starts_with(start))
}

/// Does a licence expression (SPDX, also the old `MIT/Apache-2.0`) allow use under licences of this list alone?
fn allowed(expression: &str, list: &[String]) -> bool {
    let spelled = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spelled.split_whitespace().collect();
    let mut at = 0;
    let result = any_of(&words, &mut at, list);
    result && at == words.len()
}

fn any_of(words: &[&str], at: &mut usize, list: &[String]) -> bool {
    let mut result = all_of(words, at, list);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        result |= all_of(words, at, list);
    }
    result
}

fn all_of(words: &[&str], at: &mut usize, list: &[String]) -> bool {
    let mut result = one(words, at, list);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        result &= one(words, at, list);
    }
    result
}

fn one(words: &[&str], at: &mut usize, list: &[String]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let result = any_of(words, at, list);
        *at += 1;
        return result;
    }
    let mut licence = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    list.contains(&licence)
}

#[test]
fn the_offline_build_contains_no_http_tls_or_dns_crate() {
    let offline = packages(&["--no-default-features", "--features", "yubikey"], false);
    assert!(offline.len() > 20, "the offline build was not read: {:?}", offline.keys());
    let network: Vec<_> = offline
        .iter()
        .filter(|(_, package)| NETWORK.iter().any(|pattern| name_matches(&text(&package["name"]), pattern)))
        .map(|(name, _)| name)
        .collect();
    assert!(network.is_empty(), "the offline build contains {network:?}");
}

#[test]
fn the_ordinary_build_would_be_caught_as_one_with_a_network() {
    let names: Vec<String> = packages(&[], false).values().map(|package| text(&package["name"])).collect();
    for expected in ["reqwest", "rustls", "hyper", "http", "ring", "axum"] {
        assert!(names.iter().any(|name| name == expected), "{expected} is gone: is the test above still reading anything?");
        assert!(NETWORK.iter().any(|pattern| name_matches(expected, pattern)));
    }
}

#[test]
fn the_offline_build_asks_tokio_for_no_sockets() {
    let offline = packages(&["--no-default-features", "--features", "yubikey"], false);
    assert!(offline.keys().any(|name| name.starts_with("tokio ")));
    let tree = run(Command::new(env!("CARGO")).current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "tree",
        "--offline",
        "--locked",
        "--no-default-features",
        "--features",
        "yubikey",
        "--edges",
        "normal,features",
        "--prefix",
        "none",
        "--target",
        host_triple().as_str(),
    ]));
    let net: Vec<_> = tree.lines().filter(|line| line.starts_with("tokio feature") && line.contains("\"net\"")).collect();
    assert!(net.is_empty(), "tokio has its sockets in the offline build: {net:?}");
}

fn host_triple() -> String {
    let version = run(Command::new(env_or("RUSTC", "rustc")).arg("-vV"));
    version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

#[test]
fn every_licence_is_in_the_allowed_list() {
    let deny = deny_toml();
    let list: Vec<String> =
        deny["licenses"]["allow"].as_array().expect("a list").iter().map(|l| l.as_str().expect("text").to_owned()).collect();
    let wrong: Vec<_> = packages(&[], true)
        .into_iter()
        .filter(|(_, package)| !package["license"].as_str().is_some_and(|licence| allowed(licence, &list)))
        .map(|(name, package)| format!("{name}: {}", package["license"]))
        .collect();
    assert!(wrong.is_empty(), "licences that deny.toml does not allow: {wrong:#?}");
}

#[test]
fn no_forbidden_crate_is_used() {
    let deny = deny_toml();
    let forbidden: Vec<&str> =
        deny["bans"]["deny"].as_array().expect("a list").iter().map(|entry| entry["crate"].as_str().expect("a name")).collect();
    assert!(forbidden.contains(&"openssl-sys"));
    let found: Vec<_> =
        packages(&[], true).into_keys().filter(|name| forbidden.contains(&name.split(' ').next().unwrap_or_default())).collect();
    assert!(found.is_empty(), "forbidden by deny.toml: {found:?}");
}

#[test]
fn licence_expressions_are_understood() {
    let list = ["MIT", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"].map(str::to_owned);
    for good in ["MIT", "GPL-2.0 OR MIT", "MIT/Apache-2.0", "(GPL-3.0 OR MIT) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
    {
        assert!(allowed(good, &list), "{good}");
    }
    for bad in
        ["GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "(GPL-3.0 OR MIT) AND Apache-2.0", "", "Apache-2.0 WITH other", "MIT MIT"]
    {
        assert!(!allowed(bad, &list), "{bad}");
    }
}
