//! Manifests and lists of them: what is one, what it refers to, and reading, storing and deleting them.
use super::{
    super::{answer::Response, call::Call},
    Registry,
    answer::{self, Fault},
    request::Reference,
};
use crate::registry::{Digest, Name};
use serde::Deserialize;

/// Most bytes of a manifest.
pub const MANIFEST: usize = 4 << 20;
/// The methods of a manifest's address.
const METHODS: &str = "DELETE, GET, HEAD, PUT";

/// The kinds of manifests that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Docker's manifest of an image.
    Docker,
    /// Docker's list of manifests.
    DockerList,
    /// OCI's manifest of an image.
    Oci,
    /// OCI's index.
    OciIndex,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Docker, Self::DockerList, Self::Oci, Self::OciIndex];

    /// The kind of a media type.
    pub fn of(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.media_type() == media_type)
    }

    /// The media type of a kind.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
            Self::DockerList => "application/vnd.docker.distribution.manifest.list.v2+json",
            Self::Oci => "application/vnd.oci.image.manifest.v1+json",
            Self::OciIndex => "application/vnd.oci.image.index.v1+json",
        }
    }

    fn is_list(self) -> bool {
        matches!(self, Self::DockerList | Self::OciIndex)
    }
}

/// As much of a manifest as the registry reads.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: i64,
    #[serde(default)]
    media_type: String,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
}

impl Manifest {
    /// Reads what is said to be of this kind; none if it is not.
    fn read(kind: Kind, bytes: &[u8]) -> Option<Self> {
        let manifest: Self = serde_json::from_slice(bytes).ok()?;
        // OCI's may leave it out.
        let silent = manifest.media_type.is_empty() && matches!(kind, Kind::Oci | Kind::OciIndex);
        let right = manifest.schema_version == 2 && (silent || manifest.media_type == kind.media_type());
        // One that could be read as a manifest and as a list is neither.
        let shape = match kind.is_list() {
            true => manifest.config.is_none() && manifest.layers.is_none(),
            false => manifest.config.is_some() && manifest.manifests.is_none(),
        };
        (right && shape).then_some(manifest)
    }

    /// All that it refers to, in its order.
    fn references(&self) -> impl Iterator<Item = &Descriptor> {
        self.config.iter().chain(self.layers.iter().flatten()).chain(self.manifests.iter().flatten())
    }
}

impl Registry {
    /// What is asked of a manifest.
    pub(super) fn manifest(&self, call: &Call<'_>, name: &Name, reference: &Reference) -> Result<Response, Fault> {
        match call.method {
            "GET" | "HEAD" => self.get_manifest(call, name, reference),
            "PUT" => self.put_manifest(call, name, reference),
            "DELETE" => match reference {
                Reference::Tag(_) => Err(Fault::digest_invalid()),
                Reference::Digest(digest) => match self.store().remove_manifest(name, digest)? {
                    true => Ok(answer::empty(202)),
                    false => Err(Fault::manifest_unknown()),
                },
            },
            "OPTIONS" => Ok(answer::options(METHODS)),
            _ => Ok(answer::no_method(METHODS)),
        }
    }

    fn get_manifest(&self, call: &Call<'_>, name: &Name, reference: &Reference) -> Result<Response, Fault> {
        let store = self.store();
        let digest = match reference {
            Reference::Tag(tag) => store.tagged(name, tag).ok_or_else(|| Fault::no_such_tag(tag.as_str()))?,
            Reference::Digest(digest) => digest.clone(),
        };
        if has_already(call, &digest) {
            return Ok(answer::not_modified());
        }
        let find = |digest: &Digest| store.manifest(name, digest).ok_or_else(|| Fault::no_such_revision(name, digest));
        let (kind, content) = find(&digest)?;
        let takes = |kind: Kind| accepts(call, kind);
        match kind {
            Kind::Oci if !takes(kind) => {
                Err(Fault::not_accepted("OCI manifest found, but accept header does not support OCI manifests"))
            }
            Kind::OciIndex if !takes(kind) => {
                Err(Fault::not_accepted("OCI index found, but accept header does not support OCI indexes"))
            }
            // By its digest, everything is given as it is.
            Kind::Docker | Kind::DockerList if matches!(reference, Reference::Tag(_)) && !takes(kind) => {
                let (kind, digest, content) = match kind {
                    Kind::DockerList => {
                        let first = platform_of_old(&content.all().map_err(|_| Fault::disk())?)?;
                        let (kind, content) = find(&first)?;
                        (kind, first, content)
                    }
                    _ => (kind, digest, content),
                };
                // The real registry would write an image of the first kind for such old clients, where it can.
                if takes(kind) { manifest(kind, &digest, &content) } else { Err(Fault::manifest_invalid()) }
            }
            _ => manifest(kind, &digest, &content),
        }
    }

