//! What a manifest says: an image with its configuration and layers, or a list of manifests for several platforms.
use super::Digest;
use crate::text::Untrusted;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A manifest that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// One image.
    Image {
        /// Its configuration.
        config: Part,
        /// Its layers, the lowest first.
        layers: Vec<Part>,
    },
    /// Manifests, each perhaps for a platform.
    List(Vec<(Part, Option<Platform>)>),
}

/// Which of both a manifest is, as its media type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One image.
    Image,
    /// A list.
    List,
}

impl Shape {
    /// As OCI and docker spell them; none if it is anything else.
    fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "application/vnd.oci.image.manifest.v1+json" | "application/vnd.docker.distribution.manifest.v2+json" => {
                Some(Self::Image)
            }
            "application/vnd.oci.image.index.v1+json" | "application/vnd.docker.distribution.manifest.list.v2+json" => {
                Some(Self::List)
            }
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Image => "an image",
            Self::List => "a list of images",
        }
    }
}

/// A piece of content that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// Which manifest it is, if it is said to be one.
    pub shape: Option<Shape>,
    /// Whether it need not be at the registry: a layer that its maker gives away elsewhere.
    pub is_foreign: bool,
}

/// What an image is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
    text: Untrusted,
}

impl Platform {
    /// `os/architecture`, and perhaps `/variant`.
    pub fn text(&self) -> &Untrusted {
        &self.text
    }

    /// Whether it is the one that is `wanted`. Without a variant all of them are; 64-bit ARM has had one, v8, that need not be
    /// said.
    pub fn is(&self, wanted: &str) -> bool {
        let mut parts = wanted.splitn(3, '/');
        let (os, architecture, variant) = (parts.next(), parts.next(), parts.next());
        let own = self.variant.as_deref().or((self.architecture == "arm64").then_some("v8"));
        os == Some(&*self.os) && architecture == Some(&*self.architecture) && (variant.is_none() || variant == own)
    }
}

impl Document {
    /// Reads a manifest that is said to be of a `shape`.
    ///
    /// # Errors
    /// Why it is none that is understood, as the end of a sentence.
    pub fn read(bytes: &[u8], shape: Option<Shape>) -> Result<Self, String> {
        let raw: Raw = serde_json::from_slice(bytes).map_err(|e| format!("it is no manifest: {e}"))?;
        let document = match raw {
            // Two readers that each take one half would see two images.
            Raw { manifests: Some(_), layers: Some(_), .. } | Raw { manifests: Some(_), config: Some(_), .. } => {
                return Err("it is an image and a list of images at once".to_owned());
            }
            Raw { manifests: Some(all), .. } => {
                let read = |d: Descriptor| {
                    let platform = d.platform.as_ref().map(RawPlatform::read);
                    Ok((d.part()?, platform))
                };
                Self::List(all.into_iter().map(read).collect::<Result<_, String>>()?)
            }
            Raw { config: Some(config), layers: Some(layers), .. } => {
                let layers = layers.into_iter().map(Descriptor::part).collect::<Result<_, _>>()?;
                Self::Image { config: config.part()?, layers }
            }
            _ => return Err("it is a manifest of a kind that claviger does not know".to_owned()),
        };
        // Readers go by what it is said to be as well as by what it holds.
        let own = match raw.media_type.as_deref() {
            None | Some("") => None,
            Some(text) => Some(Shape::of(text).ok_or_else(|| {
                format!("it says that it is {}, a kind that claviger does not know", Untrusted::new(text).shown())
            })?),
        };
        let is = document.shape();
        match own.into_iter().chain(shape).find(|said| *said != is) {
            Some(said) => Err(format!("it is said to be {}, and is {}", said.word(), is.word())),
            None => Ok(document),
        }
    }

    /// What a manifest that was read is sent as: what it says itself. One that says nothing is OCI's; docker's say it.
    pub fn media_type(&self, bytes: &[u8]) -> String {
        let own = serde_json::from_slice::<Raw>(bytes).ok().and_then(|raw| raw.media_type).filter(|own| !own.is_empty());
        own.unwrap_or_else(|| match self {
            Self::Image { .. } => "application/vnd.oci.image.manifest.v1+json".to_owned(),
            Self::List(_) => "application/vnd.oci.image.index.v1+json".to_owned(),
        })
    }

    fn shape(&self) -> Shape {
        match self {
            Self::Image { .. } => Shape::Image,
            Self::List(_) => Shape::List,
        }
    }
}

/// What the index of a layout names, each perhaps with the name that it goes by there.
///
/// # Errors
/// Why it is no index, as the end of a sentence.
pub fn references(bytes: &[u8]) -> Result<Vec<(Option<Untrusted>, Part)>, String> {
    let index: Index = serde_json::from_slice(bytes).map_err(|e| format!("it is no index: {e}"))?;
    let read = |named: Named| {
        let name = named.annotations.unwrap_or_default().remove(REFERENCE).map(Untrusted::new);
        let descriptor = Descriptor { media_type: named.media_type, digest: named.digest, size: named.size, platform: None };
        Ok((name, descriptor.part()?))
    };
    index.manifests.into_iter().map(read).collect()
}

/// Where a layout's index says what an image goes by.
const REFERENCE: &str = "org.opencontainers.image.ref.name";

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    media_type: Option<String>,
    digest: String,
    size: u64,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    media_type: Option<String>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: Option<String>,
    digest: String,
    size: u64,
    platform: Option<RawPlatform>,
}

