//! Lists of a registry, page by page: names of repositories, and tags.
use super::{Asked, Name, Registry, Tag, TransportError, What};
use crate::text::Untrusted;
use serde::Deserialize;
use std::collections::{BTreeSet, HashSet};

/// Entries asked for at once. Some registries refuse more.
const PAGE: usize = 100;
/// Most pages that are read.
const PAGES: usize = 1000;
/// Most bytes of a page; a registry may ignore how many entries were asked for.
const BYTES: u64 = 8 << 20;
/// Most bytes of what says where the next page is.
const QUERY: usize = 2 << 10;
/// Most entries of a list.
const ENTRIES: usize = 100_000;

/// A list, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The entries.
    pub entries: BTreeSet<T>,
    /// Whether that is all.
    pub whole: bool,
    /// How many were left out because they are spelt as none can be.
    pub refused: usize,
}

/// The names of all repositories. Many registries do not say them to everybody, or to nobody.
///
/// # Errors
/// As [`Registry::get`]; [`TransportError::Malformed`] if what comes is no list.
pub async fn catalogue(registry: &dyn Registry) -> Result<Listed<Name>, TransportError> {
    #[derive(Deserialize)]
    struct Body {
        repositories: Option<Vec<String>>,
    }
    let read = |bytes: &[u8]| serde_json::from_slice::<Body>(bytes).map(|b| b.repositories.unwrap_or_default());
    pages(registry, What::Catalogue, read, |text| Name::new(text).ok()).await
}

/// The tags of a repository.
///
/// # Errors
/// As [`Registry::get`]; [`TransportError::Malformed`] if what comes is no list.
pub async fn tags(registry: &dyn Registry, name: &Name) -> Result<Listed<Tag>, TransportError> {
    #[derive(Deserialize)]
    struct Body {
        tags: Option<Vec<String>>,
    }
    let read = |bytes: &[u8]| serde_json::from_slice::<Body>(bytes).map(|b| b.tags.unwrap_or_default());
    pages(registry, What::Tags(name.clone()), read, Tag::new).await
}

async fn pages<T: Ord>(
    registry: &dyn Registry,
    what: What,
    read: impl Fn(&[u8]) -> serde_json::Result<Vec<String>>,
    entry: impl Fn(&str) -> Option<T>,
) -> Result<Listed<T>, TransportError> {
    let malformed = |text: String| TransportError::Malformed(Untrusted::new(text));
    let mut list = Listed { entries: BTreeSet::new(), whole: false, refused: 0 };
    let mut asked = Asked { what, head: false, query: Some(format!("n={PAGE}")), limit: BYTES };
    // Addresses of pages: a registry that comes back to one of them would keep us for ever.
    let mut seen = HashSet::new();
    for _ in 0..PAGES {
        let page = registry.get(&asked).await?;
        for text in read(&page.bytes).map_err(|e| malformed(format!("it is no list: {e}")))? {
            match entry(&text) {
                None => list.refused += 1,
                Some(_) if list.entries.len() >= ENTRIES => return Ok(list),
                Some(entry) => drop(list.entries.insert(entry)),
            }
        }
        let Some(link) = &page.link else {
            list.whole = true;
            break;
        };
        let query = next(link.raw(), &asked.what.path())
            .ok_or_else(|| malformed("the next page of its list is not where it can be".to_owned()))?;
        if !seen.insert(query.clone()) {
            return Err(malformed("its list does not move on".to_owned()));
        }
        asked.query = Some(query);
    }
    Ok(list)
}

