//! An image at its registry, held against the digest that was signed: every manifest, configuration and layer is fetched and
//! hashed, and kept nowhere.
use super::{ImageError, Repositories};
use crate::{
    registry::{
        self, Digest, Name, Registry, Tag, TransportError,
        content::{self, Content},
        document::{Document, Part, Platform, Shape},
        manifest::BYTES,
    },
    text::Untrusted,
    tuf::name::Gun,
};
use std::collections::{HashMap, VecDeque};

/// Most pieces of one image, all platforms together.
pub const PIECES: usize = 10_000;
/// How deep lists may lie in lists.
pub const DEPTH: usize = 3;
/// Most platforms that are named to whoever looks for another one.
const PLATFORMS: usize = 100;

/// What a piece of an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A list of manifests.
    List,
    /// The manifest of one image.
    Manifest,
    /// A configuration.
    Config,
    /// A layer.
    Layer,
}

/// How a piece stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is what its digest says.
    Same,
    /// The registry has none.
    Missing,
    /// The registry has something else in its place.
    Tampered(String),
    /// What it names is not known: it is what its digest says and no manifest that is understood, or it was not fetched at all.
    Unknown(String),
    /// It need not be at the registry, and is not.
    Elsewhere,
}

/// A piece of an image, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: Kind,
    /// Its digest: what it should be.
    pub digest: Digest,
    /// Its bytes, as whoever names it says.
    pub size: u64,
    /// What it is for, if a list says so.
    pub platform: Option<Platform>,
    /// How it stands.
    pub standing: Standing,
}

/// An image that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    /// Its pieces, each as often as somebody names it.
    pub pieces: Vec<Piece>,
    /// What its lists say that it is for, as far as anybody would read on.
    pub platforms: Vec<Platform>,
    /// How many bytes have come.
    pub bytes: u64,
}

/// What is on its way.
#[derive(Debug, Clone, Copy)]
pub struct Coming<'a> {
    /// What it is.
    pub kind: Kind,
    /// What it is for.
    pub platform: Option<&'a Platform>,
    /// What it should be.
    pub digest: &'a Digest,
    /// How much of it is here.
    pub bytes: u64,
    /// How much it should be.
    pub size: u64,
    /// How much is here of the whole image.
    pub all: u64,
}

/// What is told of each piece that is on its way.
pub type Step<'a> = &'a mut (dyn FnMut(Coming<'_>) + Send);

/// Why an image was not looked at to its end.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// There is no registry to ask.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// It did not answer.
    #[error("the registry {} did not give {what}: {error}", .address.shown())]
    Registry {
        /// Where it is.
        address: Untrusted,
        /// What was asked for.
        what: Digest,
        /// Why.
        error: Box<TransportError>,
    },
    /// It has more pieces than any image.
    #[error("it has more than {PIECES} pieces")]
    Endless,
}

impl VerifyError {
    /// One word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Registry { error, .. } => error.registry_code(),
            Self::Image(_) => "no-registry",
            Self::Endless => "image",
        }
    }

    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Image(e) => e.remedy(),
            Self::Registry { error, .. } => error.registry_remedy().into_owned(),
            Self::Endless => "Tell whoever has signed it, or narrow it with --platform to what you run.".to_owned(),
        }
    }
}

/// What was signed: a digest, and how many bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The digest.
    pub digest: Digest,
    /// The bytes.
    pub size: u64,
}

/// Where the registry's tag leads, beside the image that is signed under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// To that image.
    Here,
    /// To another one.
    Elsewhere(Digest),
    /// Nowhere: there is no such tag.
    Nowhere,
    /// That is not known: why.
    Unknown(String),
    /// The name is none that a tag could have.
    NoTag,
}

impl Repositories {
    /// Where the tag of a signed image leads at the registry, as the registry says it.
    pub async fn lead(&self, gun: &Gun, tag: &str, signed: &Signed) -> Lead {
        let Some(tag) = Tag::new(tag) else { return Lead::NoTag };
        let (registry, name) = match self.servers().images(gun) {
            Ok(images) => images,
            Err(e) => return Lead::Unknown(e.to_string()),
        };
        match registry::resolve(registry.as_ref(), &name, tag).await {
            Ok(Some(digest)) if digest == signed.digest => Lead::Here,
            Ok(Some(digest)) => Lead::Elsewhere(digest),
            Ok(None) => Lead::Nowhere,
            Err(e) => Lead::Unknown(e.to_string()),
        }
    }

