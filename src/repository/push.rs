//! An image of a layout on its way to its registry: content first, then the manifests that name it, each after those that it
//! names, and the tag last. As long as the tag does not lead to it, nobody finds it.
mod error;

pub use error::PushError;

use super::{
    Repositories, blocking,
    image::{DEPTH, Kind, PIECES},
    layout::{Layout, LayoutError},
};
use crate::{
    registry::{
        Digest, Held, Item, Name, Reference, Registry, Tag, Takes, TransportError,
        document::{Document, Part, Platform},
        manifest, push_scope,
    },
    text::Untrusted,
    tuf::name::Gun,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

/// What becomes of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The registry has it.
    There,
    /// It has to be sent.
    ToSend,
    /// It is not sent: a layer that its maker gives away elsewhere.
    Elsewhere,
}

/// A piece of the image, in the order in which they are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: Kind,
    /// What it is called, and its size.
    pub part: Part,
    /// What it is for, if a list says so.
    pub platform: Option<Platform>,
    /// What it is sent as; empty for what is no manifest.
    pub media_type: String,
    /// What becomes of it.
    pub state: State,
}

/// An image that can be sent, held against what its registry has.
pub struct Push {
    registry: Arc<dyn Registry>,
    name: Name,
    tag: Tag,
    layout: Layout,
    /// All its pieces; the last one is the manifest that the tag will lead to.
    pub pieces: Vec<Piece>,
    /// The digest that is signed.
    pub digest: Digest,
    /// The size that belongs to it.
    pub size: u64,
    /// What the tag leads to now.
    pub before: Option<Digest>,
}

/// How far it has come. Copies count the same.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    bytes: Arc<AtomicU64>,
    pieces: Arc<AtomicUsize>,
}

impl Sent {
    /// Bytes that the connection has taken, and pieces that the registry has taken.
    pub fn so_far(&self) -> (u64, usize) {
        (self.bytes.load(Ordering::Relaxed), self.pieces.load(Ordering::Relaxed))
    }
}

impl Repositories {
    /// Reads an image of a layout, and asks its registry what it has of that. Nothing is sent.
    ///
    /// # Errors
    /// [`PushError`].
    pub async fn push(&self, layout: &Path, gun: &Gun, tag: &str) -> Result<Push, PushError> {
        let tag = Tag::new(tag).ok_or_else(|| PushError::Tag(Untrusted::new(tag)))?;
        let (registry, name) = self.servers().images(gun)?;
        let typed = layout.to_owned();
        let (layout, root, pieces) = blocking(move || {
            let (layout, root) = Layout::find(&typed)?;
            let pieces = pieces(&layout, &root)?;
            Ok::<_, LayoutError>((layout, root, pieces))
        })
        .await?;
        let Part { digest, size, .. } = root;
        let mut push = Push { registry, name, tag, layout, pieces, digest, size, before: None };
        push.look().await?;
        Ok(push)
    }
}

impl Push {
    fn takes(&self) -> Result<&dyn Takes, PushError> {
        self.registry.takes().ok_or_else(|| PushError::OnlyGives(self.address().clone()))
    }

    /// Where it goes.
    pub fn address(&self) -> &Untrusted {
        self.registry.address()
    }

    /// What stays the same as long as the plan means the same: where it goes, what the tag leads to, and what it will.
    pub fn plan(&self) -> String {
        let before = self.before.as_ref().map(Digest::as_str);
        let (name, tag) = (self.name.as_str(), self.tag.as_str());
        let text = json!(["claviger-push-v1", self.address().raw(), name, tag, before, self.digest.as_str()]).to_string();
        base16ct::lower::encode_string(&Sha256::digest(text.as_bytes()))
    }

    /// Whether the tag leads to it, and the registry has all of it.
    pub fn is_there(&self) -> bool {
        self.to_send().next().is_none()
    }

