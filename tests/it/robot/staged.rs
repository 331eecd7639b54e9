//! Staged changes in the real binary: staged, seen, thrown away and published, and stopped at every page.
use super::{Home, changes::Visit};

/// Stages a tag that nobody has signed yet.
fn staged(v: &mut Visit) {
    v.robot.press(":sign --stage\r");
    v.robot.see("staged for later");
    v.robot.press("nightly\ralice\x04");
    v.robot.see("For later");
    v.robot.see("targets/alice signs nightly");
    v.accept();
    v.robot.see("2 changes were staged");
    v.robot.press("\r");
    v.robot.see("2 staged: t");
}

#[test]
fn what_is_staged_is_seen_thrown_away_and_published_on_the_screen() {
    for size in [(80, 24), (120, 40)] {
        let mut v = Visit::new(size);
        // Before anything is staged there is nothing to throw away.
        v.robot.press(":reset\r");
        v.robot.see("Nothing is staged for this repo");
        v.escape("▌Chain of trust");
        v.robot.press("t");
        v.robot.see("Staged  sandbox.test/shop/frontend");
        v.robot.press("p");
        v.robot.see("Nothing is staged for this repository.");
        v.escape("▌Chain of trust");
        v.robot.press(":sign --stage\r");
        v.robot.see("staged for later");
        v.robot.press("nightly\ralice\x04");
        v.robot.see("For later");
        v.escape("staged for later");
        v.escape("Nothing was staged, signed or published.");
        v.robot.press("\r");
        v.robot.see("▌Chain of trust");
        assert!(!v.robot.screen().contains("staged: t"), "nothing was staged");
        staged(&mut v);
        v.robot.press("t");
        v.robot.see("Change 0");
        v.robot.press("j");
        v.robot.see("Change 1");
        v.robot.press("D");
        v.robot.see("Read what will be thrown away.");
        v.robot.see("targets/releases signs nightly");
        v.escape("Nothing was thrown away.");
        v.robot.press("\r");
        v.robot.see("Change 1");
        v.robot.press("D");
        v.robot.see("Throw staged changes away");
        v.accept();
        v.robot.see("1 staged change was thrown");
        v.robot.press("\r");
        v.robot.see_no("targets/releases");
        v.robot.see("Change 0");
        v.robot.press("X");
        v.robot.see("targets/alice signs nightly");
        v.accept();
        v.robot.see("1 staged change was thrown");
        v.robot.press("\r");
        v.robot.see("Nothing is staged for this repository.");
        v.escape("▌Chain of trust");
        staged(&mut v);
        v.robot.press(":reset\r");
        v.robot.see("Throw away");
        v.robot.press("\r7");
        v.robot.see("the numbers are 0 to 1");
        v.robot.press("\x150");
        v.robot.see("targets/alice signs nightly");
        v.escape("Nothing was thrown away.");
        v.robot.press("\r");
        v.robot.see("2 staged: t");
        v.robot.press("t");
        v.robot.see("Change 0");
        v.robot.press("p");
        v.robot.see("docker can pull nightly");
        v.accept();
        // All keys of the roles that are here sign.
        v.unlock(&["alice", "ci"]);
        v.published();
        v.robot.see("Nothing is staged for this repository.");
        v.escape("▌Chain of trust");
        v.robot.press("l");
        v.robot.see("▌Tags 14");
        v.leave();
    }
}

#[test]
fn line_by_line_what_is_staged_is_listed_and_thrown_away() {
    let home = Home::empty();
    let gun = "127.0.0.1:9/app";
    let changes = home.dir.path().join(".docker/trust/tuf").join(gun).join("changelist");
    std::fs::create_dir_all(&changes).unwrap();
    for (n, tag) in ["one", "two\\u001b[2J"].iter().enumerate() {
        let change = format!(r#"{{"action":"delete","role":"targets","type":"target","path":"{tag}","data":null}}"#);
        std::fs::write(changes.join(format!("{n}_x.change")), change).unwrap();
    }
    let mut robot = home.start(&["--plain"], (100, 40));
    let mut talk = |lines: &[(&str, &str)]| {
        for (heard, typed) in lines {
            robot.hear(heard);
            robot.press(&format!("{typed}\n"));
        }
    };
    talk(&[("0 leaves", "status"), ("Which repository", "../up"), ("names no repository", gun)]);
    talk(&[("1  targets does not sign two<1b>[2J any more", ""), ("0 leaves", "reset"), ("Repository (", gun)]);
    talk(&[("Throw away", "these"), ("Numbers", "5"), ("the numbers are 0 to 1", "1"), ("Type yes", "yes")]);
    talk(&[("1 staged change was thrown away", ""), ("0 leaves", "status"), ("Which repository", gun)]);
    talk(&[("0  targets does not sign one any more", ""), ("0 leaves", "0")]);
    assert_eq!(robot.end(), 0);
    assert_eq!(std::fs::read_dir(changes).unwrap().count(), 1);
}