    /// Holds the image of a repository against what was signed. With a `platform`, what a list has for others is left out. `step`
    /// is told what comes.
    ///
    /// # Errors
    /// [`VerifyError`]: it was not looked at to its end, so nothing is known of it.
    pub async fn verify_image(
        &self,
        gun: &Gun,
        signed: &Signed,
        platform: Option<&str>,
        step: Step<'_>,
    ) -> Result<Image, VerifyError> {
        let (registry, name) = self.servers().images(gun)?;
        walk(registry.as_ref(), &name, signed, platform, step).await
    }
}

async fn walk(
    registry: &dyn Registry,
    name: &Name,
    signed: &Signed,
    wanted: Option<&str>,
    step: Step<'_>,
) -> Result<Image, VerifyError> {
    let (manifests, blobs, image) = (HashMap::new(), HashMap::new(), Image::default());
    let mut walk = Walk { registry, name, wanted, step, manifests, blobs, image };
    let part = Part { digest: signed.digest.clone(), size: signed.size, shape: None, is_foreign: false };
    let mut waiting = VecDeque::from([Waiting { part, platform: None, depth: 0 }]);
    while let Some(next) = waiting.pop_front() {
        waiting.extend(walk.manifest(next).await?);
        // Before they are fetched: a list of lists could name more than memory holds.
        if walk.image.pieces.len().saturating_add(waiting.len()) > PIECES {
            return Err(VerifyError::Endless);
        }
    }
    Ok(walk.image)
}

/// A manifest that was named.
struct Waiting {
    part: Part,
    platform: Option<Platform>,
    depth: usize,
}

/// Fetches pieces, and remembers what came of each: content that several name is fetched once.
struct Walk<'w> {
    registry: &'w dyn Registry,
    name: &'w Name,
    wanted: Option<&'w str>,
    step: Step<'w>,
    manifests: HashMap<(Digest, u64, Option<Shape>), (Kind, Standing)>,
    blobs: HashMap<(Digest, u64), Content>,
    image: Image,
}

