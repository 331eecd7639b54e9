//! An image held against its signature: every manifest, configuration and layer that is signed is fetched and hashed.
use super::{Inquiry, NOT_SAID, Resolved, field, meant, repositories, sentences, tag, trusted};
use crate::{
    failure::{Failure, sentence},
    operator::{Field, Fut, Session, Step, Stop},
    procedures::{Done, Row, Workplace},
    repository::image::{Coming, Image, Kind, Lead, Piece, Standing, VerifyError},
    text::{Untrusted, amount, count},
};
use std::{fmt, sync::Mutex};

/// The image is fetched.
pub const FETCH: Step = Step { name: "fetch", says: "Every piece is fetched from the registry and hashed, and kept nowhere." };

/// An image that was held against its signature.
pub struct Verified {
    /// What is signed.
    pub signed: Resolved,
    /// What was found.
    pub image: Image,
    /// Where the tag leads.
    pub lead: Lead,
    /// The platform that was asked for.
    pub platform: Option<String>,
}

/// Holds the image of a tag against its signature.
pub fn verify<'s>(place: Workplace, asked: Inquiry, session: &'s mut Session<'_>) -> Fut<'s, Result<Verified, Stop>> {
    Box::pin(async move {
        let help = "such as linux/arm64; empty: all that was signed";
        let only = Field::text(field::PLATFORM, "Platform", help);
        let (gun, values) = meant(&place, &asked, vec![only], session).await?;
        let platform = Some(values.get(field::PLATFORM).trim().to_owned()).filter(|p| !p.is_empty());
        let signed = trusted(&place, gun, tag(&asked, &values), session).await?;
        let (all, name, now) = (repositories(&place)?, signed.name(), Mutex::new(String::new()));
        let mut step = |coming: Coming<'_>| {
            if let Ok(mut now) = now.lock() {
                *now = on_the_way(&coming);
            }
        };
        let fetched = async {
            let image = all.verify_image(&signed.gun, &signed.found.signed, platform.as_deref(), &mut step).await;
            image.map_err(|e| unknown(&name, &e))
        };
        let how_far = || now.lock().map(|now| now.clone()).unwrap_or_default();
        let image = session.wait_watched(FETCH, format!("fetching {name}"), fetched, how_far).await?;
        let lead = async { Ok(all.lead(&signed.gun, signed.tag.raw(), &signed.found.signed).await) };
        let lead = session.wait(FETCH, format!("asking where {} leads", signed.tag.shown()), lead).await?;
        Ok(Verified { signed, image, lead, platform })
    })
}

impl Verified {
    /// Whether the image is what was signed, down to the last piece that could be looked at.
    ///
    /// # Errors
    /// If it is not, with exit status 3.
    pub fn verdict(&self) -> Result<(), Failure> {
        let (name, image) = (self.signed.name(), &self.image);
        let is_wrong = |p: &&Piece| matches!(p.standing, Standing::Missing | Standing::Tampered(_));
        let wrong: Vec<&Piece> = image.pieces.iter().filter(is_wrong).collect();
        if let [first, more @ ..] = wrong.as_slice() {
            let message = format!("{name} is not at the registry as it was signed: {}{}", one_of(first), and_more(more.len()));
            let next = "Do not run it. Push what was signed once more, or find out who has changed the registry.";
            return Err(Failure::new("image", message, "nothing was changed, and nothing of it was kept", next).exit(3));
        }
        let unknown: Vec<&Piece> = image.pieces.iter().filter(|p| matches!(p.standing, Standing::Unknown(_))).collect();
        if let [first, more @ ..] = unknown.as_slice() {
            let message = format!("{name} cannot be followed to its end: {}{}", one_of(first), and_more(more.len()));
            let next = "Narrow it with --platform to what you run, or ask whoever signed it what that is.";
            return Err(Failure::new("image", message, "what that names was not verified", next).exit(3));
        }
        if image.pieces.iter().all(|p| p.kind == Kind::List) {
            let message = match &self.platform {
                Some(platform) => format!("{name} has nothing for the platform {}", Untrusted::new(platform.as_str()).shown()),
                None => format!("{name} is a list that names no image"),
            };
            let has: Vec<String> = image.platforms.iter().map(|p| p.text().shown().to_string()).collect();
            let next = match has.as_slice() {
                [] => "Ask whoever signed it what it is for.".to_owned(),
                has => format!("It is for {}.", has.join(", ")),
            };
            return Err(Failure::new("no-platform", message, "nothing of it was verified but its list", next).exit(3));
        }
        Ok(())
    }

    /// What is to be said of an image that is what was signed.
    pub fn notes(&self) -> Vec<String> {
        let (image, mut all) = (&self.image, Vec::new());
        let elsewhere = image.pieces.iter().filter(|p| p.standing == Standing::Elsewhere).count();
        if elsewhere > 0 {
            let (layers, it) =
                if elsewhere == 1 { ("1 layer was".to_owned(), "it") } else { (format!("{elsewhere} layers were"), "them") };
            all.push(format!(
                "{layers} not looked at, because whoever made {it} gives {it} away elsewhere; their digests are signed with the rest"
            ));
        }
        if self.platform.is_some() && !image.pieces.iter().any(|p| p.kind == Kind::List) {
            all.push("what is signed is one image and no list of them, so the platform has left out nothing".to_owned());
        }
        all.extend(self.leads());
        all
    }

