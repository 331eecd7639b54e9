//! However it ends, the terminal is whole.
use super::{
    Home,
    child::PLAY,
    driver::{Robot, Start, wait_gone},
};
use rustix::process::Signal;
use std::path::Path;

#[test]
fn signals_end_it_with_their_status_and_leave_the_terminal_whole() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let home = Home::with("docker-trust");
        let mut robot = home.start(&[], (80, 24));
        robot.see("Needs attention");
        robot.signal(signal);
        assert_eq!(robot.end(), status, "{signal:?}");
        robot.wait_whole();
    }
}

#[test]
fn control_c_ends_it_as_interrupted() {
    let home = Home::empty();
    let mut robot = home.start(&[], (80, 24));
    robot.see("Needs attention");
    robot.press("\x03");
    assert_eq!(robot.end(), 130);
    robot.wait_whole();
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    let home = Home::empty();
    let robot = home.start_in_shell((80, 24));
    robot.see("Needs attention");
    let claviger = robot.foreground();
    assert_ne!(claviger, robot.pid().as_raw_nonzero().get());
    // When its leader dies, the kernel takes the terminal from the whole session.
    robot.signal(Signal::KILL);
    wait_gone(claviger);
}

#[test]
fn stopped_from_outside_it_gives_the_terminal_back_and_returns_to_the_same_place() {
    let home = Home::with("docker-trust");
    let mut robot = home.start(&[], (80, 24));
    robot.press("2");
    robot.see("Algorithm");
    for _ in 0..3 {
        robot.signal(Signal::TSTP);
        robot.wait_stopped();
        robot.wait_whole();
        robot.signal(Signal::CONT);
        robot.wait("its own screen", |s| s.alternate_screen() && s.contents().contains("Algorithm"));
    }
    robot.press("3");
    robot.see("Health");
    robot.press("q");
    assert_eq!(robot.end(), 0);
    robot.wait_whole();
}

#[test]
fn control_z_goes_back_to_the_shell_and_fg_returns() {
    let home = Home::with("docker-trust");
    let mut robot = home.start_in_shell((80, 24));
    robot.see("Needs attention");
    robot.press("2");
    robot.see("Algorithm");
    robot.press("\x1a");
    robot.wait("the shell again", |s| {
        !s.alternate_screen() && s.contents().contains("Stopped") && s.contents().trim_end().ends_with("READY>")
    });
    robot.press("stty -a; echo LOOK-$((40+2))\n");
    let lines = robot.see("LOOK-42");
    for set in ["icanon", "echo", "isig"] {
        assert!(lines.split_whitespace().any(|w| w == set), "{set} is missing in {lines}");
    }
    robot.press("fg\n");
    robot.wait("its own screen", |s| s.alternate_screen() && s.contents().contains("Algorithm"));
    robot.press("q");
    robot.wait("the shell again", |s| !s.alternate_screen() && s.contents().trim_end().ends_with("READY>"));
    robot.press("exit 7\n");
    assert_eq!(robot.end(), 7);
}

#[test]
fn a_terminal_without_a_shell_does_not_strand_on_control_z() {
    let home = Home::empty();
    let mut robot = home.start(&[], (80, 24));
    robot.see("Needs attention");
    robot.press("\x1a");
    robot.see("There is no shell to go back to.");
    robot.press("q");
    assert_eq!(robot.end(), 0);
}

#[test]
fn a_storm_of_resizes_leaves_a_right_screen() {
    let home = Home::with("docker-trust");
    let mut robot = home.start(&[], (80, 24));
    robot.see("Needs attention");
    for i in 0..300u16 {
        robot.resize((1 + (i * 37) % 200, 1 + (i * 17) % 60));
        if i % 10 == 0 {
            robot.press(["j", "2", "3", "1"][usize::from(i / 10) % 4]);
        }
    }
    robot.resize((100, 30));
    robot.press("2");
    robot.wait("a frame of the last size", |s| {
        let all = s.contents();
        let lines: Vec<&str> = all.lines().collect();
        lines.len() == 30
            && lines[0].contains("claviger")
            && lines[0].contains("ONLINE")
            && lines[29].contains("q quit")
            && all.contains("Algorithm")
    });
    robot.press("q");
    assert_eq!(robot.end(), 0);
    robot.wait_whole();
}

#[test]
fn a_panic_leaves_the_terminal_whole_and_its_message_readable() {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "robot::child::plays_a_faulty_program_for_another_test", "--nocapture"];
    let mut robot = Robot::start(Start {
        program: &program,
        arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
        variables: vec![(PLAY, "1".to_owned())],
        size: (120, 40),
    });
    robot.see("makes a key.");
    robot.press("R");
    robot.wait("the message on the terminal's own screen", |s| {
        !s.alternate_screen() && s.contents().contains("a fault that a test has put here")
    });
    assert_eq!(robot.end(), 101);
    robot.wait_whole();
}

/// Commands that ask on the terminal, what is seen then, and what they say when they are ended there.
const QUESTIONS: [(&[&str], &str, &str); 4] = [
    (&["passphrase", "check"], "Passphrase to judge:", "Nothing was judged."),
    (&["key", "generate", "ana", "--dir", "."], "New passphrase for", "No key was made."),
    (&["key", "generate", "--dir", "."], "Name (", "No key was made."),
    (&["--plain"], "0 leaves", "What was asked was not done."),
];

#[test]
fn a_signal_at_a_question_of_a_command_ends_it_with_its_status_and_gives_the_terminal_back() {
    for (signal, status, why) in [
        (Signal::TERM, 143, "ended by SIGTERM"),
        (Signal::HUP, 129, "the terminal was closed"),
        (Signal::INT, 130, "interrupted"),
    ] {
        for (arguments, asks, nothing) in QUESTIONS {
            let home = Home::empty();
            let mut robot = home.start(arguments, (100, 30));
            robot.see(asks);
            robot.signal(signal);
            assert_eq!(robot.end(), status, "{signal:?} {arguments:?}");
            robot.wait_whole();
            robot.see(why);
            robot.see(nothing);
            assert!(!home.dir.path().join(".docker").exists());
        }
    }
}

#[test]
fn a_command_that_is_told_to_outlive_its_terminal_does() {
    let home = Home::empty();
    let script = format!("trap '' HUP; exec {} passphrase check", env!("CARGO_BIN_EXE_claviger"));
    let mut robot = Robot::start(Start {
        program: Path::new("/bin/sh"),
        arguments: vec!["-c".to_owned(), script],
        variables: vec![("HOME", home.dir.path().to_string_lossy().into_owned())],
        size: (100, 30),
    });
    robot.see("Passphrase to judge:");
    robot.signal(Signal::HUP);
    robot.press("unsaddle gondola walnut turnip lantern zoom\n");
    robot.see("strong: about");
    assert_eq!(robot.end(), 0);
    robot.wait_whole();
}
