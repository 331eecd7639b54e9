//! The walk through content trust in a world to practise on: what each of its pages says, what is done there, and what was
//! seen. What is done is done by the same procedures as anywhere else.
mod shown;

pub use shown::{MakeWorld, World, run};

use super::{
    CANCELLED, KeyFile, Recording, Which, Work, Workplace, key_export,
    key_export::Half,
    perform,
    repository::{Rotation, Wanted, field, load_failure, push, push::Destination},
};
use crate::{
    failure::Failure,
    operator::{Cancel, Operator, as_text},
    repository::{
        Mode, Repositories,
        image::{Image, Standing},
    },
    text::count,
    tuf::name::Gun,
    views::released::released,
};
use jiff::Timestamp;
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
    /// A tag stands for nothing that is trusted.
    Refused(&'static str, &'static str),
    /// A tag stands for something that is trusted.
    Found(&'static str, &'static str),
    /// A procedure, with what is filled into its forms.
    Works(Work, BTreeMap<&'static str, String>),
    /// Every byte of the image is as it was signed.
    Holds,
    /// Somebody changes a byte of a layer where the registry keeps it.
    Tampers,
    /// That is seen.
    Spoilt,
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
        let page = |title, before, deeds| Page { title, before, deeds };
        vec![
            page(
                "An image that nobody has signed",
                "The registry has an image under shop/frontend:nightly, and no signer vouches for it. A registry gives it to whoever asks; \
                 content trust does not. It is looked up now as `claviger image resolve` does.",
                vec![Deed::Refused(FRONTEND, UNSIGNED)],
            ),
            page(
                "An image is pushed",
                "An image for two platforms lies in a directory, as `skopeo` and other tools write it. It is sent to the registry as \
                 shop/frontend:tour, its tag last. To push is not to sign: afterwards nobody can rely on it yet.",
                vec![pushes, Deed::Refused(FRONTEND, TAG)],
            ),
            page(
                "A tag is signed",
                "Alice signs that tour stands for this image, by its digest and size, and releases it. First comes a plan: which files \
                 change, who signs, and what docker and notary will see. Then her key is opened with its passphrase.",
                vec![signs, Deed::Found(FRONTEND, TAG)],
            ),
            page(
                "The image is held against its signature",
                "Every manifest, configuration and layer is fetched from the registry and hashed, as `claviger image verify` does.",
                vec![Deed::Holds],
            ),
            page(
                "Somebody changes a layer",
                "Now one byte of a layer is changed on the registry's own disk, as whoever breaks into it could do. The tag, the \
                 manifest and the signature stay as they are. Then the image is verified once more.",
                vec![Deed::Tampers, Deed::Spoilt],
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
                vec![work(Work::Ask(Box::new(Wanted::RemoveSigner { guns: vec![frontend], name: "bob".to_owned(), key: None })))],
            ),
            page(
                "What a removal can leave behind",
                "In shop/mobile somebody did the same by hand and stopped half-way: bob's key is gone, and nobody has signed his file \
                 again. So nothing that he released can be trusted, and docker pulls none of it.",
                vec![Deed::Refused(MOBILE, LOST)],
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
                    change(Wanted::Witness { gun: mobile, roles: vec![releases] }),
                    Deed::Found(MOBILE, LOST),
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
        let all = place.repositories.as_ref().ok_or_else(|| otherwise("there is no server to ask"))?;
        let mut seen = Vec::new();
        for deed in &page.deeds {
            seen.push(match deed {
                Deed::Works(work, fields) => {
                    operator.fills(fields);
                    let recording = Recording::new(place, work.clone());
                    let done = perform(work, place, recording, operator.asked(), cancel.clone()).await;
                    // What the pages before have done is done, whatever this piece of work says of itself.
                    let done = done.map_err(|e| match e.code {
                        _ if cancel.is_set() => Failure::interrupted(NOTHING),
                        CANCELLED => e.instead(NOTHING),
                        _ => e,
                    })?;
                    match done.left.first() {
                        None => done.happened,
                        Some(left) => return Err(otherwise(left)),
                    }
                }
                Deed::Refused(name, tag) => match self.released(all, name, tag).await? {
                    Err(why) => format!("{name}:{tag} is refused: {why}."),
                    Ok(_) => return Err(otherwise("it is signed")),
                },
                Deed::Found(name, tag) => match self.released(all, name, tag).await? {
                    Ok((digest, role)) => format!("{name}:{tag} is {digest}, signed by {role}."),
                    Err(why) => return Err(otherwise(&why)),
                },
                Deed::Tampers => {
                    change_last_byte(&self.layer).map_err(|e| otherwise(&format!("the layer cannot be changed: {e}")))?;
                    "One byte of a layer is another now.".to_owned()
                }
                Deed::Holds => {
                    let image = self.verified(all).await?;
                    match image.pieces.iter().all(|p| p.standing == Standing::Same) {
                        true => format!("All {} are as they were signed.", count(image.pieces.len(), "piece")),
                        false => return Err(otherwise("the image is not as it was signed")),
                    }
                }
                Deed::Spoilt => {
                    let image = self.verified(all).await?;
                    let wrong = image.pieces.iter().find_map(|p| match &p.standing {
                        Standing::Tampered(why) => {
                            Some(format!("The image is refused: the layer {} was tampered with: {why}.", p.digest))
                        }
                        _ => None,
                    });
                    wrong.ok_or_else(|| otherwise("nobody has seen the changed layer"))?
                }
            });
        }
        Ok(seen)
    }

    async fn released(&self, all: &Repositories, name: &str, tag: &str) -> Result<Result<(String, String), String>, Failure> {
        let gun = self.named(name)?;
        let loaded = all.load(&gun, Timestamp::now(), Mode::Usual, &|_| {}).await.map_err(|e| load_failure(all, &gun, e))?;
        let found = released(&loaded.collection, tag);
        Ok(found.map(|found| (found.signed.digest.to_string(), found.role.to_string())).map_err(|why| why.to_string()))
    }

    async fn verified(&self, all: &Repositories) -> Result<Image, Failure> {
        let gun = self.named(FRONTEND)?;
        let loaded = all.load(&gun, Timestamp::now(), Mode::Usual, &|_| {}).await.map_err(|e| load_failure(all, &gun, e))?;
        let found = released(&loaded.collection, TAG).map_err(|why| otherwise(&why.to_string()))?;
        let image = all.verify_image(&gun, &found.signed, None, &mut |_| {}).await;
        image.map_err(|e| otherwise(&e.to_string()))
    }

    fn named(&self, name: &str) -> Result<Gun, Failure> {
        Gun::new(&self.gun(name)).map_err(|e| otherwise(&e.to_string()))
    }
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
