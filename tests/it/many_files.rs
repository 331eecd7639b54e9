//! A trust directory with 100,000 files: keys, and whatever else fell into it. Everything stays right, and what takes time takes
//! it in proportion.
use crate::{
    killed::{Desk, OLD},
    peers::filled::each,
};
use claviger::{
    keys::{self, Iterations, KeyRole, NewKey},
    secret::Passphrase,
};
use sha2::{Digest as _, Sha256};
use std::{fs, os::unix::fs::PermissionsExt, time::Duration, time::Instant};

/// Five times as many files may take so much more time. In proportion it is 5; if each file were held against each, 25.
const MOST: f64 = 12.0;

fn id(n: usize) -> String {
    Sha256::digest(n.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A desk with so many files in `private/`: half of them keys under names of their own, the others junk.
fn crowded(files: usize) -> Desk {
    let desk = Desk::new();
    let key = keys::generate(NewKey::EcdsaP256).unwrap();
    let (role, passphrase) = (KeyRole::parse("alice").unwrap(), Passphrase::from(OLD.to_owned()));
    let bytes = keys::encode(&role, None, &key, &passphrase, Iterations::worthless(), &|| false).unwrap();
    let private = desk.path("trust/private");
    fs::create_dir_all(&private).unwrap();
    for directory in ["trust", "trust/private"] {
        fs::set_permissions(desk.path(directory), PermissionsExt::from_mode(0o700)).unwrap();
    }
    let chunks: Vec<usize> = (0..files).step_by(1000).collect();
    each(&chunks, |start| {
        for n in *start..start + 1000 {
            let (name, bytes) = match n % 4 {
                0 | 1 => (format!("{}.key", id(n)), &*bytes),
                2 => (format!("{n}.txt"), &b"junk"[..]),
                _ => (format!("{}.key.bak", id(n)), &*bytes),
            };
            fs::write(private.join(&name), bytes).unwrap();
            fs::set_permissions(private.join(&name), PermissionsExt::from_mode(0o600)).unwrap();
        }
    });
    desk
}

/// What one of them takes at its best, and what it prints.
fn best(desk: &Desk, arguments: &[&str]) -> (Duration, String) {
    let run = || {
        let begun = Instant::now();
        let said = desk.done(arguments);
        (begun.elapsed(), said)
    };
    let mut runs = [run(), run()];
    runs.sort();
    runs[0].clone()
}

#[test]
fn a_hundred_thousand_files_are_listed_and_a_key_is_found_and_made_among_them_in_proportion() {
    let sizes = [20_000, 100_000];
    let desks = sizes.map(crowded);
    for (desk, files) in desks.iter().zip(sizes) {
        let listed: serde_json::Value = serde_json::from_str(&desk.done(&["key", "list", "--json"])).unwrap();
        let listed = listed.as_array().unwrap();
        assert_eq!(listed.len(), files / 2, "every key, and nothing else");
        assert!(listed.iter().all(|k| k["role"] == "alice" && k["id"].as_str().unwrap().len() == 64));
    }
    let some = id(4);
    // Only the part that depends on the store: a key that is made takes its own time.
    let commands: [(&str, &[&str]); 3] =
        [("list", &["key", "list"]), ("show", &["key", "show", &some]), ("mend", &["key", "mend"])];
    for (name, arguments) in commands {
        let [(few, _), (many, said)] = [best(&desks[0], arguments), best(&desks[1], arguments)];
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("key {name:<9} 20,000: {few:?}, 100,000: {many:?}, {ratio:.1} times as long");
        assert!(ratio < MOST, "key {name}: {few:?} and {many:?}");
        assert!(name != "show" || said.contains(&some) && said.contains("alice"), "{said}");
    }
    let generate = |desk: &Desk, name: &str| {
        let begun = Instant::now();
        desk.done(&["key", "generate", name, "--passphrase-file", "old"]);
        begun.elapsed()
    };
    let [few, many] = [&desks[0], &desks[1]].map(|desk| generate(desk, "bob").min(generate(desk, "carol")));
    println!("key generate  20,000: {few:?}, 100,000: {many:?}, {:.1} times as long", many.as_secs_f64() / few.as_secs_f64());
    assert!(many.as_secs_f64() < few.as_secs_f64() * MOST, "{few:?} and {many:?}");
    let text = desks[1].done(&["key", "list"]);
    assert_eq!(text.lines().count(), 1 + 50_000 + 2, "the two that were made are among them");
    assert_eq!(text.lines().filter(|l| l.starts_with("bob ") || l.starts_with("carol ")).count(), 2);
}
