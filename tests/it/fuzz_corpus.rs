//! Every kept input of every fuzz target, through the same bodies as the fuzzer's.
#[path = "../../fuzz/bodies.rs"]
mod bodies;

use std::{fs, path::Path};

fn replay(target: &str, body: fn(&[u8])) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut count = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.len() <= 64 * 1024, "{} is not small", path.display());
        println!("{}", path.display());
        body(&bytes);
        count += 1;
    }
    println!("{count} inputs of {target}");
    assert!(count >= 8, "the corpus of {target} is gone");
}

#[test]
fn the_corpus_of_metadata_holds() {
    replay("metadata", bodies::metadata);
}

#[test]
fn the_corpus_of_pem_holds() {
    replay("pem", bodies::pem);
}

#[test]
fn the_corpus_of_publish_holds() {
    replay("publish", bodies::publish);
}

#[test]
fn the_corpus_of_text_holds() {
    replay("text", bodies::text);
}

#[test]
fn the_corpus_of_update_holds() {
    replay("update", bodies::update);
}

#[test]
fn every_fuzz_target_is_replayed() {
    let targets = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets")).unwrap();
    let mut names: Vec<String> = targets.map(|t| t.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert_eq!(names, ["metadata", "pem", "publish", "text", "update"]);
}