#[derive(Deserialize)]
struct RawPlatform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl RawPlatform {
    fn read(&self) -> Platform {
        let variant = self.variant.clone().filter(|v| !v.is_empty());
        let end = variant.iter().map(|v| format!("/{v}")).collect::<String>();
        let text = Untrusted::new(format!("{}/{}{end}", self.os, self.architecture));
        Platform { os: self.os.clone(), architecture: self.architecture.clone(), variant, text }
    }
}

impl Descriptor {
    fn part(self) -> Result<Part, String> {
        let kind = self.media_type.unwrap_or_default();
        let shown = Untrusted::new(self.digest.as_str()).shown();
        let digest = Digest::new(&self.digest).ok_or_else(|| format!("it names something by {shown}, which is no digest"))?;
        let is_foreign = kind.contains(".foreign.") || kind.contains(".nondistributable.");
        Ok(Part { digest, size: self.size, shape: Shape::of(&kind), is_foreign })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
    const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

    fn descriptor(kind: &str, digest: &str) -> serde_json::Value {
        json!({ "mediaType": kind, "digest": digest, "size": 3 })
    }

    fn hex(c: char) -> String {
        format!("sha256:{}", c.to_string().repeat(64))
    }

    fn read(json: &serde_json::Value) -> Result<Document, String> {
        Document::read(json.to_string().as_bytes(), None)
    }

    #[test]
    fn an_image_has_a_configuration_and_layers_and_a_list_has_manifests() {
        let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
        let image = json!({ "config": descriptor("c", &hex('1')), "layers": [descriptor("l", &hex('2')), descriptor(foreign, &hex('3'))] });
        let part = |c, is_foreign| Part { digest: Digest::new(&hex(c)).unwrap(), size: 3, shape: None, is_foreign };
        let expected = Document::Image { config: part('1', false), layers: vec![part('2', false), part('3', true)] };
        assert_eq!(read(&image), Ok(expected));
        let mut one = descriptor(IMAGE, &hex('4'));
        one["platform"] = json!({ "os": "linux", "architecture": "arm", "variant": "v7" });
        let Ok(Document::List(all)) = read(&json!({ "manifests": [one, descriptor(LIST, &hex('5'))] })) else {
            panic!("no list")
        };
        let seen: Vec<_> = all.iter().map(|(part, p)| (part.shape, p.as_ref().map(|p| p.text().raw()))).collect();
        assert_eq!(seen, [(Some(Shape::Image), Some("linux/arm/v7")), (Some(Shape::List), None)]);
    }

    #[test]
    fn what_can_be_read_in_two_ways_or_in_none_is_refused() {
        let (one, many) = (descriptor("c", &hex('1')), vec![descriptor("l", &hex('2'))]);
        let twice = format!(r#"{{"manifests":[],"manifests":[{}]}}"#, descriptor(IMAGE, &hex('1')));
        assert!(Document::read(twice.as_bytes(), None).unwrap_err().contains("duplicate field"), "the first reader or the last");
        for (json, why) in [
            (json!({ "config": one, "layers": many, "manifests": many }), "at once"),
            (json!({ "config": one, "manifests": many }), "at once"),
            (json!({ "schemaVersion": 1, "fsLayers": [] }), "does not know"),
            (json!({ "config": one }), "does not know"),
            (json!({ "mediaType": "application/x\u{202e}", "config": one, "layers": many }), "application/x<202e>, a kind"),
            (json!({ "mediaType": LIST, "config": one, "layers": many }), "said to be a list of images, and is an image"),
            (json!({ "mediaType": IMAGE, "manifests": many }), "said to be an image, and is a list of images"),
            (json!({ "config": one, "layers": [descriptor("l", "sha256:../../x")] }), "no digest"),
            (json!({ "config": { "digest": hex('1'), "size": -1 }, "layers": [] }), "no manifest"),
            (json!([]), "no manifest"),
        ] {
            let said = read(&json).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        let image = json!({ "mediaType": IMAGE, "config": one, "layers": many }).to_string();
        assert!(Document::read(image.as_bytes(), Some(Shape::Image)).is_ok());
        assert!(Document::read(image.as_bytes(), Some(Shape::List)).unwrap_err().contains("is an image"));
    }

    #[test]
    fn a_platform_is_wanted_with_its_variant_or_with_all_of_them() {
        let platform = |os: &str, architecture: &str, variant: Option<&str>| {
            RawPlatform { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) }.read()
        };
        let (amd, v6, v7) =
            (platform("linux", "amd64", None), platform("linux", "arm", Some("v6")), platform("linux", "arm", Some("v7")));
        let (plain, v8) = (platform("linux", "arm64", None), platform("linux", "arm64", Some("v8")));
        for (wanted, all) in [
            ("linux/amd64", [true, false, false, false, false]),
            ("linux/arm", [false, true, true, false, false]),
            ("linux/arm/v7", [false, false, true, false, false]),
            ("linux/arm64", [false, false, false, true, true]),
            ("linux/arm64/v8", [false, false, false, true, true]),
            ("linux", [false; 5]),
            ("windows/amd64", [false; 5]),
            ("", [false; 5]),
        ] {
            assert_eq!([&amd, &v6, &v7, &plain, &v8].map(|p| p.is(wanted)), all, "{wanted}");
        }
    }
}
