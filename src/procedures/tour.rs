//! The walk through content trust in a world to practise on: what each of its pages says, what is done there, and what was
//! seen. What is done is done by the same procedures as anywhere else.
mod shown;

pub use shown::{MakeWorld, World, run};

use super::{
    CANCELLED, Done, KeyFile, Recording, Which, Work, Workplace, key_export,
    key_export::Half,
    perform,
    repository::{About, Inquiry, Rotation, Wanted, field, inquiry, push, push::Destination},
};
use crate::{
    failure::Failure,
    operator::{Cancel, Operator, as_text},
};
use std::{collections::BTreeMap, io, path::PathBuf};

/// The repository with several signers.
const FRONTEND: &str = "shop/frontend";
/// The repository in which nobody has vouched for what a signer left behind.
const MOBILE: &str = "shop/mobile";
/// The tag that the walk signs.
const TAG: &str = "tour";
/// A tag that nobody has signed.
const UNSIGNED: &str = "nightly";
/// A tag that is lost with its signer.
const LOST: &str = "3.2";

/// What has not happened to whoever leaves.
pub const NOTHING: &str = "the rest of the tour was not done; nothing of it was real";
/// What is said at its end.
pub const HAPPENED: &str = "That was the tour. Nothing of it was real, and its world is gone.";
/// What to do after it, on a screen.
pub const NEXT: &str = "The world of this workstation is to practise on too: every procedure of the tour is on its pages.";

/// What the walk finds in its world.
#[derive(Debug, Clone)]
pub struct Ground {
    /// What the names of its repositories begin with.
    pub host: String,
    /// An image that the registry does not have.
    pub layout: PathBuf,
    /// Where the registry will keep a layer of it.
    pub layer: PathBuf,
    /// The private key of the signer at whose desk this is.
    pub signer: PathBuf,
    /// Where its public half goes.
    pub public: PathBuf,
}

/// One page: what it is about, what will happen, and what is done.
pub struct Page {
    /// What it is about.
    pub title: &'static str,
    /// What will happen, in sentences.
    pub before: &'static str,
    deeds: Vec<Deed>,
}

