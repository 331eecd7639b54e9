//! Which repositories there are: those in the cache, and those in the server's change feed. The feed is unsigned; it only
//! says where to look.
use super::Repositories;
use crate::{
    notary::{Change, Transport, TransportError},
    tuf::name::Gun,
};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Records asked for at once.
const PAGE: i32 = 1000;
/// Most pages that are read.
const PAGES: usize = 1000;
/// Most repositories of one server that are listed.
const GUNS: usize = 100_000;

/// A repository that somebody knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub gun: Gun,
    /// Whether the cache remembers its root. A root that cannot be read counts: something was remembered.
    pub cached: bool,
    /// Whether the configuration pins its root.
    pub pinned: bool,
    /// Whether the server's change feed names it; none if the feed was not read, or not to its end.
    pub on_server: Option<bool>,
}

impl Known {
    /// Whether this machine knows whom to believe about it. If not, loading it is a first contact.
    pub fn is_anchored(&self) -> bool {
        self.cached || self.pinned
    }
}

/// Repositories, sorted by name, and what stood in the way of knowing more.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The repositories.
    pub known: Vec<Known>,
    /// Printable sentences.
    pub notes: Vec<String>,
}

/// What a change feed names.
#[derive(Debug, Default)]
struct Feed {
    guns: BTreeSet<Gun>,
    /// Whether the feed was read to its end.
    whole: bool,
    /// Names that are none.
    refused: usize,
}

impl Repositories {
    /// Asks the cache and the server.
    pub async fn inventory(&self) -> Inventory {
        let mut out = Inventory::default();
        let trust_dir = self.trust_dir().clone();
        let cached = super::blocking(move || trust_dir.guns()).await;
        let mut known: BTreeMap<Gun, (bool, bool)> = BTreeMap::new();
        known.extend(cached.guns.into_iter().filter(|c| c.has_root).map(|c| (c.gun, (true, false))));
        out.notes.extend(
            cached
                .refused
                .iter()
                .map(|r| format!("a directory in the cache is no repository: \"{}\": {}", r.name.shown(), r.why)),
        );
        let mut whole = false;
        match self.servers().common() {
            None => {}
            Some(Err(e)) => out.notes.push(format!("the server was not asked for its repositories: {e}")),
            Some(Ok(server)) => match read_feed(server.as_ref()).await {
                Ok(feed) => {
                    whole = feed.whole;
                    out.notes.extend(feed.notes());
                    feed.guns.into_iter().for_each(|g| known.entry(g).or_default().1 = true);
                }
                Err(e) => out.notes.push(format!("the server did not list its repositories: {e}. {}", e.remedy())),
            },
        }
        let known = known.into_iter().map(|(gun, (cached, named))| {
            let on_server = (named || whole).then_some(named);
            Known { cached, pinned: self.pinning().rule(&gun).is_pin(), on_server, gun }
        });
        out.known = known.collect();
        out
    }
}

impl Feed {
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.refused > 0 {
            notes.push(format!("the server names {} repositories whose names cannot be used; they were left out", self.refused));
        }
        if !self.whole {
            let count = self.guns.len();
            notes.push(format!("the server's list of repositories was cut after {count}; there may be more than are shown"));
        }
        notes
    }
}