    /// What has to be sent.
    pub fn to_send(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|p| p.state == State::ToSend)
    }

    /// How many bytes that is.
    pub fn bytes(&self) -> u64 {
        self.to_send().fold(0, |all, p| all.saturating_add(p.part.size))
    }

    /// Asks what the registry has.
    async fn look(&mut self) -> Result<(), PushError> {
        self.before = self.leads_to().await?;
        for at in 0..self.pieces.len() {
            let Some(piece) = self.pieces.get(at).filter(|p| p.state != State::Elsewhere) else { continue };
            let Part { digest, size, .. } = piece.part.clone();
            let held = match piece.kind {
                // It is there only when the tag leads to it.
                _ if digest == self.digest => self.before.as_ref().filter(|b| **b == digest).map(|_| Held::default()),
                Kind::List | Kind::Manifest => {
                    let item = Item::Manifest(Reference::Digest(digest.clone()));
                    self.asks(&item, || format!("say whether it has {digest}")).await?
                }
                Kind::Config | Kind::Layer => {
                    let item = Item::Blob(digest.clone());
                    self.asks(&item, || format!("say whether it has {digest}")).await?
                }
            };
            if let Some(has) = held.as_ref().and_then(|held| held.size).filter(|has| *has != size) {
                return Err(PushError::Other { address: self.address().clone(), what: digest, has, size });
            }
            if let Some(piece) = self.pieces.get_mut(at) {
                piece.state = if held.is_some() { State::There } else { State::ToSend };
            }
        }
        Ok(())
    }

    /// What the tag leads to.
    async fn leads_to(&self) -> Result<Option<Digest>, PushError> {
        let tag = Reference::Tag(self.tag.clone());
        let what = || format!("say what its tag {} leads to", self.tag.as_str());
        let Some(held) = self.asks(&Item::Manifest(tag.clone()), what).await? else { return Ok(None) };
        if let Some(said) = held.digest.and_then(|digest| Digest::new(digest.raw())) {
            return Ok(Some(said));
        }
        // Not every registry says it unasked.
        let found = manifest(self.registry.as_ref(), &self.name, tag).await;
        Ok(found.map_err(|e| self.failed(what(), e))?.map(|m| m.digest))
    }

    async fn asks(&self, item: &Item, what: impl Fn() -> String) -> Result<Option<Held>, PushError> {
        self.takes()?.has(&self.name, item).await.map_err(|e| self.failed(what(), e))
    }

    /// Sends all but what the tag will lead to. It can be left at any moment: no tag leads to any of it.
    ///
    /// # Errors
    /// [`PushError`].
    pub async fn send(&self, sent: &Sent) -> Result<(), PushError> {
        for piece in self.to_send().filter(|p| p.part.digest != self.digest) {
            match piece.kind {
                Kind::Config | Kind::Layer => self.send_blob(&piece.part, sent).await?,
                Kind::List | Kind::Manifest => {
                    self.send_manifest(piece, &Reference::Digest(piece.part.digest.clone())).await?;
                    sent.bytes.fetch_add(piece.part.size, Ordering::Relaxed);
                }
            }
            sent.pieces.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn send_blob(&self, part: &Part, sent: &Sent) -> Result<(), PushError> {
        let blob = Arc::new(self.layout.blob(part, &sent.bytes));
        let taken = self.takes()?.put_blob(&self.name, &part.digest, blob.clone()).await;
        match (taken, blob.spoilt()) {
            (_, Some(spoilt)) => Err(spoilt.into()),
            (taken, None) => taken.map_err(|e| self.failed(format!("take {}", part.digest), e)),
        }
    }

    async fn send_manifest(&self, piece: &Piece, reference: &Reference) -> Result<(), PushError> {
        // Read once more: what is in memory is never more than one.
        let (layout, part) = (self.layout.clone(), piece.part.clone());
        let (bytes, _) = blocking(move || layout.manifest(&part)).await?;
        let taken = self.takes()?.put_manifest(&self.name, reference, &piece.media_type, bytes).await;
        taken.map_err(|e| self.failed(format!("take {}", piece.part.digest), e))
    }

    /// Has the tag lead to it, unless it leads elsewhere by now than when it was looked at. When the answer leaves open what
    /// became of that, it is looked up.
    ///
    /// # Errors
    /// [`PushError`]; after a refusal the tag leads to what it led to before.
    pub async fn name_it(&self) -> Result<(), PushError> {
        let Some(root) = self.to_send().find(|p| p.part.digest == self.digest) else { return Ok(()) };
        match self.leads_to().await? {
            found if found == self.before => {}
            found => return Err(PushError::Moved { address: self.address().clone(), found }),
        }
        let Err(error) = self.send_manifest(root, &Reference::Tag(self.tag.clone())).await else { return Ok(()) };
        if error.is_refusal() {
            return Err(error);
        }
        match self.verify().await {
            Ok(()) => Ok(()),
            Err(PushError::NotServed { found, .. }) if found == self.before => Err(error),
            Err(then) => Err(PushError::Unknown { error: Box::new(error), then: Box::new(then) }),
        }
    }

    /// Fetches what the tag leads to, which must be the image.
    ///
    /// # Errors
    /// [`PushError::NotServed`]; [`PushError::Registry`] if that cannot be known.
    pub async fn verify(&self) -> Result<(), PushError> {
        let tag = Reference::Tag(self.tag.clone());
        let found = manifest(self.registry.as_ref(), &self.name, tag).await;
        let found = found.map_err(|e| self.failed(format!("give what its tag {} leads to", self.tag.as_str()), e))?;
        match found.map(|m| m.digest) {
            Some(digest) if digest == self.digest => Ok(()),
            found => Err(PushError::NotServed { address: self.address().clone(), found }),
        }
    }

    fn failed(&self, what: String, error: TransportError) -> PushError {
        let (address, scope) = (self.address().clone(), push_scope(&self.name));
        PushError::Registry { address, what, scope, error: Box::new(error) }
    }
}

/// What an image is made of, in the order in which it is sent, and each piece once.
fn pieces(layout: &Layout, root: &Part) -> Result<Vec<Piece>, LayoutError> {
    let mut found = Found { layout, blobs: Vec::new(), manifests: Vec::new(), seen: HashSet::new() };
    found.manifest(root, None, 0)?;
    let Found { mut blobs, manifests, .. } = found;
    blobs.extend(manifests);
    Ok(blobs)
}

struct Found<'l> {
    layout: &'l Layout,
    blobs: Vec<Piece>,
    /// Each after those that it names.
    manifests: Vec<Piece>,
    seen: HashSet<(Digest, u64)>,
}

