//! Runs effects in the background; what comes of them goes back as actions through a channel.
use super::{
    action::Action,
    effect::Effect,
    ledger::Ledger,
    shelf::{KeyShelf, Repo},
};
use crate::{
    doctor::Check,
    procedures::{Interrupted, Workplace},
    tuf::name::Gun,
    views::{desk::Desk, transcript::Transcript},
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::sync::{Arc, OnceLock};
use tokio::{
    sync::{OnceCell, Semaphore, mpsc::UnboundedSender},
    task::{JoinSet, spawn_blocking},
};

/// So many repositories are read at a time: enough to hide a server's latency, few enough not to be a burden to it.
pub const AT_A_TIME: usize = 6;

/// Looks at what stands in the way.
pub type Examiner = Arc<dyn Fn() -> BoxFuture<'static, Vec<Check>> + Send + Sync>;

/// Runs effects.
pub struct Runner {
    desk: Desk,
    actions: UnboundedSender<Action>,
    tasks: JoinSet<()>,
    turns: Arc<Semaphore>,
    /// Whether the keys were listed once: a repository's page says where each key is, and its reading would list
    /// them itself, once for each that is read at the same time.
    listed: Arc<OnceCell<()>>,
    place: Workplace,
    examiner: Examiner,
    /// Work that was interrupted before this session: it is said as long as that goes on.
    found: Arc<OnceLock<Vec<Interrupted>>>,
}

impl Runner {
    /// Reads from `desk` and sends what it finds to `actions`; at `place` it finds work that was interrupted, and `examiner`
    /// says what stands in the way.
    pub fn new(desk: Desk, place: Workplace, examiner: Examiner, actions: UnboundedSender<Action>) -> Self {
        let turns = Arc::new(Semaphore::new(AT_A_TIME));
        Self { desk, actions, tasks: JoinSet::new(), turns, listed: Arc::default(), place, examiner, found: Arc::default() }
    }

    /// Starts one effect. Those that concern the terminal or guided work are not for here and do nothing.
    pub fn start(&mut self, effect: Effect) {
        // Forget tasks that have ended.
        while self.tasks.try_join_next().is_some() {}
        match effect {
            Effect::ReadKeys(epoch) => {
                let (desk, actions) = (self.desk.clone(), self.actions.clone());
                self.tasks.spawn_blocking(move || {
                    let _ = actions.send(Action::KeysRead(epoch, Box::new(KeyShelf::new(desk.keys()))));
                });
            }
            Effect::ReadJournal(epoch) => {
                let (place, actions, found) = (self.place.clone(), self.actions.clone(), self.found.clone());
                self.tasks.spawn_blocking(move || {
                    // What cannot be closed now is found again.
                    let settled = found.get_or_init(|| place.settle().unwrap_or_else(|_| place.interrupted()));
                    let _ = actions.send(Action::JournalRead(epoch, Box::new(Ledger::read(&place, settled))));
                });
            }
            Effect::ReadTranscript(work) => {
                let (place, actions) = (self.place.clone(), self.actions.clone());
                self.tasks.spawn_blocking(move || {
                    let read = place.state.as_ref().map(|state| state.read_transcript(&work)).transpose();
                    let transcript = match read.map(Option::flatten) {
                        Ok(Some((_, record))) => Ok(Transcript::of(&record)),
                        Ok(None) => Err("There is none any more: it was moved or removed.".to_owned()),
                        Err(e) => Err(format!("{e}.")),
                    };
                    let _ = actions.send(Action::TranscriptRead(work, transcript));
                });
            }
            Effect::GiveUp(work) => {
                let (place, actions) = (self.place.clone(), self.actions.clone());
                self.tasks.spawn_blocking(move || {
                    let closed = place.interrupted_work(&work).and_then(|found| found.give_up(&place));
                    let _ = actions.send(Action::GivenUp(closed));
                });
            }
            Effect::Examine => {
                let (examine, actions) = (self.examiner.clone(), self.actions.clone());
                self.tasks.spawn(async move {
                    let _ = actions.send(Action::Examined(examine().await));
                });
            }
            Effect::TakeInventory(epoch) => {
                let (desk, actions) = (self.desk.clone(), self.actions.clone());
                self.tasks.spawn(async move {
                    let _ = actions.send(Action::InventoryTaken(epoch, desk.inventory().await));
                });
            }
            Effect::Load(epoch, guns) => guns.into_iter().for_each(|gun| self.load(epoch, gun, false)),
            Effect::Open(epoch, gun) => self.load(epoch, gun, true),
            Effect::Look(epoch, gun) => {
                let (desk, actions) = (self.desk.clone(), self.actions.clone());
                self.tasks.spawn(async move {
                    let look = desk.repositories().look(&gun).await.map_err(|e| e.to_string());
                    let _ = actions.send(Action::Looked(epoch, gun, Box::new(look)));
                });
            }
            Effect::ReadStaged(gun) => {
                let (desk, actions) = (self.desk.clone(), self.actions.clone());
                self.tasks.spawn_blocking(move || {
                    let read = desk.staged(&gun);
                    let _ = actions.send(Action::StagedRead(gun, read));
                });
            }
            // Dropping a future cancels it; a blocking one runs on, and its result is dropped by its number.
            Effect::StopAll => self.tasks.abort_all(),
            _ => {}
        }
    }

    fn load(&mut self, epoch: u64, gun: Gun, asked: bool) {
        let (desk, actions, turns, listed) = (self.desk.clone(), self.actions.clone(), self.turns.clone(), self.listed.clone());
        self.tasks.spawn(async move {
            // The semaphore is never closed: without a turn there is nobody left to read for.
            let Ok(_turn) = turns.acquire().await else { return };
            let _ = actions.send(Action::Step(epoch, gun.clone(), "listing keys".to_owned()));
            let lister = desk.clone();
            // What fails here has panicked, and the screen is on its way out.
            listed.get_or_init(async || drop(spawn_blocking(move || lister.keys_here()).await)).await;
            let _ = actions.send(Action::Step(epoch, gun.clone(), "asking".to_owned()));
            let steps = actions.clone();
            let of = gun.clone();
            let (reader, named) = (desk.clone(), gun.clone());
            let staged = spawn_blocking(move || reader.staged(&named)).await.ok();
            let row = desk
                .repository(gun, asked, move |step| {
                    let _ = steps.send(Action::Step(epoch, of.clone(), step.to_owned()));
                })
                .await;
            let _ = actions.send(Action::Loaded(epoch, Box::new(Repo { staged, ..Repo::new(row, Timestamp::now()) })));
        });
    }
}
