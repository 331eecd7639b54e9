//! The tour is walked in the real binary, from the overview to its end, and left on its way. Nothing of it stays.
use super::{Home, driver::Robot};
use std::path::PathBuf;

/// In a sandbox; and where what is thrown away lies.
fn sandbox(home: &Home, size: (u16, u16)) -> (Robot, PathBuf) {
    let temporary = home.dir.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut robot = home.start_with(&["sandbox"], size, &[("TMPDIR", temporary.to_str().unwrap())]);
    robot.see("T takes the tour");
    robot.press("T");
    robot.see("1 of 9. An image that nobody has signed");
    (robot, temporary)
}

/// Reads a page to its end, and goes on.
fn on(robot: &mut Robot, text: &str) {
    robot.see(text);
    robot.press("G");
    robot.see("Enter accept");
    robot.press("\r");
    robot.see_no(text);
}

/// What is thrown away was thrown away, and no other place was touched.
fn leave(mut robot: Robot, home: &Home, temporary: &PathBuf) {
    robot.press("q");
    assert_eq!(robot.end(), 0);
    robot.wait_whole();
    assert!(!robot.written().contains("practise-only"), "a passphrase was written to the terminal");
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
    let made: Vec<_> = std::fs::read_dir(home.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(made, ["tmp"], "something was written where the user works");
}

#[test]
fn the_tour_is_walked_on_the_screen_and_nothing_of_it_stays() {
    for size in [(80, 24), (120, 40)] {
        let home = Home::empty();
        let (mut robot, temporary) = sandbox(&home, size);
        on(&mut robot, "It is looked up now");
        on(&mut robot, "There is no trusted digest");
        on(&mut robot, "lies in a directory");
        robot.see("Name the layout and the tag");
        robot.press("\x04");
        on(&mut robot, "An image for its registry");
        on(&mut robot, "7 of 7 pieces sent");
        on(&mut robot, "which files change");
        robot.see("Say what is wanted");
        robot.press("\x04");
        on(&mut robot, "Sign a tag");
        on(&mut robot, "The passphrase of the alice key");
        on(&mut robot, "Every manifest, configuration");
        robot.see("Say what is asked");
        robot.press("\x04");
        on(&mut robot, "7 pieces");
        on(&mut robot, "as whoever breaks");
        robot.see("Say what is asked");
        robot.press("\x04");
        on(&mut robot, "tampered with: its digest is");
        on(&mut robot, "The new key is on the disk");
        robot.see("Say which key goes");
        robot.press("\x04");
        on(&mut robot, "Rotate a key");
        on(&mut robot, "root version 2");
        on(&mut robot, "Bob leaves");
        robot.see("bob in sandbox.test/shop/frontend");
        robot.press("\x04");
        on(&mut robot, "Remove a signer");
        robot.see("To go ahead, type bob");
        robot.press("bob\r");
        on(&mut robot, "targets version 5");
        on(&mut robot, "did the same by hand");
        on(&mut robot, "shop/mobile:3.2: targets/releases");
        on(&mut robot, "Alice hands over the public half");
        robot.see("alice-of-the-tour.pub");
        robot.press("\x04");
        on(&mut robot, "Write the file");
        on(&mut robot, "+ targets/releases key");
        on(&mut robot, "docker can pull 3.0");
        robot.see("To go ahead, type sandbox.test/shop/mobile");
        robot.press("sandbox.test/shop/mobile\r");
        on(&mut robot, "signed by");
        robot.see("That was the tour");
        robot.press("\r");
        robot.see_no("That was the tour");
        leave(robot, &home, &temporary);
    }
}

#[test]
fn the_tour_can_be_left_at_every_page_and_the_sandbox_is_as_it_was() {
    let home = Home::empty();
    let (mut robot, temporary) = sandbox(&home, (80, 24));
    on(&mut robot, "It is looked up now");
    on(&mut robot, "There is no trusted digest");
    on(&mut robot, "lies in a directory");
    robot.see("Name the layout and the tag");
    robot.press("\x1b");
    robot.see("nothing of it was real");
    robot.press("\r");
    robot.see("4 verified");
    robot.press("4");
    robot.see_no("image push");
    leave(robot, &home, &temporary);
}

#[test]
fn outside_of_a_sandbox_the_tour_says_where_it_is() {
    let home = Home::empty();
    let mut robot = home.start(&[], (120, 40));
    robot.press("T");
    robot.see("claviger sandbox opens one");
    robot.press("q");
    assert_eq!(robot.end(), 0);
}
