//! The operator for screen readers and serial consoles: every question is some lines and a prompt.
use super::{
    fields,
    talk::{Said, Talk},
};
use crate::{
    cli::signals::{self, Signals},
    failure::{Failure, sentence},
    operator::{Answer, Confirm, Fut, Operator, Question, Review, SecretKind, SecretWanted, Step, Stop, Values},
    secret::{
        Heard, Line, PassphraseError, Prompt as _, Slate, TerminalPrompt,
        dialogue::{self, Ask, Turn, Typed},
        least_characters,
    },
};
use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

/// How a review is accepted.
const YES: &str = "yes";

/// Asks line by line.
pub struct PlainOperator {
    talk: Talk,
    /// When it was said the last time how far something has come.
    said: Instant,
}

/// How often it is said how far something has come: each time is a line.
const EVERY: Duration = Duration::from_secs(10);

impl Operator for PlainOperator {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            let answer = self.ask(step, question).await;
            match answer {
                // Before the first question there is only the way out.
                Err(Stop::Back) if !may_go_back => Err(Stop::Cancelled),
                answer => answer,
            }
        })
    }

    fn progress(&mut self, how_far: &str) {
        if self.said.elapsed() >= EVERY {
            self.said = Instant::now();
            // Whoever cannot be told this will be told the end.
            let _ = self.talk.say(&sentence(how_far));
        }
    }
}

impl PlainOperator {
    /// Asks somebody.
    pub fn new(talk: Talk) -> Self {
        Self { talk, said: Instant::now() }
    }

    async fn ask(&self, step: Step, question: &Question) -> Result<Answer, Stop> {
        let talk = &self.talk;
        match question {
            Question::Form(form) => {
                talk.say(&format!("\n{}. {} (? says what can be typed.)", form.title, step.says))?;
                Ok(Answer::Values(fields::fill(talk, form, Values::of(form), |_| true).await?))
            }
            Question::Secret(wanted) => {
                talk.say(&format!("\n{}", step.says))?;
                self.secret(wanted).await
            }
            Question::Review(review) => self.review(step, review).await,
            Question::Confirm(confirm) => self.confirm(confirm).await,
            Question::Working(what) => {
                talk.say(&sentence(what))?;
                Ok(Answer::Seen)
            }
        }
    }

    async fn review(&self, step: Step, review: &Review) -> Result<Answer, Stop> {
        let talk = &self.talk;
        talk.say(&format!("\n{}. {}", review.title, step.says))?;
        for (name, value) in &review.facts {
            talk.say(&format!("  {name}: {value}"))?;
        }
        for finding in &review.findings {
            talk.say(&format!("  {}: {}", finding.severity, finding.text))?;
        }
        loop {
            match talk.ask(&format!("{}? Type {YES}, < to go back, or stop", review.verb)).await? {
                Said::Back => return Err(Stop::Back),
                Said::Stop => return Err(Stop::Cancelled),
                Said::Text(text) if text == YES => return Ok(Answer::Accepted),
                _ => talk.say(&format!("  Only {YES} goes on. Nothing is done yet."))?,
            }
        }
    }

    async fn confirm(&self, confirm: &Confirm) -> Result<Answer, Stop> {
        let talk = &self.talk;
        talk.say(&format!("\n{}.", confirm.title))?;
        for consequence in &confirm.consequences {
            talk.say(&format!("  {consequence}"))?;
        }
        loop {
            match talk.ask(&format!("To go ahead type {}; < goes back, stop ends it", confirm.typed)).await? {
                Said::Back => return Err(Stop::Back),
                Said::Stop => return Err(Stop::Cancelled),
                Said::Text(text) if text == confirm.typed => return Ok(Answer::Typed(text)),
                _ => talk.say("  That is something else. Nothing is done yet.")?,
            }
        }
    }

    /// A line without echo. An empty one cannot be a passphrase, and so asks what is wanted instead.
    async fn secret(&self, wanted: &SecretWanted) -> Result<Answer, Stop> {
        if let Some(why) = &wanted.again {
            self.talk.say(&format!("  ! {why}"))?;
        }
        if wanted.kind != SecretKind::Existing {
            let least = least_characters(&wanted.role);
            self.talk.say(&format!("  It needs at least {least} characters; `claviger passphrase generate` draws one of words. It cannot be recovered: back it up now."))?;
        }
        self.talk.say("  Nothing of what you type is shown. Enter alone goes back or ends it.")?;
        loop {
            let (talk, wanted) = (self.talk.clone(), wanted.clone());
            let mut signals = Signals::listen().ok();
            let typed = tokio::task::spawn_blocking(move || typed(&talk, &wanted));
            let typed = tokio::select! {
                biased;
                ended = signals::of(&mut signals) => return Err(signals::failure(ended, "what was asked was not done").into()),
                typed = typed => typed.unwrap_or(Typed::Gone),
            };
            match typed {
                Typed::Given(given, _) => return Ok(Answer::Secret(given)),
                Typed::Interrupt => return Err(Failure::interrupted("what was asked was not done").into()),
                Typed::Gone => {
                    let why = PassphraseError::NoTerminal;
                    return Err(Failure::new("passphrase-missing", why.to_string(), "nothing was done", why.remedy()).into());
                }
                Typed::Escape | Typed::Lock => {
                    match self.talk.ask("Nothing was typed. Enter asks again, < goes back, stop ends it").await? {
                        Said::Back => return Err(Stop::Back),
                        Said::Stop => return Err(Stop::Cancelled),
                        _ => {}
                    }
                }
            }
        }
    }
}

/// Reads a passphrase, a new one twice, on the terminal itself.
fn typed(talk: &Talk, wanted: &SecretWanted) -> Typed {
    let prompt = RefCell::new(String::new());
    let read = |_: &mut dyn FnMut(Heard<'_>)| match TerminalPrompt.ask(&talk.shown(&prompt.borrow())) {
        Ok(passphrase) if passphrase.is_empty() => Line::Escape,
        Ok(passphrase) => Line::Entered(passphrase),
        Err(PassphraseError::Interrupted) => Line::Interrupt,
        Err(_) => Line::Gone,
    };
    let label = &wanted.label;
    let what = Ask { new: wanted.kind != SecretKind::Existing, role: &wanted.role, may_be_remembered: false };
    dialogue::ask(what, &Slate::default(), read, |said| {
        let dialogue::Said::Turn(turn, note) = said else { return };
        if let Some(note) = note {
            // Whoever cannot be told is not there to answer either.
            let _ = talk.say(&format!("  ! {note}"));
        }
        *prompt.borrow_mut() = match turn {
            Turn::Existing => format!("Passphrase of the {label}: "),
            Turn::New => format!("New passphrase for {label}: "),
            Turn::Again => "The same once more: ".to_owned(),
        };
    })
}
