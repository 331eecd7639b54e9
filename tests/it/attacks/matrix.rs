//! Every corruption that Notary's own tests make, on every role, with and without a cache of an earlier good update, and
//! by two attackers: one who can only change files, and one who also holds the server's keys and makes snapshot and
//! timestamp vouch for what was changed.
use super::{assert_delegation_refused, assert_refused, assert_whole};
use crate::forge::{Client, Files, Forge, Key, Served, VERSION, json, replace, reseal, role, seal, signed_text, with_signatures};
use claviger::tuf::{limits, material::Method};
use std::sync::OnceLock;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    InvalidJson,
    ExtraSpace,
    InvalidSigned,
    OtherType,
    Removed,
    UnknownKey,
    InvalidSignature,
    NoSignatures,
    LowerVersion,
    HigherVersion,
    AbsurdVersion,
    Expired,
    RaisedThreshold,
    SwappedKey,
    SnapshotHash,
    TimestampHash,
}
use Wrong::*;

const ALL: [Wrong; 16] = [
    InvalidJson,
    ExtraSpace,
    InvalidSigned,
    OtherType,
    Removed,
    UnknownKey,
    InvalidSignature,
    NoSignatures,
    LowerVersion,
    HigherVersion,
    AbsurdVersion,
    Expired,
    RaisedThreshold,
    SwappedKey,
    SnapshotHash,
    TimestampHash,
];
const ROLES: [&str; 6] = ["root", "targets", "targets/a", "targets/a/b", "snapshot", "timestamp"];

