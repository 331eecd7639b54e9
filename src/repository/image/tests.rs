//! Images at registries that exist only here, among them those that no registry can have.
use super::*;
use crate::registry::{Answer, Asked, Reference, Reply, Take, What};
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use std::sync::Mutex;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const LIST: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const FOREIGN: &str = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";

/// A registry with this content, and what it was asked for.
#[derive(Default)]
struct Has {
    content: HashMap<String, Vec<u8>>,
    asked: Mutex<Vec<String>>,
    address: Untrusted,
}

impl Has {
    fn put(&mut self, bytes: impl Into<Vec<u8>>) -> Signed {
        let bytes = bytes.into();
        let signed = Signed { digest: Digest::of(&bytes), size: bytes.len() as u64 };
        self.content.insert(signed.digest.to_string(), bytes);
        signed
    }

    /// An image of one layer.
    fn put_image(&mut self, layer: &str) -> Signed {
        let (config, layer) = (self.put("{}"), self.put(layer));
        self.put(image(&config, &[part(LAYER, &layer)]))
    }

    fn within(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, TransportError> {
        self.asked.lock().unwrap().push(digest.to_string());
        let found = self.content.get(digest.as_str()).ok_or(TransportError::NotThere { code: None, message: None })?;
        if found.len() as u64 > limit { Err(TransportError::TooLarge { limit }) } else { Ok(found.clone()) }
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    async fn walk(&self, signed: &Signed, wanted: Option<&str>) -> Result<Image, VerifyError> {
        walk(self, &Name::new("team/app").unwrap(), signed, wanted, &mut |_| {}).await
    }
}

impl Registry for Has {
    fn get<'a>(&'a self, asked: &'a Asked) -> Answer<'a, Reply> {
        let What::Manifest(_, Reference::Digest(digest)) = &asked.what else { panic!("{asked:?}") };
        let found = self.within(digest, asked.limit);
        async move { Ok(Reply { bytes: found?, kind: None, digest: None, link: None }) }.boxed()
    }
    fn blob<'a>(&'a self, _: &'a Name, digest: &'a Digest, limit: u64, take: Take<'a>) -> Answer<'a, ()> {
        async move {
            take(&self.within(digest, limit)?);
            Ok(())
        }
        .boxed()
    }
    fn address(&self) -> &Untrusted {
        &self.address
    }
}

fn part(kind: &str, what: &Signed) -> Value {
    json!({ "mediaType": kind, "digest": what.digest.as_str(), "size": what.size })
}

fn part_for(platform: &str, kind: &str, what: &Signed) -> Value {
    let (os, architecture) = platform.split_once('/').unwrap();
    let mut part = part(kind, what);
    part["platform"] = json!({ "os": os, "architecture": architecture });
    part
}

fn image(config: &Signed, layers: &[Value]) -> String {
    json!({ "mediaType": IMAGE, "config": part("config", config), "layers": layers }).to_string()
}

fn list(all: &[Value]) -> String {
    json!({ "mediaType": LIST, "manifests": all }).to_string()
}

/// Kind, platform and how each piece stands.
fn seen(image: &Image) -> Vec<(Kind, &str, &Standing)> {
    image.pieces.iter().map(|p| (p.kind, p.platform.as_ref().map_or("", |p| p.text().raw()), &p.standing)).collect()
}

/// Two images with the same layer, and their list.
fn two() -> (Has, Signed, Signed) {
    let mut has = Has::default();
    let (config, layer) = (has.put("{}"), has.put("a layer"));
    let first = has.put(image(&config, &[part(LAYER, &layer)]));
    let other = has.put("another");
    let second = has.put(image(&config, &[part(LAYER, &other), part(LAYER, &layer)]));
    let top = has.put(list(&[part_for("linux/amd64", IMAGE, &first), part_for("linux/arm64", IMAGE, &second)]));
    (has, top, layer)
}

#[tokio::test]
async fn a_layer_that_several_platforms_share_is_fetched_once_and_named_for_each() {
    let (mut has, top, layer) = two();
    let whole = has.walk(&top, None).await.unwrap();
    assert!(whole.pieces.iter().all(|p| p.standing == Standing::Same));
    assert_eq!(has.asked(), 6, "a list, two manifests, one configuration, two layers");
    let bytes: usize = has.content.values().map(Vec::len).sum();
    assert_eq!(whole.bytes, bytes as u64);
    has.content.insert(layer.digest.to_string(), b"A layer".to_vec());
    let spoilt = has.walk(&top, None).await.unwrap();
    let wrong: Vec<_> = seen(&spoilt).into_iter().filter(|(.., s)| **s != Standing::Same).collect();
    let tampered = Standing::Tampered(format!("its digest is {}", Digest::of(b"A layer")));
    assert_eq!(wrong, [(Kind::Layer, "linux/amd64", &tampered), (Kind::Layer, "linux/arm64", &tampered)]);
}

#[tokio::test]
async fn one_platform_is_looked_at_without_the_others() {
    let (has, top, _) = two();
    let arm = has.walk(&top, Some("linux/arm64")).await.unwrap();
    let kinds: Vec<_> = seen(&arm).into_iter().map(|(kind, platform, _)| (kind, platform)).collect();
    let of_arm = |kind| (kind, "linux/arm64");
    assert_eq!(kinds[1..], [Kind::Manifest, Kind::Config, Kind::Layer, Kind::Layer].map(of_arm));
    let none = has.walk(&top, Some("plan9/mips")).await.unwrap();
    assert_eq!(seen(&none), [(Kind::List, "", &Standing::Same)]);
    let platforms: Vec<_> = none.platforms.iter().map(|p| p.text().raw()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    // What a list in a list is for need be said only outside, or only inside.
    let mut has = has;
    let inside = has.put_image("inside");
    let inner = has.put(list(&[part(IMAGE, &inside)]));
    let outer = has.put(list(&[part_for("linux/riscv64", LIST, &inner), part(LIST, &top)]));
    for (wanted, pieces) in [("linux/riscv64", 6), ("linux/amd64", 5), ("plan9/mips", 2)] {
        assert_eq!(has.walk(&outer, Some(wanted)).await.unwrap().pieces.len(), pieces, "{wanted}");
    }
}

#[tokio::test]
async fn other_bytes_than_a_manifests_are_never_read() {
    let (mut has, top, _) = two();
    let evil = list(&[]);
    has.content.insert(top.digest.to_string(), evil.clone().into_bytes());
    for size in [top.size, evil.len() as u64] {
        let spoilt = has.walk(&Signed { size, ..top.clone() }, None).await.unwrap();
        assert!(matches!(seen(&spoilt)[..], [(Kind::Manifest, "", Standing::Tampered(_))]), "{spoilt:?}");
    }
}

#[tokio::test]
async fn the_right_bytes_with_another_size_than_was_signed_are_refused() {
    let (has, top, layer) = two();
    for (size, why) in [(top.size - 1, "it has more than"), (top.size + 1, "bytes, and not")] {
        let spoilt = has.walk(&Signed { size, ..top.clone() }, None).await.unwrap();
        let [(_, _, Standing::Tampered(said))] = seen(&spoilt)[..] else { panic!("{spoilt:?}") };
        assert!(said.contains(why), "{said}");
    }
    // One who is told two sizes holds it against both.
    let mut has = has;
    let config = has.put("{}");
    let long = Signed { size: layer.size + 1, ..layer.clone() };
    let both = has.put(image(&config, &[part(LAYER, &layer), part(LAYER, &long)]));
    let spoilt = has.walk(&both, None).await.unwrap();
    assert!(matches!(seen(&spoilt)[2..], [(_, _, Standing::Same), (_, _, Standing::Tampered(_))]), "{spoilt:?}");
}

#[tokio::test]
async fn a_list_that_a_registry_puts_into_itself_is_named_and_not_followed() {
    let mut has = Has::default();
    let inner = Signed { digest: Digest::of(b"an image"), size: 0 };
    let text = |size| list(&[part(LIST, &Signed { size, ..inner.clone() })]);
    // As long as what it names, so that only its digest gives it away.
    let size = (0..1000).find(|n| text(*n).len() as u64 == *n).unwrap();
    let top = has.put(text(size));
    has.content.insert(inner.digest.to_string(), text(size).into_bytes());
    let spoilt = has.walk(&top, None).await.unwrap();
    assert!(matches!(seen(&spoilt)[..], [(Kind::List, _, Standing::Same), (Kind::List, _, Standing::Tampered(_))]), "{spoilt:?}");
    assert_eq!(has.asked(), 2);
}

#[tokio::test]
async fn lists_in_lists_end_where_no_image_has_any() {
    for (depth, is_followed) in [(DEPTH, true), (DEPTH + 1, false)] {
        let mut has = Has::default();
        let mut top = has.put_image("at the end");
        let mut kind = IMAGE;
        for _ in 0..depth {
            top = has.put(list(&[part(kind, &top)]));
            kind = LIST;
        }
        let image = has.walk(&top, None).await.unwrap();
        let last = image.pieces.last().unwrap();
        match is_followed {
            true => assert_eq!((last.kind, &last.standing), (Kind::Layer, &Standing::Same)),
            false => assert!(matches!(&last.standing, Standing::Unknown(why) if why.contains("deep")), "{last:?}"),
        }
    }
}

#[tokio::test]
async fn an_image_of_more_pieces_than_any_is_left_before_they_are_fetched() {
    let nothing = |n: usize| part(IMAGE, &Signed { digest: Digest::of(&n.to_le_bytes()), size: 1 });
    for (count, is_whole) in [(PIECES - 1, true), (PIECES, false), (PIECES + 1, false)] {
        let mut has = Has::default();
        let top = has.put(list(&(0..count).map(nothing).collect::<Vec<_>>()));
        let image = has.walk(&top, None).await;
        match image {
            Ok(image) => assert!(is_whole && image.pieces.len() == PIECES, "{count}"),
            Err(e) => assert!(!is_whole && matches!(e, VerifyError::Endless) && has.asked() == 1, "{count} {e}"),
        }
    }
    // Nor by lists of lists, or by layers of one image.
    let mut has = Has::default();
    let of = |l: usize| list(&(0..300).map(|n| nothing(l * 300 + n)).collect::<Vec<_>>());
    let inner: Vec<Value> = (0..50).map(|l| part(LIST, &has.put(of(l)))).collect();
    let top = has.put(list(&inner));
    assert!(matches!(has.walk(&top, None).await, Err(VerifyError::Endless)));
    assert!(has.asked() < 50, "{}", has.asked());
    let (config, layer) = (has.put("{}"), has.put("a layer"));
    let top = has.put(image(&config, &vec![part(LAYER, &layer); PIECES]));
    assert!(matches!(has.walk(&top, None).await, Err(VerifyError::Endless)));
}

#[tokio::test]
async fn a_layer_that_its_maker_gives_away_elsewhere_is_fetched_from_the_registry_or_not_at_all() {
    let mut has = Has::default();
    let (config, layer) = (has.put("{}"), Signed { digest: Digest::of(b"theirs"), size: 6 });
    let named = |kind: &str| {
        let mut part = part(kind, &layer);
        part["urls"] = json!(["https://elsewhere.example/layer"]);
        part
    };
    let (foreign, own) = (has.put(image(&config, &[named(FOREIGN)])), has.put(image(&config, &[named(LAYER)])));
    let stands = async |has: &Has, top: &Signed| has.walk(top, None).await.unwrap().pieces.pop().unwrap().standing;
    assert_eq!(stands(&has, &foreign).await, Standing::Elsewhere);
    // An address does not make it one.
    assert_eq!(stands(&has, &own).await, Standing::Missing);
    has.content.insert(layer.digest.to_string(), b"others".to_vec());
    for top in [&foreign, &own] {
        assert!(matches!(stands(&has, top).await, Standing::Tampered(_)), "what is there is held against its digest");
    }
}

#[tokio::test]
async fn what_is_named_by_sha512_is_held_against_that() {
    let mut has = Has::default();
    let config = has.put("{}");
    let digest = {
        let mut hash = Digest::new(&format!("sha512:{}", "0".repeat(128))).unwrap().hasher();
        hash.update(b"a layer");
        hash.finish()
    };
    let layer = Signed { digest: digest.clone(), size: 7 };
    let top = has.put(image(&config, &[part(LAYER, &layer)]));
    for (bytes, is_same) in [("a layer", true), ("A layer", false)] {
        has.content.insert(digest.to_string(), bytes.as_bytes().to_vec());
        let standing = has.walk(&top, None).await.unwrap().pieces.pop().unwrap().standing;
        assert_eq!(standing == Standing::Same, is_same, "{standing:?}");
        assert!(is_same || matches!(&standing, Standing::Tampered(why) if why.contains("sha512:")), "{standing:?}");
    }
}

#[tokio::test]
async fn a_manifest_that_is_not_understood_is_not_called_verified() {
    let mut has = Has::default();
    let config = has.put("{}");
    let artifact = has.put(json!({ "mediaType": "application/vnd.oci.artifact.manifest.v1+json", "blobs": [] }).to_string());
    let one = has.put(image(&config, &[]));
    for (named, why) in [
        (part(IMAGE, &artifact), "does not know"),
        (part(LIST, &one), "said to be a list of images, and is an image"),
        (part(IMAGE, &Signed { size: BYTES + 1, ..one.clone() }), "no manifest has more than"),
    ] {
        let top = has.put(list(&[named]));
        let image = has.walk(&top, None).await.unwrap();
        let last = image.pieces.last().unwrap();
        assert!(matches!(&last.standing, Standing::Unknown(said) if said.contains(why)), "{last:?}");
    }
}
