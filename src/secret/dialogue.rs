//! The questions for one passphrase, line by line: an existing one is typed once, a new one twice, and one that will not do
//! is asked again.
use super::{Given, Line, Passphrase, Source, line::MOST, weakness};

/// What is to be typed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A passphrase that exists.
    Existing,
    /// A new one.
    New,
    /// The new one again.
    Again,
}

/// How it ended.
pub enum Typed {
    /// With a passphrase. A new one is strong enough.
    Given(Given),
    /// With Esc.
    Escape,
    /// With Ctrl-C.
    Interrupt,
    /// Nobody can answer any more.
    Gone,
}

/// Asks for a passphrase for a role. `say` is told before each line what is to be typed, and why it is asked once more.
pub fn ask(new: bool, role: &str, mut read: impl FnMut() -> Line, mut say: impl FnMut(Turn, Option<String>)) -> Typed {
    let begin = if new { Turn::New } else { Turn::Existing };
    let mut first: Option<Passphrase> = None;
    let mut note = None;
    loop {
        say(if first.is_some() { Turn::Again } else { begin }, note.take());
        let passphrase = match read() {
            Line::Entered(passphrase) => passphrase,
            Line::TooLong => {
                note = Some(format!("That is longer than {MOST} bytes. Nothing of it was taken."));
                continue;
            }
            Line::Escape => return Typed::Escape,
            Line::Interrupt => return Typed::Interrupt,
            Line::Gone => return Typed::Gone,
        };
        note = match first.take() {
            Some(first) if first.same(&passphrase) => return given(first),
            Some(_) => Some("The two differ. Choose again.".to_owned()),
            None if !new && passphrase.is_empty() => Some("Nothing was typed.".to_owned()),
            None if !new => return given(passphrase),
            None => {
                let proposed = Given { passphrase, source: Source::Typed };
                let why = weakness(&proposed, role);
                if why.is_none() {
                    first = Some(proposed.passphrase);
                }
                why.map(|w| format!("{}. {}", capital(&w.to_string()), w.remedy()))
            }
        };
    }
}

fn given(passphrase: Passphrase) -> Typed {
    Typed::Given(Given { passphrase, source: Source::Typed })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is asked and noted when these lines are typed, and what comes of it.
    fn play(new: bool, role: &str, lines: &[&str]) -> (Vec<(Turn, bool)>, Option<Vec<u8>>) {
        let mut lines = lines.iter();
        let mut said = Vec::new();
        let read = || match lines.next() {
            Some(line) => Line::Entered(Passphrase::from((*line).to_owned())),
            None => Line::Escape,
        };
        let typed = ask(new, role, read, |turn, note| said.push((turn, note.is_some())));
        (said, if let Typed::Given(g) = typed { Some(g.passphrase.expose().to_vec()) } else { None })
    }

    #[test]
    fn a_new_passphrase_is_typed_twice_and_is_strong_enough() {
        use Turn::{Again, New};
        assert_eq!(
            play(true, "ana", &["long enough", "long enough"]),
            (vec![(New, false), (Again, false)], Some(b"long enough".into()))
        );
        let (said, got) = play(true, "root", &["too short", "long enough it is", "something else", ""]);
        assert_eq!(said, [(New, false), (New, true), (Again, false), (New, true), (New, true)]);
        assert_eq!(got, None);
    }

    #[test]
    fn an_existing_passphrase_is_typed_once_and_never_empty() {
        let (said, got) = play(false, "root", &["", "x"]);
        assert_eq!(said, [(Turn::Existing, false), (Turn::Existing, true)]);
        assert_eq!(got.unwrap(), b"x", "what there is may be short");
    }
}
