//! The operator of a terminal line: answers come from options, files and the environment; what is missing is asked on the
//! terminal.
use super::{
    output,
    plain::{fields, talk::Talk},
};
use crate::{
    failure::Failure,
    operator::{Answer, Confirm, Field, Form, Fut, Operator, Question, Review, SecretKind, SecretWanted, Step, Stop, Values},
    procedures::passphrase_failure,
    secret::{Given, PassphraseError, PassphraseFile, Passphrases, Prompt as _, Source, TerminalPrompt, Wanted},
    tui::theme::Theme,
};
use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{BufRead as _, BufReader, Write as _},
    sync::Arc,
};

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
}

impl Operator for LineOperator {
    fn put<'a>(&'a mut self, _: Step, question: &'a Question, _: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            match question {
                Question::Form(form) => self.fill(form).await,
                Question::Secret(wanted) => self.secret(wanted.clone()).await,
                Question::Review(review) => {
                    show(review);
                    Ok(Answer::Accepted)
                }
                Question::Confirm(confirm) => self.confirm(confirm.clone()).await,
                Question::Working(_) => Ok(Answer::Seen),
            }
        })
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

    async fn confirm(&self, confirm: Confirm) -> Result<Answer, Stop> {
        if let Some(typed) = &self.confirm {
            return Ok(Answer::Typed(typed.clone()));
        }
        let hint = format!("Run it on a terminal, or give --confirm {}.", confirm.typed);
        let happened = format!("{} {}", confirm.title, confirm.consequences.join(" "));
        let nobody = Failure::new("not-confirmed", happened, format!("{}: nobody has confirmed it", self.nothing), hint);
        match aside(move || ask_on_terminal(&confirm)).await? {
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
    let mut tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    let mut text = format!("{}\n", confirm.title);
    for consequence in &confirm.consequences {
        text.push_str(&format!("  {consequence}\n"));
    }
    text.push_str(&format!("Type {} to go ahead: ", confirm.typed));
    tty.write_all(output::safe(&text).as_bytes()).ok()?;
    let mut typed = String::new();
    BufReader::new(tty).read_line(&mut typed).ok()?;
    Some(typed.trim().to_owned())
}

/// Asks a person beside the tasks that listen.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Failure::new("internal", e.to_string(), "nothing was done", ""))
}
