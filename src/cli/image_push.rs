//! `image push`: an image from a layout to its registry.
use super::{
    context::Context,
    image::with_tag,
    key::Line,
    operator::PlanAnswer,
    output::{self, Failure},
};
use crate::{
    failure::ended,
    operator::{Cancel, as_text},
    procedures::{
        Work,
        repository::{
            inquiry::word,
            push::{self, Destination, NOTHING, Pushed, field},
        },
    },
    repository::push::{Piece, State},
    text::{amount, count},
    views::columns::columns,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// Sends it.
pub async fn push(context: &Context, (layout, typed): (&Path, &str), plan: PlanAnswer, cancel: Cancel) -> Result<(), Failure> {
    let to = destination(context, typed)?;
    let mut line = Line::new(context, Work::PushImage(to.clone()), cancel)?;
    line.operator.fields = BTreeMap::from([(field::LAYOUT, as_text::of(layout)), (field::TAG, to.tag.clone())]);
    line.operator.plan = plan;
    let place = context.workplace();
    let pushed = line.run(|s| push::run(place.clone(), to.clone(), s)).await?;
    if context.options.json {
        return Ok(output::say_json(&in_json(&pushed, false))?);
    }
    Ok(output::say(&format!(
        "{}\nIt is not signed by that; this signs it:\n  {}\n",
        ended(&pushed.to_string()),
        pushed.signed_by()
    ))?)
}

/// Says what would be sent.
pub async fn look(context: &Context, layout: &Path, typed: &str) -> Result<(), Failure> {
    let to = destination(context, typed)?;
    let pushed = push::look(&context.workplace(), &to, layout).await?;
    if context.options.json {
        return Ok(output::say_json(&in_json(&pushed, true))?);
    }
    let mut lines = vec![["WHAT", "PLATFORM", "SIZE", "STATE", "DIGEST"].map(str::to_owned)];
    lines.extend(pushed.push.pieces.iter().map(in_text));
    output::say(&columns(&lines, 0, 3))?;
    let push = &pushed.push;
    let leads = match &push.before {
        None => "is new".to_owned(),
        Some(before) if *before == push.digest => "leads to it already".to_owned(),
        Some(before) => format!("leads to {before} now"),
    };
    output::note(&format!(
        "plan {}: {} of {} would be sent to {}, {}; {}:{} {leads}; {NOTHING}",
        push.plan(),
        push.to_send().count(),
        count(push.pieces.len(), "piece"),
        push.address().shown(),
        amount(push.bytes()),
        pushed.gun,
        pushed.tag,
    ));
    Ok(())
}

fn destination(context: &Context, typed: &str) -> Result<Destination, Failure> {
    let (gun, tag) = with_tag(context, typed)?;
    Ok(Destination { gun: gun.to_string(), tag: tag.raw().to_owned() })
}

fn state(piece: &Piece, is_dry: bool) -> &'static str {
    match piece.state {
        State::There => "there",
        State::ToSend if is_dry => "to-send",
        State::ToSend => "sent",
        State::Elsewhere => "elsewhere",
    }
}

fn in_text(piece: &Piece) -> [String; 5] {
    let platform = piece.platform.as_ref().map(|p| p.text().shown().to_string()).unwrap_or_default();
    let digest = piece.part.digest.to_string();
    [word(piece.kind).to_owned(), platform, piece.part.size.to_string(), state(piece, true).to_owned(), digest]
}

fn in_json(pushed: &Pushed, is_dry: bool) -> Value {
    let push = &pushed.push;
    let one = |piece: &Piece| {
        json!({
            "kind": word(piece.kind),
            "digest": piece.part.digest.as_str(),
            "size": piece.part.size,
            "platform": piece.platform.as_ref().map(|p| p.text().raw()),
            "state": state(piece, is_dry),
        })
    };
    json!({
        "schema": "claviger/image-push/1",
        "gun": pushed.gun.as_str(),
        "tag": pushed.tag,
        "registry": push.address().raw(),
        "digest": push.digest.as_str(),
        "size": push.size,
        "before": push.before.as_ref().map(|d| d.as_str()),
        "plan": push.plan(),
        "dry_run": is_dry,
        "bytes": push.bytes(),
        "pieces": push.pieces.iter().map(one).collect::<Vec<_>>(),
        "sign": pushed.signed_by(),
    })
}
