//! claviger beside the old clients, on the same servers: every view of every case, with an empty cache, with its own,
//! and with the one that the old clients left.

use super::cases::{CASES, Case, View};
use super::desk::Desk;
use super::filled::{World, docker_answers, docker_version, each};
use super::listing::{self, Delegation};
use super::program::Answer;
use super::server::Kind;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A row of `tags`: roles, digest and size.
type Row = (Vec<String>, String, Option<u64>);

/// Arguments of the two ways that `inspect` prints.
const WAYS: [(View, &[&str]); 2] = [(View::Inspect, &[]), (View::Pretty, &["--pretty"])];

fn compare(kind: Kind, view: View) {
    let world = World::of(kind);
    each(CASES, |case| {
        let (old, own) = (world.reader(), world.reader());
        // without a cache; then, where the loading may differ, with its own and with the one that the old clients left
        let rounds: &[&Desk] = if matches!(view, View::Inspect | View::Tags) { &[&own, &own, &old] } else { &[&own] };
        match view {
            View::Inspect | View::Pretty => inspect_is_dockers(&old, rounds, case, view),
            View::Tags => tags_are_notarys(&old, rounds, case),
            View::Delegations => delegations_are_notarys(&old, &own, case),
        }
    });
}

fn inspect_is_dockers(old: &Desk, rounds: &[&Desk], case: &Case, view: View) {
    let way = WAYS.iter().find(|(shown, _)| *shown == view).map_or(&[][..], |(_, way)| way);
    for asked in std::iter::once(&case.gun).chain(case.also) {
        let args = [&["inspect"], way, &[*asked]].concat();
        let theirs: Vec<(i32, String)> = docker_answers(old, case, &args)
            .into_iter()
            .map(|(status, stdout)| (if case.refused_role { 3 } else { status }, stdout))
            .collect();
        for desk in rounds {
            let mut ours = desk.claviger(&args);
            let mut theirs = theirs.clone();
            let wide = |c: char| unicode_width::UnicodeWidthChar::width(c) == Some(2) && !columns_are_counted();
            let otherwise = |c: char| !may_be_printed(c) || (view == View::Pretty && wide(c));
            if theirs.iter().any(|(_, stdout)| stdout.contains(otherwise)) {
                theirs.iter_mut().for_each(|(_, stdout)| *stdout = escaped(view, stdout));
                ours.stdout = if view == View::Pretty { words(&ours.stdout) } else { ours.stdout };
            }
            let same = theirs.iter().any(|(status, stdout)| (*status, stdout) == (ours.status, &ours.stdout));
            assert!(same, "{}: {}", case.name, difference(&ours, &theirs[0]));
        }
    }
}

/// Docker clients that print otherwise than the newest, and how; there is no other difference between them here.
const OLDER_DOCKERS: &[(&str, &str)] =
    &[("20.10.", "counts characters where a terminal counts columns: tables with wide characters are compared word by word")];

/// Does this docker print wide characters in columns as we do?
fn columns_are_counted() -> bool {
    let version = docker_version();
    !OLDER_DOCKERS.iter().any(|(older, _)| version.contains(&format!(" {older}")))
}

fn may_be_printed(c: char) -> bool {
    c == '\n' || c == '\t' || claviger::text::is_plain(c)
}

/// What docker printed, with the characters that no terminal receives from us as we show them: in JSON as `\u` and four
/// digits, else as [`claviger::text::escape`] does, with the spaces between columns left out, which then are others.
fn escaped(view: View, stdout: &str) -> String {
    let escape = |c: char| -> String {
        match view {
            _ if may_be_printed(c) => c.to_string(),
            View::Inspect => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
            _ => claviger::text::escape(&c.to_string()).into_owned(),
        }
    };
    let escaped: String = stdout.chars().map(escape).collect();
    if view == View::Pretty { words(&escaped) } else { escaped }
}