/// What must come of a case.
#[derive(Debug, PartialEq, Eq)]
enum Expect {
    /// The whole update is refused: role and code.
    Refused(&'static str, &'static str),
    /// This delegation is refused, the rest is not.
    Without(&'static str, &'static str),
    /// Nothing is wrong, and why.
    Harmless(&'static str),
}

#[derive(Debug, Clone, Copy)]
struct Case {
    role: &'static str,
    wrong: Wrong,
    cached: bool,
    vouched: bool,
}

/// The role whose file names the keys of this one.
fn delegator(role: &'static str) -> &'static str {
    match role {
        "targets/a" => "targets",
        "targets/a/b" => "targets/a",
        _ => "root",
    }
}

fn refused(role: &'static str, code: &'static str) -> Expect {
    if role.starts_with("targets/") { Expect::Without(role, code) } else { Expect::Refused(role, code) }
}

impl Case {
    /// Which refusal names what happened.
    fn expect(self) -> Expect {
        let Case { role, wrong, cached, vouched } = self;
        let by_content = match wrong {
            InvalidJson | InvalidSigned | OtherType | AbsurdVersion => Ok("malformed"),
            // Against a root that was trusted before, signatures are first of all those of its successor.
            UnknownKey | InvalidSignature | NoSignatures if role == "root" && cached => Ok("root-rotation"),
            UnknownKey | InvalidSignature => Ok("threshold"),
            NoSignatures => Ok("no-signatures"),
            Expired => Ok("expired"),
            LowerVersion if cached => Ok("rollback"),
            LowerVersion => Err("nothing was seen before that could be newer"),
            HigherVersion => Err("its own keys signed it: versions need not follow each other"),
            ExtraSpace => Err("white space is not signed, and whoever vouches for the file vouches for these bytes"),
            // What was remembered led to a snapshot that names another root; without that root the update stops there.
            Removed if role == "root" && cached => Ok("checksum"),
            Removed => return refused(role, "missing"),
            SnapshotHash if !vouched => return Expect::Refused("snapshot", "checksum"),
            SnapshotHash if matches!(role, "snapshot" | "timestamp") => {
                Err("a snapshot that names this role is not asked about it")
            }
            SnapshotHash => return refused(role, "checksum"),
            TimestampHash if role == "snapshot" => return Expect::Refused("snapshot", "checksum"),
            TimestampHash => return Expect::Harmless("a timestamp is asked about the snapshot only"),
            RaisedThreshold | SwappedKey => {
                return match delegator(role) {
                    // The root is judged before anything names its hash, and so are the keys of timestamp and snapshot.
                    "root" if role == "targets" && !vouched => Expect::Refused("root", "checksum"),
                    "root" => refused(role, "threshold"),
                    _ if vouched => refused(role, "threshold"),
                    above => refused(above, "checksum"),
                };
            }
        };
        let first_seen_then_hashed = role == "root";
        match by_content {
            _ if role == "timestamp" => {}
            Err(_) if first_seen_then_hashed && !vouched => return refused(role, "checksum"),
            _ if first_seen_then_hashed => {}
            _ if !vouched && wrong != SnapshotHash => return refused(role, "checksum"),
            _ => {}
        }
        match by_content {
            Ok(code) => refused(role, code),
            Err(reason) => Expect::Harmless(reason),
        }
    }

    /// Does it.
    fn corrupt(self, forge: &Forge, files: &mut Files) {
        let name = role(self.role);
        let signers = forge.signers(&name);
        let edit = |files: &mut Files, change: &dyn Fn(String) -> String| forge.edit(files, self.role, change);
        let version = |n: u64| move |t: String| replace(&t, &format!("\"version\":{}", VERSION + 1), &format!("\"version\":{n}"));
        let above = delegator(self.role);
        let stranger = Key::p256("stranger");
        match self.wrong {
            InvalidJson => {
                let bytes = files.get_mut(&name).unwrap();
                bytes.truncate(bytes.len() / 2);
            }
            ExtraSpace => files.get_mut(&name).unwrap().insert(1, b' '),
            InvalidSigned => drop(files.insert(name, seal(b"[\"not what it should be\"]", &signers))),
            OtherType => edit(files, &|t| {
                let other = if self.role == "snapshot" { "Targets" } else { "Snapshot" };
                json(&t, |v| v["_type"] = other.into())
            }),
            Removed => drop(files.remove(&name)),
            UnknownKey => drop(files.insert(name.clone(), reseal(&files[&name], &[stranger], |t| t))),
            InvalidSignature => {
                let bad = with_signatures(&files[&name], |m| {
                    let mut s = signers[0].sign(m);
                    s.bytes[7] ^= 1;
                    // A stranger's signature under the ID of the role's key.
                    let mut forged = stranger.sign_as(Method::Ecdsa, m);
                    forged.key_id.clone_from(&s.key_id);
                    vec![s, forged]
                });
                files.insert(name, bad);
            }
            NoSignatures => drop(files.insert(name.clone(), with_signatures(&files[&name], |_| vec![]))),
            LowerVersion => edit(files, &version(VERSION - 2)),
            HigherVersion => edit(files, &version(1_000_000)),
            AbsurdVersion => edit(files, &version(limits::VERSION + 1)),
            Expired => edit(files, &|t| json(&t, |v| v["expires"] = "2026-12-31T23:59:59Z".into())),
            RaisedThreshold => forge.edit(files, above, |t| json(&t, |v| of_role(v, self.role)["threshold"] = 2.into())),
            SwappedKey => forge.edit(files, above, |t| json(&t, |v| swap_key(v, self.role))),
            SnapshotHash => forge.edit(files, "snapshot", |t| json(&t, |v| v["meta"][self.role] = other_file())),
            TimestampHash => forge.edit(files, "timestamp", |t| json(&t, |v| v["meta"][self.role] = other_file())),
        }
        if self.vouched && self.wrong != Removed {
            match (self.role, self.wrong) {
                (_, SnapshotHash) => forge.vouch_for_snapshot(files),
                (_, TimestampHash) => {}
                (_, RaisedThreshold | SwappedKey) => forge.vouch(files),
                ("snapshot", _) => forge.vouch_for_snapshot(files),
                ("timestamp", _) => {}
                _ => forge.vouch(files),
            }
        }
    }
}

/// The entry of a role in the file of its delegator.
fn of_role<'a>(signed: &'a mut serde_json::Value, role: &str) -> &'a mut serde_json::Value {
    if signed["_type"] == "Root" {
        return &mut signed["roles"][role];
    }
    let list = signed["delegations"]["roles"].as_array_mut().unwrap();
    list.iter_mut().find(|r| r["name"] == role).unwrap()
}

/// Gives a role a key that its files are not signed with.
fn swap_key(signed: &mut serde_json::Value, role: &str) {
    let mut key = Key::p256("another owner");
    if role == "root" {
        key = crate::forge::Cert::of(crate::forge::GUN).around(&key);
    }
    let id = key.id().hex();
    of_role(signed, role)["keyids"] = [id.clone()].as_slice().into();
    let keys = if signed["_type"] == "Root" { &mut signed["keys"] } else { &mut signed["delegations"]["keys"] };
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    keys[id] = serde_json::json!({
        "keytype": key.public.key_type().as_str(),
        "keyval": {"private": null, "public": STANDARD.encode(key.public.public_bytes())},
    });
}

/// Length and hashes of some other file.
fn other_file() -> serde_json::Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    serde_json::json!({"hashes": {"sha256": STANDARD.encode([7u8; 32])}, "length": 100_000})
}

