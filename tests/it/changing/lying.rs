//! Servers that lie about what they took: whatever they answer, nothing is said to be done that is not.
use claviger::{
    failure::Failure,
    journal::State,
    net::{TransportError, Wait, Why},
    notary::{Answer as Answered, ChangeRecord, PublishError, ServerRole, Transport},
    operator::{Answer, Cancel, Fut, Operator, Question, Step, Stop, Values, run, run_with},
    procedures::{
        Workplace,
        repository::{
            self, Beginning, Deletion, Outcome, Rotation, Wanted,
            field::{NEW, ROOT_KEY},
        },
    },
    repository::{Mode, Repositories, Servers},
    sandbox::{PASSPHRASE, Sandbox},
    secret::{Given, Passphrase, Source},
    text::Untrusted,
    trust_dir::TrustDir,
    tuf::{
        key::PublicKey,
        name::{BaseRole, Gun, RoleName},
        pinning::Pinning,
        request::{Request, Which},
    },
};
use futures_util::{FutureExt as _, future::BoxFuture};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

pub const GUN: &str = "sandbox.test/shop/frontend";

/// A large file of a server that makes its files large.
const LARGE: u64 = 40 << 20;

/// What it does when something is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    /// Takes it, and says so.
    None,
    /// Takes nothing, and says that it did.
    SaysDone,
    /// Takes it, and breaks down before it says so.
    BreaksAfter,
    /// Takes it, and says that somebody else came first: as whatever repeats a request on the way is told.
    TakesAndConflicts,
    /// Breaks down, and takes nothing.
    BreaksBefore,
    /// Says once that somebody else came first.
    ConflictOnce,
    /// Says so each time.
    ConflictAlways,
    /// Takes nothing the first time and breaks down, while somebody else publishes twice.
    LosesRace,
    /// Takes it, and somebody else publishes on top of it before anybody looks.
    Overtaken,
    /// The same, and it breaks down before it says that it took it.
    OvertakenAndBreaks,
    /// The same, and after one look nobody can read it any more.
    OvertakenAndGone,
    /// Says that it took it, and shows everybody what was there long before.
    Replays,
    /// Says that it took it, and has taken something else of the same version from somebody who may sign too.
    Equivocates,
    /// Makes no new key, and gives the one that it has.
    KeepsItsKey,
    /// Gives a key of whoever asks as its own.
    GivesOurs,
    /// Claims to have had hundreds of roots, all as large as a file may be.
    ClaimsRoots,
    /// Says that it took it, and shows another repository of this name from then on, whole and of other keys.
    Substitutes,
}

struct Liar {
    honest: Arc<dyn Transport>,
    lie: Lie,
    published: AtomicUsize,
    /// How often the newest was asked for since.
    looks: AtomicUsize,
    /// The newest there was before anything.
    before: Vec<u8>,
    /// A key of whoever is here.
    ours: PublicKey,
    /// Somebody else's place, whose server does not lie.
    other: Workplace,
    /// Another world, with repositories of the same names.
    elsewhere: Sandbox,
    /// Somebody's place there.
    away: Workplace,
}

fn broken() -> PublishError {
    let why = Why::Timeout(Wait::Idle(Duration::from_secs(1)));
    PublishError::Uncertain(TransportError::Unreachable { why, text: Untrusted::default() })
}

