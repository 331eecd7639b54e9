//! The images of the world to practise on: what is signed is there, as it was signed, but where a story wants it otherwise.
use crate::{
    peers::program::program,
    sandbox_support::{ask, tool},
    served_sandbox::Served,
};
use claviger::sandbox::{Call, Registry, Sandbox, Server};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
};

/// The one tag that was pushed again after it was signed.
const MOVED: (&str, &str) = ("shop/frontend", "latest");
/// The one that nobody signed.
const UNSIGNED: (&str, &str) = ("shop/frontend", "nightly");
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/// What is signed: repository of the registry and name; digest and size.
type Signed = BTreeMap<(String, String), (String, u64)>;

/// Reads what is signed out of the metadata that a server gives, whether or not a client would trust it.
fn signed(guns: &[String], metadata: impl Fn(&str) -> Value) -> Signed {
    let mut all = Signed::new();
    for gun in guns {
        let file = |role: &str| metadata(&format!("/v2/{gun}/_trust/tuf/{role}.json"));
        let listed = file("snapshot")["signed"]["meta"].as_object().unwrap().clone();
        for role in listed.keys().filter(|r| r.starts_with("targets")) {
            for (name, meta) in file(role)["signed"]["targets"].as_object().unwrap() {
                use base64::{Engine as _, engine::general_purpose::STANDARD};
                let sum = STANDARD.decode(meta["hashes"]["sha256"].as_str().unwrap()).unwrap();
                let digest = format!("sha256:{}", base16ct::lower::encode_string(&sum));
                let of = (gun.strip_prefix("sandbox.test/").unwrap().to_owned(), name.clone());
                let said = (digest, meta["length"].as_u64().unwrap());
                assert_eq!(all.insert(of, said.clone()).unwrap_or_else(|| said.clone()), said, "roles agree");
            }
        }
    }
    all
}

fn is_tag(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(word) && name.chars().all(|c| word(c) || c == '.' || c == '-')
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", base16ct::lower::encode_string(&Sha256::digest(bytes)))
}

