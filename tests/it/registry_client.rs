//! Our client of registries against the real `docker-registry`, beside the real `notary-server`: which repositories there
//! are, and what their tags lead to beside what is signed.
use super::{
    loopback::{Server, reply},
    peers::{
        desk::Desk,
        server::{Kind, NotaryServer},
    },
    sandbox_registry::{
        images::{LAYER, OCI, image, push_image, sha256},
        peer::RealRegistry,
    },
    served_sandbox::Served,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What `tags --registry-state` says of each name.
fn states(desk: &Desk, gun: &str, more: &[&str]) -> BTreeMap<String, (String, Value)> {
    let answer = desk.claviger(&[&["tags", gun, "--registry-state", "--json"], more].concat()).ok();
    let all: Vec<Value> = serde_json::from_str(&answer.stdout).unwrap();
    let state = |v: &Value| (v["registry"]["state"].as_str().unwrap().to_owned(), v["registry"]["digest"].clone());
    all.iter().map(|v| (v["name"].as_str().unwrap().to_owned(), state(v))).collect()
}

/// Signs a name with a digest, as `notary` does.
pub fn sign(desk: &Desk, gun: &str, tag: &str, manifest: &str) {
    let digest = sha256(manifest);
    let digits = digest.strip_prefix("sha256:").unwrap();
    desk.notary(&["addhash", gun, tag, &manifest.len().to_string(), "--sha256", digits, "-p"]).ok();
}

#[test]
fn a_tag_is_signed_moved_missing_or_nobodys() {
    let registry = RealRegistry::start();
    let gun = format!("{}/team/app", registry.address());
    let desk = Desk::new(NotaryServer::shared(Kind::Local), "registry-states");
    desk.notary(&["init", &gun, "-p"]).ok();
    for (tag, layer) in [("same", LAYER), ("moved", "another layer"), ("nobodys", LAYER)] {
        assert_eq!(push_image(&registry, "team/app", tag, layer).status, 201);
    }
    let signed = image(OCI, &[LAYER]);
    for tag in ["same", "moved", "gone", "no/tag"] {
        sign(&desk, &gun, tag, &signed);
    }
    // By its name alone: a registry on this machine need not have TLS.
    let all = states(&desk, &gun, &[]);
    let digest = json!(sha256(&signed));
    let elsewhere = json!(sha256(image(OCI, &["another layer"])));
    let expected = [
        ("gone", "missing", Value::Null),
        ("moved", "moved", elsewhere),
        ("no/tag", "unknown", Value::Null),
        ("nobodys", "unsigned", digest.clone()),
        ("same", "signed", digest),
    ];
    assert_eq!(all, expected.map(|(name, state, digest)| (name.to_owned(), (state.to_owned(), digest))).into());

    // Under another name the same registry has the same images.
    let (at, other) = (format!("reg.test=http://{}", registry.address()), "reg.test/team/app");
    desk.notary(&["init", other, "-p"]).ok();
    let nothing_signed = states(&desk, other, &["--registry", &at]);
    assert_eq!(nothing_signed.into_values().map(|(state, _)| state).collect::<Vec<_>>(), ["unsigned"; 3]);

    // A registry that is away is said to be, and nothing is shown as if it were known.
    drop(registry);
    let away = desk.claviger(&["tags", &gun, "--registry-state"]);
    assert_eq!((away.status, away.stdout.as_str()), (1, ""), "{away:?}");
    assert!(away.stderr.contains("did not say what its tags lead to"), "{away:?}");
    assert!(away.stderr.contains("nothing accepts a connection there"), "{away:?}");
}

#[test]
fn the_catalogue_of_the_registry_that_was_named_is_listed_and_no_other() {
    let registry = RealRegistry::start();
    let host = registry.address();
    let desk = Desk::new(NotaryServer::shared(Kind::Local), "registry-catalogue");
    let signed = format!("{host}/catalogue/signed");
    desk.notary(&["init", &signed, "-p"]).ok();
    // More than a page of them.
    let names: Vec<String> = (0..205).map(|n| format!("catalogue/n{n:03}")).collect();
    for name in names.iter().map(String::as_str).chain(["catalogue/signed"]) {
        assert_eq!(push_image(&registry, name, "v1", LAYER).status, 201);
    }
    let list = |more: &[&str]| -> BTreeMap<String, Value> {
        let answer = desk.claviger(&[&["repo", "list", "--json"], more].concat()).ok();
        let all: Value = serde_json::from_str(&answer.stdout).unwrap();
        assert_eq!(all["notes"], json!([]), "{answer:?}");
        all["repositories"].as_array().unwrap().iter().map(|r| (r["gun"].as_str().unwrap().to_owned(), r.clone())).collect()
    };
    let (mut ours, at) = (BTreeMap::new(), format!("http://{host}"));
    for (gun, row) in list(&["--registry", &at]) {
        if gun.starts_with(&host.to_string()) {
            ours.insert(gun, (row["on_server"].clone(), row["in_registry"].clone()));
        } else {
            assert_eq!(row["in_registry"], json!(false), "{gun}");
        }
    }
    let images = |server: bool| (json!(server), json!(true));
    let expected = names.iter().map(|n| (format!("{host}/{n}"), images(false))).chain([(signed.clone(), images(true))]);
    assert_eq!(ours, expected.collect());

    // A name leads to nobody whom it is not about.
    let unasked = list(&[]);
    assert_eq!(unasked[&signed]["in_registry"], Value::Null);
    assert!(!unasked.contains_key(&format!("{host}/catalogue/n000")));
    let other_name = format!("reg.test=http://{host}");
    assert!(list(&["--registry", &other_name]).contains_key("reg.test/catalogue/n000"));
}

#[test]
fn a_registry_that_is_not_named_rightly_is_refused_in_words() {
    let desk = Desk::new(NotaryServer::shared(Kind::Local), "registry-words");
    for (registry, why) in [
        ("127.0.0.1:5000", "is no address of a server"),
        ("http://registry.example", "would be asked without TLS"),
        ("https://user:secret@registry.example", "a user or password does not belong into it"),
        ("https://127.0.0.1:1", "nothing accepts a connection there"),
    ] {
        let answer = desk.claviger(&["repo", "list", "--registry", registry]).ok();
        assert!(answer.stderr.contains(why), "{registry}: {answer:?}");
        assert!(!answer.stderr.contains("secret"), "{answer:?}");
    }
}

#[test]
fn a_list_that_leads_elsewhere_or_to_no_names_is_refused_in_words() {
    let desk = Desk::new(NotaryServer::shared(Kind::Local), "registry-hostile");
    let list = |headers: &str, body: &str| {
        let answer = reply("200 OK", headers, body);
        let server = Server::plain(move |_, stream| stream.write_all(&answer));
        desk.claviger(&["repo", "list", "--registry", &server.url()]).ok()
    };
    let named = r#"{"repositories":["a"]}"#;
    let elsewhere = list("Link: <https://evil.example/v2/_catalog?x=1>; rel=\"next\"\r\n", named);
    assert!(elsewhere.stderr.contains("its list does not move on"), "{elsewhere:?}");
    let other_list = list("Link: </v2/other/tags/list?x=1>; rel=\"next\"\r\n", named);
    assert!(other_list.stderr.contains("the next page of its list is not where it can be"), "{other_list:?}");
    let hostile = list("", r#"{"repositories":["\u001b[2Jx","../../etc","ok"]}"#);
    assert!(hostile.stderr.contains("the registry lists 2 repositories under names that cannot be used"), "{hostile:?}");
    assert!(!hostile.stdout.contains('\u{1b}') && hostile.stdout.contains("/ok"), "{hostile:?}");
}

#[test]
fn a_registry_that_stands_in_for_all_gets_no_login_of_another() {
    let desk = Desk::new(NotaryServer::shared(Kind::Local), "registry-stands-in");
    let gun = "docker.io/library/stands-in";
    desk.notary(&["init", gun, "-p"]).ok();
    let wanted = reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
    let registry = Server::plain(move |_, stream| stream.write_all(&wanted));
    // The login of docker.io, and then one that is for whoever is at this address.
    let tags = |name: &str| {
        let config = json!({"auths": {name: {"auth": "YWxpY2U6c2VjcmV0"}}});
        std::fs::write(desk.file("docker").join("config.json"), config.to_string()).unwrap();
        let asked = registry.heads().len();
        let answer = desk.claviger(&["tags", gun, "--registry-state", "--registry", &registry.url()]);
        assert_eq!(answer.status, 1, "{answer:?}");
        registry.heads()[asked..].iter().filter(|head| head.to_lowercase().contains("authorization")).count()
    };
    assert_eq!(tags("https://index.docker.io/v1/"), 0, "{:?}", registry.heads());
    assert_eq!(tags(&registry.addr.to_string()), 1, "{:?}", registry.heads());
}

#[test]
fn what_a_refused_role_may_have_signed_is_not_called_unsigned() {
    let served = Served::start();
    let at = format!("sandbox.test={}", served.value("registry"));
    let answer = served.claviger(&["tags", "sandbox.test/shop/search", "--registry-state", "--json", "--registry", &at]);
    assert_eq!(answer.status.code(), Some(3), "{}", String::from_utf8_lossy(&answer.stderr));
    let all: Vec<Value> = serde_json::from_slice(&answer.stdout).unwrap();
    assert!(all.iter().any(|v| v["registry"]["state"] == "unknown" && v["registry"]["digest"].is_string()), "{all:?}");
    assert!(all.iter().all(|v| v["registry"]["state"] != "unsigned"), "{all:?}");
}
