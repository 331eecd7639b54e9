//! `image resolve`, `image verify`: what is signed, as other programs want it named, and whether the registry has it.
use super::{
    context::Context,
    output::{self, Failure, Progress},
    repo::source_word,
};
use crate::{
    repository::{
        Mode,
        image::{Coming, Image, Kind, Piece, Standing, VerifyError},
    },
    text::{Untrusted, amount, count},
    tuf::name::Gun,
    views::{
        columns::columns,
        released::{Released, released},
    },
};
use serde_json::{Value, json};

/// What no signature says.
const NOT_SAID: &str = "a signature says who vouches for these bytes, not that they do no harm";

/// Prints the name of an image by the digest that is signed.
pub async fn resolve(context: &Context, typed: &str) -> Result<(), Failure> {
    let Wanted { gun, tag, found, source } = wanted(context, typed).await?;
    let reference = format!("{gun}@{}", found.signed.digest);
    if context.options.json {
        output::say_json(&json!({
            "schema": "claviger/image-resolve/1",
            "gun": gun.as_str(),
            "tag": tag.raw(),
            "reference": reference,
            "digest": found.signed.digest.as_str(),
            "size": found.signed.size,
            "role": found.role.as_str(),
            "source": source,
        }))?;
    } else {
        output::say(&format!("{reference}\n"))?;
    }
    output::note(&format!("{gun}:{} is signed by {}; {NOT_SAID}", tag.shown(), found.role));
    Ok(())
}

/// Holds the image at its registry against what is signed. Exit status 3 if it is not that.
pub async fn verify(context: &Context, typed: &str, platform: Option<&str>) -> Result<(), Failure> {
    let Wanted { gun, tag, found, source } = wanted(context, typed).await?;
    let progress = Progress::default();
    let mut step = move |coming: Coming<'_>| progress.say(|| on_the_way(&coming));
    let image = context.repositories().verify_image(&gun, &found.signed, platform, &mut step).await;
    drop(step);
    let name = format!("{gun}:{}", tag.shown());
    let image = image.map_err(|e| unknown(&name, &e))?;
    let verdict = judge(&name, &image, platform);
    if context.options.json {
        output::say_json(&json!({
            "schema": "claviger/image-verify/1",
            "gun": gun.as_str(),
            "tag": tag.raw(),
            "digest": found.signed.digest.as_str(),
            "role": found.role.as_str(),
            "source": source,
            "verified": verdict.is_ok(),
            "pieces": image.pieces.iter().map(piece_json).collect::<Vec<_>>(),
        }))?;
    } else {
        let mut lines = vec![["WHAT", "PLATFORM", "SIZE", "STATE", "DIGEST"].map(str::to_owned)];
        lines.extend(image.pieces.iter().map(piece_text));
        output::say(&columns(&lines, 0, 3))?;
    }
    verdict?;
    let elsewhere = image.pieces.iter().filter(|p| p.standing == Standing::Elsewhere).count();
    if elsewhere > 0 {
        output::note(&format!(
            "{} not looked at, because whoever made {} gives {} away elsewhere; their digests are signed with the rest",
            if elsewhere == 1 { "1 layer was".to_owned() } else { format!("{elsewhere} layers were") },
            if elsewhere == 1 { "it" } else { "them" },
            if elsewhere == 1 { "it" } else { "them" },
        ));
    }
    if platform.is_some() && !image.pieces.iter().any(|p| p.kind == Kind::List) {
        output::note("what is signed is one image and no list of them, so --platform has left out nothing");
    }
    output::note(&format!(
        "what was signed as {name} is at the registry, whole, as {} signed it: {}, {} bytes; {NOT_SAID}",
        found.role,
        count(image.pieces.len(), "piece"),
        image.bytes,
    ));
    Ok(())
}

/// Whether an image is what was signed, down to the last piece that could be looked at.
fn judge(name: &str, image: &Image, platform: Option<&str>) -> Result<(), Failure> {
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
        let message = match platform {
            Some(platform) => format!("{name} has nothing for the platform {}", Untrusted::new(platform).shown()),
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
    let digits: String = coming.digest.digits().chars().take(12).collect();
    let (here, size, all) = (amount(coming.bytes), amount(coming.size), amount(coming.all));
    format!("{} {digits} {platform}: {here} of {size}, {all} in all", word(coming.kind))
}

/// What somebody wants of an image: what is signed for everybody.
struct Wanted {
    gun: Gun,
    tag: Untrusted,
    found: Released,
    source: &'static str,
}

/// Understands an image that was typed with its tag.
pub fn with_tag(context: &Context, typed: &str) -> Result<(Gun, Untrusted), Failure> {
    let reference = context.reference(typed)?;
    match reference.tag {
        Some(tag) => Ok((reference.gun, tag)),
        None => {
            let message = format!("{} names no tag", reference.typed.shown());
            let hint = "Give one, such as registry.example/team/app:v1.";
            Err(Failure::new("name", message, "nothing was read or changed", hint).exit(2))
        }
    }
}

/// What is released under the tag that was typed.
async fn wanted(context: &Context, typed: &str) -> Result<Wanted, Failure> {
    let (gun, tag) = with_tag(context, typed)?;
    let loaded = context.load(&gun, Mode::Usual).await.map_err(|e| context.load_failure(&gun, e))?;
    match released(&loaded.collection, tag.raw()) {
        Ok(found) => Ok(Wanted { gun, tag, found, source: source_word(loaded.collection.freshness()) }),
        Err(why) => {
            let message = format!("there is no trusted digest for {gun}:{}: {why}", tag.shown());
            let next = format!("`claviger tags {}` shows what is signed, and by whom.", gun.word());
            Err(Failure::new("not-released", message, "nothing was fetched from a registry", next).exit(3))
        }
    }
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

fn state(standing: &Standing) -> &'static str {
    match standing {
        Standing::Same => "ok",
        Standing::Missing => "missing",
        Standing::Tampered(_) => "TAMPERED",
        Standing::Unknown(_) => "unknown",
        Standing::Elsewhere => "elsewhere",
    }
}

/// Why a piece is not what it should be, to be read after its digest.
fn reason(standing: &Standing) -> String {
    match standing {
        Standing::Same => "is what it should be".to_owned(),
        Standing::Missing => "is not there".to_owned(),
        Standing::Tampered(why) => format!("was tampered with: {why}"),
        Standing::Unknown(why) => format!("cannot be followed: {why}"),
        Standing::Elsewhere => "is kept elsewhere".to_owned(),
    }
}

fn piece_text(piece: &Piece) -> [String; 5] {
    let platform = piece.platform.as_ref().map(|p| p.text().shown().to_string()).unwrap_or_default();
    let digest = piece.digest.to_string();
    [word(piece.kind).to_owned(), platform, piece.size.to_string(), state(&piece.standing).to_owned(), digest]
}

fn piece_json(piece: &Piece) -> Value {
    let why = match &piece.standing {
        Standing::Tampered(_) | Standing::Unknown(_) => Some(reason(&piece.standing)),
        _ => None,
    };
    json!({
        "kind": word(piece.kind),
        "digest": piece.digest.as_str(),
        "size": piece.size,
        "platform": piece.platform.as_ref().map(|p| p.text().raw()),
        "state": state(&piece.standing).to_lowercase(),
        "reason": why,
    })
}
