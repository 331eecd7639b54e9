//! The table of repositories that the real clients make, and in which claviger must see what they see.

use super::desk::Desk;
use super::pki::openssl;

/// What is compared, with which command of the old tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// `inspect` with `docker trust inspect`, byte for byte.
    Inspect,
    /// `inspect --pretty` with `docker trust inspect --pretty`, byte for byte.
    Pretty,
    /// `tags` with `notary list`: name, digest, size and role.
    Tags,
    /// `delegation list` with `notary delegation list`: role, paths, key IDs and threshold.
    Delegations,
}

/// All there is to compare.
pub const VIEWS: &[View] = &[View::Inspect, View::Pretty, View::Tags, View::Delegations];

/// What the old clients themselves must say of a repository, so that a case which was made wrongly is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Rows in `SignedTags` of `docker trust inspect`.
    pub released: usize,
    /// Rows of `notary list`.
    pub listed: usize,
    /// Names in `Signers` of `docker trust inspect`, as printed.
    pub signers: &'static [&'static str],
    /// Rows of `notary delegation list`.
    pub delegations: usize,
}

/// One repository.
pub struct Case {
    pub name: &'static str,
    pub gun: &'static str,
    /// Makes it; nothing for one that is never made.
    pub make: fn(&Desk, &str),
    /// What `inspect` is asked for, besides the GUN itself.
    pub also: &'static [&'static str],
    /// `None`: the old clients must say that there is no such repository.
    pub expected: Option<Expected>,
    /// One role is refused: docker skips it with a warning and exits with 0, claviger shows the rest and exits with 3.
    pub refused_role: bool,
    /// Docker prints rows of equal tags in the order of a Go map, another one each time.
    pub several_answers: bool,
}

const PLAIN: Case = Case {
    name: "",
    gun: "",
    make: |_, _| {},
    also: &[],
    expected: Some(Expected { released: 1, listed: 1, signers: &[], delegations: 0 }),
    refused_role: false,
    several_answers: false,
};

const fn seen(released: usize, listed: usize, signers: &'static [&'static str], delegations: usize) -> Option<Expected> {
    Some(Expected { released, listed, signers, delegations })
}

