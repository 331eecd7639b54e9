//! The operator of a terminal line: answers come from options, files and the environment; what is missing is asked on the
//! terminal.
use super::{
    output,
    plain::{fields, talk::Talk},
};
use crate::{
    failure::Failure,
    operator::{
        Answer, Cancel, Confirm, Field, Form, Fut, Operator, PlanAsked, Question, Review, SecretKind, SecretWanted, Step, Stop,
        Values,
    },
    procedures::passphrase_failure,
    secret::{Given, PassphraseError, PassphraseFile, Passphrases, Prompt as _, Source, TerminalPrompt, Wanted},
    tui::theme::Theme,
};
use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{BufRead as _, BufReader, Write as _},
    sync::{Arc, Mutex},
    time::Duration,
};

/// How often it is looked whether whoever is asked has pressed Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);

/// Answers for a command.
pub struct LineOperator {
    /// The command, such as `key generate`.
    pub command: &'static str,
    /// What has not happened as long as nothing has: `no key was made`.
    pub nothing: &'static str,
    /// What was given for fields, by their names.
    pub fields: BTreeMap<&'static str, String>,
    /// What opens keys, and protects new ones.
    pub passphrases: Arc<Passphrases>,
    /// What protects keys that have another passphrase, if a file says it.
    pub replacement: Option<Arc<PassphraseFile>>,
    /// What was given with `--confirm`.
    pub confirm: Option<String>,
    /// How a plan is accepted.
    pub plan: PlanAnswer,
    /// Says that nobody is to be asked any more.
    pub cancel: Cancel,
    /// How far it has come.
    pub progress: Mutex<output::Progress>,
}

/// How the plan of a change is accepted.
#[derive(Debug, Clone, Default)]
pub struct PlanAnswer {
    /// Unasked.
    pub yes: bool,
    /// Only if it has this digest.
    pub expect: Option<String>,
}

impl Operator for LineOperator {
    fn put<'a>(&'a mut self, _: Step, question: &'a Question, _: bool) -> Fut<'a, Result<Answer, Stop>> {
        // What was said of the work before is taken away.
        self.progress = Mutex::default();
        Box::pin(async move {
            match question {
                Question::Form(form) => self.fill(form).await,
                Question::Secret(wanted) => self.secret(wanted.clone()).await,
                Question::Review(review) => {
                    show(review);
                    match &review.plan {
                        Some(asked) => self.accept(review, asked).await,
                        None => Ok(Answer::Accepted),
                    }
                }
                Question::Confirm(confirm) => self.confirm(confirm.clone()).await,
                Question::Working(_) => Ok(Answer::Seen),
            }
        })
    }

    fn progress(&mut self, how_far: &str) {
        if let Ok(progress) = self.progress.get_mut() {
            progress.say(|| how_far.to_owned());
        }
    }

    fn ended(&mut self, _: Step, _: Result<&str, &Failure>) {
        // What was said of it is taken away.
        self.progress = Mutex::default();
    }
}

impl LineOperator {
    async fn fill(&self, form: &Form) -> Result<Answer, Stop> {
        let mut values = Values::of(form);
        for field in &form.fields {
            if let Some(value) = self.fields.get(field.name) {
                values.set(field.name, value.clone());
            }
        }
        let missing: Vec<&str> = form.fields.iter().filter(|f| self.is_missing(f, &values)).map(|f| f.name).collect();
        if !missing.is_empty()
            && let Some(talk) = Talk::terminal(Theme::detect(|n| std::env::var(n).ok()).unicode)
        {
            talk.say(&format!("claviger {}: {}. (? says what can be typed.)", self.command, form.title))?;
            values = fields::fill(&talk, form, values, |f| missing.contains(&f.name)).await.map_err(|stop| match stop {
                // Whether the question or the program heard the signal first, the same is said.
                Stop::Failed(failure) if failure.is_interrupt() => failure.instead(self.nothing).into(),
                stop => stop,
            })?;
        }
        let problems = form.problems(&values);
        if let Some((field, why)) = problems.first() {
            let hint = format!("`claviger {} --help` says what can be given.", self.command);
            return Err(Failure::new("usage", format!("{field}: {why}"), self.nothing, hint).exit(2).into());
        }
        for (name, note) in form.fields.iter().filter_map(|f| Some((f.name, f.judge(&values).ok()??))) {
            if self.fields.contains_key(name) && note.starts_with("understood") {
                output::note(&format!("{name}: {note}; --exact takes names verbatim"));
            }
        }
        Ok(Answer::Values(values))
    }

    /// Whether nobody has said what a field needs.
    fn is_missing(&self, field: &Field, values: &Values) -> bool {
        !self.fields.contains_key(field.name) && field.judge(values).is_err()
    }

