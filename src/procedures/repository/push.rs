//! Sending an image from an OCI layout to its registry: looked at, accepted, sent, and fetched again. It signs nothing.
use super::ask::fields;
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    operator::{Field, Form, Fut, PlanAsked, Review, Session, Step, Stop, Values, as_text},
    procedures::{Workplace, paths, told_to_end},
    repository::{
        Layout, Repositories,
        image::Kind,
        push::{Piece, Push, PushError, Sent, State},
    },
    text::{Untrusted, amount, count},
    tuf::name::Gun,
};
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// What is sent, and what it will be called.
pub const WISH: Step = Step { name: "wish", says: "Name the layout and the tag. Nothing is sent yet." };
/// The look at what is there.
pub const LOOK: Step = Step { name: "look", says: "The layout is read, and the registry is asked what it has." };
/// The plan.
pub const REVIEW: Step = Step { name: "plan", says: "Look at what will be sent, and where the tag will lead." };
/// Content, and all manifests but the last.
pub const SEND: Step = Step { name: "send", says: "What the registry lacks is sent; no tag leads to it yet." };
/// The last one.
pub const TAG: Step = Step { name: "tag", says: "The tag is made to lead to the image." };
/// The proof.
pub const PROVE: Step = Step { name: "prove", says: "What the tag leads to is fetched, and held against the image." };

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "nothing was sent to a registry";
/// What to know afterwards.
pub const NEXT: &str = "The tag was looked up again, and leads to the image. Nobody has signed it by this: sign the tag next; `image verify` then fetches all of it.";
/// What has not happened until the tag leads to it.
const NO_TAG: &str = "the tag was not touched: no tag leads to what had been sent by then";

/// As much of a digest as tells one from another at a glance, with its algorithm.
const SHORT: usize = 19;

/// The names of the fields, which are those of the command line.
pub mod field {
    pub use super::fields::field::{GUN, TAG};

    /// The layout.
    pub const LAYOUT: &str = "layout";
}

/// What an image will be called, as far as that is known; the rest is empty, and is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The repository.
    pub gun: String,
    /// The tag.
    pub tag: String,
}

/// An image that is at its registry.
pub struct Pushed {
    /// The repository.
    pub gun: Gun,
    /// The tag.
    pub tag: String,
    /// What was sent, and what was there.
    pub push: Push,
}

impl Pushed {
    /// The command that signs it.
    pub fn signed_by(&self) -> String {
        format!("claviger sign {}:{} --digest {} --size {}", self.gun, self.tag, self.push.digest, self.push.size)
    }
}

impl fmt::Display for Pushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gun, tag, push } = self;
        let (sent, all) = (push.to_send().count(), push.pieces.len());
        write!(f, "{gun}:{tag} is {} at the registry {}: ", push.digest, push.address().shown())?;
        match sent {
            0 => f.write_str("all of it was there, and nothing was sent"),
            sent => write!(f, "{sent} of {} sent, {}", count(all, "piece"), amount(push.bytes())),
        }
    }
}

/// Sends an image, and has the tag lead to it.
pub fn run<'s>(place: Workplace, to: Destination, session: &'s mut Session<'_>) -> Fut<'s, Result<Pushed, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let values = session.form(WISH, form(&place, &to)).await?;
        let all = repositories(&place)?;
        let (layout, gun, tag) = meant(&place, &to, &values)?;
        let what = format!("asking the registry what it has of {gun}");
        let push = session.wait(LOOK, what, looked(all, &layout, &gun, &tag)).await?;
        let pushed = Pushed { gun, tag, push };
        if !pushed.push.is_there() {
            session.review(REVIEW, review(&pushed, session.is_resumed())).await?;
            send(&pushed, session).await?;
        }
        let found = async { pushed.push.verify().await.map_err(|e| not_served(&e)) };
        session.wait(PROVE, "fetching what the tag leads to", found).await?;
        Ok(pushed)
    })
}

async fn send(pushed: &Pushed, session: &mut Session<'_>) -> Result<(), Stop> {
    let Pushed { gun, tag, push } = pushed;
    let (sent, pieces, bytes) = (Sent::default(), push.to_send().count(), push.bytes());
    let how_far = || {
        let (so_far, taken) = sent.so_far();
        let now = taken.saturating_add(1).min(pieces);
        format!("sending piece {now} of {pieces}: {} of {}", amount(so_far.min(bytes)), amount(bytes))
    };
    let work = async {
        push.send(&sent).await.map_err(|e| failure(&e, NO_TAG))?;
        Ok("the registry has what the image is made of")
    };
    let what = format!("sending {} to {}", count(pieces, "piece"), push.address().shown());
    session.act_watched(SEND, what, Failure::interrupted(NO_TAG), work, how_far).await?;
    // The last moment at which no tag leads to it.
    if told_to_end(session, TAG, "looking whether to go on").await? {
        return Err(Failure::interrupted(NO_TAG).into());
    }
    let named = async {
        push.name_it().await.map_err(|e| match &e {
            PushError::Unknown { .. } => failure(&e, "whether the tag leads to the image is not known"),
            PushError::Moved { .. } => failure(&e, "the tag was not touched; what was sent has no name"),
            e if e.is_refusal() => failure(e, "the tag leads to what it led to before; what was sent has no name"),
            e => failure(e, "looked up after that, the tag leads to what it led to before; the registry may still change it"),
        })?;
        Ok(format!("{gun}:{tag} leads to {}", push.digest))
    };
    session.act_waiting(TAG, format!("having {tag} lead to the image"), named).await?;
    Ok(())
}

