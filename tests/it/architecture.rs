//! The house stands as `src/lib.rs` says: every path in the source is read and held against `claviger::ARROWS`,
//! and what a floor must not know (files, clocks, terminals, the network) is not named there.

#[path = "architecture/source.rs"]
mod source;

use claviger::ARROWS;
use source::{Path, Token};
use std::collections::BTreeSet;

/// A source with its path below `src/`.
struct File {
    name: String,
    lines: Vec<String>,
    tokens: Vec<Token>,
    paths: Vec<Path>,
}

impl File {
    fn new(name: &str, text: &str) -> Self {
        let mut module: Vec<String> = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            module.pop();
        }
        let tokens = source::tokens(text);
        let paths = source::paths(&tokens, &module);
        Self { name: name.to_owned(), lines: text.lines().map(str::to_owned).collect(), tokens, paths }
    }

    /// The top-level module that the file belongs to; `None` for the crate's roots: `lib.rs`, `main.rs`, programs in `bin/`.
    fn top(&self) -> Option<&str> {
        let first = self.name.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        (!matches!(first, "lib" | "main" | "bin")).then_some(first)
    }

    /// Lines where these words and signs follow one another.
    fn lines_of(&self, sequence: &[&str]) -> Vec<usize> {
        let matches = |window: &&[Token]| window.iter().zip(sequence).all(|(token, text)| token.text == *text);
        self.tokens.windows(sequence.len()).filter(matches).map(|window| window[0].line).collect()
    }
}

/// Where a rule holds.
enum Floor {
    /// In these top-level modules.
    In(&'static [&'static str]),
    /// Everywhere but in these.
    NotIn(&'static [&'static str]),
    Everywhere,
}

/// What must not be named on some floor, and why.
struct Rule {
    why: &'static str,
    floor: Floor,
    /// Beginnings of paths, groups spelled out.
    paths: &'static [&'static str],
    /// Words and signs, separated by spaces, that follow one another.
    words: &'static [&'static str],
    /// Files that may, each with the reason.
    but: &'static [(&'static str, &'static str)],
}

/// Everything but the two faces. A question for a passphrase goes to the terminal, not to where results go.
const SILENT: &[&str] = &[
    "doctor",
    "failure",
    "finding",
    "journal",
    "keys",
    "net",
    "notary",
    "operator",
    "os",
    "procedures",
    "registry",
    "repository",
    "sandbox",
    "secret",
    "settings",
    "text",
    "trust_dir",
    "tuf",
    "views",
];

const RULES: &[Rule] = &[
    Rule {
        why: "tuf does no I/O",
        floor: Floor::In(&["tuf"]),
        paths: &["std::fs", "std::net", "std::env", "std::process", "std::thread", "tokio", "rustix", "tempfile", "reqwest"],
        words: &["std :: fs", "tokio ::"],
        but: &[],
    },
    Rule {
        why: "tuf reads no clock: time comes in as an argument",
        floor: Floor::In(&["tuf"]),
        paths: &["std::time::SystemTime", "std::time::Instant"],
        words: &[":: now", ". elapsed ("],
        but: &[],
    },
    Rule {
        why: "only the two faces print",
        floor: Floor::In(SILENT),
        paths: &[],
        words: &["println !", "eprintln !", "print !", "eprint !", "dbg !"],
        but: &[],
    },
    Rule {
        why: "drawing is the screen's",
        floor: Floor::NotIn(&["tui"]),
        paths: &["ratatui", "crossterm", "tui_input"],
        words: &["ratatui ::", "crossterm ::"],
        but: &[],
    },
    Rule { why: "HTTP is net's", floor: Floor::NotIn(&["net"]), paths: &["reqwest"], words: &["reqwest ::"], but: &[] },
    Rule {
        why: "serving is the sandbox's",
        floor: Floor::NotIn(&["sandbox"]),
        paths: &["axum", "axum_server", "rcgen"],
        words: &["axum ::"],
        but: &[],
    },
    Rule {
        why: "the screen shows text from outside only as `.shown()`",
        floor: Floor::In(&["tui"]),
        paths: &[],
        words: &[". raw (", "Untrusted :: raw"],
        but: RAW_ON_THE_SCREEN,
    },
    Rule {
        why: "no unsafe code",
        floor: Floor::Everywhere,
        paths: &[],
        words: &["unsafe", "allow ( unsafe_code", "expect ( unsafe_code"],
        but: &[("os/raw.rs", "calls of the system that nothing safe wraps")],
    },
    Rule {
        why: "a file stands where its module says, so that this test knows it",
        floor: Floor::Everywhere,
        paths: &[],
        words: &["include !", "extern crate"],
        but: &[],
    },
];

