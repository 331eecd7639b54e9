//! The questions for one passphrase, line by line: an existing one is typed once, a new one twice, and one that will not do
//! is asked again.
use super::{Given, Heard, Level, Line, Passphrase, Slate, Source, Strength, line::MOST, weakness, words};

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

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// Whether it is a new one.
    pub new: bool,
    /// The role of the key, which says what is strong enough.
    pub role: &'a str,
    /// Whether it may be remembered.
    pub may_be_remembered: bool,
}

/// What is said to whoever types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// What is to be typed now, and why it is asked once more.
    Turn(Turn, Option<String>),
    /// Something is being typed; how strong a new one is so far. Its length is nobody's business.
    Typing(Option<Level>),
    /// Whether it will be remembered.
    Remember(bool),
    /// So many words were drawn by lot and are on the slate.
    Drawn(usize),
}

/// How it ended.
pub enum Typed {
    /// With a passphrase, and whether it may be remembered. A new one is strong enough.
    Given(Given, bool),
    /// With Esc.
    Escape,
    /// With Ctrl-C.
    Interrupt,
    /// With Ctrl-X.
    Lock,
    /// Nobody can answer any more.
    Gone,
}

/// Asks for a passphrase. A new one that is drawn is on the slate until its first line is typed. `say` is told before each line what is to be typed, and what changes while it is.
pub fn ask(what: Ask<'_>, slate: &Slate, read: impl FnMut(&mut dyn FnMut(Heard<'_>)) -> Line, say: impl FnMut(Said)) -> Typed {
    let typed = converse(what, slate, read, say);
    slate.show(None);
    typed
}

