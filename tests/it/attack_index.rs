//! `docs/attacks.md` against the tests: everything that it names exists, and every attack is named.
use std::{collections::BTreeSet, fs, path::Path};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The functions of a file that are tests.
fn tests_in(path: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut marked = false;
    for line in fs::read_to_string(path).unwrap_or_default().lines().map(str::trim) {
        let function = line.trim_start_matches("async ").strip_prefix("fn ");
        if line.starts_with("#[") {
            marked |= line == "#[test]" || line.starts_with("#[tokio::test");
        } else if let (true, Some(f)) = (marked, function) {
            found.insert(f.split(['(', '<']).next().unwrap().to_owned());
            marked = false;
        } else {
            marked = false;
        }
    }
    found
}

/// `module::test` as written in the page.
fn named() -> Vec<String> {
    let page = fs::read_to_string(repository().join("docs/attacks.md")).unwrap();
    let rows = page.lines().filter(|l| l.starts_with("| ") && l.ends_with("` |"));
    rows.map(|l| l.trim_end_matches("` |").rsplit('`').next().unwrap().to_owned()).collect()
}

#[test]
fn every_test_in_the_list_of_attacks_exists() {
    let all = named();
    assert!(all.len() > 100, "only {} attacks were found in the page", all.len());
    for name in &all {
        let (module, test) = name.rsplit_once("::").unwrap_or_else(|| panic!("{name} names no module"));
        let module = module.replace("::", "/");
        let places = [format!("tests/it/attacks/{module}.rs"), format!("tests/it/{module}.rs")];
        assert!(places.iter().any(|p| tests_in(&repository().join(p)).contains(test)), "there is no test {name}");
    }
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len(), "a test is named twice");
    println!("{} attacks are listed", all.len());
}

#[test]
fn every_attack_that_is_tested_is_in_the_list() {
    let listed: BTreeSet<String> = named().into_iter().collect();
    for entry in fs::read_dir(repository().join("tests/it/attacks")).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for test in tests_in(&path) {
            assert!(listed.contains(&format!("{module}::{test}")), "{module}::{test} is not in docs/attacks.md");
        }
    }
}