async fn read_feed(server: &dyn Transport) -> Result<Feed, TransportError> {
    let malformed = |what: &str| Err(TransportError::Malformed(crate::text::Untrusted::new(what)));
    let mut feed = Feed::default();
    let mut from: Option<String> = None;
    // Where pages ended: a server that comes back to one of them would keep us for ever.
    let mut ends = HashSet::new();
    for _ in 0..PAGES {
        let page = server.change_feed(None, from.as_deref(), PAGE).await?;
        if page.len() > PAGE as usize {
            return malformed("its change feed has more records than were asked for");
        }
        let last = page.last().map(|r| r.id.raw().to_owned());
        if last.as_ref().is_some_and(|id| !ends.insert(id.clone())) {
            return malformed("its change feed does not move on");
        }
        let full = page.len() == PAGE as usize;
        for record in page {
            match Gun::new(record.gun.raw()) {
                Err(_) => feed.refused += 1,
                Ok(gun) if record.change == Change::Deletion => drop(feed.guns.remove(&gun)),
                Ok(gun) if feed.guns.len() < GUNS => drop(feed.guns.insert(gun)),
                Ok(gun) if feed.guns.contains(&gun) => {}
                Ok(_) => return Ok(feed),
            }
        }
        if !full {
            feed.whole = true;
            break;
        }
        from = last;
    }
    Ok(feed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        notary::{Answer, ChangeRecord},
        text::Untrusted,
        tuf::request::Request,
    };
    use futures_util::FutureExt as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A server whose feed is made page by page: the number of the page and how many records were asked for go in.
    struct Feeder<F>(F, AtomicUsize, Untrusted);

    fn feeder<F: Fn(usize, usize) -> Vec<ChangeRecord> + Send + Sync>(pages: F) -> Feeder<F> {
        Feeder(pages, AtomicUsize::new(0), Untrusted::default())
    }

    impl<F: Fn(usize, usize) -> Vec<ChangeRecord> + Send + Sync> Transport for Feeder<F> {
        fn get<'a>(&'a self, _: &'a Gun, _: &'a Request) -> Answer<'a, Vec<u8>> {
            std::future::pending().boxed()
        }
        fn change_feed<'a>(&'a self, _: Option<&'a Gun>, _: Option<&'a str>, records: i32) -> Answer<'a, Vec<ChangeRecord>> {
            let page = self.1.fetch_add(1, Ordering::SeqCst);
            let most = usize::try_from(records).unwrap();
            async move { Ok((self.0)(page, most)) }.boxed()
        }
        fn ping(&self) -> Answer<'_, ()> {
            std::future::pending().boxed()
        }
        fn address(&self) -> &Untrusted {
            &self.2
        }
    }

    fn record(id: usize, gun: &str, change: Change) -> ChangeRecord {
        ChangeRecord {
            id: Untrusted::new(id.to_string()),
            created: Untrusted::default(),
            gun: Untrusted::new(gun),
            version: 1,
            sha256: Untrusted::default(),
            change,
        }
    }

    fn updates(from: usize, count: usize) -> Vec<ChangeRecord> {
        (from..from + count).map(|i| record(i, &format!("a.b/{i}"), Change::Update)).collect()
    }

    #[tokio::test]
    async fn a_feed_of_several_pages_is_read_to_its_end() {
        let server = feeder(|page, most| updates(page * most, if page < 2 { most } else { 7 }));
        let feed = read_feed(&server).await.unwrap();
        assert_eq!((feed.guns.len(), feed.whole, feed.notes().len()), (2007, true, 0));
    }

    #[tokio::test]
    async fn what_was_deleted_is_not_there_until_it_comes_back() {
        let (up, down) = (Change::Update, Change::Deletion);
        let all = [("a", &up), ("b", &up), ("a", &down), ("c", &down), ("b", &down), ("b", &up)];
        let server = feeder(move |_, _| all.iter().enumerate().map(|(i, (g, c))| record(i, g, (*c).clone())).collect::<Vec<_>>());
        let guns: Vec<_> = read_feed(&server).await.unwrap().guns.into_iter().map(|g| g.to_string()).collect();
        assert_eq!(guns, ["b"]);
    }

    #[tokio::test]
    async fn a_page_with_more_than_was_asked_for_is_refused() {
        let server = feeder(|_, most| updates(0, most + 1));
        assert!(matches!(read_feed(&server).await, Err(TransportError::Malformed(_))));
    }

    #[tokio::test]
    async fn a_feed_that_goes_round_in_circles_is_refused() {
        for round in [1, 2, 3] {
            let server = feeder(move |page, most| updates(page % round * most, most));
            assert!(matches!(read_feed(&server).await, Err(TransportError::Malformed(_))), "{round}");
            assert!(server.1.load(Ordering::SeqCst) <= round + 1);
        }
    }

    #[tokio::test]
    async fn an_endless_feed_is_cut_and_that_is_said() {
        let server = feeder(|page, most| updates(page * most, most));
        let feed = read_feed(&server).await.unwrap();
        assert_eq!((feed.guns.len(), feed.whole), (GUNS, false));
        assert!(feed.notes()[0].contains("cut after 100000"), "{:?}", feed.notes());
        // One that says the same for ever ends too.
        let server = feeder(|page, most| {
            let one = |i| record(page * most + i, "a.b/same", Change::Update);
            (0..most).map(one).collect()
        });
        let feed = read_feed(&server).await.unwrap();
        assert_eq!((feed.guns.len(), feed.whole, server.1.load(Ordering::SeqCst)), (1, false, PAGES));
    }
}
