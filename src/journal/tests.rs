use super::*;
use std::fs::OpenOptions;

fn open(path: &std::path::Path) -> Chain {
    Chain::go_on(OpenOptions::new().read(true).append(true).create(true).open(path).unwrap()).unwrap()
}

fn write(path: &std::path::Path, texts: &[&str]) {
    for text in texts {
        open(path).append(Timestamp::UNIX_EPOCH, saying("said", [("text", (*text).into())])).unwrap();
    }
}

fn read(path: &std::path::Path) -> Record {
    Record::read(&std::fs::read(path).unwrap())
}

fn texts(record: &Record) -> Vec<&str> {
    record.lines.iter().map(|l| if l.event() == "said" { l.text("text") } else { l.event() }).collect()
}

#[test]
fn what_was_written_over_several_sessions_reads_as_one_chain() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    write(&path, &["one", "two", "three"]);
    let record = read(&path);
    assert_eq!(texts(&record), ["one", "two", "three"]);
    assert_eq!((record.broken, record.torn), (None, false));
    assert_eq!(record.head, open(&path).head());
    assert_eq!(record.lines[2].seq, 3);
}

#[test]
fn a_line_that_is_changed_left_out_moved_or_put_in_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    write(&path, &["one", "two", "three", "four"]);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let broken_at = |lines: Vec<String>| Record::read((lines.join("\n") + "\n").as_bytes()).broken.map(|(line, _)| line);
    let with = |order: &[usize]| order.iter().map(|i| lines[*i].to_owned()).collect::<Vec<_>>();
    assert_eq!(broken_at(with(&[0, 1, 2, 3])), None);
    assert_eq!(broken_at(with(&[0, 2, 3])), Some(2), "left out");
    assert_eq!(broken_at(with(&[0, 2, 1, 3])), Some(2), "moved");
    assert_eq!(broken_at(with(&[0, 1, 1, 2, 3])), Some(3), "put in");
    let mut changed = with(&[0, 1, 2, 3]);
    changed[1] = changed[1].replace("two", "TWO");
    assert_eq!(broken_at(changed), Some(3), "the line after a changed one does not follow from it");
    let mut unreadable = with(&[0, 1, 2, 3]);
    unreadable[1] = "rubbish".to_owned();
    assert_eq!(broken_at(unreadable), Some(3));
    let mut last = with(&[0, 1, 2]);
    last.push("rubbish".to_owned());
    assert_eq!(broken_at(last), Some(4), "a whole line that cannot be read is no power cut");
}

#[test]
fn a_line_cut_off_by_a_power_cut_stays_and_is_named_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    write(&path, &["one", "two"]);
    let whole = std::fs::read(&path).unwrap();
    for cut in 1..40 {
        std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let record = read(&path);
        assert_eq!((texts(&record), record.torn, &record.broken), (vec!["one"], true, &None), "{cut}");
        write(&path, &["three"]);
        let record = read(&path);
        match cut {
            // Only its end was missing.
            1 => assert_eq!(texts(&record), ["one", "two", "three"]),
            _ => assert_eq!(texts(&record), ["one", "torn", "three"], "{cut}"),
        }
        assert_eq!((record.torn, record.broken), (false, None), "{cut}");
    }
}

#[test]
fn an_entry_cannot_pretend_to_be_another_link() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    open(&path).append(Timestamp::UNIX_EPOCH, saying("x", [("seq", 7.into()), ("prev", "1".into())])).unwrap();
    assert_eq!(read(&path).lines[0].seq, 1);
}

#[test]
fn one_power_cut_after_the_other_does_not_end_a_record() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("j");
    write(&path, &["one"]);
    // The second came while the line about the first was being written.
    let torn = [std::fs::read(&path).unwrap(), b"{\"at\":\n{\"at".to_vec()].concat();
    std::fs::write(&path, torn).unwrap();
    write(&path, &["two", "three"]);
    let record = read(&path);
    assert_eq!((texts(&record), &record.broken), (vec!["one", "torn", "two", "three"], &None));
}