/// The table.
pub const CASES: &[Case] = &[
    Case { name: "no delegations", gun: "peers.test/plain", make: no_delegations, expected: seen(2, 2, &[], 0), ..PLAIN },
    Case {
        name: "one tag asked for, there and not",
        gun: "peers.test/asked",
        make: no_delegations,
        also: &["peers.test/asked:v1", "peers.test/asked:none"],
        expected: seen(2, 2, &[], 0),
        ..PLAIN
    },
    Case { name: "initialised, nothing signed", gun: "peers.test/empty", make: empty, expected: seen(0, 0, &[], 0), ..PLAIN },
    Case {
        name: "a name that docker expands",
        gun: "docker.io/library/peers-short",
        make: no_delegations,
        also: &["peers-short", "peers-short:v1"],
        expected: seen(2, 2, &[], 0),
        ..PLAIN
    },
    Case {
        name: "a signer who has signed nothing",
        gun: "peers.test/unsigned",
        make: unsigned,
        expected: seen(0, 0, &["alice"], 2),
        ..PLAIN
    },
    Case {
        name: "several signers",
        gun: "peers.test/signers",
        make: several_signers,
        also: &["peers.test/signers:v1"],
        expected: seen(2, 2, &["carol", "bob", "alice"], 4),
        ..PLAIN
    },
    Case {
        name: "a signer whose key is elsewhere has signed nothing",
        gun: "peers.test/elsewhere",
        make: key_elsewhere,
        expected: seen(1, 1, &["bob", "alice"], 3),
        ..PLAIN
    },
    Case {
        name: "EC and RSA certificates",
        gun: "peers.test/certificates",
        make: certificates,
        expected: seen(1, 1, &["ana"], 2),
        ..PLAIN
    },
    Case {
        name: "EC and RSA bare keys",
        gun: "peers.test/bare",
        make: bare_keys,
        expected: seen(1, 1, &["rsa", "ec"], 3),
        ..PLAIN
    },
    Case {
        name: "one key as certificate and as bare key",
        gun: "peers.test/twice",
        make: one_key_twice,
        expected: seen(1, 1, &["bare"], 2),
        ..PLAIN
    },
    Case {
        name: "P-384 and P-521 delegations",
        gun: "peers.test/curves",
        make: curves,
        expected: seen(0, 2, &["p521", "p384"], 2),
        ..PLAIN
    },
    Case { name: "root rotated three times", gun: "peers.test/roots", make: rotated_root, ..PLAIN },
    Case {
        name: "targets, snapshot and timestamp rotated",
        gun: "peers.test/rotated",
        make: rotated_others,
        expected: seen(2, 2, &[], 0),
        ..PLAIN
    },
    Case {
        name: "nested delegations",
        gun: "peers.test/nested",
        make: nested,
        expected: seen(1, 5, &["c", "a/b/d", "a/b", "a"], 4),
        ..PLAIN
    },
    Case {
        name: "restricted paths",
        gun: "peers.test/paths",
        make: restricted_paths,
        expected: seen(1, 4, &["some/narrow", "some", "none"], 4),
        ..PLAIN
    },
    Case {
        name: "names with <, & and non-ASCII",
        gun: "peers.test/names",
        make: names,
        expected: seen(NAMES.len(), NAMES.len(), &[], 0),
        ..PLAIN
    },
    Case {
        name: "names with combining, invisible and bidirectional characters",
        gun: "peers.test/unprintable",
        make: unprintable_names,
        expected: seen(UNPRINTABLE.len(), UNPRINTABLE.len(), &[], 0),
        ..PLAIN
    },
    Case { name: "custom data", gun: "peers.test/custom", make: custom, expected: seen(2, 2, &[], 0), ..PLAIN },
    Case { name: "a target without SHA-256", gun: "peers.test/sha512", make: only_sha512, expected: seen(2, 2, &[], 0), ..PLAIN },
    Case { name: "5,000 tags", gun: "peers.test/many", make: many_tags, expected: seen(5000, 5000, &[], 0), ..PLAIN },
    Case {
        name: "one tag with another digest in targets and in a delegation",
        gun: "peers.test/digests",
        make: two_digests,
        expected: seen(2, 1, &["alice"], 2),
        several_answers: true,
        ..PLAIN
    },
    Case {
        name: "one tag with a digest of its own that is not released",
        gun: "peers.test/unreleased",
        make: unreleased_digest,
        expected: seen(1, 1, &["alice"], 2),
        ..PLAIN
    },
    Case {
        name: "a signer removed",
        gun: "peers.test/removed",
        make: removed_signer,
        expected: seen(1, 1, &["alice"], 2),
        ..PLAIN
    },
    Case { name: "a tag revoked", gun: "peers.test/revoked", make: revoked_tag, expected: seen(1, 1, &["alice"], 2), ..PLAIN },
    Case {
        name: "a delegation that has lost its only key",
        gun: "peers.test/keyless",
        make: lost_only_key,
        expected: seen(1, 1, &["bob", "alice"], 3),
        refused_role: true,
        ..PLAIN
    },
    Case {
        name: "never published",
        gun: "peers.test/unpublished",
        also: &["peers.test/unpublished:v1"],
        expected: None,
        ..PLAIN
    },
    Case { name: "deleted from the server", gun: "peers.test/deleted", make: deleted, expected: None, ..PLAIN },
];

/// Names that may be printed, in no order. Docker sorts numbers in them by value.
const NAMES: &[&str] = &[
    "a<b",
    "a>b",
    "a&b",
    "caf\u{e9}",
    "日本",
    "emoji😀",
    "with space",
    "a\"b",
    "a\\b",
    "a'b",
    "a/b/c",
    "V1",
    "v1",
    "v01",
    "v1.9",
    "v1.10",
    "v9",
    "v10",
    "1",
    "01",
    "001",
    "9",
    "18446744073709551616",
    "99999999999999999999999999",
    "a1b",
    "a01b",
    "a1c",
    "-",
    "_",
    "ß",
];

