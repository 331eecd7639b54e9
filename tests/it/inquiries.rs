//! What is asked of a repository and its registry where only a part of it is known, as the screen and the line-by-line workstation
//! ask it: what is missing is asked on one page, the answer says where the tag leads, and nothing is changed or written down.
use super::changes_asked::{GUN, Person, World};
use claviger::{
    operator::Cancel,
    procedures::{
        Done, Recording, Work,
        repository::{
            About, Inquiry, Wanted,
            push::{self, Destination},
        },
    },
};
use std::{fs, path::PathBuf};

fn about(about: About, gun: &str, tag: &str) -> Work {
    Work::Inquire(Inquiry { about, gun: gun.to_owned(), tag: tag.to_owned() })
}

async fn ask(world: &World, work: Work, fills: &[(&'static str, &str)]) -> (Done, Vec<&'static str>) {
    let mut person = Person::who_fills(fills);
    let done = world.work(work.clone(), &mut person).await.unwrap_or_else(|e| panic!("{work:?}: {e:?}"));
    assert!(done.repositories.is_empty() && done.key.is_none(), "{work:?} says that something changed: {done:?}");
    (done, person.asked)
}

/// Pushes an image for two platforms, and signs it as `tour`. Says where the registry keeps a layer of it.
async fn signed_list(world: &World) -> PathBuf {
    let (layout, layer) = world.sandbox.image_to_push().unwrap();
    let pushes = Work::PushImage(Destination { gun: GUN.to_owned(), tag: "tour".to_owned() });
    let mut person = Person::who_fills(&[(push::field::LAYOUT, layout.to_str().unwrap())]);
    world.work(pushes, &mut person).await.unwrap();
    let (gun, tag, signer) = (GUN.to_owned(), "tour".to_owned(), Some("alice".to_owned()));
    let signs = Work::Ask(Box::new(Wanted::Sign { gun, tag, sha256: String::new(), size: 0, signer }));
    world.work(signs, &mut Person::default()).await.unwrap();
    layer
}

/// What each row says of one piece, or of one tag: its first word and its last.
fn ends(done: &Done) -> Vec<(&str, &str)> {
    done.rows
        .iter()
        .skip(1)
        .filter_map(|row| Some((row.text.split_whitespace().next()?, row.text.split_whitespace().last()?)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_verified_from_its_row_and_whoever_asks_learns_where_its_tag_leads() {
    let world = World::new();
    // Whoever is on the row of a tag says no more than the platform.
    let (done, asked) = ask(&world, about(About::Image, GUN, "2.1.0"), &[("platform", "")]).await;
    assert_eq!(asked, ["asked"]);
    assert!(done.happened.contains("is at the registry, whole") && done.left.is_empty() && done.exit.is_none(), "{done:?}");
    assert!(done.copy.as_ref().unwrap().starts_with(&format!("{GUN}@sha256:")), "{done:?}");
    assert!(ends(&done).len() > 2 && ends(&done).iter().all(|(state, _)| *state == "ok"), "{done:?}");
    // A tag that was pushed again: what was signed is still there, and who pulls by the tag gets something else.
    let (done, asked) = ask(&world, about(About::Image, "", ""), &[("gun", GUN), ("tag", "latest")]).await;
    assert_eq!(asked, ["asked"]);
    assert!(done.happened.contains("is at the registry, whole") && done.exit.is_none(), "{done:?}");
    assert!(matches!(done.left.as_slice(), [says] if says.contains("leads to another image now, sha256:")), "{done:?}");
    // Nobody's signature, and a platform for which there is nothing.
    let mut nobody = Person::who_fills(&[("platform", "")]);
    let refused = world.work(about(About::Image, GUN, "nightly"), &mut nobody).await.unwrap_err();
    assert_eq!((refused.code, refused.exit), ("not-released", 3));
    signed_list(&world).await;
    let all = ask(&world, about(About::Image, GUN, "tour"), &[]).await.0;
    let arm = ask(&world, about(About::Image, GUN, "tour"), &[("platform", "linux/arm64")]).await.0;
    assert!(all.exit.is_none() && arm.exit.is_none() && arm.rows.len() < all.rows.len(), "{arm:?}");
    let none = ask(&world, about(About::Image, GUN, "tour"), &[("platform", "plan9/mips")]).await.0;
    assert!(none.is_untrusted() && none.happened.contains("has nothing for the platform plan9/mips"), "{none:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_layer_that_was_changed_is_named_among_the_others_and_is_not_taken_for_success() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::on_disk(&dir.path().join("world"));
    let file = signed_list(&world).await;
    let layer: String = file.file_name().unwrap().to_str().unwrap().chars().take(12).collect();
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    let (done, _) = ask(&world, about(About::Image, GUN, "tour"), &[]).await;
    assert!(done.is_untrusted() && done.copy.is_none() && done.next.is_empty(), "{done:?}");
    assert!(done.happened.contains(&layer) && done.happened.contains("was tampered with"), "{done:?}");
    assert!(done.left.iter().any(|l| l.contains("Do not run it")), "{done:?}");
    let wrong: Vec<_> = ends(&done).into_iter().filter(|(state, _)| *state != "ok").collect();
    assert_eq!(wrong, [("TAMPERED", layer.as_str())], "{done:?}");
    assert!(done.rows.iter().all(|row| row.is_notable == row.text.contains("TAMPERED")), "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_digest_and_the_registrys_tags_are_asked_for_without_a_command_line() {
    let world = World::new();
    // Nothing is left to ask.
    let (done, asked) = ask(&world, about(About::Reference, GUN, "2.1.0"), &[]).await;
    assert!(asked.is_empty() && done.copy.as_ref().unwrap().starts_with(&format!("{GUN}@sha256:")), "{asked:?} {done:?}");
    let (typed, asked) = ask(&world, about(About::Reference, "", ""), &[("gun", GUN), ("tag", "2.1.0")]).await;
    assert_eq!((asked.as_slice(), &typed.copy), (["asked"].as_slice(), &done.copy));
    let (done, asked) = ask(&world, about(About::Tags, GUN, ""), &[]).await;
    assert!(asked.is_empty() && done.exit.is_none(), "{asked:?} {done:?}");
    let rows = ends(&done);
    // What somebody looks for stands first.
    assert_eq!(rows.first(), Some(&("moved", "latest")), "{done:?}");
    assert!(rows.contains(&("unsigned", "nightly")) && rows.last().unwrap().0 == "signed", "{done:?}");
    assert!(done.happened.contains("1 moved") && done.happened.contains("1 unsigned"), "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_can_leave_writes_nothing_down_and_may_do_so_in_a_read_only_session() {
    let mut world = World::new();
    world.place.read_only = Some("--read-only".to_owned());
    let written = || fs::read_dir(world.dir.path()).unwrap().count();
    let (done, _) = ask(&world, about(About::Image, GUN, "2.1.0"), &[]).await;
    assert!(done.exit.is_none(), "{done:?}");
    assert_eq!(written(), 0);
    // Told to stop before it begins, it asks nobody.
    let (work, cancel) = (about(About::Image, GUN, "2.1.0"), Cancel::default());
    cancel.set();
    let recording = Recording::new(&world.place, work.clone());
    let mut person = Person::default();
    let left = claviger::procedures::perform(&work, &world.place, recording, &mut person, cancel).await.unwrap_err();
    assert_eq!((left.code, person.asked.as_slice()), (claviger::procedures::CANCELLED, &[] as &[&str]));
}
