//! Reading keys and repositories: what to start, what to make of what comes back, and how to stop.
use super::{deeds, navigate, wizard};
use crate::{
    finding::{Finding, Severity},
    repository::Look,
    tuf::name::Gun,
    tui::{
        effect::Effect,
        layer::{Context, Layer},
        shelf::{KeyShelf, Progress, Repo},
        standing::Standing,
        state::{Attention, Job, Notice, State, Subject},
        theme::Tone,
    },
    views::{desk::Inventory, next_step::next_step, staged::StagedRow},
};

/// Up to so many repositories are read at the start unasked. More may take long, and may be more than the user wants
/// to ask a server for.
const READ_AT_START: usize = 200;
/// So many lines the overview lists; the rest is counted.
const LISTED: usize = 200;

/// Begins to read everything.
pub fn start(state: &mut State) -> Vec<Effect> {
    state.keys_progress = Progress::Reading;
    state.repos_progress = Progress::Reading;
    state.journal_progress = Progress::Reading;
    vec![Effect::ReadKeys(state.epoch), Effect::ReadJournal(state.epoch), Effect::TakeInventory(state.epoch)]
}

/// Reads again what the page is about.
pub fn refresh(state: &mut State) -> Vec<Effect> {
    match state.page() {
        Context::Keys | Context::Key => {
            state.keys_progress = Progress::Reading;
            vec![Effect::ReadKeys(state.epoch)]
        }
        Context::Journal | Context::Deed => deeds::read(state),
        Context::Staged => state.staged_page().map(|p| vec![Effect::ReadStaged(p.gun.clone())]).unwrap_or_default(),
        _ => {
            let index = state.selected_repo().and_then(|r| state.repos.index.get(&r.gun)).copied();
            index.map(|i| open(state, i)).unwrap_or_default()
        }
    }
}

/// Reads everything again that the page is about.
pub fn refresh_all(state: &mut State) -> Vec<Effect> {
    state.repos_progress = Progress::Reading;
    let mut effects = vec![Effect::TakeInventory(state.epoch)];
    if matches!(state.page(), Context::Overview | Context::Matter) && state.keys_progress != Progress::Reading {
        state.keys_progress = Progress::Reading;
        effects.push(Effect::ReadKeys(state.epoch));
    }
    if matches!(state.page(), Context::Overview | Context::Matter) && state.journal_progress != Progress::Reading {
        effects.extend(deeds::read(state));
    }
    effects
}

/// Reads and verifies these.
fn load(state: &mut State, indexes: Vec<usize>) -> Vec<Effect> {
    let guns: Vec<Gun> = indexes.iter().filter_map(|i| state.repos.roster.get(*i)).map(|r| r.gun.clone()).collect();
    if guns.is_empty() {
        return Vec::new();
    }
    let job = state.job.get_or_insert_default();
    job.total += guns.len();
    job.open.extend(indexes);
    vec![Effect::Load(state.epoch, guns)]
}

/// Reads and verifies the one that the user asks for.
pub fn open(state: &mut State, index: usize) -> Vec<Effect> {
    let effects = load(state, vec![index]);
    let asked = |e| match e {
        Effect::Load(epoch, guns) => guns.into_iter().map(|g| Effect::Open(epoch, g)).collect(),
        other => vec![other],
    };
    effects.into_iter().flat_map(asked).collect()
}

/// Reads again what was changed; whatever there is, if nobody knows what that was or the list does not have it.
pub fn read_changed(state: &mut State, guns: Option<Vec<Gun>>) -> Vec<Effect> {
    let known = guns.and_then(|all| all.iter().map(|gun| state.repos.index.get(gun).copied()).collect::<Option<Vec<usize>>>());
    match known {
        Some(all) => all.into_iter().flat_map(|i| open(state, i)).collect(),
        None => {
            state.repos_progress = Progress::Reading;
            vec![Effect::TakeInventory(state.epoch)]
        }
    }
}

/// Stops everything. What was read stays.
pub fn cancel(state: &mut State) -> Vec<Effect> {
    state.epoch += 1;
    for progress in [&mut state.keys_progress, &mut state.repos_progress, &mut state.journal_progress] {
        if *progress == Progress::Reading {
            *progress = Progress::Stopped;
        }
    }
    state.looking = None;
    let read = state.job.take().map(|j| (j.done, j.total));
    for repo in state.repos.roster.rows_mut() {
        repo.step = None;
    }
    let text = match read {
        Some((done, total)) => format!("Stopped. {done} of {total} repositories were read; nothing was changed."),
        None => "Stopped. Nothing was changed.".to_owned(),
    };
    state.notice = Some(Notice { text, tone: Tone::Plain });
    vec![Effect::StopAll]
}