/// Names that must not reach a terminal as they are. The first is the NFD form of one above.
const UNPRINTABLE: &[&str] =
    &["cafe\u{301}", "zero\u{200b}width", "right\u{202e}left", "line\u{2028}end", "bom\u{feff}", "\u{7f}del", "c1\u{9b}m"];

/// What no case has, each with the reason.
pub const LEFT_OUT: &[(&str, &str)] = &[
    (
        "names with control characters below U+0020",
        "notary stages them and then fails to publish: invalid character in string literal",
    ),
    ("thresholds above one, several root keys", "neither old client can make them"),
    ("custom data with unordered keys or numbers beyond 2^53", "notary signs them in a form that its own server refuses"),
];

fn digest(letter: char) -> String {
    letter.to_string().repeat(64)
}

/// Adds a tag to roles and publishes.
fn add(desk: &Desk, gun: &str, tag: &str, letter: char, roles: &str) {
    desk.notary(&["addhash", gun, tag, "528", "--sha256", &digest(letter), "--roles", roles, "-p"]).ok();
}

fn init(desk: &Desk, gun: &str) {
    desk.notary(&["init", gun, "-p"]).ok();
}

fn signer(desk: &Desk, gun: &str, name: &str, keys: &[&str]) {
    let mut args = vec!["signer", "add", name, gun];
    keys.iter().for_each(|key| args.extend(["--key", key]));
    desk.docker_trust(&args).ok();
}

/// A signer whose key is made here.
fn signer_here(desk: &Desk, gun: &str, name: &str) {
    let key = desk.signer_key(name);
    signer(desk, gun, name, &[&key]);
}

/// Makes a private key with openssl and puts it into the trust directory; `NAME.crt` and `NAME.pub` are its public halves.
fn imported_key(desk: &Desk, name: &str, kind: &str) {
    let folder = desk.path().as_ref();
    openssl(folder, &format!("req -x509 -newkey {kind} -nodes -keyout {name}.key -out {name}.crt -days 1000 -subj /CN={name}"));
    openssl(folder, &format!("pkey -in {name}.key -pubout -out {name}.pub"));
    desk.notary(&["key", "import", &desk.folder_file(&format!("{name}.key")), "--role", "delegation"]).ok();
}

const EC_P256: &str = "ec -pkeyopt ec_paramgen_curve:P-256";
const EC_P384: &str = "ec -pkeyopt ec_paramgen_curve:P-384";
const EC_P521: &str = "ec -pkeyopt ec_paramgen_curve:P-521";

fn no_delegations(desk: &Desk, gun: &str) {
    init(desk, gun);
    add(desk, gun, "v1", 'a', "targets");
    add(desk, gun, "latest", 'b', "targets");
}

fn empty(desk: &Desk, gun: &str) {
    init(desk, gun);
}

fn unsigned(desk: &Desk, gun: &str) {
    signer_here(desk, gun, "alice");
}

fn several_signers(desk: &Desk, gun: &str) {
    for name in ["carol", "alice", "bob"] {
        signer_here(desk, gun, name);
    }
    for (tag, letter) in [("v1", 'a'), ("v2", 'b')] {
        add(desk, gun, tag, letter, "targets/releases");
        desk.docker_sign(gun, tag);
    }
}

fn key_elsewhere(desk: &Desk, gun: &str) {
    signer_here(desk, gun, "alice");
    let other = desk.fresh();
    signer(desk, gun, "bob", &[&other.signer_key("bob")]);
    add(desk, gun, "v1", 'a', "targets/releases");
    desk.docker_sign(gun, "v1");
}

fn certificates(desk: &Desk, gun: &str) {
    imported_key(desk, "ec", EC_P256);
    imported_key(desk, "rsa", "rsa:2048");
    signer(desk, gun, "ana", &[&desk.folder_file("ec.crt"), &desk.folder_file("rsa.crt")]);
    add(desk, gun, "v1", 'a', "targets/releases");
    desk.docker_sign(gun, "v1");
}

