//! `image push` from OCI layouts to the real `docker-registry` and to the sandbox's: what arrives is what was there, the tag
//! comes last, and what is not what its name says does not arrive.
use super::{
    authentication::{PUBLIC, REGISTRY, World, issuer, says},
    images::{pieces, verify},
    peers::{
        desk::Desk,
        program::{Answer, scratch},
        server::{Kind, NotaryServer},
    },
    sandbox_registry::{
        images::{CONFIG, LAYER, OCI, image, sha256},
        peer::{Peer as _, RealRegistry},
        skopeo::{layout, skopeo},
    },
    served_sandbox::Served,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn desk(name: &str) -> Desk {
    Desk::new(NotaryServer::shared(Kind::Local), name)
}

/// A layout with one image for two platforms, by the name `1.0`, and its index.
fn two_platforms(name: &str) -> (PathBuf, String) {
    let place = scratch(name);
    let index = layout(&place);
    (place, index)
}

fn push(desk: &Desk, layout: &str, image: &str, more: &[&str]) -> Answer {
    desk.claviger(&[&["image", "push", layout, image], more].concat())
}

fn of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.stdout).unwrap_or_else(|e| panic!("{e}: {answer:?}"))
}

/// How many pieces have this state.
fn count(all: &Value, state: &str) -> usize {
    all["pieces"].as_array().unwrap().iter().filter(|p| p["state"] == state).count()
}

/// The files of a layout's content.
fn blobs(layout: &Path) -> Vec<PathBuf> {
    fs::read_dir(layout.join("blobs/sha256")).unwrap().map(|e| e.unwrap().path()).collect()
}