/// Files of `tui/` that may take the true bytes of outside text, each with the reason (what they do with them is not drawing).
const RAW_ON_THE_SCREEN: &[(&str, &str)] = &[("tui/changing.rs", "a tag that is revoked is meant by its true name")];

/// What is wrong with these files, one line each, held against a table of arrows and a list of rules.
fn violations(files: &[File], arrows: &[(&str, &[&str])], rules: &[Rule]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for file in files {
        arrow_violations(file, arrows, &mut found);
        path_attribute_violations(file, &mut found);
        for rule in rules {
            rule_violations(file, rule, &mut found);
        }
    }
    found.into_iter().collect()
}

fn arrow_violations(file: &File, arrows: &[(&str, &[&str])], found: &mut BTreeSet<String>) {
    let Some(top) = file.top() else { return };
    let Some((_, allowed)) = arrows.iter().find(|(name, _)| *name == top) else {
        found.insert(format!("{}: the module `{top}` is not in the table of arrows", file.name));
        return;
    };
    for path in file.paths.iter().filter(|path| path.segments.first().is_some_and(|s| s == "crate")) {
        let spelled = path.segments.join("::");
        let wrong = match path.segments.get(1).map(String::as_str) {
            Some(target) if target == top || allowed.contains(&target) => continue,
            Some("*") | None => "names the whole crate; name the module that is meant".to_owned(),
            Some(target) if arrows.iter().any(|(name, _)| *name == target) => {
                format!("`{top}` must not use `{target}` ({spelled})")
            }
            Some(target) => format!("`{target}` is not in the table of arrows ({spelled})"),
        };
        found.insert(format!("{}:{}: {wrong}", file.name, path.line));
    }
    for line in file.lines_of(&["use", "crate", "as"]) {
        found.insert(format!("{}:{line}: names the whole crate; name the module that is meant", file.name));
    }
}

/// Arrows that nothing in these files follows: a table that allows more than is used says less than it could.
fn unused(files: &[File], arrows: &[(&str, &[&str])]) -> Vec<String> {
    let follows = |file: &File, target: &str| {
        file.paths
            .iter()
            .any(|p| p.segments.first().is_some_and(|s| s == "crate") && p.segments.get(1).is_some_and(|s| s == target))
    };
    let arrows = arrows.iter().flat_map(|(name, uses)| uses.iter().map(move |used| (*name, *used)));
    arrows
        .filter(|(name, used)| !files.iter().any(|file| file.top() == Some(name) && follows(file, used)))
        .map(|(name, used)| format!("`{name}` may use `{used}` and does not"))
        .collect()
}

/// `#[path]` may give a file of the same folder another name; a file of another floor it may not bring in.
fn path_attribute_violations(file: &File, found: &mut BTreeSet<String>) {
    for line in file.lines_of(&["#", "[", "path"]) {
        if file.lines.iter().skip(line - 1).take(3).any(|text| text.contains('/')) {
            found.insert(format!("{}:{line}: brings in a file of another folder as its module", file.name));
        }
    }
}

fn rule_violations(file: &File, rule: &Rule, found: &mut BTreeSet<String>) {
    let top = file.top();
    let holds = match rule.floor {
        Floor::In(modules) => top.is_some_and(|top| modules.contains(&top)),
        Floor::NotIn(modules) => top.is_none_or(|top| !modules.contains(&top)),
        Floor::Everywhere => true,
    };
    if !holds || rule.but.iter().any(|(name, _)| *name == file.name) {
        return;
    }
    for path in &file.paths {
        let spelled = path.segments.join("::");
        if rule.paths.iter().any(|start| spelled == *start || spelled.starts_with(&format!("{start}::"))) {
            found.insert(format!("{}:{}: `{spelled}`: {}", file.name, path.line, rule.why));
        }
    }
    for words in rule.words {
        for line in file.lines_of(&words.split(' ').collect::<Vec<_>>()) {
            found.insert(format!("{}:{line}: `{words}`: {}", file.name, rule.why));
        }
    }
}

/// A cycle in the table, as a sentence.
fn cycle(arrows: &[(&str, &[&str])]) -> Option<String> {
    let mut standing: Vec<&str> = Vec::new();
    loop {
        let next = arrows.iter().find(|(name, uses)| !standing.contains(name) && uses.iter().all(|used| standing.contains(used)));
        match next {
            Some((name, _)) => standing.push(name),
            None if standing.len() == arrows.len() => return None,
            None => {
                let rest: Vec<_> = arrows.iter().map(|(name, _)| *name).filter(|name| !standing.contains(name)).collect();
                return Some(format!("these have no floor to stand on: {}", rest.join(", ")));
            }
        }
    }
}