impl Transport for Liar {
    fn get<'a>(&'a self, gun: &'a Gun, request: &'a Request) -> Answered<'a, Vec<u8>> {
        let is_asked_for_newest = request.role.as_str() == "timestamp" && self.published.load(Ordering::Relaxed) > 0;
        if self.lie == Lie::OvertakenAndGone && is_asked_for_newest && self.looks.fetch_add(1, Ordering::Relaxed) > 0 {
            let why = Why::Timeout(Wait::Idle(Duration::from_secs(1)));
            return async move { Err(TransportError::Unreachable { why, text: Untrusted::default() }) }.boxed();
        }
        if let (Lie::ClaimsRoots, Which::Version(_)) = (self.lie, &request.which) {
            let limit = request.limit;
            let large = async move {
                if LARGE > limit { Err(TransportError::TooLarge { limit }) } else { Ok(vec![b' '; LARGE as usize]) }
            };
            return large.boxed();
        }
        if self.lie == Lie::ClaimsRoots && request.role.as_str() == "root" {
            let claims = async {
                let root = String::from_utf8(self.honest.get(gun, request).await?).unwrap();
                Ok(root.replace("\"version\":", "\"version\":90").into_bytes())
            };
            return claims.boxed();
        }
        if self.lie == Lie::Replays && is_asked_for_newest {
            return async { Ok(self.before.clone()) }.boxed();
        }
        if self.lie == Lie::Substitutes && self.published.load(Ordering::Relaxed) > 0 {
            let transport = self.elsewhere.transport();
            return async move { transport.get(gun, request).await }.boxed();
        }
        self.honest.get(gun, request)
    }
    fn change_feed<'a>(&'a self, gun: Option<&'a Gun>, from: Option<&'a str>, records: i32) -> Answered<'a, Vec<ChangeRecord>> {
        self.honest.change_feed(gun, from, records)
    }
    fn ping(&self) -> Answered<'_, ()> {
        self.honest.ping()
    }
    fn address(&self) -> &Untrusted {
        self.honest.address()
    }
    fn publish<'a>(&'a self, gun: &'a Gun, files: &'a [(RoleName, Vec<u8>)]) -> BoxFuture<'a, Result<(), PublishError>> {
        async move {
            let before = self.published.fetch_add(1, Ordering::Relaxed);
            match self.lie {
                Lie::SaysDone | Lie::Replays => return Ok(()),
                Lie::Substitutes if self.elsewhere.guns().contains(gun) => return Ok(()),
                Lie::Substitutes => {
                    carried_out(&self.away, begins(gun)).await.unwrap();
                    return Ok(());
                }
                Lie::Equivocates => {
                    done(&self.other, "others").await.unwrap();
                    return Ok(());
                }
                Lie::LosesRace if before == 0 => {
                    for tag in ["others", "others-too"] {
                        done(&self.other, tag).await.unwrap();
                    }
                    return Err(broken());
                }
                Lie::BreaksBefore => return Err(broken()),
                Lie::ConflictAlways => return Err(PublishError::Conflict),
                Lie::ConflictOnce if before == 0 => return Err(PublishError::Conflict),
                _ => {}
            }
            self.honest.publish(gun, files).await?;
            if matches!(self.lie, Lie::Overtaken | Lie::OvertakenAndBreaks | Lie::OvertakenAndGone) && before == 0 {
                let roles = vec!["targets".to_owned()];
                let renews = Wanted::Renew { gun: GUN.into(), roles, until: None };
                match files.iter().any(|(role, _)| role.as_str() == "targets") {
                    true => carried_out(&self.other, renews).await.unwrap(),
                    false => done(&self.other, "others").await.unwrap(),
                };
            }
            match self.lie {
                Lie::BreaksAfter => Err(broken()),
                Lie::OvertakenAndBreaks | Lie::OvertakenAndGone if before == 0 => Err(broken()),
                Lie::TakesAndConflicts => Err(PublishError::Conflict),
                _ => Ok(()),
            }
        }
        .boxed()
    }
    fn server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answered<'a, PublicKey> {
        match self.lie {
            Lie::GivesOurs => async { Ok(self.ours.clone()) }.boxed(),
            _ => self.honest.server_key(gun, role),
        }
    }
    fn new_server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answered<'a, PublicKey> {
        if matches!(self.lie, Lie::KeepsItsKey | Lie::GivesOurs) {
            return self.server_key(gun, role);
        }
        self.honest.new_server_key(gun, role)
    }
    fn delete<'a>(&'a self, gun: &'a Gun) -> Answered<'a, ()> {
        self.honest.delete(gun)
    }
}

/// Somebody who accepts every plan.
struct Willing;

