//! The robot goes through every place of the real binary.
use super::Home;
use std::fs;

#[test]
fn the_workstation_shows_keys_and_repositories_of_a_trust_directory() {
    for size in [(80, 24), (120, 40)] {
        let home = Home::with("docker-trust");
        let mut robot = home.start(&[], size);
        robot.see("Overview");
        robot.see("ONLINE");
        robot.press("2");
        robot.see("Algorithm");
        robot.press("G");
        robot.press("\r");
        robot.see("yes, with a passphrase");
        robot.press("\x1b");
        robot.see("Keys  6");
        robot.press("/root");
        robot.see("Filter: root");
        robot.press("\r");
        robot.see("filter: root");
        robot.press("\x1b");
        robot.see_no("filter: root");
        robot.press("3");
        robot.see("Health");
        robot.press("?");
        robot.see("Help");
        robot.press("\x1b");
        robot.see_no("one line up");
        robot.press("\t");
        robot.see("Nothing was done with this trust directory so far.");
        robot.press("\t");
        robot.see("Needs attention");
        robot.press("q");
        assert_eq!(robot.end(), 0);
        robot.wait_whole();
    }
}

#[test]
fn the_mouse_works() {
    let home = Home::with("docker-trust");
    let mut robot = home.start(&[], (80, 24));
    robot.see("Needs attention");
    robot.click(4, 3);
    robot.see("Algorithm");
    robot.click(4, 4);
    robot.see("Health");
    robot.press("q");
    assert_eq!(robot.end(), 0);
}

#[test]
fn an_empty_home_says_what_to_do() {
    let home = Home::empty();
    let mut robot = home.start(&[], (80, 24));
    robot.press("2");
    robot.see("claviger key generate NAME");
    robot.press("q");
    assert_eq!(robot.end(), 0);
    assert!(!home.dir.path().join(".docker").exists(), "looking creates nothing");
}

#[test]
fn an_id_is_copied_through_the_terminal() {
    let home = Home::with("docker-trust");
    let mut robot = home.start(&[], (80, 24));
    robot.press("2");
    robot.see("Algorithm");
    robot.press("y");
    robot.see("Sent the key ID to the terminal's clipboard");
    robot.press("q");
    assert_eq!(robot.end(), 0);
}

#[test]
fn without_colour_or_unicode_only_plain_ascii_is_written() {
    let home = Home::with("docker-trust");
    let mut robot = home.start_with(&[], (80, 24), &[("LC_ALL", "C"), ("NO_COLOR", "1")]);
    let all = robot.see("[ ONLINE ]");
    assert!(all.is_ascii(), "{all}");
    robot.wait("no colour", |s| {
        (0..24).all(|y| {
            (0..80).all(|x| {
                s.cell(y, x).is_none_or(|c| c.fgcolor() == vt100::Color::Default && c.bgcolor() == vt100::Color::Default)
            })
        })
    });
    robot.press("q");
    assert_eq!(robot.end(), 0);
    robot.wait_whole();
}

#[test]
fn the_configuration_decides_about_colour_and_ascii_whatever_the_environment_says() {
    let coloured = |s: &vt100::Screen| {
        (0..24).any(|y| {
            (0..80).any(|x| {
                s.cell(y, x).is_some_and(|c| c.fgcolor() != vt100::Color::Default || c.bgcolor() != vt100::Color::Default)
            })
        })
    };
    let bare: &[(&str, &str)] = &[("LC_ALL", "C"), ("NO_COLOR", "1")];
    for (toml, variables, colour, unicode) in
        [("color = false\nascii = true", [].as_slice(), false, false), ("color = true\nascii = false", bare, true, true)]
    {
        let home = Home::with("docker-trust");
        let file = home.dir.path().join("claviger.toml");
        fs::write(&file, format!("[screen]\n{toml}\n")).unwrap();
        let mut robot = home.start_with(&["--config", file.to_str().unwrap()], (80, 24), variables);
        robot.see("Needs attention");
        robot.wait(toml, |s| s.contents().contains("ONLINE") && coloured(s) == colour && s.contents().is_ascii() != unicode);
        robot.press("q");
        assert_eq!(robot.end(), 0);
    }
}