/// Says what would be sent. Nothing is.
///
/// # Errors
/// If that cannot be known.
pub async fn look(place: &Workplace, to: &Destination, layout: &std::path::Path) -> Result<Pushed, Failure> {
    let form = form(place, to);
    let mut values = Values::of(&form);
    values.set(field::LAYOUT, as_text::of(layout));
    if let Some((field, why)) = form.problems(&values).first() {
        return Err(Failure::new("usage", format!("{field}: {why}"), NOTHING, "").exit(2));
    }
    let (layout, gun, tag) = meant(place, to, &values)?;
    let push = looked(repositories(place)?, &layout, &gun, &tag).await?;
    Ok(Pushed { gun, tag, push })
}

fn repositories(place: &Workplace) -> Result<&Repositories, Failure> {
    let none = || Failure::new("no-registry", "no registry can be asked here", NOTHING, "");
    place.repositories.as_ref().ok_or_else(none)
}

async fn looked(all: &Repositories, layout: &std::path::Path, gun: &Gun, tag: &str) -> Result<Push, Failure> {
    all.push(layout, gun, tag).await.map_err(|e| failure(&e, NOTHING))
}

/// What was filled in.
fn meant(place: &Workplace, to: &Destination, values: &Values) -> Result<(PathBuf, Gun, String), Failure> {
    let typed = if to.gun.is_empty() { values.get(field::GUN) } else { &to.gun };
    let gun = place.repository(typed).map_err(fields::usage)?.gun;
    let layout = values.get(field::LAYOUT);
    let expanded = if layout.starts_with('~') { paths::expand(layout).into() } else { as_text::path(layout) };
    Ok((expanded, gun, values.get(field::TAG).to_owned()))
}

fn form(place: &Workplace, to: &Destination) -> Form {
    let layout = Field::path(field::LAYOUT, "Layout", "a directory; with several images in it, DIR:NAME").checked_by_looking(
        |typed, _| match typed {
            "" => Err("a layout is needed".to_owned()),
            typed => {
                let path = if typed.starts_with('~') { paths::expand(typed).into() } else { as_text::path(typed) };
                let short = |digest: String| digest.chars().take(SHORT).collect();
                Layout::find(&path).map(|(_, part)| Some(short(part.digest.to_string()))).map_err(|e| e.to_string())
            }
        },
    );
    let title = if to.gun.is_empty() { "Push an image".to_owned() } else { Untrusted::new(&*to.gun).shown().to_string() };
    let gun = to.gun.is_empty().then(|| fields::repository(place));
    let tag = fields::tag("that will lead to it, such as 1.4", None).with(to.tag.as_str());
    Form { title, fields: gun.into_iter().chain([layout, tag]).collect() }
}

/// Nobody is asked where nothing is in its place; but whoever goes on with it sees again where it goes, and to what.
fn review(pushed: &Pushed, is_resumed: bool) -> Review {
    let Pushed { gun, tag, push } = pushed;
    let (pieces, left_out) = (push.pieces.len(), push.pieces.iter().filter(|p| p.state == State::Elsewhere).count());
    let manifests = push.pieces.iter().filter(|p| p.kind == Kind::Manifest).collect::<Vec<_>>();
    let image = match (manifests.as_slice(), push.pieces.last().map(|p| p.kind)) {
        ([_], Some(Kind::Manifest)) => "one image".to_owned(),
        (all, _) => format!("a list of {}{}", count(all.len(), "image"), platforms(all)),
    };
    let leads = match &push.before {
        None => "is new".to_owned(),
        Some(before) if *before == push.digest => "leads to it already".to_owned(),
        Some(before) => format!("leads to {before} now"),
    };
    let mut facts = vec![
        ("Image", image),
        ("Digest", push.digest.to_string()),
        ("Goes to", format!("{gun} at the registry {}", push.address().shown())),
        ("Tag", format!("{tag} {leads}")),
        ("Is sent", format!("{} of {}, {}", push.to_send().count(), count(pieces, "piece"), amount(push.bytes()))),
    ];
    if left_out > 0 {
        facts.push(("Left out", format!("{}, which whoever made the image gives away elsewhere", count(left_out, "layer"))));
    }
    facts.push((
        "Afterwards",
        "whoever pulls by the tag without content trust gets it; with content trust, when it is signed".to_owned(),
    ));
    let moves = push.before.as_ref().is_some_and(|before| *before != push.digest);
    let text = format!("{tag} will lead to another image than now: whoever pulls it without content trust gets this one");
    let needs_nobody = !(moves || is_resumed);
    let plan = PlanAsked { digest: push.plan(), needs_person: None, needs_nobody, is_another: false };
    let findings = moves.then(|| Finding::new("tag-moves", Severity::Warn, text)).into_iter().collect();
    Review { title: "An image for its registry".to_owned(), facts, findings, verb: "Push it", plan: Some(plan) }
}

fn platforms(manifests: &[&Piece]) -> String {
    let all: Vec<String> = manifests.iter().filter_map(|p| Some(p.platform.as_ref()?.text().shown().to_string())).collect();
    if all.is_empty() { String::new() } else { format!(": {}", all.join(", ")) }
}

fn failure(error: &PushError, nothing: &str) -> Failure {
    let message = error.to_string();
    Failure::new(error.code(), message, nothing, error.remedy())
}

/// It was sent, and that the registry has it is not shown.
fn not_served(error: &PushError) -> Failure {
    let nothing = "it is not shown that the tag leads to the image; do not sign it before it is";
    let failure = failure(error, nothing);
    if matches!(error, PushError::NotServed { .. }) { failure.exit(3) } else { failure }
}
