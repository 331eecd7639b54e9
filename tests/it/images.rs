//! Images at the real `docker-registry`, held against what the real `notary` has signed: whole ones hold, and every way of
//! changing one on the registry's disk is named.
use super::{
    peers::{
        desk::Desk,
        program::Answer,
        server::{Kind, NotaryServer},
    },
    registry_client::sign,
    sandbox_registry::{
        images::{CONFIG, LAYER, OCI, OCI_INDEX, image, list, of_kind, push_image, sha256},
        peer::{Peer as _, RealRegistry},
    },
};
use serde_json::Value;
use std::fs;

const OTHER: &str = "another layer";

/// A repository with an image for two platforms, signed as `v1` by its list, and as `arm` by one manifest.
fn world(name: &str) -> (RealRegistry, Desk, String) {
    let registry = RealRegistry::start();
    let gun = format!("{}/team/{name}", registry.address());
    let desk = Desk::new(NotaryServer::shared(Kind::Local), name);
    desk.notary(&["init", &gun, "-p"]).ok();
    let at = format!("team/{name}");
    for (tag, layer) in [("amd", LAYER), ("arm", OTHER)] {
        assert_eq!(push_image(&registry, &at, tag, layer).status, 201);
    }
    let (amd, arm) = (image(OCI, &[LAYER]), image(OCI, &[OTHER]));
    let both = list(OCI_INDEX, &[("amd64", &amd), ("arm64", &arm)]);
    let pushed = registry.ask("PUT", &format!("/v2/{at}/manifests/v1"), &of_kind(OCI_INDEX), both.as_bytes());
    assert_eq!(pushed.status, 201);
    sign(&desk, &gun, "v1", &both);
    sign(&desk, &gun, "arm", &arm);
    (registry, desk, gun)
}

pub fn verify(desk: &Desk, image: &str, more: &[&str]) -> Answer {
    desk.claviger(&[&["image", "verify", image, "--json"], more].concat())
}

/// Kind, platform and state of each piece.
pub fn pieces(answer: &Answer) -> Vec<(String, String, String)> {
    let all: Value = serde_json::from_str(&answer.stdout).unwrap();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    all["pieces"].as_array().unwrap().iter().map(|p| (text(&p["kind"]), text(&p["platform"]), text(&p["state"]))).collect()
}

#[test]
fn an_image_that_is_as_it_was_signed_holds_for_every_platform() {
    let (_registry, desk, gun) = world("whole");
    let answer = verify(&desk, &format!("{gun}:v1"), &[]).ok();
    let piece = |kind: &str, platform: &str| (kind.to_owned(), platform.to_owned(), "ok".to_owned());
    // Both have the same configuration, which is fetched once and named for both.
    let expected = [
        piece("list", ""),
        piece("manifest", "linux/amd64"),
        piece("config", "linux/amd64"),
        piece("layer", "linux/amd64"),
        piece("manifest", "linux/arm64"),
        piece("config", "linux/arm64"),
        piece("layer", "linux/arm64"),
    ];
    assert_eq!(pieces(&answer), expected);
    let narrow = verify(&desk, &format!("{gun}:v1"), &["--platform", "linux/arm64"]).ok();
    assert_eq!(pieces(&narrow).iter().filter(|(_, platform, _)| platform == "linux/amd64").count(), 0);
    assert_eq!(pieces(&narrow).len(), 4);
    let none = verify(&desk, &format!("{gun}:v1"), &["--platform", "plan9/mips"]);
    assert_eq!(none.status, 3);
    assert!(none.stderr.contains("nothing for the platform plan9/mips"), "{none:?}");
    assert!(none.stderr.contains("It is for linux/amd64, linux/arm64."), "{none:?}");
    let words = desk.claviger(&["image", "verify", &format!("{gun}:arm"), "--platform", "linux/arm64"]).ok();
    assert!(words.stdout.contains("config") && words.stderr.contains("not that they do no harm"), "{words:?}");
    assert!(words.stderr.contains("the platform has left out nothing"), "{words:?}");
}

