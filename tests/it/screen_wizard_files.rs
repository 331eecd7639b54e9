//! Keys from files and to files, on the screen: the real procedures, page by page, with what is right, what fails, and what
//! attacks the terminal. Paths of the moment are shown as /home/ana.
use crate::{
    screen_pictures::hold,
    screen_wizard::{drawn, hit, type_in},
    screen_world::{Kind, press, state},
};
use claviger::{
    failure::Failure,
    journal, keys,
    operator::{Answer, Question, Review},
    procedures::{KeyFile, Which, Workplace, key_export::Half},
    secret::{Given, Passphrase, Source},
    text::is_plain,
    trust_dir::TrustDir,
    tui::{
        action::{Action, Command},
        effect::{Effect, Reply},
        layer::Layer,
        state::State,
        theme::Theme,
        update::update,
        wizard::{Page, Wizard, Work, Works},
    },
};
use crossterm::event::KeyCode;
use std::{fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const PASSPHRASE: &str = "correct horse battery";

/// A screen with real work behind it.
struct Bench {
    dir: tempfile::TempDir,
    works: Works,
    actions: UnboundedReceiver<Action>,
    s: State,
}

impl Bench {
    fn new(theme: Theme, size: (u16, u16)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Workplace {
            trust_dir: TrustDir::new(dir.path().join("trust")),
            repositories: None,
            state: Some(journal::State::of(&dir.path().join("state"), dir.path())),
            read_only: None,
            exact: false,
            public_dir: dir.path().into(),
            tour: None,
        };
        let (send, actions) = unbounded_channel();
        let mut s = state(Kind::Normal, theme, size);
        press(&mut s, &[Command::Place(1)]);
        Self { works: Works::new(place, send), dir, actions, s }
    }

    /// A file that only its owner can read.
    fn write(&self, name: &str, content: &[u8]) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn keys(&self) -> Vec<keys::KeyEntry> {
        keys::list(&TrustDir::new(self.dir.path().join("trust"))).entries
    }

    fn start(&mut self, work: Work) {
        self.s.layers.push(Layer::Wizard(Box::new(Wizard::new(work.clone()))));
        self.works.start(work);
    }

    /// Whatever comes is shown, until somebody is asked or it has ended.
    async fn shown(&mut self) {
        loop {
            let action = tokio::time::timeout(Duration::from_secs(60), self.actions.recv()).await.unwrap().unwrap();
            let action = self.elsewhere(action);
            update(&mut self.s, action);
            let wizard = self.s.wizard().unwrap();
            if !wizard.is_working() {
                return;
            }
        }
    }

    /// The same with a directory that is always called the same.
    fn elsewhere(&self, action: Action) -> Action {
        let here = self.dir.path().to_str().unwrap().to_owned();
        let elsewhere = |text: &str| text.replace(&here, "/home/ana");
        match action {
            Action::Asked(mut asked) => {
                if let Question::Review(Review { facts, .. }) = &mut asked.question {
                    facts.iter_mut().for_each(|(_, v)| *v = elsewhere(v));
                }
                Action::Asked(asked)
            }
            Action::Finished(mut result) => {
                match &mut *result {
                    Ok(done) => done.happened = elsewhere(&done.happened),
                    Err(Failure { message, hint, .. }) => (*message, *hint) = (elsewhere(message), elsewhere(hint)),
                }
                Action::Finished(result)
            }
            other => other,
        }
    }

    /// Presses a key, and hands over what it answers.
    async fn hit(&mut self, code: KeyCode) {
        for effect in hit(&mut self.s, code) {
            match effect {
                Effect::Answer(Reply::Values(values)) => self.works.answer(Ok(Answer::Values(values))),
                Effect::Answer(Reply::Accepted) => self.works.answer(Ok(Answer::Accepted)),
                Effect::Answer(Reply::Typed(text)) => self.works.answer(Ok(Answer::Typed(text))),
                other => panic!("{other:?}"),
            }
            self.shown().await;
        }
    }

    async fn fill(&mut self, file: &str) {
        type_in(&mut self.s, file);
        update(&mut self.s, Action::Do(Command::Continue)).into_iter().for_each(|effect| {
            let Effect::Answer(Reply::Values(values)) = effect else { panic!("{effect:?}") };
            self.works.answer(Ok(Answer::Values(values)));
        });
    }

    async fn passphrase(&mut self) {
        assert!(matches!(self.s.wizard().unwrap().page, Page::Secret(_)), "{}", drawn(&self.s));
        let passphrase = Passphrase::from(PASSPHRASE.to_owned());
        self.works.answer(Ok(Answer::Secret(Given { passphrase, source: Source::Typed })));
        self.shown().await;
    }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pem").join(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_taken_from_a_file_and_written_to_one_on_the_screen() {
    let mut b = Bench::new(Theme::FULL, (80, 24));
    let file = b.write("alice.pem", &fixture("ec-p256-pkcs8.key"));
    b.start(Work::LoadKeys);
    b.shown().await;
    type_in(&mut b.s, "/nowhere/a.pem");
    assert!(drawn(&b.s).contains("! "), "what is wrong is said while one types:\n{}", drawn(&b.s));
    update(&mut b.s, Action::Edit(claviger::tui::action::Edit::Clear));
    // The rest of a name, as far as it is certain.
    type_in(&mut b.s, file.strip_suffix("ce.pem").unwrap());
    hit(&mut b.s, KeyCode::Tab);
    assert!(drawn(&b.s).contains("holds one private key"), "{}", drawn(&b.s));
    hit(&mut b.s, KeyCode::Tab);
    hit(&mut b.s, KeyCode::Tab);
    type_in(&mut b.s, "alice");
    b.fill("").await;
    b.shown().await;
    b.passphrase().await;
    assert!(drawn(&b.s).contains("Store them") && b.keys().is_empty(), "{}", drawn(&b.s));
    hit(&mut b.s, KeyCode::Char('G'));
    b.hit(KeyCode::Enter).await;
    assert!(drawn(&b.s).contains("One key was stored and read back."), "{}", drawn(&b.s));
    let [entry] = &b.keys()[..] else { panic!() };
    assert_eq!(entry.role.as_ref().unwrap().raw(), "alice");
    let path = entry.path.clone();
    hit(&mut b.s, KeyCode::Esc);
    for (work, name, opening) in [
        (Work::ExportKeys(Which::These(vec![KeyFile(path.clone())]), Half::Private), "one.pem", false),
        (Work::ExportKeys(Which::All, Half::Private), "all.pem", false),
        (Work::ExportKeys(Which::These(vec![KeyFile(path)]), Half::Public), "alice.pub", true),
    ] {
        b.start(work);
        b.shown().await;
        let to = b.dir.path().join(name);
        b.fill(to.to_str().unwrap()).await;
        b.shown().await;
        if opening {
            b.passphrase().await;
        }
        assert!(drawn(&b.s).contains("Write the file") && !to.exists(), "{}", drawn(&b.s));
        hit(&mut b.s, KeyCode::Char('G'));
        b.hit(KeyCode::Enter).await;
        assert!(drawn(&b.s).contains("One key written to"), "{}", drawn(&b.s));
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
        hit(&mut b.s, KeyCode::Esc);
    }
    let text = fs::read_to_string(b.dir.path().join("alice.pub")).unwrap();
    assert!(text.contains("PUBLIC KEY") && !text.contains("PRIVATE"), "{text}");
    let bundle = keys::read_blocks(&b.dir.path().join("all.pem")).unwrap();
    assert_eq!(bundle.keys.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_nothing_protects_leaves_only_when_that_is_typed() {
    let mut b = Bench::new(Theme::FULL, (80, 24));
    let private = b.dir.path().join("trust/private");
    fs::create_dir_all(&private).unwrap();
    let id = "974e0016dd6909c66c6cc5b8f3ea650d15cf83ddd08fb99012e5b71ac42cd683";
    fs::write(private.join(format!("{id}.key")), fixture("ec-p256-pkcs8.key")).unwrap();
    b.start(Work::ExportKeys(Which::All, Half::Private));
    b.shown().await;
    let to = b.dir.path().join("out.pem");
    b.fill(to.to_str().unwrap()).await;
    b.shown().await;
    assert!(drawn(&b.s).contains("Keys will leave without a passphrase"), "{}", drawn(&b.s));
    type_in(&mut b.s, "unprotect");
    assert_eq!(hit(&mut b.s, KeyCode::Enter), []);
    type_in(&mut b.s, "ed");
    b.hit(KeyCode::Enter).await;
    assert!(drawn(&b.s).contains("Write the file") && !to.exists(), "{}", drawn(&b.s));
    b.hit(KeyCode::Enter).await;
    assert!(drawn(&b.s).contains("One key written to") && to.exists(), "{}", drawn(&b.s));
}

/// Every page of both works, with what is on it.
async fn every_page(theme: Theme, size: (u16, u16), mut look: impl FnMut(&str, &State)) {
    let attack = "\u{1b}[2J\u{202e}gnp\u{200b}";
    let hostile = format!("-----BEGIN {attack}-----\nAAAA\n-----END {attack}-----\n");
    let role = String::from_utf8(fixture("ec-p256-pkcs8.key")).unwrap();
    let bad_role = role.replacen("-----\n", &format!("-----\nrole: {attack}\n\n"), 1);
    let mut b = Bench::new(theme, size);
    let good = b.write("alice.pem", &[fixture("ec-p256-pkcs8.key"), hostile.into_bytes()].concat());
    let refused = b.write("hostile.pem", bad_role.as_bytes());
    b.start(Work::LoadKeys);
    b.shown().await;
    look("load_form", &b.s);
    type_in(&mut b.s, "/nonexistent/\u{202e}alice.pem");
    hit(&mut b.s, KeyCode::Tab);
    look("load_wrong", &b.s);
    press(&mut b.s, &[Command::PreviousField]);
    update(&mut b.s, Action::Edit(claviger::tui::action::Edit::Clear));
    b.fill(&good).await;
    b.shown().await;
    look("load_new", &b.s);
    b.passphrase().await;
    look("load_review", &b.s);
    hit(&mut b.s, KeyCode::Char('G'));
    b.hit(KeyCode::Enter).await;
    look("load_done", &b.s);
    hit(&mut b.s, KeyCode::Esc);
    b.start(Work::LoadKeys);
    b.shown().await;
    b.fill(&refused).await;
    b.shown().await;
    look("load_failed", &b.s);
    hit(&mut b.s, KeyCode::Esc);
    b.start(Work::ExportKeys(Which::All, Half::Private));
    b.shown().await;
    look("export_form", &b.s);
    let to = b.dir.path().join("keys.pem");
    b.fill(to.to_str().unwrap()).await;
    b.shown().await;
    look("export_review", &b.s);
    fs::write(&to, "in the way").unwrap();
    hit(&mut b.s, KeyCode::Char('G'));
    b.hit(KeyCode::Enter).await;
    look("export_failed", &b.s);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_files_look_as_in_their_pictures() {
    for size in [(80, 24), (120, 40)] {
        every_page(Theme::FULL, size, |name, s| hold(&format!("wizard_{name}_{}x{}", size.0, size.1), s)).await;
    }
    every_page(Theme { colour: false, unicode: true }, (80, 24), |name, s| hold(&format!("wizard_{name}_nocolour"), s)).await;
    every_page(Theme::BARE, (80, 24), |name, s| {
        assert!(drawn(s).is_ascii(), "{name}");
        hold(&format!("wizard_{name}_ascii"), s);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_file_says_of_itself_never_reaches_the_terminal_as_it_is() {
    every_page(Theme::FULL, (120, 40), |name, s| {
        let bad: String = drawn(s).chars().filter(|c| *c != '\n' && !is_plain(*c)).collect();
        assert!(bad.is_empty(), "{name}: {bad:?}");
    })
    .await;
}