impl Operator for Willing {
    fn put<'a>(&'a mut self, _: Step, question: &'a Question, _: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            Ok(match question {
                Question::Review(_) => Answer::Accepted,
                Question::Confirm(confirm) => Answer::Typed(confirm.typed.clone()),
                Question::Secret(_) => {
                    Answer::Secret(Given { passphrase: Passphrase::from(PASSPHRASE.to_owned()), source: Source::File })
                }
                Question::Working(_) => Answer::Seen,
                Question::Form(form) => {
                    let mut values = Values::of(form);
                    if form.fields.iter().any(|f| f.name == ROOT_KEY && f.initial.is_empty()) {
                        values.set(ROOT_KEY, NEW);
                    }
                    Answer::Values(values)
                }
            })
        })
    }
}

/// Signs a tag.
fn done<'a>(place: &'a Workplace, tag: &'a str) -> BoxFuture<'a, Result<Outcome, Failure>> {
    carried_out(place, tag_by(tag, "alice"))
}

/// A tag that somebody wants to sign.
pub fn tag_by(tag: &str, signer: &str) -> Wanted {
    Wanted::Sign { gun: GUN.into(), tag: tag.into(), sha256: "ab".repeat(32), size: 7, signer: Some(signer.into()) }
}

fn begins(gun: &Gun) -> Wanted {
    Wanted::Begin(Beginning { gun: gun.to_string(), signer: None })
}

pub fn carried_out(place: &Workplace, wanted: Wanted) -> BoxFuture<'_, Result<Outcome, Failure>> {
    async move {
        match run(&mut Willing, Cancel::default(), |s| repository::run(place.clone(), wanted.clone(), s)).await {
            Ok(report) => Ok(report.all.into_iter().next().unwrap().1),
            Err(Stop::Failed(failure)) => Err(failure),
            Err(other) => panic!("{other:?}"),
        }
    }
    .boxed()
}

/// Somebody's place in a world.
pub fn place(world: &Sandbox, trust_dir: &TrustDir, transport: Arc<dyn Transport>) -> Workplace {
    Workplace {
        trust_dir: trust_dir.clone(),
        repositories: Some(Repositories::new(Servers::fixed(transport), trust_dir.clone(), Pinning::default(), true)),
        state: None,
        read_only: None,
        exact: true,
        public_dir: world.path().into(),
        tour: None,
    }
}

/// A world, somebody's place in it, and the same place with a server that lies.
async fn world(lie: Lie) -> (Sandbox, Workplace, Workplace) {
    let world = Sandbox::new(Timestamp::now(), None).unwrap();
    let honest = place(&world, world.trust_dir(), world.transport());
    let newest = Request { role: BaseRole::Timestamp.into(), which: Which::Current, limit: 1 << 20 };
    let before = world.transport().get(&Gun::new(GUN).unwrap(), &newest).await.unwrap();
    let elsewhere = Sandbox::new(Timestamp::now(), None).unwrap();
    let away = place(&elsewhere, elsewhere.trust_dir(), elsewhere.transport());
    let (published, looks) = Default::default();
    let gun = Gun::new(GUN).unwrap();
    let seen = honest.repositories.as_ref().unwrap().load(&gun, Timestamp::now(), Mode::CleanCache, &|_| {}).await.unwrap();
    let ours = seen.collection.base_keys(BaseRole::Targets).remove(0);
    let liar = Liar { honest: world.transport(), lie, published, looks, before, ours, other: honest.clone(), elsewhere, away };
    let lied_to = place(&world, world.trust_dir(), Arc::new(liar));
    (world, honest, lied_to)
}