/// Takes the keys in.
pub fn keys_read(state: &mut State, shelf: KeyShelf) -> Vec<Effect> {
    let selected = state.keys_view.selected().and_then(|i| state.keys.roster.get(i)).map(|k| k.path.clone());
    state.keys = shelf;
    state.keys_progress = Progress::Done;
    state.keys_view.refresh(&state.keys.roster);
    let place = |path: &std::path::Path| state.keys.roster.rows().iter().position(|k| k.path == path);
    if let Some(i) = selected.as_deref().and_then(place) {
        state.keys_view.select(i);
    }
    wizard::select_wanted(state);
    // An open page stays with its file, or closes if the file is gone.
    let gone = state.layers.iter_mut().any(|l| match l {
        Layer::Key(page) => match state.keys.roster.rows().iter().position(|k| k.path == page.path) {
            Some(i) => {
                page.index = i;
                false
            }
            None => true,
        },
        _ => false,
    });
    if gone {
        wizard::close_others(state);
        state.notice = Some(Notice { text: "That key's file is not there any more.".to_owned(), tone: Tone::Warn });
    }
    state.stale.attention = true;
    // This reading may have begun before the cache said who uses which key.
    if std::mem::take(&mut state.stale.keys) {
        state.keys_progress = Progress::Reading;
        return vec![Effect::ReadKeys(state.epoch)];
    }
    state.wanted_key = None;
    Vec::new()
}

/// Takes the inventory in and reads what may be read unasked, unless that is more than one would expect at the start.
///
/// A name that only the server's feed gives is not read: nobody vouches for the feed, and to read a repository for the
/// first time is to trust its root from then on. Opening it reads it.
pub fn inventory_taken(state: &mut State, inventory: Inventory) -> Vec<Effect> {
    let asked = state.repos_progress == Progress::Reading && !state.repos.roster.rows().is_empty();
    let selected = state.repos_view.selected().and_then(|i| state.repos.roster.get(i)).map(|r| r.gun.clone());
    state.repos.take(inventory);
    state.repos_progress = Progress::Done;
    state.repos_view.refresh(&state.repos.roster);
    if let Some(i) = selected.and_then(|g| state.repos.index.get(&g)) {
        state.repos_view.select(*i);
    }
    // Numbers have changed: an open page of a repository that is gone closes.
    if state.repo_page().is_some_and(|p| !state.repos.index.contains_key(&p.gun)) {
        wizard::close_others(state);
    }
    navigate::renew_page(state);
    state.stale.attention = true;
    let rows = state.repos.roster.rows();
    // What was read already was asked for.
    let welcome = |r: &Repo| r.anchored || !matches!(r.standing, Standing::Unread | Standing::Unsigned);
    let to_read: Vec<usize> = (0..).zip(rows).filter(|(_, r)| welcome(r)).map(|(i, _)| i).collect();
    let others = rows.iter().filter(|r| !r.anchored && r.standing == Standing::Unread).count();
    if to_read.len() > READ_AT_START && !asked {
        let text = format!("{} repositories: not read yet. R reads all, r only the selected one.", to_read.len());
        state.notice = Some(Notice { text, tone: Tone::Plain });
        return Vec::new();
    }
    if others > 0 {
        let text = format!("{} not read yet: new to this machine. Enter reads one.", count(others, "repository", "repositories"));
        state.notice = Some(Notice { text, tone: Tone::Plain });
    }
    state.job = None;
    load(state, to_read)
}

