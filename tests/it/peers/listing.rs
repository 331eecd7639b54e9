//! Reads the tables that `notary list` and `notary delegation list` print.

/// A row of `notary list`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    pub name: String,
    /// SHA-256 in hex; empty for a target that has none.
    pub digest: String,
    pub size: u64,
    pub role: String,
}

/// A row of `notary delegation list`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delegation {
    pub role: String,
    /// As notary shows them, but the path that admits everything is `""`.
    pub paths: Vec<String>,
    /// Canonical key IDs, in the order of the role.
    pub keys: Vec<String>,
    pub threshold: u64,
}

/// How notary shows the path that admits every name.
const EVERYTHING: &str = "\"\" <all paths>";

/// Rows of `notary list`. Names end in no space in these tests, so the columns can be read from the right.
pub fn tags(stdout: &str) -> Vec<Tag> {
    let rows = stdout.lines().skip_while(|line| !line.starts_with("---")).skip(1);
    rows.map(|line| {
        let (rest, role) = line.trim_end().rsplit_once(' ').expect("a role");
        let (rest, size) = rest.trim_end().rsplit_once(' ').expect("a size");
        let rest = rest.trim_end();
        let hex = |digest: &&str| digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (name, digest) = rest.rsplit_once(' ').filter(|(_, digest)| hex(digest)).unwrap_or((rest, ""));
        Tag {
            name: name.trim_end().to_owned(),
            digest: digest.to_owned(),
            size: size.parse().expect("a number of bytes"),
            role: role.to_owned(),
        }
    })
    .collect()
}

/// Rows of `notary delegation list`. One role takes several lines: its paths and its keys stand below one another.
pub fn delegations(stdout: &str) -> Vec<Delegation> {
    let Some(head) = stdout.lines().find(|line| line.starts_with("ROLE ")) else { return Vec::new() };
    let columns: Vec<usize> = ["ROLE", "PATHS", "KEY IDS", "THRESHOLD"].map(|title| head.find(title).expect("a column")).to_vec();
    let mut found: Vec<Delegation> = Vec::new();
    for line in stdout.lines().skip_while(|line| !line.starts_with("---")).skip(1).filter(|line| !line.trim().is_empty()) {
        let letters: Vec<char> = line.chars().collect();
        let cell = |n: usize| {
            let end = columns.get(n + 1).copied().unwrap_or(letters.len());
            letters.iter().take(end).skip(columns[n]).collect::<String>().trim_end().to_owned()
        };
        if !cell(0).is_empty() {
            found.push(Delegation {
                role: cell(0),
                paths: Vec::new(),
                keys: Vec::new(),
                threshold: cell(3).parse().expect("a threshold"),
            });
        }
        let row = found.last_mut().expect("a role");
        row.paths.extend(
            Some(cell(1)).filter(|path| !path.is_empty()).map(|path| if path == EVERYTHING { String::new() } else { path }),
        );
        row.keys.extend(Some(cell(2)).filter(|key| !key.is_empty()));
    }
    found
}

#[test]
fn the_tables_of_notary_are_read() {
    let digest = "d".repeat(64);
    let list = format!(
        "NAME          DIGEST      SIZE (BYTES)    ROLE\n----          ------      ------------    ----\n\
         with space    {digest}    7               targets/a\nonly512                   5               targets\n"
    );
    let tag =
        |name: &str, digest: &str, size, role: &str| Tag { name: name.into(), digest: digest.into(), size, role: role.into() };
    assert_eq!(tags(&list), [tag("with space", &digest, 7, "targets/a"), tag("only512", "", 5, "targets")]);
    assert_eq!(tags("\nNo targets present in this repository.\n"), []);
    let list = "\nROLE               PATHS             KEY IDS    THRESHOLD\n----               -----             -------    ---------\n\
                targets/a          a b               f807       1\n                   rel/              a8f5       \n\
                \x20                  v1                           \n\
                targets/nopaths                      e3ed       2\ntargets/z          \"\" <all paths>    1234       1\n\n";
    let row = |role: &str, paths: &[&str], keys: &[&str], threshold| Delegation {
        role: role.into(),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        threshold,
    };
    assert_eq!(
        delegations(list),
        [
            row("targets/a", &["a b", "rel/", "v1"], &["f807", "a8f5"], 1),
            row("targets/nopaths", &[], &["e3ed"], 2),
            row("targets/z", &[""], &["1234"], 1)
        ]
    );
    assert_eq!(delegations("\nNo delegations present in this repository.\n\n"), []);
}