#[test]
fn skopeo_finds_each_signed_name_of_a_served_world_as_it_was_signed() {
    let home = tempfile::tempdir().unwrap();
    let served = Served::start();
    let host = served.value("registry").strip_prefix("https://").unwrap();
    let certificates = Path::new(served.value("docker_config")).join("tls").join(host);
    let skopeo = program("skopeo");
    let run = |arguments: &[&str], image: &str| {
        let mut command = tool(skopeo.to_str().unwrap(), home.path());
        command.arg("--insecure-policy").args(arguments).arg(&certificates).arg(image).env("XDG_RUNTIME_DIR", home.path());
        let out = command.output().unwrap();
        assert!(out.status.success(), "{arguments:?} {image}: {}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    };
    let raw = |image: &str| run(&["inspect", "--raw", "--cert-dir"], &format!("docker://{host}/{image}"));

    let guns: Vec<String> = serde_json::from_value(served.invitation["repositories"].clone()).unwrap();
    let server: SocketAddr = served.value("url").strip_prefix("https://").unwrap().parse().unwrap();
    let ca = std::fs::read_to_string(served.value("ca_file")).unwrap();
    let all = signed(&guns, |path| serde_json::from_slice(&ask(server, &ca, "GET", path).body).unwrap());
    assert!(all.len() > 50, "{}", all.len());
    let mut moved = Vec::new();
    for ((repository, name), (sum, size)) in &all {
        let by_digest = || raw(&format!("{repository}@{sum}"));
        let mut bytes = if is_tag(name) { raw(&format!("{repository}:{name}")) } else { by_digest() };
        if digest(&bytes) != *sum {
            moved.push((&**repository, &**name));
            bytes = by_digest();
        }
        assert_eq!((digest(&bytes), bytes.len() as u64), (sum.clone(), *size), "{repository}:{name}");
    }
    assert_eq!(moved, [MOVED]);

    let mut unsigned = BTreeSet::new();
    for repository in guns.iter().map(|g| g.strip_prefix("sandbox.test/").unwrap()) {
        let listed: Value =
            serde_json::from_slice(&ask(host.parse().unwrap(), &ca, "GET", &format!("/v2/{repository}/tags/list")).body).unwrap();
        let tags: BTreeSet<String> = serde_json::from_value(listed["tags"].clone()).unwrap_or_default();
        unsigned.extend(tags.into_iter().map(|t| (repository.to_owned(), t)).filter(|of| !all.contains_key(of)));
    }
    assert_eq!(unsigned, BTreeSet::from([(UNSIGNED.0.to_owned(), UNSIGNED.1.to_owned())]));

    // All of an image can be had, for both of its platforms, and what is in it is what it is called.
    let to = home.path().join("image");
    let mut copy = tool(skopeo.to_str().unwrap(), home.path());
    copy.args(["--insecure-policy", "--tmpdir"]).arg(home.path()).args(["copy", "--all", "--preserve-digests"]);
    copy.arg("--src-cert-dir").arg(&certificates).arg(format!("docker://{host}/platform/base:trixie-21"));
    let out = copy.arg(format!("dir:{}", to.display())).env("XDG_RUNTIME_DIR", home.path()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let words: Vec<String> = std::fs::read_dir(&to)
        .unwrap()
        .map(|e| String::from_utf8_lossy(&std::fs::read(e.unwrap().path()).unwrap()).into_owned())
        .filter(|text| text.starts_with("ABOUT"))
        .collect();
    for architecture in ["amd64", "arm64"] {
        let about = format!("sandbox.test/platform/base trixie-21, for linux on {architecture}");
        assert!(words.iter().any(|w| w.contains(&about)), "{words:?}");
    }
    assert_eq!(served.end(), Some(0));
}

/// What a server and a registry have, asked in process.
fn in_process(server: &Server, registry: &Registry) -> BTreeMap<(String, String), bool> {
    let guns: Vec<String> = server.guns().iter().map(ToString::to_string).collect();
    let all = signed(&guns, |path| serde_json::from_slice(&server.handle(&Call::get(path)).body).unwrap());
    let accept = [("accept".to_owned(), ACCEPT.to_owned())];
    let has = |repository: &str, reference: &str, sum: &str| {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = registry.handle(&Call::get(&path).with_headers(&accept));
        answer.status == 200 && digest(&answer.body) == sum
    };
    all.into_iter()
        .map(|((repository, name), (sum, _))| {
            let there = has(&repository, &sum, &sum) && (!is_tag(&name) || has(&repository, &name, &sum));
            ((repository, name), there)
        })
        .collect()
}

#[test]
fn what_is_signed_is_there_in_process_and_after_a_restart() {
    let moved = |of: &BTreeMap<(String, String), bool>| {
        of.iter().filter(|(_, there)| !**there).map(|(of, _)| of.clone()).collect::<Vec<_>>()
    };
    let only = [(MOVED.0.to_owned(), MOVED.1.to_owned())];
    let passing = Sandbox::new(Timestamp::now(), None).unwrap();
    assert_eq!(moved(&in_process(passing.server(), passing.registry())), only);

    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("kept");
    drop(Sandbox::kept(Timestamp::now(), &dir).unwrap());
    let again = Sandbox::kept(Timestamp::now(), &dir).unwrap();
    assert_eq!(moved(&in_process(again.server(), again.registry())), only);
    drop(again);
    // One from before there were images in worlds that nobody had served.
    std::fs::remove_dir_all(dir.join("registry")).unwrap();
    let old = Sandbox::kept(Timestamp::now(), &dir).unwrap();
    assert_eq!(old.guns().len(), passing.guns().len());
    assert_eq!(old.registry().handle(&Call::get("/v2/_catalog")).body, b"{\"repositories\":[]}\n");
}

#[test]
fn the_images_of_a_world_are_the_same_in_every_world() {
    let digests = || {
        let world = Sandbox::new(Timestamp::now(), None).unwrap();
        let guns: Vec<String> = world.guns().iter().map(ToString::to_string).collect();
        signed(&guns, |path| serde_json::from_slice(&world.server().handle(&Call::get(path)).body).unwrap())
    };
    assert_eq!(digests(), digests());
}
