//! Images that are made here: of a few bytes, whole as every client wants them, and for the same words always the same.
use super::{Registry, answer::Fault, manifest::Kind};
use crate::registry::{Digest, Name, Tag};
use serde_json::{Value, json};
use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// The one file of an image.
const FILE: &str = "ABOUT";
/// A tape is written in blocks.
const BLOCK: usize = 512;

/// An image for one platform, or a list of images for several.
pub struct Image {
    blobs: Vec<Vec<u8>>,
    /// What a manifest refers to stands before it; what the image is called by is the last.
    manifests: Vec<(Kind, Vec<u8>)>,
}

impl Image {
    /// An image for each of these architectures, which are Go's words, with one file that holds these words. Several
    /// make a list.
    pub fn about(words: &str, architectures: &[&str]) -> Self {
        let mut image = Self { blobs: Vec::new(), manifests: Vec::new() };
        let each: Vec<Value> = architectures.iter().map(|a| image.add(words, a)).collect();
        if each.len() != 1 {
            let index = json!({ "schemaVersion": 2, "mediaType": Kind::OciIndex.media_type(), "manifests": each });
            image.manifests.push((Kind::OciIndex, index.to_string().into_bytes()));
        }
        image
    }

    /// The manifest that the image is called by.
    pub fn manifest(&self) -> &[u8] {
        self.manifests.last().map_or(&[], |(_, bytes)| bytes)
    }

    /// Adds the image for one architecture, and describes it as a list does.
    fn add(&mut self, words: &str, architecture: &str) -> Value {
        let layer = archive(&format!("{words}, for linux on {architecture}\n"));
        // Not packed: so its digest is that of its content too.
        let content = Digest::of(&layer).to_string();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": { "Labels": { "description": words } },
            "rootfs": { "type": "layers", "diff_ids": [content] },
        });
        let (config, layer) = (self.keep(CONFIG, config.to_string().into_bytes()), self.keep(LAYER, layer));
        let kind = Kind::Oci;
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": kind.media_type(), "config": config, "layers": [layer] }).to_string();
        let mut described = descriptor(kind.media_type(), manifest.as_bytes());
        if let Some(described) = described.as_object_mut() {
            described.insert("platform".to_owned(), json!({ "architecture": architecture, "os": "linux" }));
        }
        self.manifests.push((kind, manifest.into_bytes()));
        described
    }

    fn keep(&mut self, kind: &str, bytes: Vec<u8>) -> Value {
        let described = descriptor(kind, &bytes);
        self.blobs.push(bytes);
        described
    }
}

impl Image {
    /// Writes it as an OCI layout, and gives the digest of its first layer.
    ///
    /// # Errors
    /// It cannot be written, or something is there.
    pub fn write(&self, path: &Path) -> io::Result<Digest> {
        let blobs = path.join("blobs/sha256");
        DirBuilder::new().recursive(true).mode(0o700).create(&blobs)?;
        let new = |path: PathBuf, bytes: &[u8]| OpenOptions::new().write(true).create_new(true).open(path)?.write_all(bytes);
        for bytes in self.blobs.iter().chain(self.manifests.iter().map(|(_, bytes)| bytes)) {
            new(blobs.join(Digest::of(bytes).digits()), bytes)?;
        }
        let index: Vec<Value> =
            self.manifests.last().map(|(kind, bytes)| descriptor(kind.media_type(), bytes)).into_iter().collect();
        new(path.join("index.json"), json!({ "schemaVersion": 2, "manifests": index }).to_string().as_bytes())?;
        new(path.join("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes())?;
        // A configuration, and then the layer that belongs to it.
        self.blobs.get(1).map(|layer| Digest::of(layer)).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl Registry {
    /// Keeps an image that was made here under a name; by its digest only, if no tag can have that name. The repository's
    /// name is one.
    pub(in crate::sandbox) fn keep(&self, repository: &str, name: &str, image: &Image) -> Result<(), Fault> {
        let repository = Name::new(repository).map_err(|_| Fault::name_invalid())?;
        let mut store = self.store();
        for blob in &image.blobs {
            store.put_blob(&repository, &Digest::of(blob), blob.clone())?;
        }
        let tag = Tag::new(name);
        let last = image.manifests.len();
        for (n, (kind, bytes)) in (1..).zip(&image.manifests) {
            store.put_manifest(&repository, tag.as_ref().filter(|_| n == last), &Digest::of(bytes), *kind, bytes)?;
        }
        Ok(())
    }
}

fn descriptor(kind: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": kind, "digest": Digest::of(bytes).to_string(), "size": bytes.len() })
}

/// A tape archive (POSIX.1-1988) with one file, which is nobody's and of no time.
fn archive(text: &str) -> Vec<u8> {
    let mut head = Vec::with_capacity(BLOCK);
    let mut field = |text: &str, long: usize| {
        head.extend_from_slice(text.as_bytes());
        head.resize(head.len() + long.saturating_sub(text.len()), 0);
    };
    field(FILE, 100);
    field("0000644", 8);
    field("0000000", 8);
    field("0000000", 8);
    field(&format!("{:011o}", text.len()), 12);
    field("00000000000", 12);
    // The sum is taken with blanks in its own place.
    field("        ", 8);
    field("0", 1);
    field("", 100);
    field("ustar", 6);
    field("00", 2);
    head.resize(BLOCK, 0);
    let sum: u32 = head.iter().copied().map(u32::from).sum();
    if let Some(place) = head.get_mut(148..156) {
        place.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    let mut tape = head;
    tape.extend_from_slice(text.as_bytes());
    // The rest of the last block, and two empty ones at the end.
    tape.resize(tape.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    tape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_are_always_the_same_image_and_others_are_another() {
        let manifest = |words: &str, on: &[&str]| Digest::of(Image::about(words, on).manifest());
        assert_eq!(manifest("a", &["amd64"]), manifest("a", &["amd64"]));
        assert_ne!(manifest("a", &["amd64"]), manifest("b", &["amd64"]));
        assert_ne!(manifest("a", &["amd64"]), manifest("a", &["arm64"]));
        assert_ne!(manifest("a", &["amd64"]), manifest("a", &["amd64", "arm64"]));
    }

    #[test]
    fn tar_reads_the_layer() {
        let place = tempfile::tempdir().unwrap();
        for words in ["few words".to_owned(), "x".repeat(BLOCK), String::new()] {
            let file = place.path().join("layer.tar");
            std::fs::write(&file, archive(&words)).unwrap();
            let out = std::process::Command::new("tar").arg("-xOf").arg(&file).output().unwrap();
            assert_eq!((String::from_utf8_lossy(&out.stderr), &*String::from_utf8_lossy(&out.stdout)), ("".into(), &*words));
        }
    }
}
