//! What is remembered for a sitting: passphrases that have opened a key, where their operator allows it, until everything is
//! forgotten. Nothing of it is part of the state that is drawn.
use super::wizard::Asked;
use crate::{
    operator::{Question, SecretKind, SecretWanted},
    secret::{Given, Passphrase, Source},
};
use std::collections::BTreeMap;

/// Passphrases by the IDs of the keys that they open.
#[derive(Default)]
pub struct Sitting {
    remembered: BTreeMap<String, Passphrase>,
    /// One that was typed, until it is known to open its key.
    tried: Option<(String, Passphrase)>,
    /// Whether somebody goes back: then even what is remembered is asked, or one could go back no further.
    going_back: bool,
}

impl Sitting {
    /// Whether a passphrase may be remembered: it must open a key that there is, and that can be told from others.
    pub fn may_remember(wanted: &SecretWanted) -> bool {
        wanted.kind == SecretKind::Existing && wanted.key_id.is_some()
    }

    /// Somebody goes back to the question before.
    pub fn go_back(&mut self) {
        self.going_back = true;
    }

    /// The passphrase of a key, if it is remembered. One that has just failed is forgotten.
    pub fn recall(&mut self, wanted: &SecretWanted) -> Option<Given> {
        if std::mem::take(&mut self.going_back) {
            return None;
        }
        let id = wanted.key_id.as_ref().filter(|_| Self::may_remember(wanted))?;
        if wanted.again.is_some() {
            self.remembered.remove(id);
        }
        let passphrase = self.remembered.get(id)?.another();
        Some(Given { passphrase, source: Source::Typed })
    }

    /// A passphrase was typed that is to be remembered if it opens its key.
    pub fn typed(&mut self, wanted: &SecretWanted, given: &Given) {
        self.tried = wanted.key_id.clone().filter(|_| Self::may_remember(wanted)).map(|id| (id, given.passphrase.another()));
    }

    /// The next question tells whether it has opened its key: the same question again means that it has not.
    pub fn asked(&mut self, asked: &Asked) {
        match &asked.question {
            Question::Working(_) => {}
            Question::Secret(w) if w.again.is_some() => self.tried = None,
            // The passphrase of another key may be asked because this one did not open.
            Question::Secret(w) if w.kind == SecretKind::Existing => self.tried = None,
            Question::Secret(_) => self.opened(),
            _ => {
                self.going_back = false;
                self.opened();
            }
        }
    }

    /// The work has ended, well or not.
    pub fn ended(&mut self, well: bool) {
        self.going_back = false;
        match well {
            true => self.opened(),
            false => self.tried = None,
        }
    }

    fn opened(&mut self) {
        self.remembered.extend(self.tried.take());
    }

    /// The key has another passphrase now, or is gone.
    pub fn changed(&mut self, id: &str) {
        self.remembered.remove(id);
        self.tried = self.tried.take().filter(|(tried, _)| tried != id);
    }

    /// How many are remembered.
    pub fn count(&self) -> usize {
        self.remembered.len()
    }

    /// Forgets everything.
    pub fn forget(&mut self) {
        self.remembered.clear();
        self.tried = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{Review, Step};

    fn wanted(id: &str) -> SecretWanted {
        let (label, role) = ("root key".to_owned(), "root".to_owned());
        SecretWanted { label, role, key_id: Some(id.to_owned()), kind: SecretKind::Existing, again: None }
    }

    fn given(text: &str) -> Given {
        Given { passphrase: Passphrase::from(text.to_owned()), source: Source::Typed }
    }

    fn asks(question: Question) -> Asked {
        Asked { step: Step { name: "x", says: "" }, question, may_go_back: false }
    }

    fn review() -> Question {
        Question::Review(Review { title: String::new(), facts: Vec::new(), findings: Vec::new(), verb: "", plan: None })
    }

    fn knows(s: &mut Sitting, id: &str) -> bool {
        s.recall(&wanted(id)).is_some()
    }

    #[test]
    fn what_has_opened_a_key_is_remembered_for_that_key_and_what_has_not_is_not() {
        let mut s = Sitting::default();
        s.typed(&wanted("aa"), &given("wrong"));
        s.asked(&asks(Question::Working("opening".to_owned())));
        assert!(!knows(&mut s, "aa"), "not before it is known to open it");
        s.asked(&asks(Question::Secret(SecretWanted { again: Some("no".to_owned()), ..wanted("aa") })));
        s.asked(&asks(review()));
        assert!(!knows(&mut s, "aa"));
        s.typed(&wanted("aa"), &given("right"));
        s.asked(&asks(Question::Working("opening".to_owned())));
        s.asked(&asks(review()));
        assert_eq!(s.recall(&wanted("aa")).unwrap().passphrase.expose(), b"right");
        assert!(!knows(&mut s, "bb"));
        for well in [false, true] {
            s.typed(&wanted("bb"), &given("last"));
            s.ended(well);
            assert_eq!(knows(&mut s, "bb"), well);
        }
    }

    #[test]
    fn one_that_opens_its_key_no_longer_is_forgotten() {
        let mut s = Sitting::default();
        for id in ["aa", "bb"] {
            s.typed(&wanted(id), &given("right"));
            s.ended(true);
        }
        assert!(s.recall(&SecretWanted { again: Some("no".to_owned()), ..wanted("aa") }).is_none());
        assert!(!knows(&mut s, "aa") && knows(&mut s, "bb"));
        s.changed("bb");
        assert!(!knows(&mut s, "bb"));
    }

    #[test]
    fn whoever_goes_back_is_asked_and_can_go_back_further() {
        let mut s = Sitting::default();
        s.typed(&wanted("aa"), &given("right"));
        s.ended(true);
        s.go_back();
        s.asked(&asks(Question::Secret(wanted("aa"))));
        assert!(!knows(&mut s, "aa") && knows(&mut s, "aa"), "once");
        for passed in [true, false] {
            s.go_back();
            if passed {
                s.asked(&asks(review()))
            } else {
                s.ended(false)
            }
            assert!(knows(&mut s, "aa"), "only there");
        }
    }

    #[test]
    fn new_passphrases_are_never_remembered_nor_given() {
        let mut s = Sitting::default();
        s.typed(&wanted("aa"), &given("right"));
        s.ended(true);
        for kind in [SecretKind::New, SecretKind::Replacement] {
            let new = SecretWanted { kind, ..wanted("aa") };
            assert!(s.recall(&new).is_none());
            s.typed(&new, &given("new"));
            s.ended(true);
            assert_eq!(s.recall(&wanted("aa")).unwrap().passphrase.expose(), b"right");
        }
    }

    #[test]
    fn forgetting_forgets_what_was_just_typed_too() {
        let mut s = Sitting::default();
        s.typed(&wanted("aa"), &given("right"));
        s.ended(true);
        s.typed(&wanted("bb"), &given("right"));
        s.forget();
        s.ended(true);
        assert!(!knows(&mut s, "aa") && !knows(&mut s, "bb"));
    }
}
