//! Every JSON result is what its schema in `docs/schemas` says, and every schema is held by a command.
use super::served_sandbox::Served;
use serde_json::Value;
use std::{collections::BTreeSet, path::Path, process::Output};

fn schemas() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")
}

fn hold(name: &str, value: &Value) {
    let schema: Value = serde_json::from_slice(&std::fs::read(schemas().join(format!("{name}.json"))).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}\n{value:#}");
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stdout)))
}

/// The last line of standard error: what is said before it are notes.
fn error(output: &Output) -> Value {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn every_json_result_is_as_its_schema_says() {
    let served = Served::start();
    let mut held = BTreeSet::new();
    let mut check = |name: &'static str, arguments: &[&str], status: i32| {
        let mut all = arguments.to_vec();
        all.push("--json");
        let output = served.claviger(&all);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let value = json(&output);
        hold(name, &value);
        held.insert(name);
        if status != 0 {
            hold("error", &error(&output));
            held.insert("error");
        }
        value
    };
    let registry = &*format!("sandbox.test={}", served.value("registry"));
    let keys = check("key-list", &["key", "list"], 0);
    let good =
        keys.as_array().unwrap().iter().find(|k| k["problems"].as_array().unwrap().iter().all(|p| p["severity"] == "info"));
    let id = good.unwrap()["id"].as_str().unwrap();
    check("key", &["key", "show", id], 0);
    check("key-test", &["key", "test", id], 0);
    check("key-test", &["key", "test", id, "0000"], 1);
    let dir = tempfile::tempdir().unwrap();
    let made = check("key-generate", &["key", "generate", "dora", "--dir", dir.path().to_str().unwrap()], 0);
    let made = made["id"].as_str().unwrap();
    let new = dir.path().join("new");
    std::fs::write(&new, "another passphrase\n").unwrap();
    std::fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let bundle = dir.path().join("bundle.pem");
    let (bundle, new) = (bundle.to_str().unwrap(), new.to_str().unwrap());
    check("key-passwd", &["key", "passwd", made, "--new-passphrase-file", new], 0);
    check("key-export", &["key", "export", made, "-o", bundle], 0);
    check("key-import", &["key", "import", bundle, "--passphrase-file", new], 0);
    check("key-remove", &["key", "remove", made, "--confirm", &made[..12]], 0);
    check("key-strengthen", &["key", "strengthen", id], 0);
    check("key-mend", &["key", "mend"], 0);
    check("key-migrate", &["key", "migrate"], 0);
    let journal = check("journal", &["journal"], 0);
    let examined = check("doctor", &["doctor"], 1);
    assert!(examined["checks"].as_array().unwrap().len() > 10, "{examined}");
    check("transcript", &["journal", journal["entries"][0]["work"].as_str().unwrap()], 0);
    // Work that was killed before it was done.
    let mut strace = std::process::Command::new(crate::peers::program::program("strace"));
    strace.args(["-f", "-qq", "-o", "/dev/null", "--inject=linkat:signal=SIGKILL:when=1", env!("CARGO_BIN_EXE_claviger")]);
    let trust_dir = served.value("trust_dir").to_owned();
    let make = ["key", "generate", "erin", "--dir", dir.path().to_str().unwrap()];
    assert!(!served.by(strace, Path::new(&trust_dir), &make).status.success());
    let open = check("interrupted", &["resume"], 0);
    check("resume", &["resume", open["interrupted"][0]["work"].as_str().unwrap()], 0);
    check("passphrase-generate", &["passphrase", "generate", "--words", "4"], 0);
    check("passphrase-generate", &["passphrase", "generate", "--role", "root"], 0);
    check("passphrase-check", &["passphrase", "check"], 0);
    let listed = check("repo-list", &["repo", "list"], 0);
    for repository in listed["repositories"].as_array().unwrap() {
        let gun = repository["gun"].as_str().unwrap();
        let status = match gun {
            "sandbox.test/legacy/payments" | "sandbox.test/legacy/archive" => None,
            "sandbox.test/shop/mobile" | "sandbox.test/shop/search" => Some(3),
            _ => Some(0),
        };
        let shown = check("repo", &["repo", "show", gun], status.unwrap_or(3));
        assert_eq!((shown["verified"] != "no", &shown["trusted"]), (status.is_some(), &(status == Some(0)).into()));
        let verified = check("repo-verify", &["repo", "verify", gun], status.unwrap_or(3));
        assert_eq!(verified["verified"], status == Some(0));
        if let Some(status) = status {
            check("tags", &["tags", gun], status);
            check("tags", &["tags", gun, "--registry-state", "--registry", registry], status);
            check("signer-list", &["signer", "list", gun], status);
            check("delegation-list", &["delegation", "list", gun], status);
            check("inspect", &["inspect", gun], status);
        }
    }
    check("inspect", &["inspect", "sandbox.test/not/there"], 1);
    check("image-resolve", &["image", "resolve", "sandbox.test/shop/frontend:2.1.0"], 0);
    check("image-verify", &["image", "verify", "sandbox.test/shop/frontend:2.1.0", "--registry", registry], 0);
    let layout = crate::images_pushed::layout_of_one("json");
    let push = ["image", "push", layout.to_str().unwrap(), "sandbox.test/shop/frontend:pushed", "--registry", registry];
    let seen = check("image-push", &[&push[..], &["--dry-run"]].concat(), 0);
    assert_eq!((&seen["before"], &seen["pieces"][2]["state"]), (&Value::Null, &"to-send".into()), "{seen}");
    check("image-push", &push, 0);
    assert_eq!(check("image-push", &push, 0)["before"], seen["digest"]);
    let digest = format!("sha256:{}", "ab".repeat(32));
    let nightly = ["sign", "sandbox.test/shop/frontend:nightly", "--digest", &digest, "--size", "7"];
    let plan = check("plan", &[&nightly[..], &["--dry-run"]].concat(), 0);
    let expected = plan["digest"].as_str().unwrap();
    let done = check("change", &[&nightly[..], &["--expect", expected]].concat(), 0);
    assert_eq!(done["repositories"][0]["outcome"], "published", "{done}");
    let again = check("change", &[&nightly[..], &["--yes"]].concat(), 0);
    assert_eq!(again["repositories"][0]["outcome"], "as-wanted", "{again}");
    let both = ["signer", "remove", "bob", "sandbox.test/shop/frontend", "sandbox.test/not/there", "--yes"];
    let some = check("change", &both, 1);
    assert_eq!(some["repositories"][1]["outcome"], "failed", "{some}");
    let image = "sandbox.test/shop/frontend";
    let staged = check("change", &["witness", image, "targets/releases", "--stage"], 0);
    assert_eq!(staged["repositories"][0]["outcome"], "staged", "{staged}");
    let waits = check("status", &["status", image], 0);
    assert_eq!(waits["staged"][0]["change"], "witness", "{waits}");
    check("plan", &["publish", image, "--dry-run"], 0);
    check("change", &["reset", image, "--all"], 0);
    let rotated = check("change", &["key", "rotate", image, "targets", "--yes"], 0);
    assert_eq!(rotated["keys_made"][0]["role"], "targets", "{rotated}");
    check("plan", &["delete", image, "--remote", "--dry-run"], 0);
    let deleted = check("change", &["delete", image, "--remote", "--confirm", image], 0);
    assert_eq!(deleted["repositories"][0]["outcome"], "deleted", "{deleted}");
    check("man", &["man", dir.path().to_str().unwrap()], 0);
    // A note beside the result is a line of JSON as well.
    let open = dir.path().join("private");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let noted = served.in_directory(dir.path(), &["key", "list", "--json"]);
    assert!(noted.status.success() && json(&noted) == serde_json::json!([]));
    hold("note", &error(&noted));
    held.insert("note");
    // The same with something to say: keys that move and stay, that are encrypted anew and not, that are mended and left.
    let old = tempfile::tempdir().unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oldlayout/before-hand-made/private/root_keys");
    let place = old.path().join("trust/private/root_keys");
    std::fs::create_dir_all(&place).unwrap();
    for entry in std::fs::read_dir(fixture).unwrap().flatten() {
        std::fs::copy(entry.path(), place.join(entry.file_name())).unwrap();
    }
    std::fs::write(place.join(format!("{}.key", "ab".repeat(32))), "no key").unwrap();
    for (name, status) in [("key-migrate", 1), ("key-strengthen", 1), ("key-mend", 0)] {
        let output = served.in_directory(&old.path().join("trust"), &["key", &name["key-".len()..], "--json"]);
        assert_eq!(output.status.code(), Some(status), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        hold(name, &json(&output));
    }
    hold("sandbox", &served.invitation);
    held.insert("sandbox");
    let kept = dir.path().join("kept");
    drop(claviger::sandbox::Sandbox::new(jiff::Timestamp::now(), Some(&kept)).unwrap());
    let mut destroy = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"));
    let destroyed = destroy.args(["sandbox", "--json", "--destroy"]).arg(&kept).output().unwrap();
    hold("sandbox-destroyed", &json(&destroyed));
    held.insert("sandbox-destroyed");
    let all: BTreeSet<String> = std::fs::read_dir(schemas())
        .unwrap()
        .map(|e| e.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(held.iter().map(|s| s.to_string()).collect::<BTreeSet<_>>(), all);
}

#[test]
fn a_schema_refuses_what_it_does_not_know() {
    let schema: Value = serde_json::from_slice(&std::fs::read(schemas().join("tags.json")).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!validator.is_valid(&serde_json::json!([{ "name": "x" }])));
}
