//! Guided work on the screen: each question of a procedure is a page, and the last page says what came of it.
mod form;
mod operator;
mod works;

pub use crate::procedures::{CANCELLED, Done, Work};
pub use form::{FieldState, FormPage};
pub use works::Works;

use super::{layer::Context, roster::View, sitting::Sitting};
use crate::{
    failure::Failure,
    operator::{Confirm, Kind, Question, Review, SecretKind, SecretWanted, Step},
    secret::{Level, dialogue::Turn},
};
use tui_input::Input;

/// A question of a procedure.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Where the procedure is.
    pub step: Step,
    /// What it asks.
    pub question: Question,
    /// Whether there is a question before it.
    pub may_go_back: bool,
}

/// What is shown.
#[derive(Debug)]
pub enum Page {
    /// Fields.
    Form(FormPage),
    /// A passphrase, which is typed past this state.
    Secret(SecretPage),
    /// What will be done.
    Review(Review),
    /// A consequence, and what is typed to accept it.
    Confirm(Confirm, Input),
    /// What is being done.
    Working(String),
    /// What came of it.
    Outcome(Result<Done, Failure>),
}

/// A passphrase that is being typed.
#[derive(Debug)]
pub struct SecretPage {
    /// What for.
    pub wanted: SecretWanted,
    /// What is to be typed now.
    pub turn: Turn,
    /// Why it is asked once more.
    pub note: Option<String>,
    /// How strong what is typed is so far; none before anything is.
    pub strength: Option<Level>,
    /// Whether it will be remembered.
    pub remember: bool,
    /// How many words were drawn by lot and are shown, past this state.
    pub drawn: Option<usize>,
}

impl SecretPage {
    fn new(wanted: SecretWanted) -> Self {
        let turn = if wanted.kind == SecretKind::Existing { Turn::Existing } else { Turn::New };
        Self { turn, note: wanted.again.clone(), strength: None, remember: false, drawn: None, wanted }
    }

    /// Whether it may be remembered.
    pub fn may_be_remembered(&self) -> bool {
        Sitting::may_remember(&self.wanted)
    }
}

/// A procedure that is at work.
#[derive(Debug)]
pub struct Wizard {
    /// What it does.
    pub work: Work,
    /// What is shown.
    pub page: Page,
    /// Where the procedure is.
    pub step: Option<Step>,
    /// Whether Esc leads to the question before; otherwise it cancels.
    pub may_go_back: bool,
    /// Whether the page was answered and the next one has not come.
    pub answered: bool,
    /// Whether something was done that cannot be stopped half-way.
    pub acted: bool,
    /// Whether it was told to stop.
    pub stopping: bool,
    /// How far the page is scrolled.
    pub scroll: View,
}

impl Wizard {
    /// Before the first question.
    pub fn new(work: Work) -> Self {
        Self {
            work,
            page: Page::Working(String::new()),
            step: None,
            may_go_back: false,
            answered: false,
            acted: false,
            stopping: false,
            scroll: View::default(),
        }
    }

    /// Shows what is asked.
    pub fn ask(&mut self, asked: Asked) {
        let Asked { step, question, may_go_back } = asked;
        self.page = match question {
            Question::Form(form) => Page::Form(FormPage::new(form)),
            Question::Secret(wanted) => Page::Secret(SecretPage::new(wanted)),
            Question::Review(review) => Page::Review(review),
            Question::Confirm(confirm) => Page::Confirm(confirm, Input::default()),
            Question::Working(what) => Page::Working(what),
        };
        self.step = Some(step);
        self.may_go_back = may_go_back;
        self.answered = false;
        self.scroll = View::default();
    }

    /// What has the input.
    pub fn context(&self) -> Context {
        match &self.page {
            Page::Outcome(_) => Context::Outcome,
            _ if self.answered => Context::Working,
            Page::Form(form) => match form.focused().map(|f| &f.kind) {
                Some(Kind::Choice(_)) => Context::Choice,
                _ => Context::Form,
            },
            Page::Secret(_) => Context::Secret,
            Page::Review(_) => Context::Review,
            Page::Confirm(..) => Context::Confirm,
            Page::Working(_) => Context::Working,
        }
    }

    /// Whether it waits for the procedure, not for somebody.
    pub fn is_working(&self) -> bool {
        self.context() == Context::Working
    }

    /// Whether the last line of the page was on the screen.
    pub fn is_read(&self) -> bool {
        self.scroll.cursor() + 1 >= self.scroll.len()
    }
}
