//! Images that the tests make: an image of one layer, lists of images, and their digests.
use super::peer::{Answer, Headers, Peer};
use sha2::{Digest, Sha256};

pub const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A configuration that nothing looks into.
pub const CONFIG: &str = r#"{"architecture":"amd64","os":"linux"}"#;
pub const LAYER: &str = "layer";

pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", base16ct::lower::encode_string(&Sha256::digest(bytes)))
}

/// A manifest of [`CONFIG`] and these layers.
pub fn image(kind: &str, layers: &[&str]) -> String {
    let (config, layer) = match kind {
        DOCKER => ("application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip"),
        _ => ("application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar+gzip"),
    };
    let layers: Vec<_> =
        layers.iter().map(|l| serde_json::json!({ "mediaType": layer, "size": l.len(), "digest": sha256(l) })).collect();
    serde_json::json!({
        "schemaVersion": 2, "mediaType": kind, "layers": layers,
        "config": { "mediaType": config, "size": CONFIG.len(), "digest": sha256(CONFIG) },
    })
    .to_string()
}

/// A list of manifests, each with the architecture that it is for.
pub fn list(kind: &str, manifests: &[(&str, &str)]) -> String {
    let inner = if kind == DOCKER_LIST { DOCKER } else { OCI };
    let manifests: Vec<_> = manifests
        .iter()
        .map(|(architecture, m)| {
            let platform = serde_json::json!({ "architecture": architecture, "os": "linux" });
            serde_json::json!({ "mediaType": inner, "size": m.len(), "digest": sha256(m), "platform": platform })
        })
        .collect();
    serde_json::json!({ "schemaVersion": 2, "mediaType": kind, "manifests": manifests }).to_string()
}

pub fn of_kind(kind: &str) -> Headers {
    vec![("content-type".to_owned(), kind.to_owned())]
}

pub fn accepting(kind: &str) -> Headers {
    vec![("accept".to_owned(), kind.to_owned())]
}

/// Pushes an image of one layer whose bytes are given, under a tag.
pub fn push_image(peer: &impl Peer, name: &str, tag: &str, layer: &str) -> Answer {
    for blob in [CONFIG, layer] {
        assert_eq!(peer.push(name, &sha256(blob), blob.as_bytes()).status, 201);
    }
    let manifest = image(OCI, &[layer]);
    peer.ask("PUT", &format!("/v2/{name}/manifests/{tag}"), &of_kind(OCI), manifest.as_bytes())
}