fn words(text: &str) -> String {
    text.split('\n').map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

/// Where two answers part, in words.
fn difference(ours: &Answer, theirs: &(i32, String)) -> String {
    let mut said = format!("$ {}\nexit status {} here, {} there", ours.line, ours.status, theirs.0);
    let (mine, other): (Vec<&str>, Vec<&str>) = (ours.stdout.split('\n').collect(), theirs.1.split('\n').collect());
    if let Some(at) = (0..mine.len().max(other.len())).find(|at| mine.get(*at) != other.get(*at)) {
        let around = |lines: &[&str]| format!("{:#?}", lines.iter().skip(at.saturating_sub(2)).take(5).collect::<Vec<_>>());
        said.push_str(&format!("\nline {} here: {}\nthere: {}", at + 1, around(&mine), around(&other)));
    }
    format!("{said}\n{}", ours.stderr)
}

fn tags_are_notarys(old: &Desk, rounds: &[&Desk], case: &Case) {
    let theirs = old.notary(&["list", case.gun]);
    let released = case.expected.map(|_| old.docker_trust(&["inspect", case.gun]).ok().stdout);
    for desk in rounds {
        tags_are_those_of(desk, case, &theirs, released.as_deref());
    }
}

fn tags_are_those_of(desk: &Desk, case: &Case, theirs: &Answer, inspected: Option<&str>) {
    let ours = desk.claviger(&["tags", case.gun, "--exact", "--json"]);
    let Some(inspected) = inspected else {
        assert!(theirs.status == 1 && ours.status == 1 && ours.stdout.is_empty(), "{}\n{theirs:?}\n{ours:?}", case.name);
        return;
    };
    assert_eq!(ours.status, i32::from(case.refused_role) * 3, "{}\n{ours:?}", case.name);
    let rows: Vec<Value> = serde_json::from_str(&ours.stdout).unwrap_or_else(|error| panic!("{error}\n{ours:?}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut named: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in &rows {
        let roles = row["roles"].as_array().expect("roles").iter().map(text).collect();
        named.entry(text(&row["name"])).or_default().push((roles, text(&row["digest"]), row["size"].as_u64()));
    }
    // notary prints of each name what the first role of the tree says: of ours that is the row which has that role first
    let theirs = listing::tags(&theirs.clone().ok().stdout);
    assert_eq!(named.keys().collect::<BTreeSet<_>>(), theirs.iter().map(|tag| &tag.name).collect(), "{}", case.name);
    for tag in theirs {
        let digest = if tag.digest.is_empty() { String::new() } else { format!("sha256:{}", tag.digest) };
        let with_role: Vec<&Row> = named[&tag.name].iter().filter(|(roles, ..)| roles.contains(&tag.role)).collect();
        let [(roles, digest_here, size)] = with_role[..] else { panic!("{}: {tag:?} has {with_role:?} here", case.name) };
        assert_eq!((roles.first(), digest_here, *size), (Some(&tag.role), &digest, Some(tag.size)), "{}: {tag:?}", case.name);
    }
    released_tags_are_dockers(inspected, case, &rows);
}

/// What `tags` calls released is what docker lists, and nothing else.
fn released_tags_are_dockers(inspected: &str, case: &Case, rows: &[Value]) {
    let inspected: Value = serde_json::from_str(inspected).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let theirs: BTreeSet<(String, String)> = inspected[0]["SignedTags"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| (text(&row["SignedTag"]), text(&row["Digest"])))
        .collect();
    let ours: BTreeSet<(String, String)> = rows
        .iter()
        .filter(|row| row["released"] == true)
        .map(|row| (text(&row["name"]), text(&row["digest"]).trim_start_matches("sha256:").to_owned()))
        .collect();
    assert_eq!(ours, theirs, "{}", case.name);
}

fn delegations_are_notarys(old: &Desk, desk: &Desk, case: &Case) {
    let theirs = old.notary(&["delegation", "list", case.gun]);
    let ours = desk.claviger(&["delegation", "list", case.gun, "--exact", "--json"]);
    if case.expected.is_none() {
        assert!(theirs.status == 1 && ours.status == 1 && ours.stdout.is_empty(), "{}\n{theirs:?}\n{ours:?}", case.name);
        return;
    }
    assert_eq!(ours.status, i32::from(case.refused_role) * 3, "{}\n{ours:?}", case.name);
    let rows: Vec<Value> = serde_json::from_str(&ours.stdout).unwrap_or_else(|error| panic!("{error}\n{ours:?}"));
    let list = |value: &Value| -> Vec<String> {
        value.as_array().expect("a list").iter().map(|one| one.as_str().expect("text").to_owned()).collect()
    };
    // notary prints paths sorted, and keys in the order of the role
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    let ours: Vec<Delegation> = rows
        .iter()
        .map(|row| Delegation {
            role: row["role"].as_str().expect("a role").to_owned(),
            paths: sorted(list(&row["paths"])),
            keys: list(&row["key_ids"]),
            threshold: row["threshold"].as_u64().expect("a threshold"),
        })
        .collect();
    let theirs: Vec<Delegation> =
        listing::delegations(&theirs.ok().stdout).into_iter().map(|row| Delegation { paths: sorted(row.paths), ..row }).collect();
    assert_eq!(ours, theirs, "{}", case.name);
}

/// Several repositories in one command, one of them unknown.
fn several_at_once(kind: Kind) {
    let world = World::of(kind);
    let guns = ["peers.test/signers:v2", "peers.test/plain", "peers.test/unpublished", "peers.test/empty"];
    for (_, way) in WAYS {
        for guns in [&guns[..], &guns[..2]] {
            let args = [&["inspect"], way, guns].concat();
            let (theirs, ours) = (world.reader().docker_trust(&args), world.reader().claviger(&args));
            let theirs = (theirs.status, theirs.stdout);
            assert!((ours.status, &ours.stdout) == (theirs.0, &theirs.1), "{}", difference(&ours, &theirs));
        }
    }
}

macro_rules! on_each_kind_of_server {
    ($($name:ident: $compare:expr;)*) => {
        mod keys_of_its_own { $(#[test] fn $name() { $compare(super::Kind::Local) })* }
        mod with_a_signer { $(#[test] fn $name() { $compare(super::Kind::Signer) })* }
        mod with_postgresql { $(#[test] fn $name() { $compare(super::Kind::Postgres) })* }
    };
}

on_each_kind_of_server! {
    inspect_prints_what_docker_trust_prints: |kind| super::compare(kind, super::View::Inspect);
    inspect_pretty_prints_what_docker_trust_prints: |kind| super::compare(kind, super::View::Pretty);
    tags_agree_with_notary: |kind| super::compare(kind, super::View::Tags);
    delegations_agree_with_notary: |kind| super::compare(kind, super::View::Delegations);
    several_repositories_are_inspected_at_once: super::several_at_once;
}