/// What was published before, and what is published now.
fn generations() -> &'static (Forge, Files, Forge, Files) {
    static MADE: OnceLock<(Forge, Files, Forge, Files)> = OnceLock::new();
    MADE.get_or_init(|| {
        let before = Forge::good();
        let now = before.next();
        let (old, new) = (before.publish(), now.publish());
        (before, old, now, new)
    })
}

fn run(case: Case) {
    let (_, old, forge, new) = generations();
    let mut files = new.clone();
    case.corrupt(forge, &mut files);
    let mut client = Client::new(&forge.gun);
    if case.cached {
        client = client.with_cache(old);
    }
    // Whoever names a hash names a length too, and a file that is longer is not even read to its end.
    let grown = |r: &str| files.get(&role(r)).is_some_and(|b| b.len() > new[&role(r)].len());
    let expect = match case.expect() {
        Expect::Refused(r, "checksum") if !case.vouched && case.wrong != TimestampHash && r != "root" && grown(r) => {
            Expect::Refused(r, "too-long")
        }
        Expect::Without(r, "checksum") if !case.vouched && grown(r) => Expect::Without(r, "too-long"),
        as_stated => as_stated,
    };
    let served = Served::new(files);
    match expect {
        Expect::Refused(role, code) => drop(assert_refused(&client, &served, role, code)),
        Expect::Without(role, code) => {
            let collection = assert_delegation_refused(&client, &served, role, code);
            let shown = collection.signed().count();
            let lost: usize =
                forge.tags.iter().filter(|(r, _)| format!("{r}/").starts_with(&format!("{role}/"))).map(|(_, t)| t.len()).sum();
            assert_eq!(shown, forge.tags.values().map(Vec::len).sum::<usize>() - lost, "{case:?}");
        }
        Expect::Harmless(_) => {
            let collection = assert_whole(&client, &served);
            assert_eq!(collection.signed().count(), forge.tags.values().map(Vec::len).sum::<usize>(), "{case:?}");
        }
    }
}

fn cases(of: &[&'static str]) -> Vec<Case> {
    let mut all = Vec::new();
    for role in of {
        for wrong in ALL {
            for (cached, vouched) in [(false, false), (false, true), (true, false), (true, true)] {
                all.push(Case { role, wrong, cached, vouched });
            }
        }
    }
    all
}

/// Runs all cases of a role, and says of each that fails which it is.
fn every_corruption_of(role: &'static str) {
    let all = cases(&[role]);
    let failed: Vec<Case> = all.iter().copied().filter(|c| std::panic::catch_unwind(|| run(*c)).is_err()).collect();
    println!("{role}: {} cases", all.len());
    assert_eq!(all.len(), 64);
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_corruption_of_root_is_refused_by_its_name() {
    every_corruption_of("root");
}

#[test]
fn every_corruption_of_targets_is_refused_by_its_name() {
    every_corruption_of("targets");
}

#[test]
fn every_corruption_of_a_delegation_costs_that_delegation_only() {
    every_corruption_of("targets/a");
}

#[test]
fn every_corruption_of_a_nested_delegation_costs_that_delegation_only() {
    every_corruption_of("targets/a/b");
}

#[test]
fn every_corruption_of_snapshot_is_refused_by_its_name() {
    every_corruption_of("snapshot");
}

#[test]
fn every_corruption_of_timestamp_is_refused_by_its_name() {
    every_corruption_of("timestamp");
}

#[test]
fn the_table_of_corruptions_is_complete_and_most_of_it_is_refused() {
    let all = cases(&ROLES);
    let harmless: Vec<_> = all.iter().filter(|c| matches!(c.expect(), Expect::Harmless(_))).collect();
    println!("{} corruptions, {} of them harmless:", all.len(), harmless.len());
    for c in &harmless {
        println!("  {c:?}: {:?}", c.expect());
    }
    assert_eq!((all.len(), ROLES.len(), ALL.len()), (384, 6, 16));
    // Only these can be harmless at all.
    assert!(harmless.iter().all(|c| matches!(c.wrong, ExtraSpace | LowerVersion | HigherVersion | SnapshotHash | TimestampHash)));
}

#[test]
fn without_corruption_the_repository_is_whole() {
    let (_, old, forge, new) = generations();
    for client in [Client::new(&forge.gun), Client::new(&forge.gun).with_cache(old)] {
        assert_whole(&client, &Served::new(new.clone()));
    }
    assert_eq!(signed_text(&new[&role("root")]), signed_text(&forge.root_file()));
}