    fn put_manifest(&self, call: &Call<'_>, name: &Name, reference: &Reference) -> Result<Response, Fault> {
        if call.body.len() > MANIFEST {
            return Err(Fault::manifest_too_large());
        }
        let kind = Kind::of(media_type(call.header("content-type").unwrap_or_default()));
        let read = kind.and_then(|kind| Some((kind, Manifest::read(kind, call.body)?)));
        let (kind, manifest) = read.ok_or_else(Fault::manifest_invalid)?;
        let digest = Digest::of(call.body);
        let tag = match reference {
            Reference::Digest(said) if *said != digest => return Err(Fault::digest_invalid()),
            Reference::Digest(_) => None,
            Reference::Tag(tag) => Some(tag),
        };
        let mut store = self.store();
        let has = |digest: &Digest| match kind.is_list() {
            true => store.manifest(name, digest).is_some(),
            false => store.blob(name, digest).is_some(),
        };
        let mut wrong = Vec::new();
        for Descriptor { digest, .. } in manifest.references() {
            match Digest::new(digest) {
                Some(digest) if has(&digest) => {}
                Some(_) => wrong.push(Fault::manifest_blob_unknown(digest)),
                None => wrong.extend([Fault::digest_invalid(), Fault::manifest_blob_unknown(digest)]),
            }
        }
        if !wrong.is_empty() {
            return Ok(answer::faults(&wrong));
        }
        store.put_manifest(name, tag, &digest, kind, call.body)?;
        Ok(answer::placed(format!("/v2/{}/manifests/{digest}", name.as_str()), &digest))
    }
}

fn manifest(kind: Kind, digest: &Digest, content: &super::store::Content) -> Result<Response, Fault> {
    let answer = answer::of_kind(200, kind.media_type(), content.all().map_err(|_| Fault::disk())?);
    let answer = answer::with(answer, "Docker-Content-Digest", digest.to_string());
    Ok(answer::with(answer, "ETag", format!("\"{digest}\"")))
}

/// The image for those who know nothing of lists.
fn platform_of_old(list: &[u8]) -> Result<Digest, Fault> {
    let list = Manifest::read(Kind::DockerList, list).ok_or_else(Fault::manifest_unknown)?;
    let mut all = list.manifests.iter().flatten();
    let found = all.find(|d| d.platform.as_ref().is_some_and(|p| p.architecture == "amd64" && p.os == "linux"));
    found.and_then(|d| Digest::new(&d.digest)).ok_or_else(Fault::manifest_unknown)
}

/// Whether the client says that it has this.
pub(super) fn has_already(call: &Call<'_>, digest: &Digest) -> bool {
    let mut tags = call.headers.iter().filter(|(name, _)| name == "if-none-match");
    tags.any(|(_, value)| value.trim_matches('"') == digest.as_str())
}

/// Whether the client says that it takes this kind. Only whole names count, as with the real registry.
fn accepts(call: &Call<'_>, kind: Kind) -> bool {
    let mut named = call.headers.iter().filter(|(name, _)| name == "accept").flat_map(|(_, value)| value.split(','));
    named.any(|value| media_type(value) == kind.media_type())
}

/// A media type without its parameters.
fn media_type(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}