enum Deed {
    /// A procedure, with what is filled into its forms.
    Works(Work, BTreeMap<&'static str, String>),
    /// The same, and the answer is that it is not trusted.
    Refused(Work, BTreeMap<&'static str, String>),
    /// Somebody changes a byte of a layer where the registry keeps it.
    Tampers,
}

impl Ground {
    fn gun(&self, name: &str) -> String {
        format!("{}/{name}", self.host)
    }

    /// The pages, in order.
    pub fn pages(&self) -> Vec<Page> {
        let work = |work: Work| Deed::Works(work, BTreeMap::new());
        let change = |wanted: Wanted| work(Work::Change(Box::new(wanted)));
        let (frontend, mobile) = (self.gun(FRONTEND), self.gun(MOBILE));
        let pushes = Deed::Works(
            Work::PushImage(Destination { gun: frontend.clone(), tag: TAG.to_owned() }),
            BTreeMap::from([(push::field::LAYOUT, as_text::of(&self.layout))]),
        );
        let signs = Deed::Works(
            // The digest is asked of the registry.
            Work::Ask(Box::new(Wanted::Sign {
                gun: frontend.clone(),
                tag: TAG.to_owned(),
                sha256: String::new(),
                size: 0,
                signer: Some("alice".to_owned()),
            })),
            BTreeMap::new(),
        );
        let exports = Deed::Works(
            Work::ExportKeys(Which::These(vec![KeyFile(self.signer.clone())]), Half::Public),
            BTreeMap::from([(key_export::field::OUTPUT, as_text::of(&self.public))]),
        );
        let rotation = Rotation { gun: frontend.clone(), role: "targets".to_owned() };
        let releases = "targets/releases".to_owned();
        let asks = |about, gun: &str, tag: &str| Work::Inquire(Inquiry { about, gun: gun.to_owned(), tag: tag.to_owned() });
        let found = |gun: &str, tag: &str| work(asks(About::Reference, gun, tag));
        let refused = |gun: &str, tag: &str| Deed::Refused(asks(About::Reference, gun, tag), BTreeMap::new());
        // All platforms.
        let whole = || BTreeMap::from([(inquiry::field::PLATFORM, String::new())]);
        let image = asks(About::Image, &frontend, TAG);
        let page = |title, before, deeds| Page { title, before, deeds };
        vec![
            page(
                "An image that nobody has signed",
                "The registry has an image under shop/frontend:nightly, and no signer vouches for it. A registry gives it to whoever asks; \
                 content trust does not. It is looked up now by `claviger image resolve`.",
                vec![refused(&frontend, UNSIGNED)],
            ),
            page(
                "An image is pushed",
                "An image for two platforms lies in a directory, as `skopeo` and other tools write it. It is sent to the registry as \
                 shop/frontend:tour, its tag last. To push is not to sign: afterwards nobody can rely on it yet.",
                vec![pushes, refused(&frontend, TAG)],
            ),
            page(
                "A tag is signed",
                "Alice signs that tour stands for this image, by its digest and size, and releases it. First comes a plan: which files \
                 change, who signs, and what docker and notary will see. Then her key is opened with its passphrase.",
                vec![signs, found(&frontend, TAG)],
            ),
            page(
                "The image is held against its signature",
                "Every manifest, configuration and layer is fetched from the registry and hashed, by `claviger image verify`.",
                vec![Deed::Works(image.clone(), whole())],
            ),
            page(
                "Somebody changes a layer",
                "Now one byte of a layer is changed on the registry's own disk, as whoever breaks into it could do. The tag, the \
                 manifest and the signature stay as they are. Then the image is verified once more.",
                vec![Deed::Tampers, Deed::Refused(image, whole())],
            ),
            page(
                "A key is rotated",
                "The targets key of shop/frontend is replaced by a new one. The new key is on the disk before anything names it, the \
                 root key signs the change, and the old private key stays where it is until you remove it.",
                vec![Deed::Works(
                    Work::Change(Box::new(Wanted::Rotate(rotation))),
                    BTreeMap::from([(field::KEY, String::new())]),
                )],
            ),
            page(
                "A signer is removed",
                "Bob leaves. His role goes, and his key goes out of targets/releases in the same publication; what he has released \
                 stays pullable, because others vouch for the file. Removing somebody has to be confirmed by name.",
                // As whoever sits before it does: the name is typed.
                vec![work(Work::Ask(Box::new(Wanted::RemoveSigner {
                    guns: vec![frontend.clone()],
                    name: "bob".to_owned(),
                    key: None,
                })))],
            ),
            page(
                "What a removal can leave behind",
                "In shop/mobile somebody did the same by hand and stopped half-way: bob's key is gone, and nobody has signed his file \
                 again. So nothing that he released can be trusted, and docker pulls none of it.",
                vec![refused(&mobile, LOST)],
            ),
            page(
                "Recovery: another key comes in, and its owner vouches",
                "Alice hands over the public half of her key, and the owner adds it to targets/releases. Then she is its witness: she \
                 signs the file again as it is. Whoever does that answers for what is in it, so read the plan to its end.",
                vec![
                    exports,
                    change(Wanted::AddDelegation {
                        gun: mobile.clone(),
                        role: releases.clone(),
                        keys: vec![as_text::of(&self.public)],
                        paths: Vec::new(),
                        threshold: None,
                    }),
                    change(Wanted::Witness { gun: mobile.clone(), roles: vec![releases] }),
                    found(&mobile, LOST),
                ],
            ),
        ]
    }

    /// Does what a page is about, and says what was seen, a sentence for each thing that was done. `fields` is told what will be
    /// filled into forms.
    ///
    /// # Errors
    /// Where something does not work, or is otherwise than the page says.
    pub async fn walk(
        &self,
        page: &Page,
        place: &Workplace,
        operator: &mut dyn Guided,
        cancel: &Cancel,
    ) -> Result<Vec<String>, Failure> {
        let mut seen = Vec::new();
        for deed in &page.deeds {
            match deed {
                Deed::Works(work, fields) => {
                    let done = go(work, fields, place, operator, cancel).await?;
                    let goes_well = done.exit.is_none() && (done.left.is_empty() || !work.is_recorded());
                    match done.left.into_iter().next() {
                        Some(left) if !goes_well => return Err(otherwise(&left)),
                        _ => seen.extend([Some(done.happened), done.copy].into_iter().flatten()),
                    }
                }
                Deed::Refused(work, fields) => match go(work, fields, place, operator, cancel).await {
                    Ok(done) if done.is_untrusted() => seen.push(done.happened),
                    Ok(_) => return Err(otherwise("it is trusted")),
                    Err(failure) if failure.exit == 3 => seen.push(failure.happened()),
                    Err(failure) => return Err(failure),
                },
                Deed::Tampers => {
                    change_last_byte(&self.layer).map_err(|e| otherwise(&format!("the layer cannot be changed: {e}")))?;
                    seen.push("One byte of a layer is another now.".to_owned());
                }
            }
        }
        Ok(seen)
    }
}

async fn go(
    work: &Work,
    fields: &BTreeMap<&'static str, String>,
    place: &Workplace,
    operator: &mut dyn Guided,
    cancel: &Cancel,
) -> Result<Done, Failure> {
    operator.fills(fields);
    let recording = Recording::new(place, work.clone());
    // What the pages before have done is done, whatever this piece of work says of itself.
    perform(work, place, recording, operator.asked(), cancel.clone()).await.map_err(|e| match e.code {
        _ if cancel.is_set() => Failure::interrupted(NOTHING),
        CANCELLED => e.instead(NOTHING),
        _ => e,
    })
}

/// Whoever is guided: an operator that is told what forms will be filled with.
pub trait Guided: Send {
    /// What will be filled in, by the names of the fields.
    fn fills(&mut self, fields: &BTreeMap<&'static str, String>);

    /// Whom procedures ask.
    fn asked(&mut self) -> &mut dyn Operator;
}

/// The world is not as the page says.
fn otherwise(why: &str) -> Failure {
    let message = format!("the tour cannot go on here: {why}");
    Failure::new("tour", message, NOTHING, "Begin it again, or tell those who make claviger.")
}

fn change_last_byte(path: &std::path::Path) -> io::Result<()> {
    let mut bytes = std::fs::read(path)?;
    let last = bytes.last_mut().ok_or(io::ErrorKind::UnexpectedEof)?;
    *last ^= 1;
    std::fs::write(path, bytes)
}
