//! `image resolve`, `image verify`: what is signed, as other programs want it named, and whether the registry has it.
use super::{
    context::Context,
    key::Line,
    output::{self, Failure},
};
use crate::{
    operator::{Cancel, Fut, Session, Stop},
    procedures::{
        Work,
        repository::{
            About, Inquiry,
            inquiry::{self, Resolved, Verified, field, reason, state_word, word},
        },
    },
    repository::image::{Lead, Piece, Standing},
    text::Untrusted,
    tuf::name::Gun,
    views::columns::columns,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Display};

/// Prints the name of an image by the digest that is signed.
pub async fn resolve(context: &Context, typed: &str, cancel: Cancel) -> Result<(), Failure> {
    let place = context.workplace();
    let asked = of_tag(context, About::Reference, typed)?;
    let resolved: Resolved =
        run(context, asked.clone(), BTreeMap::new(), cancel, |s| inquiry::resolve(place.clone(), asked.clone(), s)).await?;
    resolved.reservations.iter().for_each(|reservation| output::note(reservation));
    if context.options.json {
        output::say_json(&json!({
            "schema": "claviger/image-resolve/1",
            "gun": resolved.gun.as_str(),
            "tag": resolved.tag.raw(),
            "reference": resolved.reference(),
            "digest": resolved.found.signed.digest.as_str(),
            "size": resolved.found.signed.size,
            "role": resolved.found.role.as_str(),
            "source": resolved.source,
        }))?;
    } else {
        output::say(&format!("{}\n", resolved.reference()))?;
    }
    output::note(&resolved.to_string());
    Ok(())
}

/// Holds the image at its registry against what is signed. Exit status 3 if it is not that.
pub async fn verify(context: &Context, typed: &str, platform: Option<&str>, cancel: Cancel) -> Result<(), Failure> {
    let place = context.workplace();
    let asked = of_tag(context, About::Image, typed)?;
    let fields = BTreeMap::from([(field::PLATFORM, platform.unwrap_or_default().to_owned())]);
    let verified: Verified =
        run(context, asked.clone(), fields, cancel, |s| inquiry::verify(place.clone(), asked.clone(), s)).await?;
    let (signed, image, verdict) = (&verified.signed, &verified.image, verified.verdict());
    signed.reservations.iter().for_each(|reservation| output::note(reservation));
    if context.options.json {
        let (leads, leads_to) = lead(&verified);
        output::say_json(&json!({
            "schema": "claviger/image-verify/1",
            "gun": signed.gun.as_str(),
            "tag": signed.tag.raw(),
            "digest": signed.found.signed.digest.as_str(),
            "role": signed.found.role.as_str(),
            "source": signed.source,
            "verified": verdict.is_ok(),
            "tag_leads": leads,
            "tag_leads_to": leads_to,
            "pieces": image.pieces.iter().map(piece_json).collect::<Vec<_>>(),
        }))?;
    } else {
        let mut lines = vec![["WHAT", "PLATFORM", "SIZE", "STATE", "DIGEST"].map(str::to_owned)];
        lines.extend(image.pieces.iter().map(piece_text));
        output::say(&columns(&lines, 0, 3))?;
    }
    verdict?;
    verified.notes().iter().for_each(|note| output::note(note));
    output::note(&verified.to_string());
    Ok(())
}

/// Asks, with what was given on the command line.
pub async fn run<T: Display>(
    context: &Context,
    asked: Inquiry,
    fields: BTreeMap<&'static str, String>,
    cancel: Cancel,
    procedure: impl for<'s> FnMut(&'s mut Session<'_>) -> Fut<'s, Result<T, Stop>> + Send,
) -> Result<T, Failure> {
    let mut line = Line::new(context, Work::Inquire(asked), cancel)?;
    line.operator.fields = fields;
    line.run(procedure).await
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

fn of_tag(context: &Context, about: About, typed: &str) -> Result<Inquiry, Failure> {
    let (gun, tag) = with_tag(context, typed)?;
    Ok(Inquiry { about, gun: gun.to_string(), tag: tag.raw().to_owned() })
}

/// Where the tag leads, in a word, and to what, as far as that is known.
fn lead(verified: &Verified) -> (&'static str, Option<&str>) {
    match &verified.lead {
        Lead::Here => ("here", Some(verified.signed.found.signed.digest.as_str())),
        Lead::Elsewhere(digest) => ("elsewhere", Some(digest.as_str())),
        Lead::Nowhere => ("nowhere", None),
        Lead::NoTag => ("no-tag", None),
        Lead::Unknown(_) => ("unknown", None),
    }
}

fn piece_text(piece: &Piece) -> [String; 5] {
    let platform = piece.platform.as_ref().map(|p| p.text().shown().to_string()).unwrap_or_default();
    let digest = piece.digest.to_string();
    [word(piece.kind).to_owned(), platform, piece.size.to_string(), state_word(&piece.standing).to_owned(), digest]
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
        "state": state_word(&piece.standing).to_lowercase(),
        "reason": why,
    })
}
