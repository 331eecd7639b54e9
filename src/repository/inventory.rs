//! Which repositories there are: those in the cache, those in the server's change feed, and those in the catalogue of the
//! registry that was named. Feed and catalogue are unsigned; they only say where to look.
use super::{Images, Repositories};
use crate::{
    notary::{Change, Transport, TransportError},
    registry::{self, Listed, Name},
    tuf::name::Gun,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};
use tokio::time::timeout;

/// Records asked for at once.
const PAGE: i32 = 1000;
/// Most pages that are read.
const PAGES: usize = 1000;
/// How long a registry may take for its whole list: what else is known waits for it.
const CATALOGUE: Duration = Duration::from_secs(20);
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
    /// Whether the registry's catalogue names it; none if its name leads to no registry that was named, or the catalogue was
    /// not read to its end.
    pub in_registry: Option<bool>,
}

impl Known {
    /// Whether this machine knows whom to believe about it. If not, loading it is a first contact.
    pub fn is_anchored(&self) -> bool {
        self.cached || self.pinned
    }

    /// Whether there are images, and nobody knows of trust data for them.
    pub fn is_unsigned(&self) -> bool {
        self.in_registry == Some(true) && self.on_server == Some(false) && !self.is_anchored()
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

/// What a change feed or a catalogue names.
#[derive(Debug)]
struct Feed {
    guns: BTreeSet<Gun>,
    /// Whether the feed was read to its end.
    whole: bool,
    /// Names that are none.
    refused: usize,
    /// Whose list it is.
    whose: &'static str,
}

impl Repositories {
    /// Asks the cache, the server and the registry.
    pub async fn inventory(&self) -> Inventory {
        let mut out = Inventory::default();
        let trust_dir = self.trust_dir().clone();
        let cached = super::blocking(move || trust_dir.guns()).await;
        let mut known: BTreeMap<Gun, Named> = BTreeMap::new();
        known.extend(cached.guns.into_iter().filter(|c| c.has_root).map(|c| (c.gun, Named { cache: true, ..Named::default() })));
        out.notes.extend(
            cached
                .refused
                .iter()
                .map(|r| format!("a directory in the cache is no repository: \"{}\": {}", r.name.shown(), r.why)),
        );
        let (feed, catalogue) = tokio::join!(self.feed(), self.catalogue());
        let whole_feed = take(feed, &mut known, &mut out.notes, |named| named.feed = true);
        let images = catalogue.as_ref().ok().and_then(Option::as_ref).map(|(images, _)| images.clone());
        let leads_there = |gun: &Gun| {
            let first = gun.as_str().split_once('/').map(|(first, _)| first);
            images.as_ref().zip(first).is_some_and(|(images, first)| images.has(first))
        };
        let names = catalogue.map(|read| read.map(|(images, list)| as_guns(&images, list, &known)));
        let whole_catalogue = take(names, &mut known, &mut out.notes, |named| named.catalogue = true);
        let known = known.into_iter().map(|(gun, named)| Known {
            cached: named.cache,
            pinned: self.pinning().rule(&gun).is_pin(),
            on_server: (named.feed || whole_feed).then_some(named.feed),
            in_registry: (named.catalogue || whole_catalogue && leads_there(&gun)).then_some(named.catalogue),
            gun,
        });
        out.known = known.collect();
        out
    }

    /// The server's feed, if there is a server for all repositories; or why it was not read.
    async fn feed(&self) -> Result<Option<Feed>, String> {
        match self.servers().common() {
            None => Ok(None),
            Some(Err(e)) => Err(format!("the server was not asked for its repositories: {e}")),
            Some(Ok(server)) => match read_feed(server.as_ref()).await {
                Ok(feed) => Ok(Some(feed)),
                Err(e) => Err(format!("the server did not list its repositories: {e}. {}", e.remedy())),
            },
        }
    }

    /// The catalogue of the registry that was named, if one was; or why it was not read.
    async fn catalogue(&self) -> Result<Option<(Images, Listed<Name>)>, String> {
        match self.servers().common_registry() {
            None => Ok(None),
            Some(Err(e)) => Err(format!("the registry was not asked for its repositories: {e}")),
            Some(Ok(images)) => {
                let list = registry::catalogue(images.registry.as_ref());
                // Who is asked for a login takes the time that it takes, and can end it.
                let list = if self.servers().asks() { Ok(list.await) } else { timeout(CATALOGUE, list).await };
                let address = || images.registry.address().shown();
                match list {
                    Ok(Ok(list)) => Ok(Some((images, list))),
                    Ok(Err(e)) => {
                        Err(format!("the registry {} did not list its repositories: {e}. {}", address(), e.registry_remedy()))
                    }
                    Err(_) => {
                        Err(format!("the registry {} did not list its repositories within {} s", address(), CATALOGUE.as_secs()))
                    }
                }
            }
        }
    }
}

/// Who names a repository.
#[derive(Debug, Default)]
struct Named {
    cache: bool,
    feed: bool,
    catalogue: bool,
}

/// Takes in what one source names; whether that is all that there is.
fn take(
    source: Result<Option<Feed>, String>,
    known: &mut BTreeMap<Gun, Named>,
    notes: &mut Vec<String>,
    name: fn(&mut Named),
) -> bool {
    match source {
        Ok(None) => false,
        Ok(Some(feed)) => {
            notes.extend(feed.notes());
            feed.guns.into_iter().for_each(|gun| name(known.entry(gun).or_default()));
            feed.whole
        }
        Err(note) => {
            notes.push(note);
            false
        }
    }
}

/// The repositories that the names of a catalogue stand for: those that are known and have their images there, else the one
/// that the registry's own name makes of it.
fn as_guns(images: &Images, list: Listed<Name>, known: &BTreeMap<Gun, Named>) -> Feed {
    let mut there: HashMap<&str, Vec<&Gun>> = HashMap::new();
    for gun in known.keys() {
        if let Some((_, rest)) = gun.as_str().split_once('/').filter(|(first, _)| images.has(first)) {
            there.entry(rest).or_default().push(gun);
        }
    }
    let mut feed = Feed { guns: BTreeSet::new(), whole: list.whole, refused: list.refused, whose: "registry" };
    for name in list.entries {
        match (there.get(name.as_str()), Gun::new(&format!("{}/{}", images.name, name.as_str()))) {
            (Some(guns), _) => feed.guns.extend(guns.iter().map(|gun| (*gun).clone())),
            (None, Ok(gun)) => drop(feed.guns.insert(gun)),
            (None, Err(_)) => feed.refused += 1,
        }
    }
    feed
}

impl Feed {
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.refused > 0 {
            let n = if self.refused == 1 { "1 repository".to_owned() } else { format!("{} repositories", self.refused) };
            notes.push(format!("the {} lists {n} under names that cannot be used; left out", self.whose));
        }
        if !self.whole {
            let (whose, n) = (self.whose, self.guns.len());
            notes.push(format!("the {whose}'s list of repositories was cut after {n}; there may be more than are shown"));
        }
        notes
    }
}

async fn read_feed(server: &dyn Transport) -> Result<Feed, TransportError> {
    let malformed = |what: &str| Err(TransportError::Malformed(crate::text::Untrusted::new(what)));
    let mut feed = Feed { guns: BTreeSet::new(), whole: false, refused: 0, whose: "server" };
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
        notary::{Answer, ChangeRecord, PublishError, ServerRole},
        text::Untrusted,
        tuf::{key::PublicKey, name::RoleName, request::Request},
    };
    use futures_util::{FutureExt as _, future::BoxFuture};
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
        fn publish<'a>(&'a self, _: &'a Gun, _: &'a [(RoleName, Vec<u8>)]) -> BoxFuture<'a, Result<(), PublishError>> {
            std::future::pending().boxed()
        }
        fn server_key<'a>(&'a self, _: &'a Gun, _: ServerRole) -> Answer<'a, PublicKey> {
            std::future::pending().boxed()
        }
        fn new_server_key<'a>(&'a self, _: &'a Gun, _: ServerRole) -> Answer<'a, PublicKey> {
            std::future::pending().boxed()
        }
        fn delete<'a>(&'a self, _: &'a Gun) -> Answer<'a, ()> {
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

    #[tokio::test]
    async fn a_name_in_the_catalogue_is_the_repository_that_is_known_by_it() {
        struct Silent(Untrusted);
        impl registry::Registry for Silent {
            fn get<'a>(&'a self, _: &'a registry::Asked) -> Answer<'a, registry::Reply> {
                std::future::pending().boxed()
            }
            fn blob<'a>(&'a self, _: &'a Name, _: &'a registry::Digest, _: u64, _: registry::Take<'a>) -> Answer<'a, ()> {
                std::future::pending().boxed()
            }
            fn address(&self) -> &Untrusted {
                &self.0
            }
        }
        let gun = |s: &str| Gun::new(s).unwrap();
        let known: BTreeMap<Gun, Named> =
            ["reg.test/a", "127.0.0.1:5000/b", "other.test/c", "reg.test/d"].map(|g| (gun(g), Named::default())).into();
        let list = || Listed { entries: ["a", "b", "c"].map(|n| Name::new(n).unwrap()).into(), whole: true, refused: 2 };
        let images = |all| Images {
            registry: std::sync::Arc::new(Silent(Untrusted::default())),
            name: "reg.test".into(),
            host: "127.0.0.1:5000".into(),
            all,
        };
        let named = |all| as_guns(&images(all), list(), &known).guns.iter().map(Gun::to_string).collect::<Vec<_>>();
        assert_eq!(named(false), ["127.0.0.1:5000/b", "reg.test/a", "reg.test/c"]);
        assert_eq!(named(true), ["127.0.0.1:5000/b", "other.test/c", "reg.test/a"]);
        assert_eq!(as_guns(&images(true), list(), &known).refused, 2);
    }
}
