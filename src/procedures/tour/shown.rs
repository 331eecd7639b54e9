//! The walk for whoever sits before a screen: each page is shown before it is done, and what was seen after it.
use super::{Ground, Guided, NOTHING};
use crate::{
    failure::Failure,
    operator::{Answer, Cancel, Fut, Operator, Question, Review, SecretKind, Step, Stop},
    procedures::Workplace,
    secret::{Given, Passphrase, Source},
};
use std::{any::Any, collections::BTreeMap, sync::Arc};

/// The walk.
const TOUR: Step = Step { name: "tour", says: "A walk through content trust; nothing in it is real." };

/// A world to walk through, which is gone when this is.
pub struct World {
    /// What the walk finds there.
    pub ground: Ground,
    /// Where its procedures work.
    pub place: Workplace,
    /// The passphrase of every key in it.
    pub passphrase: &'static str,
    /// Holds the world.
    pub held: Box<dyn Any + Send + Sync>,
}

/// Makes a world to walk through.
pub type MakeWorld = Arc<dyn Fn() -> Result<World, Failure> + Send + Sync>;

/// Walks through a world that is made for it.
///
/// # Errors
/// Where something does not work, or somebody leaves.
pub fn run<'a>(make: Option<&MakeWorld>, operator: &'a mut dyn Operator, cancel: Cancel) -> Fut<'a, Result<(), Stop>> {
    let make = make.cloned();
    Box::pin(async move {
        let Some(make) = make else {
            let hint = "`claviger sandbox` opens the workstation on one; `claviger sandbox --tour` tells the tour line by line.";
            return Err(Failure::new("tour", "the tour is walked in a world to practise on", NOTHING, hint).into());
        };
        operator.put(TOUR, &Question::Working("making a world for the tour".to_owned()), false).await?;
        let world = tokio::task::spawn_blocking(move || make()).await;
        let world = world.map_err(|e| Failure::new("internal", e.to_string(), NOTHING, ""))??;
        let told = tell(&world, operator, &cancel).await;
        if let Some(repositories) = &world.place.repositories {
            // Whoever leaves while something is kept must not leave half a world behind.
            repositories.stop_keeping().await;
        }
        told
    })
}

async fn tell(world: &World, operator: &mut dyn Operator, cancel: &Cancel) -> Result<(), Stop> {
    let pages = world.ground.pages();
    let mut guide = Guide { operator, passphrase: world.passphrase, fields: BTreeMap::new(), opened: Vec::new() };
    for (number, page) in pages.iter().enumerate() {
        let title = format!("{} of {}. {}", number.saturating_add(1), pages.len(), page.title);
        guide.show(&title, "Now", vec![page.before.to_owned()], "Do it").await?;
        let mut seen = world.ground.walk(page, &world.place, &mut guide, cancel).await?;
        let typed = guide.opened.drain(..).map(|of| format!("The passphrase of {of} was typed for you."));
        seen.extend(typed);
        guide.show(&title, "Seen", seen, "Go on").await?;
    }
    Ok(())
}

/// Asks whoever sits there, with forms filled in and passphrases typed for them.
struct Guide<'o> {
    operator: &'o mut dyn Operator,
    passphrase: &'static str,
    fields: BTreeMap<&'static str, String>,
    /// What passphrases were typed for.
    opened: Vec<String>,
}

impl Guide<'_> {
    async fn show(&mut self, title: &str, label: &'static str, sentences: Vec<String>, verb: &'static str) -> Result<(), Stop> {
        let facts = sentences.into_iter().map(|sentence| (label, sentence)).collect();
        let review = Review { title: title.to_owned(), facts, findings: Vec::new(), verb, plan: None };
        self.operator.put(TOUR, &Question::Review(review), false).await.map(drop)
    }
}

impl Guided for Guide<'_> {
    fn fills(&mut self, fields: &BTreeMap<&'static str, String>) {
        self.fields = fields.clone();
    }

    fn asked(&mut self) -> &mut dyn Operator {
        self
    }
}

impl Operator for Guide<'_> {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            match question {
                Question::Secret(wanted) => {
                    let is_there = wanted.kind == SecretKind::Existing;
                    let of = if is_there { format!("the {}", wanted.label) } else { wanted.label.clone() };
                    if !self.opened.contains(&of) {
                        self.opened.push(of);
                    }
                    Ok(Answer::Secret(Given { passphrase: Passphrase::from(self.passphrase.to_owned()), source: Source::File }))
                }
                Question::Form(form) => {
                    let mut form = form.clone();
                    for field in &mut form.fields {
                        if let Some(value) = self.fields.get(field.name) {
                            field.initial = value.clone();
                        }
                    }
                    self.operator.put(step, &Question::Form(form), may_go_back).await
                }
                other => self.operator.put(step, other, may_go_back).await,
            }
        })
    }
}