#[test]
fn whatever_is_changed_on_the_registrys_disk_is_named() {
    let (registry, desk, gun) = world("changed");
    let image_of = format!("{gun}:v1");
    let (amd, arm) = (image(OCI, &[LAYER]), image(OCI, &[OTHER]));
    let both = list(OCI_INDEX, &[("amd64", &amd), ("arm64", &arm)]);
    let bent = arm.replace("Version", "version");
    // What else is signed and pushed, in the place of what was asked for.
    let one_only = list(OCI_INDEX, &[("amd64", &amd)]);
    let other_config = CONFIG.replace("amd64", "arm64");
    let (of_arm, of_both) = (&["linux/arm64"][..], &["linux/amd64", "linux/arm64"][..]);
    for (kind, digest, platforms, state, content) in [
        ("layer", sha256(OTHER), of_arm, "tampered", Some("another lay3r")),
        ("layer", sha256(OTHER), of_arm, "tampered", Some("another")),
        ("layer", sha256(OTHER), of_arm, "tampered", Some("another layer and more")),
        ("layer", sha256(OTHER), of_arm, "missing", None),
        ("config", sha256(CONFIG), of_both, "tampered", Some(&*other_config)),
        ("manifest", sha256(&arm), of_arm, "tampered", Some(&bent)),
        ("manifest", sha256(&arm), of_arm, "tampered", Some(&amd)),
        ("manifest", sha256(&both), &[""], "tampered", Some(&one_only)),
        ("manifest", sha256(&both), &[""], "missing", None),
    ] {
        let file = registry.blob(&digest);
        let whole = fs::read(&file).unwrap();
        match content {
            Some(content) => fs::write(&file, content).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let answer = verify(&desk, &image_of, &[]);
        fs::write(&file, whole).unwrap();
        assert_eq!(answer.status, 3, "{answer:?}");
        let wrong: Vec<_> = pieces(&answer).into_iter().filter(|(.., state)| state != "ok").collect();
        let expected: Vec<_> = platforms.iter().map(|p| (kind.to_owned(), (*p).to_owned(), state.to_owned())).collect();
        assert_eq!(wrong, expected, "{answer:?}");
        let named = match platforms {
            [""] => format!("{kind} {digest} "),
            all => format!("{kind} {digest} of {} ", all[0]),
        };
        assert!(answer.stderr.contains(&named) && answer.stderr.contains("Do not run it"), "{answer:?}");
    }
    verify(&desk, &image_of, &[]).ok();
}

#[test]
fn whoever_verifies_an_image_is_told_where_its_tag_leads_by_now() {
    let (registry, desk, gun) = world("leads");
    let leads = |tag: &str| {
        let answer = verify(&desk, &format!("{gun}:{tag}"), &[]).ok();
        let all: Value = serde_json::from_str(&answer.stdout).unwrap();
        let text = |name: &str| all[name].as_str().map(str::to_owned);
        (text("tag_leads").unwrap(), text("tag_leads_to"), answer.stderr)
    };
    let arm = sha256(image(OCI, &[OTHER]));
    let (word, to, said) = leads("arm");
    assert_eq!((word.as_str(), to.as_deref()), ("here", Some(arm.as_str())), "{said}");
    assert!(!said.contains("leads to another image"), "{said}");
    // Somebody pushes something else by this name: what was signed is there still.
    let amd = image(OCI, &[LAYER]);
    let at = "/v2/team/leads/manifests/arm";
    assert_eq!(registry.ask("PUT", at, &of_kind(OCI), amd.as_bytes()).status, 201);
    let (word, to, said) = leads("arm");
    assert_eq!((word.as_str(), to), ("elsewhere", Some(sha256(&amd))), "{said}");
    assert!(said.contains(&format!("leads to another image now, {}", sha256(&amd))), "{said}");
    // A name that nobody has pushed.
    let both = list(OCI_INDEX, &[("amd64", &amd), ("arm64", &image(OCI, &[OTHER]))]);
    sign(&desk, &gun, "unpushed", &both);
    let (word, to, said) = leads("unpushed");
    assert_eq!((word.as_str(), to), ("nowhere", None), "{said}");
    assert!(said.contains("has no tag unpushed"), "{said}");
}

#[test]
fn only_what_is_released_has_a_trusted_digest() {
    let (_registry, desk, gun) = world("released");
    let resolve = |tag: &str| desk.claviger(&["image", "resolve", &format!("{gun}:{tag}")]);
    let digest = sha256(image(OCI, &[OTHER]));
    let answer = resolve("arm").ok();
    assert_eq!(answer.stdout, format!("{gun}@{digest}\n"));
    assert!(answer.stderr.contains("is signed by targets; a signature says who vouches"), "{answer:?}");
    // It is there, and nobody has signed it.
    for command in ["resolve", "verify"] {
        let answer = desk.claviger(&["image", command, &format!("{gun}:amd")]);
        assert_eq!((answer.status, answer.stdout.as_str()), (3, ""), "{answer:?}");
        assert!(answer.stderr.contains("nobody has signed it"), "{answer:?}");
    }
    let no_tag = desk.claviger(&["image", "resolve", &gun]);
    assert_eq!(no_tag.status, 2);
}

#[test]
fn what_is_released_comes_from_targets_releases_then_from_targets_and_never_from_beside_one_that_is_refused() {
    let desk = Desk::new(NotaryServer::shared(Kind::Local), "releases");
    let gun = "reg.releases/app";
    desk.notary(&["init", gun, "-p"]).ok();
    let (ana, other) = (desk.signer_key("ana"), desk.signer_key("other"));
    for role in ["targets/releases", "targets/ana"] {
        desk.notary(&["delegation", "add", gun, role, "--all-paths", &ana, "-p"]).ok();
    }
    let (first, second) = (sha256("first"), sha256("second"));
    for (tag, digest, role) in [
        ("both", &first, "targets"),
        ("both", &second, "targets/releases"),
        ("owners", &first, "targets"),
        ("anas", &first, "targets/ana"),
    ] {
        desk.notary(&["addhash", gun, tag, "5", "--sha256", digest.split_once(':').unwrap().1, "-r", role, "-p"]).ok();
    }
    let resolve = |tag: &str| desk.claviger(&["image", "resolve", &format!("{gun}:{tag}"), "--json"]);
    for (tag, digest, role) in [("both", &second, "targets/releases"), ("owners", &first, "targets")] {
        let all: Value = serde_json::from_str(&resolve(tag).ok().stdout).unwrap();
        let found = [&all["reference"], &all["role"], &all["source"]].map(|v| v.as_str().unwrap());
        assert_eq!(found, [&*format!("{gun}@{digest}"), role, "server"]);
    }
    let refused = |tag: &str, why: &str| {
        let answer = resolve(tag);
        assert_eq!((answer.status, &*answer.stdout), (3, ""), "{answer:?}");
        assert!(answer.stderr.contains(why), "{why:?} is not in {answer:?}");
    };
    refused("anas", "it is signed by targets/ana only, and not released");

    // Its key is changed, and nobody has signed with the new one.
    let list = desk.claviger(&["delegation", "list", gun, "--json"]).ok();
    let all: Value = serde_json::from_str(&list.stdout).unwrap();
    let releases = all.as_array().unwrap().iter().find(|r| r["role"] == "targets/releases").unwrap();
    let old = releases["key_ids"][0].as_str().unwrap();
    desk.notary(&["delegation", "add", gun, "targets/releases", &other, "-p"]).ok();
    desk.notary(&["delegation", "remove", gun, "targets/releases", old, "-p"]).ok();
    for tag in ["both", "owners"] {
        refused(tag, "targets/releases is not trusted");
    }
}