fn count(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// Tells what is being fetched.
pub fn step(state: &mut State, gun: &Gun, step: String) -> Vec<Effect> {
    let index = state.repos.index.get(gun).copied();
    if let (Some(job), Some(i)) = (&mut state.job, index)
        && job.open.contains(&i)
    {
        job.latest = Some(i);
        if let Some(repo) = state.repos.by_name_mut(gun) {
            repo.step = Some(step);
        }
    }
    Vec::new()
}

/// Takes a repository in.
pub fn loaded(state: &mut State, mut repo: Repo) -> Vec<Effect> {
    let Some(index) = state.repos.index.get(&repo.gun).copied() else { return Vec::new() };
    repo.judge(state.now);
    repo.anchored = state.repos.roster.get(index).is_some_and(|r| r.anchored) || repo.known.is_some();
    let open = state.repo_page().is_some_and(|p| p.gun == repo.gun);
    state.repos.roster.replace(index, repo);
    state.stale.repos = true;
    if let Some(job) = &mut state.job {
        if job.open.remove(&index) {
            job.done += 1;
        }
        if job.open.is_empty() {
            state.job = None;
        }
    }
    if open {
        navigate::renew_page(state);
    }
    renew_staged(state);
    if state.job.is_some() {
        return Vec::new();
    }
    // The cache says now which keys these repositories use, and with what.
    if state.keys_progress == Progress::Reading {
        state.stale.keys = true;
        return Vec::new();
    }
    vec![Effect::ReadKeys(state.epoch)]
}

/// Takes in what is staged for a repository.
pub fn staged_read(state: &mut State, gun: &Gun, staged: Result<Vec<StagedRow>, String>) -> Vec<Effect> {
    if let Some(repo) = state.repos.by_name_mut(gun) {
        repo.staged = Some(staged);
    }
    renew_staged(state);
    Vec::new()
}

/// Fits the open list of staged changes to what is known of them now.
pub fn renew_staged(state: &mut State) {
    let count = state.staged_repo().and_then(Repo::waiting).unwrap_or_default();
    if let Some(page) = state.staged_page_mut() {
        page.view.plain(count);
    }
}

/// Asks what the files of the open repository claim; hides that if it is shown.
pub fn look(state: &mut State) -> Vec<Effect> {
    let Some(gun) = state.open_repo().map(|r| r.gun.clone()) else { return Vec::new() };
    if state.repos.by_name_mut(&gun).is_some_and(|r| r.look.take().is_some()) {
        return Vec::new();
    }
    state.looking = Some(gun.clone());
    vec![Effect::Look(state.epoch, gun)]
}

/// Takes in what files claim.
pub fn looked(state: &mut State, gun: &Gun, look: Result<Look, String>) -> Vec<Effect> {
    state.looking = None;
    if let Some(repo) = state.repos.by_name_mut(gun) {
        repo.look = Some(look);
    }
    Vec::new()
}

/// Lists what needs attention, worst first, repositories before keys.
pub fn list_attention(state: &mut State) {
    let mut all: Vec<Attention> = Vec::new();
    for (i, repo) in state.repos.roster.rows().iter().enumerate() {
        let subject = Subject::Repository(i);
        if let Some((severity, text)) = of_standing(&repo.standing) {
            all.push(Attention { severity, subject, text, next: None });
        }
        if !repo.standing.is_trusted() {
            continue;
        }
        for f in repo.known.iter().flat_map(|k| &k.findings).filter(|f| f.severity > Severity::Info) {
            all.push(Attention::of(f, subject));
        }
    }
    let of_directory = state.keys.directory.iter().filter(|f| f.severity > Severity::Info);
    all.extend(of_directory.map(|f| Attention::of(f, Subject::TrustDir)));
    all.extend(deeds::attention(state));
    let notes = state.repos.notes.iter();
    all.extend(notes.map(|n| Attention {
        severity: Severity::Warn,
        subject: Subject::Server,
        text: n.clone(),
        next: Some(ABOUT_NOTES),
    }));
    let by_problem = state.keys.roster.in_order(4);
    let with_problems = state.keys.problems.0 + state.keys.problems.1;
    for i in by_problem.iter().take(with_problems.min(LISTED)) {
        let Some(key) = state.keys.roster.get(*i as usize) else { continue };
        let subject = Subject::Key(*i as usize);
        for f in key.problems.iter().filter(|f| f.severity > Severity::Info) {
            all.push(Attention::of(f, subject));
        }
    }
    all.sort_by_key(|a| std::cmp::Reverse(a.severity));
    state.more_attention = all.len().saturating_sub(LISTED) + with_problems.saturating_sub(LISTED);
    all.truncate(LISTED);
    state.attention = all;
    state.attention_view.plain(state.attention.len());
}

/// What to do when it is not known which repositories there are.
const ABOUT_NOTES: &str = "Repositories that are remembered here are listed all the same. If the server did not answer, check the network and its \
     address at the top; if it wants an account, docker login. R asks again.";

impl Attention {
    fn of(finding: &Finding, subject: Subject) -> Self {
        Self { severity: finding.severity, subject, text: finding.text.clone(), next: next_step(finding) }
    }
}

fn of_standing(standing: &Standing) -> Option<(Severity, String)> {
    Some(match standing {
        Standing::Refused(why) => (Severity::Error, format!("NOT TRUSTED: {why}")),
        Standing::Expired(why) => (Severity::Error, format!("EXPIRED: {why}")),
        Standing::NotAllowed(why) => (Severity::Warn, format!("not allowed: {why}")),
        Standing::Unreachable(why) => (Severity::Warn, format!("no answer: {why}")),
        Standing::Unreadable(why) => (Severity::Error, format!("unreadable: {why}")),
        Standing::NotThere => (Severity::Warn, "The server has no such repository.".to_owned()),
        // What made these so is among their findings.
        Standing::Faulty | Standing::NotFresh | Standing::Warned | Standing::Verified => return None,
        Standing::Unsigned | Standing::Unread => return None,
    })
}

impl Job {
    /// The part that is done, in columns out of so many.
    pub fn columns(&self, of: u16) -> u16 {
        let done = self.done.saturating_mul(usize::from(of)) / self.total.max(1);
        u16::try_from(done).unwrap_or(of).min(of)
    }
}