impl Found<'_> {
    fn manifest(&mut self, part: &Part, platform: Option<&Platform>, depth: usize) -> Result<(), LayoutError> {
        if !self.is_new(part)? {
            return Ok(());
        }
        let (bytes, document) = self.layout.manifest(part)?;
        let media_type = document.media_type(&bytes);
        drop(bytes);
        let kind = match &document {
            Document::List(_) => Kind::List,
            Document::Image { .. } => Kind::Manifest,
        };
        match document {
            Document::List(_) if depth >= DEPTH => {
                let why = format!("lists lie more than {DEPTH} deep in lists");
                return Err(LayoutError::Piece { what: part.digest.clone(), why });
            }
            Document::List(all) => {
                for (inner, own) in all {
                    self.manifest(&inner, own.as_ref().or(platform), depth.saturating_add(1))?;
                }
            }
            Document::Image { config, layers } => {
                self.blob(Kind::Config, config, platform)?;
                for layer in layers {
                    self.blob(Kind::Layer, layer, platform)?;
                }
            }
        }
        let (part, platform) = (part.clone(), platform.cloned());
        self.manifests.push(Piece { kind, part, platform, media_type, state: State::ToSend });
        Ok(())
    }

    fn blob(&mut self, kind: Kind, part: Part, platform: Option<&Platform>) -> Result<(), LayoutError> {
        if !self.is_new(&part)? {
            return Ok(());
        }
        let state = if part.is_foreign { State::Elsewhere } else { State::ToSend };
        if state == State::ToSend {
            self.layout.has(&part)?;
        }
        self.blobs.push(Piece { kind, part, platform: platform.cloned(), media_type: String::new(), state });
        Ok(())
    }

    fn is_new(&mut self, part: &Part) -> Result<bool, LayoutError> {
        let is_new = self.seen.insert((part.digest.clone(), part.size));
        if self.seen.len() > PIECES { Err(LayoutError::Endless) } else { Ok(is_new) }
    }
}