fn source_files() -> Vec<File> {
    fn walk(folder: &std::path::Path, root: &std::path::Path, files: &mut Vec<File>) {
        for entry in std::fs::read_dir(folder).expect("src/ is readable") {
            let path = entry.expect("src/ is readable").path();
            if path.is_dir() {
                walk(&path, root, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).expect("below src/").to_str().expect("a name in UTF-8");
                files.push(File::new(name, &std::fs::read_to_string(&path).expect("a source file is readable")));
            }
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &root, &mut files);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

#[test]
fn every_path_in_the_source_follows_an_arrow_of_the_table() {
    let files = source_files();
    assert!(files.iter().any(|file| file.name == "lib.rs") && files.len() > 3, "the source was not found");
    let wrong = violations(&files, ARROWS, RULES);
    assert!(wrong.is_empty(), "{} things are not as src/lib.rs says:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_arrow_of_the_table_is_followed_somewhere() {
    let unused = unused(&source_files(), ARROWS);
    assert!(unused.is_empty(), "src/lib.rs allows what nobody does:\n{}", unused.join("\n"));
}

#[test]
fn every_module_but_the_faces_is_silent() {
    let silent: BTreeSet<_> = ARROWS.iter().map(|(name, _)| *name).filter(|name| !matches!(*name, "cli" | "tui")).collect();
    assert_eq!(SILENT.iter().copied().collect::<BTreeSet<_>>(), silent);
}

#[test]
fn the_table_of_arrows_is_sound() {
    assert_eq!(cycle(ARROWS), None);
    let names: BTreeSet<_> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), ARROWS.len(), "a module stands twice in the table");
    for (name, uses) in ARROWS {
        assert!(!uses.contains(name), "{name} uses itself");
        assert_eq!(uses.iter().collect::<BTreeSet<_>>().len(), uses.len(), "{name} names a module twice");
    }
}

#[test]
fn exceptions_name_files_that_exist() {
    let files = source_files();
    for (name, why) in RULES.iter().flat_map(|rule| rule.but) {
        assert!(files.iter().any(|file| file.name == *name), "{name} has an exception ({why}) and does not exist");
    }
}

/// Each rule is broken once, in made-up sources, and must be seen.
#[cfg(test)]
mod each_rule_can_fail {
    use super::*;

    const TABLE: &[(&str, &[&str])] = &[
        ("text", &[]),
        ("tuf", &["text"]),
        ("net", &[]),
        ("notary", &["tuf"]),
        ("sandbox", &["tuf"]),
        ("views", &["tuf"]),
        ("tui", &["views"]),
    ];

    fn wrong(name: &str, text: &str) -> Vec<String> {
        violations(&[File::new(name, text)], TABLE, RULES)
    }

    #[track_caller]
    fn caught(name: &str, text: &str, because: &str) {
        let wrong = wrong(name, text);
        assert!(wrong.iter().any(|line| line.contains(because)), "{text:?} in {name} was not caught as {because:?}: {wrong:?}");
    }

    #[test]
    fn an_arrow_that_is_allowed_passes() {
        assert_eq!(
            wrong("tuf/verify.rs", "use crate::{text::Untrusted, tuf::{name, key}}; use super::name; // crate::tui"),
            [""; 0]
        );
        assert_eq!(wrong("lib.rs", "pub mod text; fn f() { crate::tui::run() }"), [""; 0]);
    }

    #[test]
    fn an_arrow_upwards_in_every_way_of_writing_it() {
        for text in [
            "use crate::tui::App;",
            "use crate::{text, tui::App};",
            "use crate::{text::{Untrusted}, tuf::{a, b::{c}}, tui};",
            "fn f() { crate::tui::run() }",
            "fn f(app: &dyn Fn(crate::tui::App)) {}",
            "use super::super::tui::App;",
            "use super::{super::tui, name};",
            "mod tests { use super::super::super::tui::App; }",
            "macro_rules! m { () => { $crate::tui::run() } }",
            "use {std::io, crate::tui};",
        ] {
            caught("tuf/verify.rs", text, "`tuf` must not use `tui`");
        }
        caught("tuf/mod.rs", "use super::tui::App;", "`tuf` must not use `tui`");
        caught("tuf.rs", "use super::tui::App;", "`tuf` must not use `tui`");
        caught("views/list.rs", "use crate::tui::App;", "`views` must not use `tui`");
    }

    #[test]
    fn the_whole_crate_under_another_name() {
        caught("tuf/verify.rs", "use crate as all;", "names the whole crate");
        caught("tuf/verify.rs", "use crate::*;", "names the whole crate");
        caught("tuf/verify.rs", "use crate::{self as all};", "names the whole crate");
        caught("tuf/mod.rs", "use super::*;", "names the whole crate");
        caught("tuf/verify.rs", "extern crate claviger as all;", "extern crate");
        caught("tuf/verify.rs", "#[path = \"../tui/app.rs\"] mod app;", "a file of another folder");
        caught("tuf/verify.rs", "#[path =\n\"../tui/app.rs\"]\nmod app;", "a file of another folder");
        assert_eq!(wrong("tuf/verify.rs", "#[path = \"verify_tests.rs\"]\nmod tests;"), [""; 0]);
    }

    #[test]
    fn an_arrow_that_nobody_follows() {
        let table: &[(&str, &[&str])] = &[("text", &[]), ("tuf", &["text"])];
        let unused = |text: &str| unused(&[File::new("tuf/name.rs", text), File::new("lib.rs", "use crate::text;")], table);
        assert_eq!(unused("use crate::{text::Untrusted, tuf::key};"), [""; 0]);
        assert_eq!(unused("// crate::text\nuse std::text;"), ["`tuf` may use `text` and does not"]);
    }

    #[test]
    fn a_module_that_is_not_in_the_table() {
        caught("extra/mod.rs", "", "the module `extra` is not in the table");
        caught("tuf/mod.rs", "use crate::extra::X;", "`extra` is not in the table");
    }

    #[test]
    fn files_clocks_and_runtimes_in_tuf() {
        caught("tuf/verify.rs", "use std::fs;", "tuf does no I/O");
        caught("tuf/verify.rs", "use std::{collections, fs::File};", "tuf does no I/O");
        caught("tuf/verify.rs", "fn f() { std::fs::read(p) }", "tuf does no I/O");
        caught("tuf/verify.rs", "async fn f() { tokio::task::yield_now().await }", "tuf does no I/O");
        caught("tuf/verify.rs", "let t = jiff::Timestamp::now();", "tuf reads no clock");
        caught("tuf/verify.rs", "let t = <T as Clock>::now();", "tuf reads no clock");
        caught("tuf/verify.rs", "use std::time::{Duration, Instant};", "tuf reads no clock");
        assert_eq!(wrong("notary/http.rs", "use std::fs; fn f() { tokio::spawn(x); jiff::Timestamp::now() }"), [""; 0]);
    }

    #[test]
    fn printing_below_the_faces() {
        for name in SILENT {
            let file = format!("{name}/x.rs");
            for text in ["println!(\"x\")", "eprintln!(\"x\")", "print!(\"x\")", "eprint!(\"x\")", "dbg!(x)"] {
                caught(&file, text, "only the two faces print");
            }
        }
    }

    #[test]
    fn drawing_outside_the_screen_and_http_outside_net() {
        caught("views/list.rs", "use ratatui::text::Line;", "drawing is the screen's");
        caught("main.rs", "fn main() { crossterm::terminal::enable_raw_mode() }", "drawing is the screen's");
        caught("views/list.rs", "use reqwest::Client;", "HTTP is net's");
        caught("sandbox/shell.rs", "use {reqwest::Client, std::io};", "HTTP is net's");
        caught("notary/http.rs", "use axum::Router;", "serving is the sandbox's");
        assert_eq!(wrong("tui/app.rs", "use ratatui::Frame; use crossterm::event::Event;"), [""; 0]);
        assert_eq!(wrong("net/host.rs", "use reqwest::Client;"), [""; 0]);
    }

    #[test]
    fn outside_text_in_its_true_bytes_on_the_screen() {
        caught("tui/app.rs", "frame.render(name.raw())", "only as `.shown()`");
        caught("tui/app.rs", "names.iter().map(Untrusted::raw)", "only as `.shown()`");
        assert_eq!(wrong("views/list.rs", "json(name.raw())"), [""; 0]);
        const ALLOWED: &[Rule] = &[Rule {
            why: "",
            floor: Floor::In(&["tui"]),
            paths: &[],
            words: &[". raw ("],
            but: &[("tui/copy.rs", "copies, draws nothing")],
        }];
        assert!(violations(&[File::new("tui/copy.rs", "name.raw()")], TABLE, ALLOWED).is_empty());
    }

    #[test]
    fn unsafe_code_anywhere() {
        for name in ["lib.rs", "main.rs", "tuf/key.rs", "bin/claviger-token/main.rs"] {
            caught(name, "fn f() { unsafe { g() } }", "no unsafe code");
        }
        assert_eq!(wrong("lib.rs", "#![deny(unsafe_code)] // unsafe"), [""; 0]);
    }

    #[test]
    fn a_cycle_in_the_table() {
        assert!(cycle(&[("a", &["b"]), ("b", &["a"]), ("c", &[])]).is_some_and(|rest| rest.ends_with("a, b")));
        assert!(cycle(&[("a", &["ghost"])]).is_some());
        assert_eq!(cycle(TABLE), None);
    }
}