impl Walk<'_> {
    /// Fetches a manifest, and the blobs that it names; the manifests that it names wait.
    async fn manifest(&mut self, named: Waiting) -> Result<Vec<Waiting>, VerifyError> {
        let Waiting { part, platform, depth } = named;
        let key = (part.digest.clone(), part.size, part.shape);
        if let Some((kind, standing)) = self.manifests.get(&key).cloned() {
            self.add(kind, part, platform, standing)?;
            return Ok(Vec::new());
        }
        let read = self.read(&part, platform.as_ref()).await?;
        let kind = match &read {
            Ok(Document::List(_)) => Kind::List,
            Ok(Document::Image { .. }) => Kind::Manifest,
            Err(_) if part.shape == Some(Shape::List) => Kind::List,
            Err(_) => Kind::Manifest,
        };
        let deep = || Standing::Unknown(format!("lists lie more than {DEPTH} deep in lists"));
        let standing = match &read {
            Ok(Document::List(_)) if depth >= DEPTH => deep(),
            Ok(_) => Standing::Same,
            Err(standing) => standing.clone(),
        };
        self.manifests.insert(key, (kind, standing.clone()));
        let goes_on = standing == Standing::Same;
        self.add(kind, part, platform.clone(), standing)?;
        match read {
            Ok(Document::List(all)) if goes_on => self.of_list(all, platform, depth.saturating_add(1)),
            Ok(Document::Image { config, layers }) => {
                self.blob(Kind::Config, config, platform.clone()).await?;
                for layer in layers {
                    self.blob(Kind::Layer, layer, platform.clone()).await?;
                }
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What a list names, and is wanted.
    fn of_list(
        &mut self,
        all: Vec<(Part, Option<Platform>)>,
        outer: Option<Platform>,
        depth: usize,
    ) -> Result<Vec<Waiting>, VerifyError> {
        if all.len() > PIECES {
            return Err(VerifyError::Endless);
        }
        let mut within = Vec::new();
        for (part, own) in all {
            let platform = own.or_else(|| outer.clone());
            let named = &mut self.image.platforms;
            if let Some(new) = platform.as_ref().filter(|p| named.len() < PLATFORMS && !named.contains(p)) {
                named.push(new.clone());
            }
            let is_wanted = self.wanted.is_none_or(|wanted| match &platform {
                Some(platform) => platform.is(wanted),
                // A list in a list need not say what it is for.
                None => part.shape == Some(Shape::List),
            });
            if is_wanted {
                within.push(Waiting { part, platform, depth });
            }
        }
        Ok(within)
    }

    /// What a manifest says, or why that is not known.
    async fn read(&mut self, part: &Part, platform: Option<&Platform>) -> Result<Result<Document, Standing>, VerifyError> {
        if part.size > BYTES {
            let why = format!("it is said to have {} bytes, and no manifest has more than {BYTES}", part.size);
            return Ok(Err(Standing::Unknown(why)));
        }
        let fetched = content::manifest(self.registry, self.name, &part.digest, part.size).await;
        let (content, bytes) = fetched.map_err(|e| self.failed(&part.digest, e))?;
        let came = bytes.len() as u64;
        self.image.bytes = self.image.bytes.saturating_add(came);
        let kind = if part.shape == Some(Shape::List) { Kind::List } else { Kind::Manifest };
        let all = self.image.bytes;
        (self.step)(Coming { kind, platform, digest: &part.digest, bytes: came, size: part.size, all });
        Ok(match standing(content, part) {
            Standing::Same => Document::read(&bytes, part.shape).map_err(Standing::Unknown),
            // What its maker gives away elsewhere is a layer.
            Standing::Elsewhere => Err(Standing::Missing),
            other => Err(other),
        })
    }

    async fn blob(&mut self, kind: Kind, part: Part, platform: Option<Platform>) -> Result<(), VerifyError> {
        let key = (part.digest.clone(), part.size);
        let content = match self.blobs.get(&key) {
            Some(known) => known.clone(),
            None => {
                let (mut bytes, digest, size) = (0_u64, &part.digest, part.size);
                let (step, all, platform) = (&mut *self.step, &mut self.image.bytes, platform.as_ref());
                let mut count = |more| {
                    bytes = bytes.saturating_add(more);
                    *all = all.saturating_add(more);
                    step(Coming { kind, platform, digest, bytes, size, all: *all });
                };
                let fetched = content::blob(self.registry, self.name, digest, size, &mut count).await;
                let content = fetched.map_err(|e| self.failed(&part.digest, e))?;
                self.blobs.insert(key, content.clone());
                content
            }
        };
        let standing = standing(content, &part);
        self.add(kind, part, platform, standing)
    }

    fn add(&mut self, kind: Kind, part: Part, platform: Option<Platform>, standing: Standing) -> Result<(), VerifyError> {
        if self.image.pieces.len() >= PIECES {
            return Err(VerifyError::Endless);
        }
        let Part { digest, size, .. } = part;
        self.image.pieces.push(Piece { kind, digest, size, platform, standing });
        Ok(())
    }

    fn failed(&self, what: &Digest, error: TransportError) -> VerifyError {
        VerifyError::Registry { address: self.registry.address().clone(), what: what.clone(), error: Box::new(error) }
    }
}

/// What the content of a registry makes of a part.
fn standing(content: Content, part: &Part) -> Standing {
    match content {
        Content::Same => Standing::Same,
        Content::Missing if part.is_foreign => Standing::Elsewhere,
        Content::Missing => Standing::Missing,
        Content::Longer => Standing::Tampered(format!("it has more than {} bytes", part.size)),
        Content::Other(digest, size) if size != part.size => {
            Standing::Tampered(format!("it has {size} bytes, and not {}, and its digest is {digest}", part.size))
        }
        Content::Other(digest, _) => Standing::Tampered(format!("its digest is {digest}")),
    }
}

#[cfg(test)]
mod tests;