fn converse(
    what: Ask<'_>,
    slate: &Slate,
    mut read: impl FnMut(&mut dyn FnMut(Heard<'_>)) -> Line,
    mut say: impl FnMut(Said),
) -> Typed {
    let begin = if what.new { Turn::New } else { Turn::Existing };
    let mut first: Option<Passphrase> = None;
    let mut note = None;
    let mut remember = false;
    loop {
        let turn = if first.is_some() { Turn::Again } else { begin };
        say(Said::Turn(turn, note.take()));
        let mut heard = |heard: Heard<'_>| match heard {
            Heard::Typed(text) => {
                let judged = turn == Turn::New && !text.is_empty();
                say(Said::Typing(judged.then(|| Strength::of(text).level())));
            }
            Heard::Remember if what.may_be_remembered => {
                remember = !remember;
                say(Said::Remember(remember));
            }
            Heard::Draw if turn == Turn::New => {
                let count = words::words_for(what.role);
                match words::generate(count) {
                    Ok(drawn) => {
                        slate.show(Some(drawn));
                        say(Said::Drawn(count));
                    }
                    Err(e) => say(Said::Turn(turn, Some(format!("{}.", capital(&e.to_string()))))),
                }
            }
            Heard::Remember | Heard::Draw => {}
        };
        let passphrase = match read(&mut heard) {
            Line::Entered(passphrase) => passphrase,
            Line::TooLong => {
                note = Some(format!("That is longer than {MOST} bytes. Nothing of it was taken."));
                continue;
            }
            Line::Escape => return Typed::Escape,
            Line::Interrupt => return Typed::Interrupt,
            Line::Lock => return Typed::Lock,
            Line::Gone => return Typed::Gone,
        };
        let given = |passphrase| Typed::Given(Given { passphrase, source: Source::Typed }, remember);
        note = match first.take() {
            Some(first) if first.same(&passphrase) => return given(first),
            Some(_) => Some("The two differ. Choose again.".to_owned()),
            None if !what.new && passphrase.is_empty() => Some("Nothing was typed.".to_owned()),
            None if !what.new => return given(passphrase),
            None => {
                let proposed = Given { passphrase, source: Source::Typed };
                let why = weakness(&proposed, what.role);
                if why.is_none() {
                    // It is typed again without looking.
                    slate.show(None);
                    first = Some(proposed.passphrase);
                }
                why.map(|w| format!("{}. {}", capital(&w.to_string()), w.remedy()))
            }
        };
    }
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
        let read = |_: &mut dyn FnMut(Heard<'_>)| match lines.next() {
            Some(line) => Line::Entered(Passphrase::from((*line).to_owned())),
            None => Line::Escape,
        };
        let typed = ask(Ask { new, role, may_be_remembered: false }, &Slate::default(), read, |s| {
            if let Said::Turn(turn, note) = s {
                said.push((turn, note.is_some()));
            }
        });
        (said, if let Typed::Given(g, _) = typed { Some(g.passphrase.expose().to_vec()) } else { None })
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
        let (said, _) = play(true, "ana", &["password1", "aaaaaaaaaaaaaaaa", "qwertyuiop"]);
        assert_eq!(said, [(New, false), (New, true), (New, true), (New, true)]);
        let (said, _) = play(true, "root", &["password-2024", "gondola lantern"]);
        assert_eq!(said, [(New, false), (New, true), (New, true)]);
    }

    #[test]
    fn an_existing_passphrase_is_typed_once_and_never_empty() {
        let (said, got) = play(false, "root", &["", "x"]);
        assert_eq!(said, [(Turn::Existing, false), (Turn::Existing, true)]);
        assert_eq!(got.unwrap(), b"x", "what there is may be short");
    }

    #[test]
    fn a_passphrase_is_remembered_only_where_it_may_be_and_somebody_wants_it() {
        for (may, presses, remembered) in [(true, 1, true), (true, 2, false), (true, 0, false), (false, 1, false)] {
            let mut said = Vec::new();
            let read = |heard: &mut dyn FnMut(Heard<'_>)| {
                (0..presses).for_each(|_| heard(Heard::Remember));
                Line::Entered(Passphrase::from("opens".to_owned()))
            };
            let typed = ask(Ask { new: false, role: "root", may_be_remembered: may }, &Slate::default(), read, |s| said.push(s));
            assert!(matches!(typed, Typed::Given(_, r) if r == remembered), "{may} {presses}");
            assert_eq!(said.iter().filter(|s| matches!(s, Said::Remember(_))).count(), if may { presses } else { 0 });
        }
    }

    #[test]
    fn the_strength_of_a_new_passphrase_is_said_while_it_is_typed_and_nothing_of_another() {
        let typing = |new: bool, turns: usize| {
            let (mut said, mut lines) = (Vec::new(), 0);
            let read = |heard: &mut dyn FnMut(Heard<'_>)| {
                heard(Heard::Typed(b"pass"));
                heard(Heard::Typed(b"unsaddle gondola walnut turnip lantern zoom"));
                lines += 1;
                if lines > turns {
                    Line::Lock
                } else {
                    Line::Entered(Passphrase::from("unsaddle gondola walnut turnip".to_owned()))
                }
            };
            let typed = ask(Ask { new, role: "root", may_be_remembered: false }, &Slate::default(), read, |s| {
                if let Said::Typing(level) = s {
                    said.push(level);
                }
            });
            (said, matches!(typed, Typed::Lock))
        };
        assert_eq!(typing(true, 0), (vec![Some(Level::VeryWeak), Some(Level::Strong)], true));
        // The second time there is nothing to be said of it.
        assert_eq!(typing(true, 1), (vec![Some(Level::VeryWeak), Some(Level::Strong), None, None], true));
        assert_eq!(typing(false, 0), (vec![None, None], true));
    }

    #[test]
    fn words_are_drawn_for_a_new_passphrase_only_and_are_gone_when_its_first_line_is_typed() {
        for (new, role, words) in [(true, "root", Some(8)), (true, "ana", Some(6)), (false, "root", None)] {
            let slate = Slate::default();
            let shown = || slate.with(|text| text.split(|b| *b == b' ').count());
            let (mut said, mut seen, mut turns) = (Vec::new(), Vec::new(), 0);
            let read = |heard: &mut dyn FnMut(Heard<'_>)| {
                seen.push(shown());
                heard(Heard::Draw);
                seen.push(shown());
                turns += 1;
                if turns > 1 {
                    Line::Escape
                } else {
                    Line::Entered(Passphrase::from("unsaddle gondola walnut turnip".to_owned()))
                }
            };
            ask(Ask { new, role, may_be_remembered: false }, &slate, read, |s| said.push(s));
            assert_eq!(shown(), None);
            let drawn: Vec<&Said> = said.iter().filter(|s| matches!(s, Said::Drawn(_))).collect();
            match words {
                // The second time it is typed without looking.
                Some(n) => assert_eq!((seen, drawn), (vec![None, Some(n), None, None], vec![&Said::Drawn(n)])),
                None => assert_eq!((seen, drawn), (vec![None, None], vec![])),
            }
        }
    }
}