fn bare_keys(desk: &Desk, gun: &str) {
    imported_key(desk, "ec", EC_P256);
    imported_key(desk, "rsa", "rsa:3072");
    signer(desk, gun, "ec", &[&desk.folder_file("ec.pub")]);
    signer(desk, gun, "rsa", &[&desk.folder_file("rsa.pub")]);
    add(desk, gun, "v1", 'a', "targets/releases");
    desk.docker_sign(gun, "v1");
}

fn one_key_twice(desk: &Desk, gun: &str) {
    imported_key(desk, "ec", EC_P256);
    signer(desk, gun, "bare", &[&desk.folder_file("ec.pub"), &desk.folder_file("ec.crt")]);
    add(desk, gun, "v1", 'a', "targets/releases");
    desk.docker_sign(gun, "v1");
}

fn curves(desk: &Desk, gun: &str) {
    init(desk, gun);
    for (name, kind, half) in [("p384", EC_P384, "crt"), ("p521", EC_P521, "pub")] {
        imported_key(desk, name, kind);
        let role = format!("targets/{name}");
        desk.notary(&["delegation", "add", gun, &role, &desk.folder_file(&format!("{name}.{half}")), "--all-paths", "-p"]).ok();
        add(desk, gun, name, 'c', &role);
    }
}

fn rotated_root(desk: &Desk, gun: &str) {
    init(desk, gun);
    for _ in 0..3 {
        desk.notary_with_input(&["key", "rotate", gun, "root"], "yes\n").ok();
    }
    add(desk, gun, "v1", 'a', "targets");
}

fn rotated_others(desk: &Desk, gun: &str) {
    init(desk, gun);
    add(desk, gun, "v1", 'a', "targets");
    for rotation in [&["targets"][..], &["snapshot", "-r"], &["timestamp", "-r"], &["snapshot"], &["targets"]] {
        desk.notary(&[&["key", "rotate", gun], rotation].concat()).ok();
    }
    add(desk, gun, "v2", 'b', "targets");
}

fn nested(desk: &Desk, gun: &str) {
    init(desk, gun);
    imported_key(desk, "ec", EC_P256);
    let key = desk.folder_file("ec.crt");
    for role in ["targets/a", "targets/a/b", "targets/a/b/d", "targets/c"] {
        desk.notary(&["delegation", "add", gun, role, &key, "--all-paths", "-p"]).ok();
        // `both` is in all of them: the first of the tree counts
        add(desk, gun, "both", 'e', role);
        add(desk, gun, role.rsplit('/').next().unwrap_or(role), 'f', role);
    }
    // what is in the tree and in targets is found in targets
    add(desk, gun, "a", 'a', "targets");
}

fn restricted_paths(desk: &Desk, gun: &str) {
    init(desk, gun);
    imported_key(desk, "ec", EC_P256);
    let key = desk.folder_file("ec.pub");
    let delegate = |role: &str, paths: &[&str]| {
        desk.notary(&[&["delegation", "add", gun, role, &key, "-p"], paths].concat()).ok();
    };
    delegate("targets/releases", &["--paths", "v,rel/"]);
    delegate("targets/some", &["--paths", "rel/1,rel/2,a<b,ünï"]);
    // the second of these is below what the parent has, and narrower
    delegate("targets/some/narrow", &["--paths", "rel/1.1"]);
    delegate("targets/none", &[]);
    for (tag, role) in
        [("v1", "targets/releases"), ("rel/1.0", "targets/some"), ("rel/1.1", "targets/some/narrow"), ("ünïcode", "targets/some")]
    {
        add(desk, gun, tag, 'a', role);
    }
}

fn staged(desk: &Desk, gun: &str, names: &[&str]) {
    init(desk, gun);
    let target = |(number, name): (usize, &&str)| ((*name).to_owned(), target(number));
    desk.stage_targets(gun, names.iter().enumerate().map(target));
    desk.notary(&["publish", gun]).ok();
}

