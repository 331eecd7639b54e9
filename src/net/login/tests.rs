use super::*;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}

fn in_words(found: &Option<Account>) -> String {
    match found {
        None => "nobody".to_owned(),
        Some(Account { user, proof, .. }) => {
            let (kind, secret) = match proof {
                Proof::Password(secret) => ("password", secret),
                Proof::Identity(secret) => ("identity", secret),
            };
            format!("{} {kind} {}", user.raw(), String::from_utf8_lossy(secret.expose()))
        }
    }
}

fn with_config(dir: &Path, json: &serde_json::Value) -> Logins {
    fs::write(dir.join("config.json"), json.to_string()).unwrap();
    Logins { docker_dir: Some(dir.to_owned()), ..Logins::default() }
}

fn secret(text: &str) -> Option<Arc<Passphrase>> {
    Some(Arc::new(Passphrase::new(text.as_bytes().to_vec())))
}

#[test]
fn a_login_is_found_under_every_name_that_docker_has_written_it_under() {
    let dir = tempfile::tempdir().unwrap();
    let entry = |user: &str| serde_json::json!({ "auth": encoded(&format!("{user}:pass:word")) });
    let logins = with_config(
        dir.path(),
        &serde_json::json!({ "auths": {
            "https://index.docker.io/v1/": entry("hub"), "a.example": entry("a"), "https://b.example:5000/v2/": entry("b"),
            "none.example": {}, "id.example": { "auth": encoded("carol:"), "identitytoken": "tok" },
        }, "HttpHeaders": { "x": "y" } }),
    );
    let found = |registry| in_words(&logins.find(registry, "host.example").unwrap());
    assert_eq!(found("docker.io"), "hub password pass:word");
    assert_eq!(found("a.example"), "a password pass:word");
    assert_eq!(found("b.example:5000"), "b password pass:word");
    assert_eq!(found("id.example"), "carol identity tok");
    for nobody in ["a.example:443", "b.example", "none.example", "example", "x.a.example"] {
        assert_eq!(found(nobody), "nobody", "{nobody}");
    }
}

#[test]
fn the_variable_comes_before_the_file_and_notarys_variable_and_the_person_after_both() {
    let dir = tempfile::tempdir().unwrap();
    let one = |user: &str| serde_json::json!({ "auths": { "a.example": { "auth": encoded(&format!("{user}:p")) } } });
    let file = with_config(dir.path(), &one("file"));
    let ask: Ask = Arc::new(|registry, _| {
        let proof = Proof::Password(Passphrase::new(b"typed".to_vec()));
        Some(Account { user: Untrusted::new(format!("person at {registry}")), proof, origin: "typed".into() })
    });
    let all = Logins {
        docker_auth: secret(&one("variable").to_string()),
        notary_auth: secret(&encoded("notary:p")),
        ask: Some(ask),
        ..file
    };
    let user = |logins: &Logins, registry| logins.find(registry, "host.example").unwrap().unwrap().user.raw().to_owned();
    assert_eq!(user(&all, "a.example"), "variable");
    assert_eq!(user(&all, "b.example"), "notary");
    let less = Logins { docker_auth: None, ..all };
    assert_eq!(user(&less, "a.example"), "file");
    let less = Logins { notary_auth: None, ..less };
    assert_eq!(user(&less, "b.example"), "person at b.example");
}

#[test]
fn what_cannot_be_read_is_named_and_nothing_of_it_is_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let hunter = encoded("hunter2 without a colon");
    let file = with_config(dir.path(), &serde_json::json!({ "auths": { "a.example": { "auth": hunter } } }));
    let broken = Logins { docker_auth: secret("{\"auths\": {\"a\": \"hunter2"), ..Logins::default() };
    let unknown = Logins {
        docker_auth: secret(r#"{"auths":{"a.example":{"auth":"aHVudGVyMjp4","password":"hunter2"}}}"#),
        ..Logins::default()
    };
    let notary = Logins { notary_auth: secret("hunter2"), ..Logins::default() };
    for (logins, named) in
        [(file, "config.json"), (broken, "DOCKER_AUTH_CONFIG"), (unknown, "DOCKER_AUTH_CONFIG"), (notary, "NOTARY_AUTH")]
    {
        let error = logins.find("a.example", "a.example").err().unwrap().to_string();
        assert!(error.contains(named) && !error.contains("hunter") && !error.contains(&hunter), "{error}");
    }
}

#[test]
fn a_helper_whose_name_climbs_is_never_started() {
    let dir = tempfile::tempdir().unwrap();
    let evil = dir.path().join("evil");
    fs::write(&evil, "#!/bin/sh\ntouch \"$0.ran\"\n").unwrap();
    fs::set_permissions(&evil, fs::Permissions::from_mode(0o755)).unwrap();
    for name in [format!("/../..{}", evil.display()), "../evil".into(), "a b".into(), "a/b".into(), "a\0b".into(), "ü".into()] {
        let error = helper::get_within(&name, "a.example", Duration::from_secs(5)).err().unwrap().to_string();
        assert!(error.contains("it was not started"), "{error}");
    }
    assert!(!dir.path().join("evil.ran").exists());
    let error = helper::get("no-such-helper", "a.example").err().unwrap().to_string();
    assert!(error.contains("is not installed"), "{error}");
}