    /// That the tag leads elsewhere, if it is not known to lead to the image.
    fn leads(&self) -> Option<String> {
        let tag = self.signed.tag.shown();
        match &self.lead {
            Lead::Here | Lead::NoTag => None,
            Lead::Elsewhere(other) => Some(format!(
                "the registry's tag {tag} leads to another image now, {other}: whoever pulls by the tag without content trust gets that one"
            )),
            Lead::Nowhere => Some(format!("the registry has no tag {tag}: the image is found there by its digest only")),
            Lead::Unknown(why) => Some(format!("where the registry's tag {tag} leads is not known: {why}")),
        }
    }

    fn rows(&self) -> Vec<Row> {
        let heads = ["STATE", "WHAT", "PLATFORM", "SIZE", "DIGEST"].map(str::to_owned);
        let rows = self.image.pieces.iter().map(|piece| {
            let platform = piece.platform.as_ref().map(|p| p.text().shown().to_string()).unwrap_or_default();
            let digits: String = piece.digest.digits().chars().take(SHORT).collect();
            let cells =
                [state_word(&piece.standing).to_owned(), word(piece.kind).to_owned(), platform, amount(piece.size), digits];
            (cells, !matches!(piece.standing, Standing::Same | Standing::Elsewhere))
        });
        Row::table(heads, rows)
    }
}

/// As many digits as tell one piece of an image from another at a glance.
const SHORT: usize = 12;

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, role) = (self.signed.name(), &self.signed.found.role);
        let (pieces, bytes) = (count(self.image.pieces.len(), "piece"), self.image.bytes);
        write!(f, "what was signed as {name} is at the registry, whole, as {role} signed it: {pieces}, {bytes} bytes; {NOT_SAID}")
    }
}

impl From<Verified> for Done {
    fn from(verified: Verified) -> Self {
        let (verdict, rows) = (verified.verdict(), verified.rows());
        let reservations = sentences(&verified.signed.reservations);
        match verdict {
            Ok(()) => {
                let left = reservations.into_iter().chain(sentences(&verified.notes())).collect();
                let copy = Some(verified.signed.reference());
                Self { happened: sentence(&verified.to_string()), left, rows, copy, ..Self::default() }
            }
            Err(failure) => {
                let left = failure.rest().into_iter().chain(reservations).chain(verified.leads().map(|l| sentence(&l))).collect();
                Self { happened: failure.happened(), left, rows, exit: Some(failure.exit), ..Self::default() }
            }
        }
    }
}

fn one_of(piece: &Piece) -> String {
    let platform = piece.platform.as_ref().map(|p| format!(" of {}", p.text().shown())).unwrap_or_default();
    format!("{} {}{platform} {}", word(piece.kind), piece.digest, reason(&piece.standing))
}

fn and_more(n: usize) -> String {
    if n > 0 { format!(", and {n} more") } else { String::new() }
}

/// What comes, and how much of it is here, in less than a line.
fn on_the_way(coming: &Coming<'_>) -> String {
    let platform = coming.platform.map(|p| p.text().shown().to_string()).unwrap_or_default();
    let platform: String = platform.chars().take(20).collect();
    let digits: String = coming.digest.digits().chars().take(SHORT).collect();
    let (here, size, all) = (amount(coming.bytes), amount(coming.size), amount(coming.all));
    format!("{} {digits} {platform}: {here} of {size}, {all} in all", word(coming.kind))
}

fn unknown(name: &str, error: &VerifyError) -> Failure {
    let nothing = "whether the image is as it was signed is not known";
    let message = format!("{name} was not looked at to its end: {error}");
    Failure::new(error.code(), message, nothing, error.remedy())
}

/// What a piece is, in a word.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::List => "list",
        Kind::Manifest => "manifest",
        Kind::Config => "config",
        Kind::Layer => "layer",
    }
}

/// How a piece stands, in a word.
pub fn state_word(standing: &Standing) -> &'static str {
    match standing {
        Standing::Same => "ok",
        Standing::Missing => "missing",
        Standing::Tampered(_) => "TAMPERED",
        Standing::Unknown(_) => "unknown",
        Standing::Elsewhere => "elsewhere",
    }
}

/// Why a piece is not what it should be, to be read after its digest.
pub fn reason(standing: &Standing) -> String {
    match standing {
        Standing::Same => "is what it should be".to_owned(),
        Standing::Missing => "is not there".to_owned(),
        Standing::Tampered(why) => format!("was tampered with: {why}"),
        Standing::Unknown(why) => format!("cannot be followed: {why}"),
        Standing::Elsewhere => "is kept elsewhere".to_owned(),
    }
}
