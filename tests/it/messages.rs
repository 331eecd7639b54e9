//! `docs/messages.md`: what people find when they search for a message of the old tools is whole, and names no command that
//! claviger does not have.
use std::{collections::BTreeSet, path::Path};

fn sections() -> Vec<(String, Vec<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/messages.md");
    let text = std::fs::read_to_string(path).unwrap();
    let sections = text.split("\n## ").skip(1);
    sections
        .map(|s| {
            let mut lines = s.lines().map(str::to_owned).filter(|l| !l.is_empty());
            (lines.next().unwrap(), lines.collect())
        })
        .collect()
}

#[test]
fn every_message_stands_once_with_who_prints_it_its_cause_what_to_do_and_a_source() {
    let all = sections();
    assert!(all.len() >= 50, "{}", all.len());
    let headings: BTreeSet<&String> = all.iter().map(|(heading, _)| heading).collect();
    assert_eq!(headings.len(), all.len());
    for (heading, lines) in &all {
        assert!(heading.starts_with('`') && heading.ends_with('`'), "{heading}");
        let names: Vec<&str> = lines.iter().map(|l| l.split_once(": ").unwrap().0).collect();
        assert_eq!(names, ["Printed by", "Cause", "Do", "Source"], "{heading}");
    }
}

#[test]
fn every_command_of_ours_that_is_named_is_one() {
    let mut named = 0;
    for (heading, lines) in sections() {
        let in_ticks = lines.iter().flat_map(|l| l.split('`').skip(1).step_by(2)).filter(|c| c.starts_with("claviger "));
        for command in in_ticks {
            named += 1;
            let typed: Vec<&str> = command.split_whitespace().filter(|w| *w != "…").collect();
            let read = claviger::cli::definition().try_get_matches_from(typed);
            assert!(read.is_ok(), "{heading}: {command}: {}", read.unwrap_err());
        }
    }
    assert!(named > 50, "{named}");
}