/// A target's file: a size and a SHA-256 of their own for each number.
fn target(number: usize) -> serde_json::Value {
    use base64::Engine;
    let bytes: Vec<u8> = (number as u32).to_be_bytes().into_iter().cycle().take(32).collect();
    serde_json::json!({"length": number, "hashes": {"sha256": base64::engine::general_purpose::STANDARD.encode(bytes)}})
}

fn names(desk: &Desk, gun: &str) {
    staged(desk, gun, NAMES);
}

fn unprintable_names(desk: &Desk, gun: &str) {
    staged(desk, gun, UNPRINTABLE);
}

fn custom(desk: &Desk, gun: &str) {
    init(desk, gun);
    let file = desk.write("content", "the content of a target");
    for (name, custom) in [("object", r#"{"a":[1,2,{"b":null}],"c":"dä","e":true}"#), ("text", "\"just text\"")] {
        let custom = desk.write("custom.json", custom);
        desk.notary(&["add", gun, name, &file, "--custom", &custom, "-p"]).ok();
    }
}

fn only_sha512(desk: &Desk, gun: &str) {
    init(desk, gun);
    desk.notary(&["addhash", gun, "only512", "7", "--sha512", &"c".repeat(128), "-p"]).ok();
    desk.notary(&["addhash", gun, "two", "7", "--sha512", &"d".repeat(128), "--sha256", &digest('d'), "-p"]).ok();
}

fn many_tags(desk: &Desk, gun: &str) {
    init(desk, gun);
    let name = |number: usize| format!("v{}.{}.{}", number / 1000, number / 10 % 100, number % 10);
    desk.stage_targets(gun, (0..5000).map(|number| (name(number), target(number))));
    desk.notary(&["publish", gun]).ok();
}

fn two_digests(desk: &Desk, gun: &str) {
    signer_here(desk, gun, "alice");
    add(desk, gun, "v1", 'a', "targets");
    add(desk, gun, "v1", 'b', "targets/releases");
    add(desk, gun, "v1", 'b', "targets/alice");
}

fn unreleased_digest(desk: &Desk, gun: &str) {
    signer_here(desk, gun, "alice");
    add(desk, gun, "v1", 'a', "targets/releases");
    add(desk, gun, "v1", 'b', "targets/alice");
}

/// As `docker trust signer remove` did until 25; from 26 on it exits 0 and does nothing.
fn removed_signer(desk: &Desk, gun: &str) {
    several(desk, gun, &["alice", "bob"]);
    let bob = super::listing::delegations(&desk.notary(&["delegation", "list", gun]).ok().stdout);
    let bob = bob.iter().find(|row| row.role == "targets/bob").expect("bob").keys[0].clone();
    desk.notary(&["delegation", "remove", gun, "targets/releases", &bob, "-y"]).ok();
    desk.notary(&["delegation", "remove", gun, "targets/bob", "-y"]).ok();
    desk.notary(&["publish", gun]).ok();
}

fn several(desk: &Desk, gun: &str, names: &[&str]) {
    names.iter().for_each(|name| signer_here(desk, gun, name));
    add(desk, gun, "v1", 'a', "targets/releases");
    desk.docker_sign(gun, "v1");
}

fn revoked_tag(desk: &Desk, gun: &str) {
    several(desk, gun, &["alice"]);
    add(desk, gun, "v2", 'b', "targets/releases");
    desk.docker_sign(gun, "v2");
    desk.docker_trust(&["revoke", "-y", &format!("{gun}:v1")]).ok();
}

fn lost_only_key(desk: &Desk, gun: &str) {
    several(desk, gun, &["alice", "bob"]);
    let rows = super::listing::delegations(&desk.notary(&["delegation", "list", gun]).ok().stdout);
    let alice = &rows.iter().find(|row| row.role == "targets/alice").expect("alice").keys[0];
    desk.notary(&["delegation", "remove", gun, "targets/alice", alice, "-y", "-p"]).ok();
}

fn deleted(desk: &Desk, gun: &str) {
    no_delegations(desk, gun);
    desk.notary(&["delete", gun, "--remote"]).ok();
}
