//! The work on a whole store as the screen shows it: the real procedures over real files, every page of them drawn.
use crate::{
    screen_pictures::hold,
    screen_wizard::drawn,
    screen_world::{Kind, press, state},
};
use claviger::{
    journal,
    keys::{self, Strength},
    operator::{Answer, Question, Step, Values},
    procedures::Workplace,
    secret::{Given, Passphrase, Source},
    text::is_plain,
    trust_dir::TrustDir,
    tui::{
        action::{Action, Command},
        effect::Effect,
        state::State,
        theme::Theme,
        update::update,
        wizard::{Asked, Done, Work, Works},
    },
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::sync::mpsc::unbounded_channel;

/// What stands in the pictures for a directory that has another name each time.
const HOME: &str = "/home/ana/.docker";

/// A page that was asked, or what came of all.
#[derive(Clone)]
enum Page {
    Asked(Step, Question, bool),
    Finished(Done),
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn put(&self, relative: &str, from: &str) {
        let path = self.private(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(from);
        fs::write(&path, fs::read(&from).unwrap()).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        fs::set_permissions(self.private(""), PermissionsExt::from_mode(0o700)).unwrap();
    }

    fn private(&self, relative: &str) -> PathBuf {
        self.folder.path().join("trust/private").join(relative)
    }

    fn dir(&self) -> TrustDir {
        TrustDir::new(self.folder.path().join("trust"))
    }

    /// Does the work with these fields, and accepts everything; every page.
    async fn pages(&self, work: Work, fields: &[(&'static str, &str)]) -> Vec<Page> {
        let (send, mut actions) = unbounded_channel();
        let place = Workplace {
            trust_dir: self.dir(),
            repositories: None,
            state: Some(journal::State::of(&self.dir().path().with_extension("state"), self.dir().path())),
            read_only: None,
            exact: false,
            public_dir: ".".into(),
            tour: None,
        };
        let mut works = Works::new(place, send);
        works.start(work);
        let mut pages = Vec::new();
        loop {
            let action = tokio::time::timeout(Duration::from_secs(60), actions.recv()).await.expect("something comes").unwrap();
            match action {
                Action::Asked(asked) => {
                    let Asked { step, question, may_go_back } = *asked;
                    let answer = match &question {
                        Question::Working(_) => continue,
                        Question::Form(form) => {
                            let mut values = Values::of(form);
                            fields.iter().for_each(|(name, value)| values.set(name, *value));
                            Answer::Values(values)
                        }
                        Question::Secret(wanted) => {
                            let phrase = if wanted.role == "root" { "gold-droot" } else { "gold-drepo" };
                            Answer::Secret(Given { passphrase: Passphrase::from(phrase.to_owned()), source: Source::Typed })
                        }
                        Question::Review(_) => Answer::Accepted,
                        Question::Confirm(confirm) => Answer::Typed(confirm.typed.clone()),
                    };
                    pages.push(Page::Asked(step, self.renamed(question), may_go_back));
                    works.answer(Ok(answer));
                }
                Action::Finished(result) => {
                    let mut done = result.unwrap();
                    done.happened = self.rename(&done.happened);
                    done.left.iter_mut().for_each(|l| *l = self.rename(l));
                    pages.push(Page::Finished(done));
                    return pages;
                }
                _ => {}
            }
        }
    }

    fn rename(&self, text: &str) -> String {
        text.replace(self.folder.path().to_str().unwrap(), HOME)
    }

    fn renamed(&self, mut question: Question) -> Question {
        match &mut question {
            Question::Form(form) => form.fields.iter_mut().for_each(|f| f.initial = self.rename(&f.initial)),
            Question::Review(review) => {
                review.facts.iter_mut().for_each(|(_, v)| *v = self.rename(v));
                review.findings.iter_mut().for_each(|f| f.text = self.rename(&f.text));
            }
            _ => {}
        }
        question
    }
}

/// The keys, with this work begun and a page of it shown.
fn shown(command: Command, work: &Work, page: &Page, theme: Theme, size: (u16, u16)) -> State {
    let mut s = state(Kind::Normal, theme, size);
    press(&mut s, &[Command::Place(1)]);
    assert_eq!(update(&mut s, Action::Do(command)), [Effect::Perform(work.clone())]);
    match page.clone() {
        Page::Asked(step, question, may_go_back) => {
            update(&mut s, Action::Asked(Box::new(Asked { step, question, may_go_back })));
        }
        Page::Finished(done) => drop(update(&mut s, Action::Finished(Box::new(Ok(done))))),
    }
    s
}

/// Holds every page against its picture.
fn hold_all(name: &str, command: Command, work: &Work, pages: &[Page]) {
    for (number, page) in pages.iter().enumerate() {
        for size in [(80, 24), (120, 40)] {
            hold(&format!("store_{name}_{number}_{}x{}", size.0, size.1), &shown(command, work, page, Theme::FULL, size));
        }
        let bare = shown(command, work, page, Theme::BARE, (80, 24));
        assert!(drawn(&bare).is_ascii(), "{name} {number}");
        hold(&format!("store_{name}_{number}_ascii"), &bare);
        for size in [(1, 1), (60, 15), (300, 90)] {
            let all = drawn(&shown(command, work, page, Theme::FULL, size));
            assert!(all.chars().all(|c| c == '\n' || is_plain(c)), "{name} {number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_old_layouts_move_on_the_screen() {
    let b = Bench::new();
    let (root, gun) = ("e18d009991f34e26ec5629f31d1f1e73327d57418ff6b8ca15dfb843fabe79b7", "lab.example/old/app");
    let targets = "92edd8f17cb901b99f4f4db19048eafa832005387f6beb1288ce3f22b6afd810";
    for relative in [format!("root_keys/{root}.key"), format!("tuf_keys/{gun}/{targets}_targets.key")] {
        b.put(&relative, &format!("oldlayout/before-hand-made/private/{relative}"));
    }
    b.put("root_keys/notes\u{202e}.txt", "README.md");
    let work = Work::MigrateKeys;
    let pages = b.pages(work.clone(), &[]).await;
    assert!(b.private(&format!("{root}.key")).exists() && b.folder.path().join("trust-before-migration/private").exists());
    assert_eq!(pages.len(), 3, "form, review, result");
    hold_all("migrate", Command::MigrateKeys, &work, &pages);
    // Now there is nothing that moves: it says so at once.
    let pages = b.pages(work.clone(), &[]).await;
    hold_all("migrated", Command::MigrateKeys, &work, &pages);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_keys_get_stronger_protection_on_the_screen() {
    let b = Bench::new();
    let (root, dave) = (
        "3f534fb5f48c22bda9a999e16482174468275753707068740f28d715e7553b55",
        "76baecf6c08a2d5d79302820a9b26d7a1143f8c27f9b718b0a5ced0298e1ab3e",
    );
    let jeff = "29fe684c5c3c3658d57f08f6a7d782a12f7a678256856aaa77c41e94bbe42274";
    for id in [root, dave] {
        b.put(&format!("{id}.key"), &format!("trustdirs/docker-trust/private/{id}.key"));
    }
    b.put(&format!("{jeff}.key"), "trustdirs/delegation-inputs/jeff.key");
    b.put("damaged.key", "pem/empty.key");
    let work = Work::StrengthenKeys(None);
    let pages = b.pages(work.clone(), &[("unencrypted", "protect")]).await;
    let strengths: Vec<Strength> = keys::list(&b.dir()).entries.iter().map(keys::KeyEntry::strength).collect();
    assert_eq!(strengths, [Strength::Enough, Strength::Enough, Strength::Enough, Strength::Unknown]);
    assert_eq!(pages.len(), 6, "form, three passphrases, review, result");
    hold_all("strengthen", Command::StrengthenKeys, &work, &pages);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_are_mended_on_the_screen() {
    let b = Bench::new();
    let dave = "76baecf6c08a2d5d79302820a9b26d7a1143f8c27f9b718b0a5ced0298e1ab3e";
    b.put(&format!("{dave}.key"), &format!("trustdirs/docker-trust/private/{dave}.key"));
    for (path, mode) in [(b.private(&format!("{dave}.key")), 0o644), (b.private(""), 0o755)] {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    let work = Work::MendPermissions;
    let pages = b.pages(work.clone(), &[]).await;
    assert_eq!((b.dir().modes().loose.len(), pages.len()), (0, 2), "review, result");
    hold_all("mend", Command::MendPermissions, &work, &pages);
}