/// Signs a tag at a server that lies: what is said of it, and whether it is there.
async fn signs(lie: Lie) -> (Result<Outcome, Failure>, bool) {
    let (_world, honest, lied_to) = world(lie).await;
    let result = done(&lied_to, "new").await;
    let gun = Gun::new(GUN).unwrap();
    let seen = honest.repositories.unwrap().load(&gun, Timestamp::now(), Mode::CleanCache, &|_| {}).await.unwrap();
    let is_there = seen.collection.signed().any(|(_, name, _)| name == "new");
    (result, is_there)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_shows_what_was_there_before_takes_nothing_back_from_what_is_remembered() {
    let (_world, honest, lied_to) = world(Lie::Replays).await;
    assert!(matches!(done(&honest, "first").await, Ok(Outcome::Published(_))));
    let gun = Gun::new(GUN).unwrap();
    let remembered = || honest.trust_dir.remembered(&gun, 1 << 20).unwrap();
    let before = remembered();
    let failure = done(&lied_to, "new").await.unwrap_err();
    assert_eq!(failure.code, "unproven", "{failure:?}");
    assert!(failure.message.contains("rollback"), "{failure:?}");
    assert_eq!(remembered(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_publish_on_top_is_remembered_so_that_nobody_can_show_the_state_before_again() {
    for lie in [Lie::Overtaken, Lie::OvertakenAndBreaks] {
        // A machine of its own: what the others remember is not here.
        let (world, _honest, lied_to) = world(lie).await;
        let apart = tempfile::tempdir().unwrap();
        let here = TrustDir::new(apart.path().join("trust"));
        crate::robot::copy(world.trust_dir().path(), here.path()).unwrap();
        let servers = lied_to.repositories.as_ref().unwrap().servers().clone();
        let repositories = Repositories::new(servers, here.clone(), Pinning::default(), true);
        let lied_to = Workplace { trust_dir: here.clone(), repositories: Some(repositories), ..lied_to };
        assert!(matches!(done(&lied_to, "new").await, Ok(Outcome::Published(_))), "{lie:?}");
        let remembered = here.remembered(&Gun::new(GUN).unwrap(), 1 << 20).unwrap();
        let releases = remembered.iter().find(|(role, _)| role.as_str() == "targets/releases").unwrap().1;
        let releases = String::from_utf8_lossy(releases);
        assert!(releases.contains("\"new\"") && releases.contains("\"others\""), "{lie:?}: {releases}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_claims_hundreds_of_large_roots_does_not_fill_the_memory_of_whoever_deletes() {
    let (_world, _honest, lied_to) = world(Lie::ClaimsRoots).await;
    let state = tempfile::tempdir().unwrap();
    let lied_to = Workplace { state: Some(State::of(state.path(), lied_to.trust_dir.path())), ..lied_to };
    // Nothing of it was seen before.
    std::fs::remove_dir_all(lied_to.trust_dir.path().join("tuf")).unwrap();
    let delete = Wanted::Delete(Deletion { gun: GUN.into(), remote: true });
    let seen = repository::look(&lied_to, &delete, &BTreeMap::new()).await.unwrap();
    let not_copied: Vec<_> = seen.review.facts.iter().filter(|(name, _)| *name == "Not copied").collect();
    assert!(
        matches!(not_copied.as_slice(), [(_, says)] if says.split(' ').next().unwrap().parse::<u32>().unwrap() > 890),
        "{:?}",
        seen.review.facts
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_it_and_breaks_down_is_looked_at_again_and_it_is_done() {
    let overtaken = [Lie::Overtaken, Lie::OvertakenAndBreaks];
    let all = [Lie::None, Lie::BreaksAfter, Lie::TakesAndConflicts, Lie::ConflictOnce, Lie::LosesRace];
    for lie in all.into_iter().chain(overtaken) {
        let (result, is_there) = signs(lie).await;
        assert!(matches!(result, Ok(Outcome::Published(_))) && is_there, "{lie:?}: {result:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_shows_something_else_than_it_took_is_caught_and_nothing_of_it_is_remembered() {
    for (lie, says) in [(Lie::Equivocates, "another"), (Lie::Substitutes, "root")] {
        let (_world, honest, lied_to) = world(lie).await;
        assert!(matches!(done(&honest, "first").await, Ok(Outcome::Published(_))));
        let gun = Gun::new(GUN).unwrap();
        let root = |place: &Workplace| place.trust_dir.remembered(&gun, 1 << 20).unwrap().remove(&BaseRole::Root.into());
        let before = root(&honest);
        let failure = done(&lied_to, "new").await.unwrap_err();
        assert_eq!((failure.code, failure.exit), ("unproven", 3), "{lie:?}: {failure:?}");
        assert!(failure.message.contains(says), "{lie:?}: {failure:?}");
        assert_eq!(root(&honest), before, "{lie:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_shows_another_root_to_whoever_is_there_for_the_first_time_is_caught() {
    let (new, first) = (Gun::new("sandbox.test/begun/here").unwrap(), Gun::new(GUN).unwrap());
    let signs = tag_by("new", "alice");
    for (gun, wanted) in [(&new, begins(&new)), (&first, signs)] {
        for lie in [Lie::Substitutes, Lie::None] {
            let (_world, honest, lied_to) = world(lie).await;
            let root = || honest.trust_dir.remembered(gun, 1 << 20).unwrap().remove(&BaseRole::Root.into());
            let _ = std::fs::remove_dir_all(honest.trust_dir.path().join("tuf"));
            assert!(root().is_none(), "nothing was seen of it");
            match (lie, carried_out(&lied_to, wanted.clone()).await) {
                (Lie::None, done) => assert!(matches!(done, Ok(Outcome::Published(_))), "{done:?}"),
                (_, lied) => {
                    let failure = lied.unwrap_err();
                    assert_eq!((failure.code, failure.exit), ("unproven", 3), "{gun}: {failure:?}");
                    assert!(failure.message.contains("root"), "{gun}: {failure:?}");
                }
            }
            assert_eq!(root().is_some(), lie == Lie::None, "{gun}");
        }
    }
}

/// What became of a rotation of the targets key at a server that lies, and how many keys for targets there are.
async fn rotates(lie: Lie) -> (Result<Outcome, Failure>, usize) {
    let (world, _, lied_to) = world(lie).await;
    let old: Vec<_> = claviger::keys::list(world.trust_dir()).entries.into_iter().map(|e| e.path).collect();
    let result = carried_out(&lied_to, Wanted::Rotate(Rotation { gun: GUN.into(), role: "targets".into() })).await;
    let mut new = claviger::keys::list(world.trust_dir()).entries;
    assert!(old.iter().all(|path| new.iter().any(|e| e.path == *path)), "the old key is gone");
    new.retain(|e| !old.contains(&e.path));
    assert!(new.iter().all(|e| e.problems.is_empty()), "{new:?}");
    (result, new.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_keeps_its_key_is_not_said_to_have_rotated_it() {
    let (_world, _, lied_to) = world(Lie::KeepsItsKey).await;
    let rotation = Rotation { gun: GUN.into(), role: "timestamp".into() };
    let failure = carried_out(&lied_to, Wanted::Rotate(rotation)).await.unwrap_err();
    assert_eq!(failure.code, "same-key", "{failure:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_does_not_choose_a_key_of_this_machine_for_what_it_is_to_sign() {
    let (_world, _, lied_to) = world(Lie::GivesOurs).await;
    let new = Gun::new("sandbox.test/begun/theirs").unwrap();
    let rotation = Wanted::Rotate(Rotation { gun: GUN.into(), role: "timestamp".into() });
    for wanted in [begins(&new), rotation] {
        let failure = carried_out(&lied_to, wanted).await.unwrap_err();
        assert_eq!(failure.code, "server-key", "{failure:?}");
        assert!(failure.message.contains("which is a key of this machine"), "{failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_that_is_not_published_keeps_the_old_key_and_names_the_new_one() {
    for (lie, code) in [(Lie::SaysDone, "unproven"), (Lie::BreaksBefore, "not-published"), (Lie::ConflictAlways, "conflict")] {
        let (result, new) = rotates(lie).await;
        let failure = result.unwrap_err();
        assert_eq!((failure.code, new), (code, 1), "{lie:?}: {failure:?}");
        let says = if code == "conflict" { "nothing names it yet" } else { "may name it: keep it" };
        assert!(failure.hint.contains(says), "{failure:?}");
    }
    let taken = [Lie::None, Lie::BreaksAfter, Lie::TakesAndConflicts, Lie::ConflictOnce, Lie::Overtaken, Lie::OvertakenAndBreaks];
    for lie in taken {
        let (result, new) = rotates(lie).await;
        assert!(matches!(result, Ok(Outcome::Published(_))) && new == 1, "{lie:?}: {result:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_key_that_published_metadata_may_name_is_never_said_to_be_of_no_use() {
    let (result, new) = rotates(Lie::OvertakenAndGone).await;
    let failure = result.unwrap_err();
    assert_eq!((failure.code, new), ("unknown", 1), "{failure:?}");
    assert!(failure.hint.contains("may name it: keep it"), "{failure:?}");
    assert_eq!(failure.did_not_happen, "whether it was published is not known");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_nothing_is_never_believed() {
    for (lie, code) in [(Lie::SaysDone, "unproven"), (Lie::BreaksBefore, "not-published"), (Lie::ConflictAlways, "conflict")] {
        let (result, is_there) = signs(lie).await;
        assert_eq!((result.unwrap_err().code, is_there), (code, false), "{lie:?}");
    }
}

/// A removal that nobody here can heal, because the other key that could vouch for the releases is not here; and where requests
/// to witness them are written.
fn leaves_it_unvouched(world: &Sandbox, place: &mut Workplace) -> (Wanted, PathBuf) {
    for entry in claviger::keys::list(world.trust_dir()).entries {
        if entry.role.is_some_and(|r| r.raw() == "ci") {
            std::fs::remove_file(entry.path).unwrap();
        }
    }
    let state = State::of(&world.path().join("state"), world.trust_dir().path());
    let requests = state.path().join("witness-requests");
    place.state = Some(state);
    (Wanted::RemoveSigner { guns: vec![GUN.into()], name: "alice".into(), key: None }, requests)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_to_witness_what_a_server_did_not_take() {
    let taken =
        [Lie::None, Lie::BreaksAfter, Lie::TakesAndConflicts, Lie::Overtaken, Lie::OvertakenAndBreaks].map(|lie| (lie, 1));
    let not_taken = [Lie::SaysDone, Lie::BreaksBefore, Lie::ConflictAlways].map(|lie| (lie, 0));
    for (lie, requests) in not_taken.into_iter().chain(taken) {
        let (world, honest, mut lied_to) = world(lie).await;
        done(&honest, "first").await.unwrap();
        let (wanted, requests_are_in) = leaves_it_unvouched(&world, &mut lied_to);
        let result = carried_out(&lied_to, wanted).await;
        let written = std::fs::read_dir(requests_are_in).into_iter().flatten().count();
        assert_eq!(written, requests, "{lie:?}: {result:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_interruption_has_kept_from_being_requested_is_requested_when_the_work_goes_on() {
    let (world, mut honest, _) = world(Lie::None).await;
    done(&honest, "first").await.unwrap();
    let (wanted, requests) = leaves_it_unvouched(&world, &mut honest);
    carried_out(&honest, wanted.clone()).await.unwrap();
    std::fs::remove_dir_all(&requests).unwrap();
    let mut willing = Willing;
    let again =
        run_with(Some(Vec::new()), &mut willing, Cancel::default(), |s| repository::run(honest.clone(), wanted.clone(), s));
    let report = again.await.unwrap();
    assert!(matches!(report.all.as_slice(), [(_, Outcome::AsWanted)]), "{report:?}");
    let file = std::fs::read_dir(&requests).unwrap().next().unwrap().unwrap().path();
    assert_eq!(report.requests[0].file.as_ref().unwrap(), &file);
    assert!(std::fs::read_to_string(file).unwrap().contains("\n  first\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_verified_and_cannot_be_remembered_is_said() {
    let (_world, honest, _) = world(Lie::None).await;
    // Somebody else writes there all the time.
    let writer = honest.trust_dir.write().unwrap();
    let wanted = tag_by("new", "alice");
    let report = run(&mut Willing, Cancel::default(), |s| repository::run(honest.clone(), wanted.clone(), s)).await.unwrap();
    assert!(matches!(report.all.as_slice(), [(_, Outcome::Published(_))]), "{report:?}");
    assert!(report.left().iter().any(|line| line.contains(GUN) && line.contains("could not be remembered")), "{report:?}");
    drop(writer);
    let revoked = Wanted::Revoke { gun: GUN.into(), tag: Some("new".into()) };
    let report = run(&mut Willing, Cancel::default(), |s| repository::run(honest.clone(), revoked.clone(), s)).await.unwrap();
    assert!(report.left().is_empty(), "{report:?}");
}
