//! `sandbox --tour`: the walk through content trust, line by line, in a world of its own. Each page waits until somebody goes on.
use super::{
    args::Options,
    output::Failure,
    plain::talk::{Said, Talk},
    sandbox,
};
use crate::{
    failure::sentence,
    operator::{Answer, Cancel, Confirm, Form, Fut, Operator, Question, Review, Step, Stop, Values},
    procedures::tour::{Ground, Guided, HAPPENED, NOTHING, World},
    sandbox::{HOST, PASSPHRASE, Sandbox},
    secret::{Given, Passphrase, Source},
    tui::theme::Theme,
};
use std::collections::BTreeMap;

/// Walks through a fresh world, which is thrown away afterwards.
pub async fn walk(options: &Options, yes: bool, stop: Cancel) -> Result<(), Failure> {
    if options.json {
        let message = "the tour is told in sentences and has no JSON";
        return Err(Failure::new("usage", message, "nothing was opened", "Leave out --json.").exit(2));
    }
    let world = world()?;
    let talk = Talk::standard(Theme::detect(|n| std::env::var(n).ok()).unicode);
    let mut guide = Guide { talk: talk.clone(), yes, fields: BTreeMap::new() };
    let told = tell(&world, &mut guide, &stop).await;
    // Whoever leaves while something is kept must not leave half a world behind.
    if let Some(repositories) = &world.place.repositories {
        repositories.stop_keeping().await;
    }
    told?;
    talk.say(&format!("\n{HAPPENED} `claviger sandbox` opens another to practise on."))
}

/// A fresh world to walk through.
pub fn world() -> Result<World, Failure> {
    let temporary = tempfile::Builder::new().prefix("claviger-tour-").tempdir();
    let temporary = temporary.map_err(|e| Failure::new("sandbox", e.to_string(), NOTHING, "Make room for it."))?;
    // On a disk, so that somebody can change what lies there.
    let world = sandbox::make(Some(&temporary.path().join("world")))?;
    let (place, ground) = (sandbox::place(&world, sandbox::repositories(&world)), ground(&world)?);
    Ok(World { ground, place, passphrase: PASSPHRASE, held: Box::new((world, temporary)) })
}

async fn tell(world: &World, guide: &mut Guide, stop: &Cancel) -> Result<(), Failure> {
    let talk = guide.talk.clone();
    talk.say("A walk through content trust, in a world to practise on: nothing here is real.")?;
    talk.say(&format!("Every passphrase in it is {PASSPHRASE}. The same procedures run as anywhere else."))?;
    let pages = world.ground.pages();
    for (number, page) in pages.iter().enumerate() {
        talk.say(&format!("\n{} of {}. {}", number.saturating_add(1), pages.len(), page.title))?;
        talk.say(&format!("  {}", page.before))?;
        guide.wait("Enter does it").await?;
        let seen = world.ground.walk(page, &world.place, guide, stop).await?;
        for seen in seen {
            talk.say(&format!("  Seen: {seen}"))?;
        }
        guide.wait("Enter goes on").await?;
    }
    Ok(())
}

fn ground(world: &Sandbox) -> Result<Ground, Failure> {
    let (layout, layer) = world.image_to_push().map_err(|e| sandbox::failure(&e))?;
    let signer = crate::keys::list(world.trust_dir()).entries.into_iter().find(|e| {
        let role = e.role.as_ref().map(|role| role.raw());
        role == Some("alice")
    });
    let signer = signer.ok_or_else(|| Failure::new("tour", "there is no key of alice in this world", NOTHING, ""))?.path;
    Ok(Ground { host: HOST.to_owned(), layout, layer, signer, public: world.public_dir().join("alice-of-the-tour.pub") })
}

/// Answers for whoever is guided, says each answer, and waits where somebody would have to read.
struct Guide {
    talk: Talk,
    yes: bool,
    fields: BTreeMap<&'static str, String>,
}

impl Guide {
    /// Waits until somebody goes on.
    async fn wait(&self, prompt: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let left = || Failure::new("left", "the tour was left", NOTHING, "");
        match self.talk.ask(&format!("  {prompt}, stop ends the tour")).await {
            Ok(Said::Stop) | Err(Stop::Back | Stop::Cancelled) => Err(left()),
            Ok(_) => Ok(()),
            Err(Stop::Failed(failure)) => Err(failure.instead(NOTHING)),
        }
    }

    fn fill(&self, form: &Form) -> Result<Answer, Stop> {
        let mut values = Values::of(form);
        for field in &form.fields {
            if let Some(value) = self.fields.get(field.name) {
                values.set(field.name, value.clone());
            }
            let value = values.get(field.name);
            if !value.is_empty() {
                self.talk.say(&format!("  {}: {value}", field.label))?;
            }
        }
        Ok(Answer::Values(values))
    }

    async fn review(&self, review: &Review) -> Result<Answer, Stop> {
        self.talk.say(&format!("  {}:", review.title))?;
        for (name, value) in &review.facts {
            self.talk.say(&format!("    {name:<12} {value}"))?;
        }
        for finding in &review.findings {
            self.talk.say(&format!("    {}: {}", finding.severity, finding.text))?;
        }
        self.wait(&format!("{}: Enter accepts it", review.verb)).await?;
        Ok(Answer::Accepted)
    }

    async fn confirm(&self, confirm: &Confirm) -> Result<Answer, Stop> {
        self.talk.say(&format!("  {}:", confirm.title))?;
        for consequence in &confirm.consequences {
            self.talk.say(&format!("    {consequence}"))?;
        }
        self.talk.say(&format!("  Outside of a tour one types {} here.", confirm.typed))?;
        self.wait("Enter goes ahead").await?;
        Ok(Answer::Typed(confirm.typed.clone()))
    }
}

impl Guided for Guide {
    fn fills(&mut self, fields: &BTreeMap<&'static str, String>) {
        self.fields = fields.clone();
    }

    fn asked(&mut self) -> &mut dyn Operator {
        self
    }
}

impl Operator for Guide {
    fn put<'a>(&'a mut self, _: Step, question: &'a Question, _: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            match question {
                Question::Form(form) => self.fill(form),
                Question::Secret(wanted) => {
                    self.talk.say(&format!("  The passphrase of {} is typed.", wanted.label))?;
                    Ok(Answer::Secret(Given { passphrase: Passphrase::from(PASSPHRASE.to_owned()), source: Source::File }))
                }
                Question::Review(review) => self.review(review).await,
                Question::Confirm(confirm) => self.confirm(confirm).await,
                Question::Working(what) => {
                    self.talk.say(&format!("  {}", sentence(what)))?;
                    Ok(Answer::Seen)
                }
            }
        })
    }
}
