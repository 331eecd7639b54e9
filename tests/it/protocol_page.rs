//! `docs/protocol.md` against the source: every section that a comment cites can be looked up there.
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The number that a text starts with, such as `4` or `10.6`, and what follows it.
fn number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number = text[..end].trim_end_matches('.');
    if number.is_empty() { None } else { Some((number, &text[number.len()..])) }
}

/// The sections that a source cites: `protocol 4.3, 6.3`, wherever its lines end.
fn cited(source: &str) -> BTreeSet<String> {
    let words = source.lines().map(|l| l.trim().trim_start_matches(['/', '!']).trim()).collect::<Vec<_>>().join(" ");
    let mut found = BTreeSet::new();
    for (at, word) in words.match_indices("rotocol ") {
        let mut rest = Some(&words[at + word.len()..]);
        while let Some((section, after)) = rest.and_then(number) {
            found.insert(section.to_owned());
            rest = [", ", " and ", " to "].iter().find_map(|joint| after.strip_prefix(joint));
        }
    }
    found
}

/// The first column of the page's table.
fn listed() -> Vec<String> {
    let page = fs::read_to_string(repository().join("docs/protocol.md")).unwrap();
    let rows = page.lines().filter_map(|l| l.strip_prefix("| ")?.split_once(" |"));
    rows.map(|(section, _)| section.to_owned()).filter(|s| s.starts_with(|c: char| c.is_ascii_digit())).collect()
}

fn sources() -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![repository().join("src")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

#[test]
fn every_section_of_the_protocol_that_is_cited_can_be_looked_up() {
    let mut places: BTreeMap<String, BTreeSet<PathBuf>> = BTreeMap::new();
    for file in sources() {
        for section in cited(&fs::read_to_string(&file).unwrap()) {
            places.entry(section).or_default().insert(file.strip_prefix(repository()).unwrap().to_owned());
        }
    }
    assert!(places.len() > 30, "only {} sections are cited", places.len());
    let listed = listed();
    let distinct: BTreeSet<_> = listed.iter().collect();
    assert_eq!(distinct.len(), listed.len(), "a section is listed twice");
    let missing: Vec<_> = places.iter().filter(|(section, _)| !distinct.contains(section)).collect();
    assert!(missing.is_empty(), "docs/protocol.md lacks {missing:?}");
    let idle: Vec<_> = listed.iter().filter(|section| !places.contains_key(*section)).collect();
    assert!(idle.is_empty(), "docs/protocol.md lists what nothing cites: {idle:?}");
}

#[test]
fn citations_are_found_as_people_write_them() {
    let source = "/// Reads (protocol 10.1, 10.4).\n//! As in protocol\n//! 4.3 and 6.3, or the\n// protocol. See protocol 7.3.";
    assert_eq!(cited(source).into_iter().collect::<Vec<_>>(), ["10.1", "10.4", "4.3", "6.3", "7.3"]);
}