#[test]
fn what_is_pushed_is_pulled_back_byte_for_byte_and_signed_and_verified() {
    let (registry, desk) = (RealRegistry::start(), desk("push"));
    let (from, index) = two_platforms("push-from");
    let name = format!("{}/team/app", registry.address());
    let image = format!("{name}:1.0");
    let from_text = from.to_str().unwrap();

    let dry = push(&desk, from_text, &image, &["--dry-run", "--json"]).ok();
    let seen = of(&dry);
    assert_eq!((count(&seen, "to-send"), &seen["before"], &seen["dry_run"]), (7, &Value::Null, &json!(true)), "{dry:?}");
    assert_eq!(registry.ask("GET", "/v2/team/app/tags/list", &vec![], b"").status, 404, "a dry run has sent something");

    let pushed = push(&desk, from_text, &image, &["--json"]).ok();
    let all = of(&pushed);
    assert_eq!((count(&all, "sent"), &all["digest"]), (7, &json!(sha256(&index))), "{pushed:?}");
    let kinds: Vec<&str> = all["pieces"].as_array().unwrap().iter().map(|p| p["kind"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        ["config", "layer", "config", "layer", "manifest", "manifest", "list"],
        "in the order in which they are sent"
    );

    let home = scratch("push-home");
    let to = home.join("to");
    let there = format!("docker://{image}");
    let back = format!("oci:{}:1.0", to.display());
    skopeo(&home, &["copy", "--all", "--preserve-digests", "--src-tls-verify=false", &there, &back]);
    assert_eq!(blobs(&to).len(), 7);
    for file in blobs(&from) {
        assert!(fs::read(to.join("blobs/sha256").join(file.file_name().unwrap())).unwrap() == fs::read(&file).unwrap());
    }

    // What it says is to be done next is what signs it.
    desk.claviger(&["init", &name, "--create-root", "--yes"]).ok();
    let sign: Vec<&str> = all["sign"].as_str().unwrap().split(' ').skip(1).chain(["--yes"]).collect();
    desk.claviger(&sign).ok();
    let verified = verify(&desk, &image, &[]).ok();
    assert!(pieces(&verified).iter().all(|(.., state)| state == "ok"), "{verified:?}");

    // The second time nothing is missing; what skopeo has written is an image like any other.
    let words = push(&desk, from_text, &image, &[]).ok();
    assert!(words.stdout.contains("all of it was there, and nothing was sent"), "{words:?}");
    let again = of(&push(&desk, to.to_str().unwrap(), &image, &["--json"]).ok());
    assert_eq!((count(&again, "there"), &again["bytes"]), (7, &json!(0)));
    // Under another tag only the tag is.
    let other = of(&push(&desk, to.to_str().unwrap(), &format!("{name}:other"), &["--json"]).ok());
    assert_eq!((count(&other, "sent"), &other["bytes"]), (1, &json!(index.len())));
    verify(&desk, &image, &[]).ok();
}

#[test]
fn a_tag_that_moves_is_said_to_and_one_of_several_images_is_named() {
    let (registry, desk) = (RealRegistry::start(), desk("push-several"));
    let (place, index) = two_platforms("push-several");
    let name = format!("{}/team/several", registry.address());
    let outer: Value = serde_json::from_slice(&fs::read(place.join("index.json")).unwrap()).unwrap();
    let both: Value = serde_json::from_str(&index).unwrap();
    let mut arm = both["manifests"][1].clone();
    arm["annotations"] = json!({ "org.opencontainers.image.ref.name": "arm:64" });
    let several = json!({ "schemaVersion": 2, "manifests": [outer["manifests"][0], arm, both["manifests"][0]] });
    fs::write(place.join("index.json"), several.to_string()).unwrap();
    let at = |reference: &str| format!("{}{reference}", place.display());
    let amd = both["manifests"][0]["digest"].as_str().unwrap();

    let unnamed = push(&desk, &at(""), &format!("{name}:1.0"), &[]);
    assert_eq!(unnamed.status, 1, "{unnamed:?}");
    assert!(unnamed.stderr.contains(&format!("holds 3 images: 1.0, arm:64, {amd}")), "{unnamed:?}");
    assert!(unnamed.stderr.contains("Nothing was sent to a registry"), "{unnamed:?}");
    let other = push(&desk, &at(":2.0"), &format!("{name}:1.0"), &[]);
    assert!(other.status == 1 && other.stderr.contains("holds no image 2.0; it holds 1.0, arm:64"), "{other:?}");

    let new = push(&desk, &at(":arm:64"), &format!("{name}:1.0"), &["--expect", &"0".repeat(64)]);
    assert!(new.status == 1 && new.stderr.contains("the plan is another than was expected"), "a new tag too: {new:?}");
    let first = of(&push(&desk, &at(":arm:64"), &format!("{name}:1.0"), &["--json"]).ok());
    assert_eq!(first["digest"], both["manifests"][1]["digest"]);
    let unasked = push(&desk, &at(":1.0"), &format!("{name}:1.0"), &[]);
    assert!(unasked.status == 1 && unasked.stderr.contains("nobody has accepted the plan"), "{unasked:?}");
    let still = of(&push(&desk, &at(":1.0"), &format!("{name}:1.0"), &["--dry-run", "--json"]).ok());
    assert_eq!(still["before"], first["digest"]);
    let other = push(&desk, &at(":1.0"), &format!("{name}:1.0"), &["--expect", &"0".repeat(64)]);
    assert!(other.status == 1 && other.stderr.contains("the plan is another than was expected"), "{other:?}");
    let moves = push(&desk, &at(":1.0"), &format!("{name}:1.0"), &["--expect", still["plan"].as_str().unwrap()]).ok();
    assert!(moves.stderr.contains("1.0 will lead to another image than now"), "{moves:?}");
    assert!(moves.stdout.contains("4 of 7 pieces sent"), "{moves:?}");
    let by_digest = of(&push(&desk, &at(&format!(":{amd}")), &format!("{name}:amd"), &["--json"]).ok());
    assert_eq!((count(&by_digest, "there"), count(&by_digest, "sent")), (2, 1), "its manifest was there, and no tag led to it");
}

/// The largest file of a layout's content: a layer.
fn layer(layout: &Path) -> PathBuf {
    blobs(layout).into_iter().max_by_key(|p| fs::metadata(p).unwrap().len()).unwrap()
}

#[test]
fn what_is_not_what_its_name_says_is_not_sent_to_its_end_and_nothing_names_it() {
    let (registry, desk) = (RealRegistry::start(), desk("push-spoilt"));
    let private = scratch("push-private").join("private");
    fs::write(&private, "what nobody else may read").unwrap();
    let spoil = |name: &str, change: &dyn Fn(&Path)| {
        let (place, _) = two_platforms(&format!("push-{name}"));
        change(&layer(&place));
        let image = format!("{}/spoilt/{name}:1.0", registry.address());
        let answer = push(&desk, place.to_str().unwrap(), &image, &[]);
        assert_eq!(answer.status, 1, "{name}: {answer:?}");
        let tags = registry.ask("GET", &format!("/v2/spoilt/{name}/tags/list"), &vec![], b"");
        assert_ne!(tags.status, 200, "{name}: {}", tags.text());
        answer
    };
    let same_size = |file: &Path| {
        let mut bytes = fs::read(file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(file, bytes).unwrap();
    };
    let answer = spoil("changed", &same_size);
    assert!(answer.stderr.contains("its file is something else, with the digest sha256:"), "{answer:?}");
    assert!(answer.stderr.contains("The tag was not touched"), "{answer:?}");
    let journal = desk.claviger(&["journal"]).ok();
    assert!(journal.stdout.contains("image push") && journal.stdout.contains("its file is something else"), "{journal:?}");
    let link = |file: &Path| {
        fs::remove_file(file).unwrap();
        std::os::unix::fs::symlink(&private, file).unwrap();
    };
    let pipe = |file: &Path| {
        fs::remove_file(file).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, file, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    };
    for (name, change, why) in [
        (
            "longer",
            &(|file: &Path| fs::write(file, vec![0; 1 << 20]).unwrap()) as &dyn Fn(&Path),
            "bytes, and it is said to have",
        ),
        ("gone", &|file: &Path| fs::remove_file(file).unwrap(), "the layout has no file for it"),
        ("linked", &link, "it is a symbolic link"),
        ("pipe", &pipe, "it is not a regular file"),
    ] {
        let answer = spoil(name, change);
        assert!(answer.stderr.contains(why), "{name}: {answer:?}");
        assert!(answer.stderr.contains("Nothing was sent to a registry"), "{name}: {answer:?}");
    }
}

#[test]
fn what_is_no_layout_is_refused_in_words() {
    let desk = desk("push-none");
    let (place, _) = two_platforms("push-none");
    let at = |name: &str| place.join(name);
    let refused = |typed: &Path, why: &str| {
        let answer = push(&desk, typed.to_str().unwrap(), "127.0.0.1:9/team/app:1.0", &[]);
        assert_eq!(answer.status, 1, "{answer:?}");
        assert!(answer.stderr.contains(why) && answer.stderr.contains("Nothing was sent to a registry"), "{why}: {answer:?}");
    };
    refused(&at("nowhere"), "is no OCI image layout: oci-layout cannot be read");
    let index = fs::read(at("index.json")).unwrap();
    for (content, why) in [
        (r#"{"manifests":[]}"#, "its index names no image"),
        ("[", "it is no index"),
        (r#"{"manifests":[{"digest":"sha256:../../x","size":1}]}"#, "which is no digest"),
        (r#"{"manifests":[{"digest":"sha256:../../x","size":1,"size":2}]}"#, "duplicate field"),
    ] {
        fs::write(at("index.json"), content).unwrap();
        refused(&place, why);
    }
    fs::write(at("index.json"), vec![b' '; (4 << 20) + 1]).unwrap();
    refused(&place, "at most 4194304 are read");
    fs::write(at("index.json"), index).unwrap();
    fs::write(at("oci-layout"), r#"{"imageLayoutVersion":"2.0.0\u001b[2J"}"#).unwrap();
    refused(&place, "it is of the version \"2.0.0<1b>[2J\"");
    fs::write(at("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    std::os::unix::fs::symlink(at("blobs/sha256"), at("blobs/sha512")).unwrap();
    refused(&place, "blobs/sha512 is no directory");
    fs::remove_file(at("blobs/sha512")).unwrap();
    fs::rename(at("blobs"), at("elsewhere")).unwrap();
    std::os::unix::fs::symlink(at("elsewhere"), at("blobs")).unwrap();
    refused(&place, "blobs is no directory");
    let no_tag = push(&desk, place.to_str().unwrap(), "127.0.0.1:9/team/app", &[]);
    assert_eq!(no_tag.status, 2, "{no_tag:?}");
    let read_only = push(&desk, place.to_str().unwrap(), "127.0.0.1:9/team/app:1.0", &["--read-only"]);
    assert!(read_only.status == 1 && read_only.stderr.contains("read-only session"), "{read_only:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_push_pushes_and_who_may_not_is_told_which_scope_was_refused_by_whom() {
    let world = World::new(issuer(), "127.0.0.1");
    let registry = world.registry();
    let (place, index) = two_platforms("push-tokens");
    let (at, image) = (format!("{REGISTRY}={}", registry.url()), format!("{PUBLIC}:1.0"));
    let push = |more: &[&str]| {
        let arguments = ["image", "push", place.to_str().unwrap(), &image, "--registry", &at];
        world.claviger(&[&arguments[..], more].concat(), &[])
    };
    let scope = "repository:team/public:pull,push";
    says(&push(&[]), &["the server does not allow", scope, "asked without a login", "docker login"]);
    world.login("bob", "bob-secret");
    says(&push(&[]), &["the server does not allow", scope, "asked as bob", "Nothing was sent to a registry"]);
    world.login("alice", "wrong-secret");
    says(&push(&[]), &["the issuer of tokens at https://127.0.0.1:", scope, "bad credentials", "asked as alice"]);
    world.login("alice", "alice-secret");
    let before = world.asked();
    let pushed = of(&push(&["--json"]).ok());
    assert_eq!((count(&pushed, "sent"), &pushed["digest"]), (7, &json!(sha256(&index))));
    assert!(world.asked() - before <= 5, "a token is fetched for each request: {}", world.asked() - before);
    assert_eq!(count(&of(&push(&["--json"]).ok()), "there"), 7);
}

#[test]
fn an_image_is_pushed_to_the_registry_of_a_sandbox_and_signed_there() {
    let served = Served::start();
    let (place, _) = two_platforms("push-sandbox");
    let (at, image) = (format!("sandbox.test={}", served.value("registry")), "sandbox.test/shop/frontend:9.0");
    let run = |arguments: &[&str]| {
        let output = served.claviger(&[arguments, &["--registry", &at]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let pushed = run(&["image", "push", place.to_str().unwrap(), image]);
    let line = pushed.lines().find_map(|l| l.trim().strip_prefix("claviger sign ")).expect("what signs it");
    let sign: Vec<&str> = ["sign"].into_iter().chain(line.split(' ')).chain(["--as", "alice", "--yes"]).collect();
    run(&sign);
    run(&["image", "verify", image]);
}

/// A layout with one image of one layer.
pub fn layout_of_one(name: &str) -> PathBuf {
    let (place, manifest) = (scratch(name), image(OCI, &[LAYER]));
    fs::create_dir_all(place.join("blobs/sha256")).unwrap();
    for content in [CONFIG, LAYER, &manifest] {
        fs::write(place.join("blobs").join(sha256(content).replace(':', "/")), content).unwrap();
    }
    let named = json!({ "manifests": [{ "mediaType": OCI, "digest": sha256(&manifest), "size": manifest.len() }] });
    fs::write(place.join("index.json"), named.to_string()).unwrap();
    fs::write(place.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    place
}
