//! The fields of a form, one after the other, each with what helps to fill it and what it is understood as.
use super::talk::{Said, Talk};
use crate::{
    operator::{Choice, Field, Form, Kind, Stop, Values},
    procedures::paths,
};

/// What can be typed at a field, said to whoever asks.
const HELP: &str = "  Enter keeps what stands in [brackets], - empties it, < goes back, stop ends it. A backslash before such a word \
                    means the word itself.";

/// Asks for the fields that `wanted` names, until nothing is wrong with them. Before the first one there is only
/// [`Stop::Back`].
pub async fn fill(talk: &Talk, form: &Form, mut values: Values, wanted: impl Fn(&Field) -> bool) -> Result<Values, Stop> {
    let fields: Vec<&Field> = form.fields.iter().filter(|f| wanted(f)).collect();
    let mut at = 0;
    loop {
        match fields.get(at) {
            Some(field) => match one(talk, field, &mut values).await? {
                true => at += 1,
                false if at == 0 => return Err(Stop::Back),
                false => at -= 1,
            },
            // A field that came later may have made an earlier one wrong.
            None => match fields.iter().enumerate().find_map(|(i, f)| Some((i, f.label, f.judge(&values).err()?))) {
                Some((wrong, label, why)) => {
                    talk.say(&format!("  ! {label}: {why}"))?;
                    at = wrong;
                }
                None => return Ok(values),
            },
        }
    }
}

/// Asks for one field until it can be taken; whether to go on, or back.
async fn one(talk: &Talk, field: &Field, values: &mut Values) -> Result<bool, Stop> {
    let prompt = match &field.kind {
        Kind::Choice(options) => {
            talk.say(&format!("{}: {}.", field.label, field.help))?;
            for (number, option) in options.iter().enumerate() {
                talk.say(&format!("  {}  {}: {}", number + 1, option.value, option.meaning))?;
            }
            "  Number or word".to_owned()
        }
        Kind::Text | Kind::Path => format!("{} ({})", field.label, field.help),
    };
    loop {
        let now = values.get(field.name).to_owned();
        let kept = if now.is_empty() { String::new() } else { format!(" [{now}]") };
        let value = match talk.ask(&format!("{prompt}{kept}")).await? {
            Said::Back => return Ok(false),
            Said::Stop => return Err(Stop::Cancelled),
            Said::Help => {
                talk.say(HELP)?;
                continue;
            }
            Said::Nothing => now,
            Said::Text(text) if text == "-" => String::new(),
            Said::Text(text) => match &field.kind {
                Kind::Choice(options) => chosen(options, &text),
                Kind::Path => paths::expand(&text),
                Kind::Text => text,
            },
        };
        values.set(field.name, value);
        match field.judge(values) {
            Ok(understood) => {
                if let Some(understood) = understood {
                    talk.say(&format!("  {understood}"))?;
                }
                return Ok(true);
            }
            Err(why) => talk.say(&format!("  ! {why}"))?,
        }
    }
}

/// A choice by its number; otherwise what was typed, which is judged.
fn chosen(options: &[Choice], typed: &str) -> String {
    let number = typed.parse::<usize>().ok().and_then(|n| options.get(n.checked_sub(1)?));
    number.map_or_else(|| typed.to_owned(), |o| o.value.to_owned())
}
