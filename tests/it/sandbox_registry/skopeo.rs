//! The unmodified `skopeo` pushes to the served registry and pulls from it, with nothing but what the sandbox prints.
use super::images::{OCI, OCI_INDEX, sha256};
use crate::{
    peers::program::program,
    sandbox_support::{ask, tool},
    served_sandbox::Served,
};
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// Runs skopeo; it must succeed.
pub fn skopeo(home: &Path, arguments: &[&str]) -> Vec<u8> {
    let skopeo = program("skopeo");
    let mut command = tool(skopeo.to_str().unwrap(), home);
    command.args(["--insecure-policy", "--tmpdir"]).arg(home).args(arguments).env("XDG_RUNTIME_DIR", home);
    let out = command.output().unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    out.stdout
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new("gzip").arg("-n").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// Writes an image for two platforms as an OCI layout, and gives its index.
pub fn layout(place: &Path) -> String {
    let blobs = place.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let keep = |bytes: &[u8]| {
        let digest = sha256(bytes);
        std::fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).unwrap();
        (digest, bytes.len())
    };
    let mut manifests = Vec::new();
    for architecture in ["amd64", "arm64"] {
        // An archive of no files: two blocks of zeros, and more of them, for a layer of some size.
        let tar = vec![0; if architecture == "amd64" { 1024 } else { 4 << 20 }];
        let (layer, layer_size) = keep(&gzip(&tar));
        let config = serde_json::json!({
            "architecture": architecture, "os": "linux", "rootfs": { "type": "layers", "diff_ids": [sha256(&tar)] },
        });
        let (config, config_size) = keep(config.to_string().as_bytes());
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": OCI,
            "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": config_size },
            "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer, "size": layer_size }],
        });
        let (manifest, size) = keep(manifest.to_string().as_bytes());
        let platform = serde_json::json!({ "architecture": architecture, "os": "linux" });
        manifests.push(serde_json::json!({ "mediaType": OCI, "digest": manifest, "size": size, "platform": platform }));
    }
    let index = serde_json::json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests }).to_string();
    let (digest, size) = keep(index.as_bytes());
    let outer = serde_json::json!({ "schemaVersion": 2, "manifests": [{
        "mediaType": OCI_INDEX, "digest": digest, "size": size,
        "annotations": { "org.opencontainers.image.ref.name": "1.0" },
    }]});
    std::fs::write(place.join("index.json"), outer.to_string()).unwrap();
    std::fs::write(place.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    index
}

#[test]
fn skopeo_pushes_an_image_for_two_platforms_and_pulls_it_back_byte_for_byte() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let index = layout(&at("from"));
    let served = Served::start();
    let host = served.value("registry").strip_prefix("https://").unwrap();
    let ca_file = Path::new(served.value("docker_config")).join("tls").join(host).join("ca.crt");
    let certificates = ca_file.parent().unwrap().to_str().unwrap();
    let there = format!("docker://{host}/trial/docs:1.0");
    let (from, to) = (format!("oci:{}:1.0", at("from").display()), format!("oci:{}:1.0", at("to").display()));
    skopeo(home.path(), &["copy", "--all", "--preserve-digests", "--dest-cert-dir", certificates, &from, &there]);
    skopeo(home.path(), &["copy", "--all", "--preserve-digests", "--src-cert-dir", certificates, &there, &to]);
    for entry in std::fs::read_dir(at("from/blobs/sha256")).unwrap().map(|e| e.unwrap()) {
        let pulled = std::fs::read(at("to/blobs/sha256").join(entry.file_name())).unwrap();
        assert!(pulled == std::fs::read(entry.path()).unwrap(), "{:?}", entry.file_name());
    }
    assert_eq!(skopeo(home.path(), &["inspect", "--raw", "--cert-dir", certificates, &there]), index.as_bytes());
    let tags = skopeo(home.path(), &["list-tags", "--cert-dir", certificates, there.trim_end_matches(":1.0")]);
    let tags: serde_json::Value = serde_json::from_slice(&tags).unwrap();
    assert_eq!(tags["Tags"], serde_json::json!(["1.0"]));
    // Taken over into another repository of the same registry, and then deleted there.
    let other = format!("docker://{host}/trial/other:2.0");
    let both = ["--src-cert-dir", certificates, "--dest-cert-dir", certificates];
    skopeo(home.path(), &[&["copy", "--all", "--preserve-digests"], &both[..], &[&*there, &other]].concat());
    assert_eq!(skopeo(home.path(), &["inspect", "--raw", "--cert-dir", certificates, &other]), index.as_bytes());
    skopeo(home.path(), &["delete", "--cert-dir", certificates, &other]);
    // Both servers of a sandbox show certificates of one authority.
    let ca = std::fs::read_to_string(ca_file).unwrap();
    assert_eq!(ca, std::fs::read_to_string(served.value("ca_file")).unwrap());
    let address = host.parse().unwrap();
    let catalogue = ask(address, &ca, "GET", "/v2/_catalog");
    assert!(catalogue.text().ends_with(",\"trial/docs\",\"trial/other\"]}\n"), "{}", catalogue.text());
    // Whoever only asks about a blob learns its size, and gets nothing of it.
    let layer = gzip(&vec![0; 4 << 20]);
    let head = ask(address, &ca, "HEAD", &format!("/v2/trial/docs/blobs/{}", sha256(&layer)));
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, Some(&*layer.len().to_string()), 0));
    assert_eq!(served.end(), Some(0));
}

#[test]
fn skopeo_does_not_push_where_it_does_not_know_the_authority() {
    let home = tempfile::tempdir().unwrap();
    layout(&home.path().join("from"));
    let served = Served::start();
    let there = format!("docker://{}/trial/docs:1.0", served.value("registry").strip_prefix("https://").unwrap());
    let skopeo = program("skopeo");
    let mut command = tool(skopeo.to_str().unwrap(), home.path());
    let from = format!("oci:{}:1.0", home.path().join("from").display());
    let out = command.args(["--insecure-policy", "copy", "--all", &from, &there]).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(!out.status.success() && said.contains("certificate"), "{said}");
}