    async fn secret(&self, wanted: SecretWanted) -> Result<Answer, Stop> {
        let (passphrases, replacement) = (self.passphrases.clone(), self.replacement.clone());
        let name = wanted.key_id.clone().unwrap_or_else(|| wanted.label.clone());
        let given = aside(move || {
            let of = Wanted { role: &wanted.role, key_id: wanted.key_id.as_deref(), label: &wanted.label };
            if let Some(why) = &wanted.again {
                TerminalPrompt.note(why);
            }
            match (wanted.kind, replacement.as_deref()) {
                (SecretKind::Existing, _) => passphrases.existing(&of, &mut TerminalPrompt),
                (SecretKind::New, _) => passphrases.fresh(&of, &mut TerminalPrompt),
                (SecretKind::Replacement, None) => passphrases.typed_twice(&of, &mut TerminalPrompt),
                (SecretKind::Replacement, Some(file)) => match file.get(&of) {
                    Some(passphrase) => Ok(Given { passphrase: passphrase.another(), source: Source::File }),
                    None => {
                        Err(PassphraseError::NotInFile { path: file.path().to_owned(), lines: PassphraseFile::beginnings(&of) })
                    }
                },
            }
        })
        .await?;
        Ok(Answer::Secret(given.map_err(|e| passphrase_failure(&e, &name).instead(self.nothing))?))
    }

    async fn accept(&self, review: &Review, asked: &PlanAsked) -> Result<Answer, Stop> {
        if let Some(expected) = &self.plan.expect
            && *expected != asked.digest
        {
            let message = format!("the plan is another than was expected: its digest is {}", asked.digest);
            let hint = "Look at it with --dry-run, and give its digest.";
            return Err(Failure::new("plan-differs", message, self.nothing, hint).into());
        }
        if asked.is_another && self.plan.yes {
            let message = "somebody else has published meanwhile, and the plan is another, which nobody has accepted";
            return Err(Failure::new("conflict", message, self.nothing, "Repeat the command.").into());
        }
        match &asked.needs_person {
            None if asked.needs_nobody => return Ok(Answer::Accepted),
            None if self.plan.yes || self.plan.expect.is_some() => return Ok(Answer::Accepted),
            Some(why) if self.plan.yes || self.plan.expect.is_some() => {
                let hint = "Compare its key with the owner's. `claviger repo show` remembers it, unless it has expired; at a terminal the plan can be accepted all the same.";
                return Err(Failure::new("root-unknown", why.clone(), self.nothing, hint).into());
            }
            _ => {}
        }
        if output::as_json() {
            let hint = "--dry-run prints the plan, and --expect with its digest accepts it.";
            return Err(Failure::new("not-confirmed", "nobody has accepted the plan", self.nothing, hint).into());
        }
        let question = format!("{}? Type yes: ", review.verb);
        let nobody =
            Failure::new("not-confirmed", "nobody has accepted the plan", self.nothing, "Run it on a terminal, or give --yes.");
        match self.unless_cancelled(move || ask_line(&question)).await? {
            Some(typed) if typed == "yes" => Ok(Answer::Accepted),
            Some(_) => Err(Failure::new("not-confirmed", "the plan was not accepted", self.nothing, "").into()),
            None => Err(nobody.into()),
        }
    }

    /// Asks a person, who may press Ctrl-C instead: then nothing was begun.
    async fn unless_cancelled<T: Send + 'static>(&self, question: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
        let cancelled = async {
            while !self.cancel.is_set() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            answer = aside(question) => Ok(answer?),
            () = cancelled => Err(Stop::Cancelled),
        }
    }

    async fn confirm(&self, confirm: Confirm) -> Result<Answer, Stop> {
        if let Some(typed) = &self.confirm {
            return Ok(Answer::Typed(typed.clone()));
        }
        let hint = format!("Run it on a terminal, or give --confirm {}.", confirm.typed);
        let happened = format!("{} {}", crate::failure::ended(&confirm.title), confirm.consequences.join(" "));
        let nobody = Failure::new("not-confirmed", happened, format!("{}: nobody has confirmed it", self.nothing), hint);
        match self.unless_cancelled(move || ask_on_terminal(&confirm)).await? {
            Some(typed) => Ok(Answer::Typed(typed)),
            None => Err(nobody.into()),
        }
    }
}

/// Prints what will be done, for whoever watches.
fn show(review: &Review) {
    if output::as_json() {
        return;
    }
    output::note(&format!("{}:", review.title));
    for (name, value) in &review.facts {
        output::line(&format!("  {name:<12} {value}"));
    }
    for finding in &review.findings {
        output::line(&format!("  {}: {}", finding.severity, finding.text));
    }
}

/// What was typed on the terminal; none if there is none.
fn ask_on_terminal(confirm: &Confirm) -> Option<String> {
    let mut text = format!("{}\n", confirm.title);
    for consequence in &confirm.consequences {
        text.push_str(&format!("  {consequence}\n"));
    }
    text.push_str(&format!("Type {} to go ahead: ", confirm.typed));
    ask_line(&text)
}

/// A line from the terminal; none if there is none.
fn ask_line(text: &str) -> Option<String> {
    let mut tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    tty.write_all(output::safe(text).as_bytes()).ok()?;
    let mut typed = String::new();
    BufReader::new(tty).read_line(&mut typed).ok()?;
    Some(typed.trim().to_owned())
}

/// Asks a person beside the tasks that listen.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Failure::new("internal", e.to_string(), "nothing was done", ""))
}