/// The query of the page after one, from `<ADDRESS>; rel="next"`. Only the query is taken: the list goes on where it began.
fn next(link: &str, path: &str) -> Option<String> {
    let (address, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = rest.split(';').any(|part| matches!(part.trim(), "rel=\"next\"" | "rel=next"));
    let (before, query) = address.split_once('?')?;
    let plain = !query.is_empty()
        && query.len() <= QUERY
        && query.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'#' | b'<' | b'"'));
    (is_next && before.ends_with(&format!("v2/{path}")) && plain).then(|| query.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Answer, Digest, Reply, Take};
    use futures_util::FutureExt as _;
    use std::sync::Mutex;

    /// A registry whose pages are made from what was asked.
    struct Made<F>(F, Mutex<Vec<String>>, Untrusted);

    fn made<F: Fn(usize) -> (String, Option<String>) + Send + Sync>(pages: F) -> Made<F> {
        Made(pages, Mutex::default(), Untrusted::default())
    }

    impl<F: Fn(usize) -> (String, Option<String>) + Send + Sync> Registry for Made<F> {
        fn get<'a>(&'a self, asked: &'a Asked) -> Answer<'a, Reply> {
            let n = {
                let mut all = self.1.lock().unwrap();
                all.push(format!("{}?{}", asked.what.path(), asked.query.as_deref().unwrap_or_default()));
                all.len() - 1
            };
            let (body, link) = (self.0)(n);
            let link = link.map(Untrusted::new);
            async move { Ok(Reply { bytes: body.into_bytes(), kind: None, digest: None, link }) }.boxed()
        }
        fn blob<'a>(&'a self, _: &'a Name, _: &'a Digest, _: u64, _: Take<'a>) -> Answer<'a, ()> {
            std::future::pending().boxed()
        }
        fn address(&self) -> &Untrusted {
            &self.2
        }
    }

    fn names(from: usize, count: usize) -> String {
        let all: Vec<String> = (from..from + count).map(|i| format!("team/{i:06}")).collect();
        serde_json::json!({ "repositories": all }).to_string()
    }

    #[tokio::test]
    async fn a_catalogue_of_several_pages_is_read_to_its_end() {
        let registry =
            made(|n| (names(n * 100, 100), (n < 2).then(|| format!("</v2/_catalog?last=x{n}%2Fy&n=100>; rel=\"next\""))));
        let list = catalogue(&registry).await.unwrap();
        assert_eq!((list.entries.len(), list.whole, list.refused), (300, true, 0));
        let asked = registry.1.lock().unwrap();
        assert_eq!(*asked, ["_catalog?n=100", "_catalog?last=x0%2Fy&n=100", "_catalog?last=x1%2Fy&n=100"]);
    }

    #[tokio::test]
    async fn names_that_are_none_are_left_out_and_counted() {
        let registry = made(|_| (r#"{"repositories":["a/b","../x","A","a b","\u001b[2J","a/b"]}"#.to_owned(), None));
        let list = catalogue(&registry).await.unwrap();
        assert_eq!((list.entries.len(), list.whole, list.refused), (1, true, 4));
        let registry = made(|_| (r#"{"repositories":null}"#.to_owned(), None));
        assert!(catalogue(&registry).await.unwrap().entries.is_empty());
    }

    #[tokio::test]
    async fn a_list_that_leads_elsewhere_or_round_in_circles_is_refused() {
        for link in [
            "</v2/_catalog?n=100>; rel=\"next\"",
            "<https://evil.example/v2/other/tags/list?n=1>; rel=\"next\"",
            "</v2/_catalog>; rel=\"next\"",
            "</v2/_catalog?n=1#x>; rel=\"next\"",
            "</v2/_catalog?n=1>; rel=\"prev\"",
            "nothing",
        ] {
            let registry = made(move |_| (names(0, 1), Some(link.to_owned())));
            assert!(matches!(catalogue(&registry).await, Err(TransportError::Malformed(_))), "{link}");
            assert!(registry.1.lock().unwrap().len() <= 2, "{link}");
        }
    }

    #[tokio::test]
    async fn a_list_without_end_is_cut_and_that_is_said() {
        let registry = made(|n| (names(0, 1), Some(format!("</v2/_catalog?n={n}>; rel=\"next\""))));
        let list = catalogue(&registry).await.unwrap();
        assert_eq!((list.entries.len(), list.whole, registry.1.lock().unwrap().len()), (1, false, PAGES));
        let registry = made(|_| (names(0, ENTRIES + 1), None));
        let list = catalogue(&registry).await.unwrap();
        assert_eq!((list.entries.len(), list.whole), (ENTRIES, false));
    }

    #[tokio::test]
    async fn what_is_no_list_is_refused() {
        for junk in ["", "<html>", "[]x", r#"{"repositories":"x"}"#, r#"{"repositories":[5]}"#] {
            let registry = made(move |_| (junk.to_owned(), None));
            assert!(matches!(catalogue(&registry).await, Err(TransportError::Malformed(_))), "{junk}");
        }
    }
}
